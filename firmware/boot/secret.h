/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The launch secret, for the operating system. */
#ifndef PRIVET_FIRMWARE_SECRET_H
#define PRIVET_FIRMWARE_SECRET_H

#include <stddef.h>
#include <stdint.h>

/* Under SEV: publishes where the guest owner's secret lies, whether one was injected or not. */
void secret_publish(void);

/*
 * Size of the archive with the secret's credentials, which belongs behind the measured initrd. 0:
 * there are none, or the boot is not measured, so that the host's kernel would get them.
 */
size_t secret_archive_size(void);
/*
 * Writes it, once, and takes the credentials out of the secret. `archive` must stay until boot
 * services end, when it is wiped again, or until it is wiped before its memory is given back.
 */
void secret_archive_take(uint8_t *archive);
void secret_archive_wipe(void);

#endif
