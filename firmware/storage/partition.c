/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * GPT and MBR. A GPT counts only under a protective MBR and with correct CRCs of header and array,
 * the primary or else the backup. Every partition must lie inside the disk.
 */
#include "firmware/storage/partition.h"

#include <string.h>

#include "firmware/uefi/services.h"

#define HEADER_SIZE      92u
#define ENTRY_SMALLEST   128u
#define ENTRY_LARGEST    4096u
#define ARRAY_MAXIMUM    0x100000u
#define BLOCK_MAXIMUM    4096u
#define MBR_SIZE         512u
#define MBR_SIGNATURE    440u
#define MBR_TABLE        446u
#define MBR_ENTRIES      4u
#define MBR_PROTECTIVE   0xEEu
#define LOGICALS_MAXIMUM 64u

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

struct mbr_entry {
    uint8_t type;
    uint64_t start, blocks;
};

/* Reads a boot record (UEFI 2.10 5.2.1). False: there is none, or boot code where entries go. */
static bool read_mbr(const struct partition_disk *disk, uint64_t block, uint8_t mbr[MBR_SIZE])
{
    if (block >= disk->blocks ||
        !disk->read(disk->context, block * disk->block_size, mbr, MBR_SIZE) || mbr[510] != 0x55 ||
        mbr[511] != 0xAA)
        return false;
    for (unsigned i = 0; i < MBR_ENTRIES; i++)
        if (mbr[MBR_TABLE + i * 16] & 0x7F)
            return false; /* an entry is active (0x80) or not (0) */
    return true;
}

static struct mbr_entry mbr_entry(const uint8_t *mbr, unsigned index)
{
    const uint8_t *entry = mbr + MBR_TABLE + index * 16;
    return (struct mbr_entry){ entry[4], get32(entry + 8), get32(entry + 12) };
}

static bool is_extended(uint8_t type)
{
    return type == 0x05 || type == 0x0F || type == 0x85;
}

/* Does it lie inside the disk, and is it one at all? */
static bool is_partition(const struct partition_disk *disk, const struct mbr_entry *entry)
{
    return entry->type != 0 && entry->type != MBR_PROTECTIVE && entry->start != 0 &&
           entry->blocks != 0 && entry->start < disk->blocks &&
           entry->blocks <= disk->blocks - entry->start;
}

/*
 * The chain of logical partitions (UEFI 2.10 5.2.2 leaves it to legacy practice): each extended
 * boot record describes one, relative to itself, and the next record, relative to the first. The
 * numbers begin at 1 and the signature is 0, as in edk2's device paths.
 */
static size_t read_logical(const struct partition_disk *disk, const struct partition *extended,
                           uint32_t inside, struct partition *ret, size_t room)
{
    uint64_t records[LOGICALS_MAXIMUM];
    uint64_t record = extended->start, end = extended->start + extended->blocks;
    uint8_t mbr[MBR_SIZE];
    uint32_t number = 0;
    size_t found = 0;
    for (unsigned i = 0; i < LOGICALS_MAXIMUM && found < room; i++) {
        for (unsigned k = 0; k < i; k++)
            if (records[k] == record)
                return found; /* a loop */
        records[i] = record;
        if (!read_mbr(disk, record, mbr))
            return found;
        struct mbr_entry entry = mbr_entry(mbr, 0), next = mbr_entry(mbr, 1);
        entry.start = entry.start ? entry.start + record : 0;
        if (is_partition(disk, &entry) && !is_extended(entry.type) &&
            entry.start + entry.blocks <= end)
            ret[found++] = (struct partition){ .start = entry.start,
                                               .blocks = entry.blocks,
                                               .number = ++number,
                                               .kind = PARTITION_MBR,
                                               .inside = inside };
        if (!is_extended(next.type) || next.start == 0 || next.start >= extended->blocks)
            return found;
        record = extended->start + next.start;
    }
    return found;
}

size_t partition_mbr(const struct partition_disk *disk, struct partition *ret)
{
    uint8_t mbr[MBR_SIZE];
    bool extended[MBR_ENTRIES] = { false };
    size_t found = 0;
    if (!read_mbr(disk, 0, mbr))
        return 0;
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        struct mbr_entry entry = mbr_entry(mbr, i);
        if (!is_partition(disk, &entry))
            continue;
        ret[found] = (struct partition){ .start = entry.start,
                                         .blocks = entry.blocks,
                                         .number = i + 1,
                                         .kind = PARTITION_MBR };
        memcpy(ret[found].signature, mbr + MBR_SIGNATURE, 4);
        extended[found++] = is_extended(entry.type);
    }
    for (size_t i = 0, primary = found; i < primary; i++)
        if (extended[i])
            found += read_logical(disk, &ret[i], (uint32_t)i + 1, ret + found,
                                  PARTITIONS_MAXIMUM - found);
    return found;
}

struct gpt {
    uint64_t array;
    uint32_t count, entry_size, crc;
};

/* The header at a block (UEFI 2.10 5.3.2). */
static bool read_header(const struct partition_disk *disk, uint64_t place, struct gpt *ret)
{
    uint8_t block[BLOCK_MAXIMUM];
    if (place >= disk->blocks ||
        !disk->read(disk->context, place * disk->block_size, block, disk->block_size))
        return false;
    uint32_t size = get32(block + 12), crc = get32(block + 16);
    if (memcmp(block, "EFI PART", 8) != 0 || size < HEADER_SIZE || size > disk->block_size ||
        get64(block + 24) != place)
        return false;
    memset(block + 16, 0, 4);
    if (crc32(0, block, size) != crc)
        return false;
    *ret = (struct gpt){ .array = get64(block + 72),
                         .count = get32(block + 80),
                         .entry_size = get32(block + 84),
                         .crc = get32(block + 88) };
    return ret->entry_size >= ENTRY_SMALLEST && ret->entry_size <= ENTRY_LARGEST &&
           ret->entry_size % 8 == 0 && ret->count <= ARRAY_MAXIMUM / ret->entry_size &&
           ret->array < disk->blocks;
}

/* An entry in use that lies inside the disk (UEFI 2.10 5.3.3). */
static bool read_gpt_entry(const struct partition_disk *disk, const uint8_t *entry,
                           struct partition *ret)
{
    static const uint8_t unused[16];
    uint64_t first = get64(entry + 32), last = get64(entry + 40);
    if (memcmp(entry, unused, sizeof(unused)) == 0 || first == 0 || last < first ||
        last >= disk->blocks)
        return false;
    *ret = (struct partition){ .start = first, .blocks = last - first + 1, .kind = PARTITION_GPT };
    memcpy(ret->signature, entry + 16, sizeof(ret->signature));
    return true;
}

/* What is taken from the array is what its CRC was made of: each entry is read once. */
static size_t read_gpt(const struct partition_disk *disk, uint64_t place, struct partition *ret)
{
    struct gpt gpt;
    uint8_t entry[ENTRY_LARGEST];
    size_t found = 0;
    uint32_t crc = 0;
    if (!read_header(disk, place, &gpt))
        return 0;
    uint64_t at = gpt.array * disk->block_size;
    for (uint32_t i = 0; i < gpt.count; i++, at += gpt.entry_size) {
        if (!disk->read(disk->context, at, entry, gpt.entry_size))
            return 0;
        crc = crc32(crc, entry, gpt.entry_size);
        if (found < PARTITIONS_MAXIMUM && read_gpt_entry(disk, entry, &ret[found]))
            ret[found++].number = i + 1;
    }
    return crc == gpt.crc ? found : 0;
}

size_t partition_gpt(const struct partition_disk *disk, struct partition *ret)
{
    uint8_t mbr[MBR_SIZE];
    bool protective = false;
    if (disk->blocks < 2 || !read_mbr(disk, 0, mbr))
        return 0;
    for (unsigned i = 0; i < MBR_ENTRIES; i++)
        protective = protective || mbr_entry(mbr, i).type == MBR_PROTECTIVE;
    if (!protective)
        return 0;
    size_t found = read_gpt(disk, 1, ret);
    return found ? found : read_gpt(disk, disk->blocks - 1, ret);
}
