/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* /dev/sev (linux: include/uapi/linux/psp-sev.h) as far as SEV goes: no SNP requests. */
#ifndef PRIVET_PRELOAD_SEV_DEVICE_H
#define PRIVET_PRELOAD_SEV_DEVICE_H

#include <stdbool.h>

/* As ioctl(2); `fd` is a connection to the chip, `writable` whether it was opened for writing. */
int sev_device_ioctl(int fd, bool writable, unsigned long request, void *argument);

#endif
