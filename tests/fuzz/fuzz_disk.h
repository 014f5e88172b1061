/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A disk of zeros with some pieces of 512 bytes in it, for the targets of partition tables: each
 * piece comes behind its number (two bytes, little-endian).
 */
#ifndef PRIVET_FUZZ_DISK_H
#define PRIVET_FUZZ_DISK_H

#include <stdlib.h>
#include <string.h>

#include "firmware/storage/partition.h"

#define FUZZ_PIECE     512u
#define FUZZ_DISK_SIZE 0x200000u

struct fuzz_input {
    const uint8_t *data;
    size_t size;
};

static inline bool fuzz_disk_read(void *context, uint64_t offset, void *data, size_t length)
{
    const struct fuzz_input *input = context;
    uint8_t *bytes = data;
    if (offset > FUZZ_DISK_SIZE || length > FUZZ_DISK_SIZE - offset)
        return false;
    memset(data, 0, length);
    for (size_t at = 0; at + 2 + FUZZ_PIECE <= input->size; at += 2 + FUZZ_PIECE) {
        uint64_t begin = (input->data[at] | (uint64_t)input->data[at + 1] << 8) * FUZZ_PIECE;
        uint64_t from = begin > offset ? begin : offset, to = begin + FUZZ_PIECE;
        if (to > offset + length)
            to = offset + length;
        if (from < to)
            memcpy(bytes + (from - offset), input->data + at + 2 + (from - begin), to - from);
    }
    return true;
}

/* What the firmware relies on. */
static inline void fuzz_check(const struct partition_disk *disk, const struct partition *found,
                              size_t count)
{
    if (count > PARTITIONS_MAXIMUM)
        abort();
    for (size_t i = 0; i < count; i++)
        if (found[i].blocks == 0 || found[i].start >= disk->blocks ||
            found[i].blocks > disk->blocks - found[i].start || found[i].inside > i)
            abort();
}

#endif
