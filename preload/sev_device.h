/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* /dev/sev (linux: include/uapi/linux/psp-sev.h) as far as SEV goes: no SNP requests. */
#ifndef PRIVET_PRELOAD_SEV_DEVICE_H
#define PRIVET_PRELOAD_SEV_DEVICE_H

#include <stdbool.h>

/*
 * As ioctl(2); `writable`: the device was opened for writing. Each call is a connection of its own, so
 * that threads, copies of the descriptor and processes need not agree.
 */
int sev_device_ioctl(bool writable, unsigned long request, void *argument);

#endif
