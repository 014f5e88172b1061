/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Launch secrets (SEV API 6.6) and what of them becomes an extra initrd. Pure: the caller has the
 * area, in private memory.
 */
#ifndef PRIVET_FIRMWARE_CREDENTIALS_H
#define PRIVET_FIRMWARE_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/uefi/uefi.h"

enum secret_state {
    SECRET_ABSENT, /* the area does not begin with the table's GUID: nothing was injected */
    SECRET_PRESENT,
    SECRET_MALFORMED,
};
/* Looks through the whole table: header, entries, lengths. */
enum secret_state secret_check(const uint8_t *area, size_t size);

struct secret_entry {
    uint8_t *guid, *data; /* in the area */
    size_t size;          /* of the data */
};
/* The first entry of a name; the area was checked. False: there is none. */
bool secret_find(uint8_t *area, const struct guid *name, struct secret_entry *ret);

/* aa84af95-b5a3-42a0-a168-04d9f7dff442: see docs/firmware.md. */
extern const struct guid secret_credentials_guid;

/*
 * The entry's credentials as a cpio archive (newc), written to `archive` unless that is NULL.
 * Returns its size; 0: the entry is malformed.
 */
size_t credentials_archive(const uint8_t *data, size_t size, uint8_t *archive);

#endif
