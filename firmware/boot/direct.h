/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Direct boot of a kernel that the host hands over by fw_cfg (QEMU: -kernel, -initrd, -append). */
#ifndef PRIVET_FIRMWARE_DIRECT_H
#define PRIVET_FIRMWARE_DIRECT_H

#include <stdbool.h>

/*
 * Looks for measured hashes in the launch's memory and says what they cover. First of all, before
 * anything that the host says is looked at. Panics when the table is damaged.
 */
void direct_init(void);
/* Are measured hashes in force? Then nothing but the measured kernel may run in this guest. */
bool direct_measured(void);

/*
 * Boots the host's kernel if there is one, which may be any EFI program. Returns when there was
 * none, or it failed or came back; the report (attempt.h) has why. Panics when a measured hash
 * does not match, or when the host offers something to boot that has none.
 */
void direct_boot(void);

#endif
