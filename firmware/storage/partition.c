/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Partition tables. A GPT counts only with correct CRCs of header and array, the primary or else
 * the backup; every partition must lie inside the disk.
 */
#include "firmware/storage/partition.h"

#include <string.h>

#include "firmware/uefi/services.h"

#define HEADER_SIZE    92u
#define ENTRY_SIZE     128u
#define ARRAY_MAXIMUM  0x8000u
#define MBR_TABLE      446u
#define MBR_ENTRIES    4u
#define MBR_PROTECTIVE 0xEEu

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

struct gpt {
    uint64_t array;
    uint32_t count, entry_size, crc;
};

static bool read_header(uint8_t *block, uint32_t block_size, uint64_t place, struct gpt *ret)
{
    uint32_t size = get32(block + 12), crc = get32(block + 16);
    if (memcmp(block, "EFI PART", 8) != 0 || size < HEADER_SIZE || size > block_size ||
        get64(block + 24) != place)
        return false;
    memset(block + 16, 0, 4);
    if (crc32(0, block, size) != crc)
        return false;
    *ret = (struct gpt){ .array = get64(block + 72),
                         .count = get32(block + 80),
                         .entry_size = get32(block + 84),
                         .crc = get32(block + 88) };
    return ret->entry_size >= ENTRY_SIZE && ret->entry_size % 8 == 0 &&
           ret->entry_size <= ARRAY_MAXIMUM && ret->count > 0 &&
           ret->count <= ARRAY_MAXIMUM / ret->entry_size;
}

static size_t read_gpt(partition_read *read, void *disk, uint32_t block_size, uint64_t blocks,
                       uint64_t place, uint8_t *scratch, struct partition *ret)
{
    static const uint8_t unused[16];
    struct gpt gpt;
    if (place >= blocks || !read(disk, place, 1, scratch) ||
        !read_header(scratch, block_size, place, &gpt))
        return 0;
    uint32_t length = gpt.count * gpt.entry_size;
    uint32_t array_blocks = (length + block_size - 1) / block_size;
    uint8_t *array = scratch + 4096;
    if (gpt.array >= blocks || array_blocks > blocks - gpt.array ||
        !read(disk, gpt.array, array_blocks, array) || crc32(0, array, length) != gpt.crc)
        return 0;
    size_t found = 0;
    for (uint32_t i = 0; i < gpt.count && found < PARTITIONS_MAXIMUM; i++) {
        const uint8_t *entry = array + (size_t)i * gpt.entry_size;
        uint64_t first = get64(entry + 32), last = get64(entry + 40);
        if (memcmp(entry, unused, sizeof(unused)) == 0 || first == 0 || last < first ||
            last >= blocks)
            continue;
        ret[found] = (struct partition){
            .start = first, .blocks = last - first + 1, .number = i + 1, .table_type = 2
        };
        memcpy(ret[found++].signature, entry + 16, 16);
    }
    return found;
}

static size_t read_mbr(partition_read *read, void *disk, uint64_t blocks, uint8_t *scratch,
                       struct partition *ret)
{
    size_t found = 0;
    if (!read(disk, 0, 1, scratch) || scratch[510] != 0x55 || scratch[511] != 0xAA)
        return 0;
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        const uint8_t *entry = scratch + MBR_TABLE + i * 16;
        uint64_t start = get32(entry + 8), length = get32(entry + 12);
        if (entry[4] == 0 || entry[4] == MBR_PROTECTIVE || start == 0 || length == 0 ||
            start >= blocks || length > blocks - start)
            continue;
        ret[found] = (struct partition){
            .start = start, .blocks = length, .number = i + 1, .table_type = 1
        };
        memcpy(ret[found++].signature, scratch + 440, 4);
    }
    return found;
}

size_t partition_scan(partition_read *read, void *disk, uint32_t block_size, uint64_t blocks,
                      uint8_t *scratch, struct partition *ret)
{
    if (block_size < 512 || block_size > 4096 || blocks < 2)
        return 0;
    size_t found = read_gpt(read, disk, block_size, blocks, 1, scratch, ret);
    if (!found)
        found = read_gpt(read, disk, block_size, blocks, blocks - 1, scratch, ret);
    if (!found)
        found = read_mbr(read, disk, blocks, scratch, ret);
    return found;
}
