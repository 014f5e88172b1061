/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Direct boot of a kernel that the host hands over by fw_cfg (QEMU: -kernel, -initrd, -append). */
#ifndef PRIVET_FIRMWARE_DIRECT_H
#define PRIVET_FIRMWARE_DIRECT_H

#include <stdbool.h>

/*
 * Boots the host's kernel if there is one. Returns true when a kernel was started and came back,
 * false when there was none. Panics when a measured hash does not match.
 */
bool direct_boot(void);

/* Are measured hashes in force? Then nothing but the measured kernel may be booted. */
bool direct_measured(void);

#endif
