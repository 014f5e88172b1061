/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#ifndef PRIVET_PRELOAD_SEV_DEVICE_H
#define PRIVET_PRELOAD_SEV_DEVICE_H

/* /dev/sev's ioctl (linux: psp-sev.h), as ioctl(2): -1 and errno. */
int sev_device_ioctl(void *object, unsigned long request, void *argument);

#endif
