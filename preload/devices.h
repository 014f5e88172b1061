/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* /dev/sev and /dev/kvm, as a program meets them. */
#ifndef PRIVET_PRELOAD_DEVICES_H
#define PRIVET_PRELOAD_DEVICES_H

#include <stddef.h>
#include <sys/types.h>

struct device;

/* The device at a path, as openat(2) takes it; NULL: none of ours. */
const struct device *device_at(int folder, const char *path);
/* The device that a descriptor was opened from, NULL: none of ours. */
const struct device *device_of(int fd);

/* What stat(2) says of it. */
mode_t device_mode(const struct device *device);
dev_t device_number(const struct device *device);

/* As open(2). */
int device_open(const struct device *device, int flags);

/* Descriptors of devices that an exec left open are ours again; or one that another program sent. */
void devices_adopt(void);
void device_adopt(int fd);

#endif
