/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Parser of the hash table: GUID, u16 length of all, then entries of GUID, u16 length, hash; all
 * lengths count their own header. The area is launch-measured when a table is there at all;
 * otherwise it holds whatever memory decrypts to, and only the GUID tells.
 */
#include "firmware/boot/hashes.h"

#include <string.h>

#include "firmware/uefi/uefi.h"

#define HEADER_SIZE 18u /* GUID and length */

static const struct guid table_guid = {
    0x9438d606, 0x4f22, 0x4cc9, { 0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21 }
};
static const struct guid blob_guids[HASHED_BLOBS] = {
    [HASHED_COMMAND_LINE] = { 0x97d02dd8,
                              0xbd20,
                              0x4c94,
                              { 0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a } },
    [HASHED_INITRD] = { 0x44baf731,
                        0x3a2f,
                        0x4bd7,
                        { 0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d } },
    [HASHED_KERNEL] = { 0x4de79437,
                        0xabd2,
                        0x427f,
                        { 0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b } },
};

static size_t length_at(const uint8_t *header)
{
    return (size_t)header[16] | (size_t)header[17] << 8;
}

/* Takes one entry. False: malformed. */
static bool take(const uint8_t *entry, size_t length, struct hash_table *table)
{
    for (unsigned i = 0; i < HASHED_BLOBS; i++) {
        if (memcmp(entry, &blob_guids[i], sizeof(blob_guids[i])) != 0)
            continue;
        if (length != HEADER_SIZE + HASH_SIZE || table->present[i])
            return false;
        table->present[i] = true;
        memcpy(table->hash[i], entry + HEADER_SIZE, HASH_SIZE);
        return true;
    }
    return true; /* unknown blobs do not concern this firmware */
}

enum hashes_state hashes_parse(const uint8_t *area, size_t size, struct hash_table *ret)
{
    struct hash_table table;
    memset(&table, 0, sizeof(table));
    if (size < HEADER_SIZE || memcmp(area, &table_guid, sizeof(table_guid)) != 0)
        return HASHES_ABSENT;
    size_t total = length_at(area), offset = HEADER_SIZE;
    if (total < HEADER_SIZE || total > size)
        return HASHES_MALFORMED;
    while (offset < total) {
        if (total - offset < HEADER_SIZE)
            return HASHES_MALFORMED;
        size_t length = length_at(area + offset);
        if (length < HEADER_SIZE || length > total - offset || !take(area + offset, length, &table))
            return HASHES_MALFORMED;
        offset += length;
    }
    *ret = table;
    return HASHES_PRESENT;
}
