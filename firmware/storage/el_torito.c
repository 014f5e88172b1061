/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * El Torito boot catalogs (El Torito 1.0, UEFI 2.10 13.3.2.1) on CDs and on disks that hold a CD's
 * image. Every bootable entry is a partition: a firmware that asked for the EFI platform would miss
 * the images of discs made for OVMF. Entry numbers and sizes are edk2's (PartitionDxe).
 */
#include "firmware/storage/partition.h"

#include <string.h>

#define SECTOR           2048u
#define FIRST_DESCRIPTOR 16u
#define DESCRIPTORS      64u /* looked at; discs have three or four */
#define ENTRY_SIZE       32u
#define ENTRIES          (SECTOR / ENTRY_SIZE)

enum {
    DESCRIPTOR_BOOT = 0, DESCRIPTOR_PRIMARY = 1, DESCRIPTOR_END = 255,
    ID_VALIDATION = 0x01, ID_HEADER = 0x90, ID_LAST_HEADER = 0x91, ID_EXTENSION = 0x44,
    ID_BOOTABLE = 0x88,
    MEDIA_NONE = 0, MEDIA_HARD_DISK = 4,
};

/* Sectors of 512 bytes of the emulated floppies: 1.2, 1.44, 2.88 MB. */
static const uint32_t floppies[MEDIA_HARD_DISK] = { [1] = 2400, [2] = 2880, [3] = 5760 };

struct disc {
    const struct partition_disk *disk;
    uint64_t volume_end; /* bytes; from the primary volume descriptor, at most the disk's */
    uint32_t next_number;
    struct partition *list;
    size_t found;
};

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/*
 * Bytes of an image. edk2 takes the sector count of one without emulation in sectors of 2048 bytes,
 * and 0 or 1, which tells nothing, as all the rest of the volume.
 */
static uint64_t image_size(const struct disc *disc, const uint8_t *entry, uint64_t start)
{
    unsigned media = entry[1] & 0x0F;
    uint32_t count = (uint32_t)entry[6] | (uint32_t)entry[7] << 8;
    if (media > MEDIA_HARD_DISK)
        return 0;
    if (media != MEDIA_NONE && media != MEDIA_HARD_DISK)
        return floppies[media] * 512ull;
    if (count < 2)
        return disc->volume_end > start ? disc->volume_end - start : 0;
    return (uint64_t)count * (media == MEDIA_NONE ? SECTOR : 512);
}

static void take_entry(struct disc *disc, const uint8_t *entry, bool initial)
{
    uint32_t block_size = disc->disk->block_size;
    uint64_t start = (uint64_t)get32(entry + 8) * SECTOR, end = disc->disk->blocks * block_size;
    if (entry[0] != ID_BOOTABLE || start == 0 || start >= end ||
        disc->found == PARTITIONS_MAXIMUM)
        return;
    uint64_t size = image_size(disc, entry, start);
    if (size > end - start)
        size = end - start; /* a count in sectors of 512 bytes claims four times too much */
    uint32_t number = initial ? 0 : disc->next_number++;
    if (size == 0)
        return;
    disc->list[disc->found++] =
        (struct partition){ .start = start / block_size,
                            .blocks = (size + block_size - 1) / block_size,
                            .number = number,
                            .kind = PARTITION_CD };
}

/* The validation entry: the sum of its words is 0 (El Torito 2.1). */
static bool is_catalog(const uint8_t *catalog)
{
    uint16_t sum = 0;
    for (unsigned i = 0; i < ENTRY_SIZE; i += 2)
        sum = (uint16_t)(sum + (catalog[i] | catalog[i + 1] << 8));
    return catalog[0] == ID_VALIDATION && catalog[30] == 0x55 && catalog[31] == 0xAA && sum == 0;
}

/* Initial entry, then sections: a header with a count, its entries, each with its extensions. */
static void read_catalog(struct disc *disc, uint32_t sector)
{
    uint8_t catalog[SECTOR];
    if (!disc->disk->read(disc->disk->context, (uint64_t)sector * SECTOR, catalog, SECTOR) ||
        !is_catalog(catalog))
        return;
    take_entry(disc, catalog + ENTRY_SIZE, true);
    for (unsigned i = 2; i < ENTRIES;) {
        const uint8_t *header = catalog + i++ * ENTRY_SIZE;
        if (header[0] != ID_HEADER && header[0] != ID_LAST_HEADER)
            return;
        for (unsigned left = (unsigned)header[2] | (unsigned)header[3] << 8;
             left > 0 && i < ENTRIES; left--) {
            take_entry(disc, catalog + i++ * ENTRY_SIZE, false);
            while (i < ENTRIES && catalog[i * ENTRY_SIZE] == ID_EXTENSION)
                i++;
        }
        if (header[0] == ID_LAST_HEADER)
            return;
    }
}

static void take_descriptor(struct disc *disc, const uint8_t *descriptor)
{
    uint64_t volume = (uint64_t)get32(descriptor + 80) * SECTOR;
    if (descriptor[0] == DESCRIPTOR_PRIMARY && volume < disc->volume_end)
        disc->volume_end = volume;
    else if (descriptor[0] == DESCRIPTOR_BOOT &&
             memcmp(descriptor + 7, "EL TORITO SPECIFICATION", 23) == 0)
        read_catalog(disc, get32(descriptor + 71));
}

size_t partition_el_torito(const struct partition_disk *disk, struct partition *ret)
{
    uint8_t descriptor[SECTOR];
    struct disc disc = { .disk = disk,
                         .volume_end = disk->blocks * disk->block_size,
                         .next_number = 1,
                         .list = ret };
    if (SECTOR % disk->block_size != 0)
        return 0;
    for (unsigned i = 0; i < DESCRIPTORS; i++) {
        uint64_t at = (uint64_t)(FIRST_DESCRIPTOR + i) * SECTOR;
        if (!disk->read(disk->context, at, descriptor, SECTOR) ||
            memcmp(descriptor + 1, "CD001", 5) != 0 || descriptor[0] == DESCRIPTOR_END)
            break;
        take_descriptor(&disc, descriptor);
    }
    return disc.found;
}
