/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The table of secrets that a launch injects: named by GUIDs, in the form that OVMF, GRUB and Linux
 * read (outer GUID, 32-bit length, entries of GUID, 32-bit length, bytes; padded to 16).
 */
#ifndef PRIVET_OWNER_SECRET_TABLE_H
#define PRIVET_OWNER_SECRET_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "owner/session.h"

struct owner_secret_table {
    uint8_t bytes[OWNER_SECRET_MAX];
    size_t used; /* without the padding */
};

void owner_secret_begin(struct owner_secret_table *table);

/* `guid` in its usual text form. NULL, or the reason: not a GUID, there already, no room. */
const char *owner_secret_add(struct owner_secret_table *table, const char *guid,
                             const uint8_t *data, size_t size);

/*
 * Credentials, which are one entry of the table: in a measured boot Privet's firmware makes files of
 * them in an initrd of its own.
 */
#define OWNER_CREDENTIALS_GUID "aa84af95-b5a3-42a0-a168-04d9f7dff442"

struct owner_credentials {
    uint8_t bytes[OWNER_SECRET_MAX]; /* a row of: name, NUL, 32-bit length, value */
    size_t used;
};

/* NULL, or the reason: no name for a credential, there already, no room. */
const char *owner_credential_add(struct owner_credentials *credentials, const char *name,
                                 const uint8_t *data, size_t size);

/* Bytes to encrypt: a multiple of 16. */
size_t owner_secret_size(const struct owner_secret_table *table);

/* Where the guest's firmware wants its secrets. */
struct owner_secret_area {
    uint32_t base, size; /* guest physical; 0, 0: it says nothing */
};

/*
 * Can `size` bytes be injected where the firmware image says (LAUNCH_SECRET, and the rules of QEMU and
 * Privet)? NULL, or the reason why not; *ret_area is told in either case.
 */
const char *owner_secret_place(const uint8_t *image, size_t image_size, size_t size,
                               struct owner_secret_area *ret_area);

#endif
