/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The table of hashes that the host puts into launch-measured memory (QEMU: kernel-hashes=on). A
 * pure parser; who enforces is boot/direct.c.
 */
#ifndef PRIVET_FIRMWARE_HASHES_H
#define PRIVET_FIRMWARE_HASHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_SIZE 32u

enum hashed_blob { HASHED_COMMAND_LINE, HASHED_INITRD, HASHED_KERNEL, HASHED_BLOBS };

enum hashes_state {
    HASHES_ABSENT, /* no table here: the area does not begin with the table's GUID */
    HASHES_PRESENT,
    HASHES_MALFORMED, /* a table, but not a correct one: nothing may be booted with it */
};

struct hash_table {
    bool present[HASHED_BLOBS];
    uint8_t hash[HASHED_BLOBS][HASH_SIZE];
};

/*
 * Parses `size` bytes of private memory. On HASHES_PRESENT *ret is set; entries with unknown GUIDs
 * are skipped, a known one twice or with a wrong length is malformed.
 */
enum hashes_state hashes_parse(const uint8_t *area, size_t size, struct hash_table *ret);

#endif
