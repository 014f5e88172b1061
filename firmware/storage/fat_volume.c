/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A FAT volume as a whole: its boot sector, the mark of a volume that is being changed, FSInfo and
 * the label (Microsoft's FAT specification 1.03, "FAT Type Determination" and after).
 */
#include "firmware/storage/fat.h"

#include <string.h>

#define SECTOR_MOST 4096u
#define BOOT_SIZE   512u
#define CLEAN_16    0x8000u     /* in entry 1 of the table */
#define CLEAN_32    0x08000000u /* the same of FAT32 */
#define INFO_FREE   488u        /* in the FSInfo sector; the hint where to look follows */
#define EXTENDED    0x29u       /* serial number, label and type follow */

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) | (uint32_t)get16(at + 2) << 16;
}

static bool power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* FAT32's own fields. False: a version that nobody has defined, or tables that do not exist. */
static bool mount_32(struct fat_volume *volume, const uint8_t *boot, uint32_t sector)
{
    uint16_t flags = get16(boot + 40), info = get16(boot + 48), backup = get16(boot + 50);
    volume->root_cluster = get32(boot + 44);
    if (get16(boot + 42) != 0 || !fat_is_cluster(volume, volume->root_cluster))
        return false;
    if (flags & 0x80) { /* no mirrors: one table is in use */
        if ((flags & 0x0Fu) >= volume->fats)
            return false;
        volume->fat += (flags & 0x0Fu) * volume->fat_size;
        volume->fats = 1;
    }
    uint32_t reserved = get16(boot + 14);
    volume->info = info && info < reserved ? (uint64_t)info * sector : 0;
    volume->backup = backup && backup < reserved ? (uint64_t)backup * sector : 0;
    return true;
}

/* FSInfo is a hint; what it says is checked where it is used. */
static void read_info(struct fat_volume *volume)
{
    uint8_t info[BOOT_SIZE];
    if (!volume->info)
        return;
    if (!volume->disk.read(volume->disk.context, volume->info, info, sizeof(info)) ||
        get32(info) != 0x41615252 || get32(info + 484) != 0x61417272 ||
        get32(info + 508) != 0xAA550000) {
        volume->info = 0;
        return;
    }
    uint32_t free = get32(info + INFO_FREE), next = get32(info + INFO_FREE + 4);
    volume->free = free <= volume->clusters ? free : FAT_UNKNOWN;
    volume->next = fat_is_cluster(volume, next) ? next : 2;
}

bool fat_mount(const struct fat_disk *disk, uint64_t size, struct fat_volume *ret)
{
    uint8_t boot[BOOT_SIZE];
    if (size < sizeof(boot) || !disk->read(disk->context, 0, boot, sizeof(boot)))
        return false;
    uint32_t sector = get16(boot + 11), per_cluster = boot[13], reserved = get16(boot + 14);
    uint32_t fats = boot[16], root_entries = get16(boot + 17);
    uint64_t total = get16(boot + 19) ? get16(boot + 19) : get32(boot + 32);
    uint64_t fat_sectors = get16(boot + 22) ? get16(boot + 22) : get32(boot + 36);
    if (get16(boot + 510) != 0xAA55 || (boot[21] != 0xF0 && boot[21] < 0xF8) ||
        !power_of_two(sector) || sector < BOOT_SIZE || sector > SECTOR_MOST ||
        !power_of_two(per_cluster) || reserved == 0 || fats == 0 || fats > 2 || fat_sectors == 0 ||
        total == 0 || total > size / sector)
        return false;
    uint64_t root_sectors = ((uint64_t)root_entries * FAT_ENTRY_SIZE + sector - 1) / sector;
    uint64_t before = reserved + fats * fat_sectors + root_sectors;
    if (before >= total)
        return false;
    uint64_t clusters = (total - before) / per_cluster;
    unsigned bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32;
    if (clusters == 0 || clusters > 0x0FFFFFF4 ||
        (clusters + 2) * bits > fat_sectors * sector * 8 || (bits == 32) != (root_entries == 0))
        return false;
    *ret = (struct fat_volume){ .disk = *disk,
                                .bits = bits,
                                .cluster_size = sector * per_cluster,
                                .clusters = (uint32_t)clusters,
                                .fat = (uint64_t)reserved * sector,
                                .fat_size = fat_sectors * sector,
                                .root = (reserved + fats * fat_sectors) * sector,
                                .data = before * sector,
                                .fats = fats,
                                .root_size = root_entries * FAT_ENTRY_SIZE,
                                .total = total * sector,
                                .has_label = boot[bits == 32 ? 66 : 38] == EXTENDED,
                                .free = FAT_UNKNOWN,
                                .next = 2 };
    if (bits == 32 && !mount_32(ret, boot, sector))
        return false;
    read_info(ret);
    return true;
}

void fat_root(const struct fat_volume *volume, struct fat_file *ret)
{
    *ret = (struct fat_file){ .first = volume->root_cluster,
                              .attributes = FAT_DIRECTORY,
                              .fixed_root = volume->bits != 32 };
}

void fat_refresh(struct fat_volume *volume)
{
    (void)fat_table_flush(volume);
    volume->window.length = 0;
}

static bool write_info(struct fat_volume *volume, uint32_t free)
{
    uint32_t fields[2] = { free, volume->next };
    if (!volume->info || volume->disk.write(volume->disk.context, volume->info + INFO_FREE, fields,
                                            sizeof(fields)))
        return true;
    volume->failed = true;
    return false;
}

/* The bit of entry 1 that says that the volume was left properly; FAT12 has none. */
static enum fat_result mark(struct fat_volume *volume, bool clean)
{
    uint32_t bit = volume->bits == 32 ? CLEAN_32 : CLEAN_16, value;
    if (volume->bits == 12)
        return FAT_OK;
    enum fat_result result = fat_table_get(volume, 1, &value);
    if (result == FAT_OK && !clean && !(value & bit)) {
        volume->was_dirty = true;
        volume->free = FAT_UNKNOWN;
    }
    if (result == FAT_OK && !volume->was_dirty)
        result = fat_table_set(volume, 1, clean ? value | bit : value & ~bit);
    return result == FAT_OK ? fat_table_flush(volume) : result;
}

enum fat_result fat_begin(struct fat_volume *volume)
{
    if (!volume->disk.write)
        return FAT_IO_ERROR;
    if (volume->changing)
        return FAT_OK;
    enum fat_result result = mark(volume, false);
    if (result == FAT_OK && !write_info(volume, FAT_UNKNOWN)) /* until it is right again */
        result = FAT_IO_ERROR;
    volume->changing = result == FAT_OK;
    return result;
}

enum fat_result fat_settle(struct fat_volume *volume)
{
    if (!volume->changing || volume->failed)
        return FAT_OK;
    enum fat_result result = fat_table_flush(volume);
    if (result == FAT_OK && !write_info(volume, volume->free))
        result = FAT_IO_ERROR;
    if (result == FAT_OK)
        result = mark(volume, true);
    volume->changing = result != FAT_OK;
    return result;
}

/* --- the label: an entry of the root directory, and a copy in the boot sector --- */

static bool is_label(const uint8_t *entry)
{
    return entry[0] != FAT_DELETED && (entry[11] & (FAT_LONG | FAT_DIRECTORY)) == FAT_VOLUME_LABEL;
}

/* The unit of the root directory with the label, and its place there. */
static enum fat_result find_label(struct fat_volume *volume, struct fat_file *root,
                                  uint8_t unit[FAT_UNIT], uint32_t *ret_position)
{
    for (uint32_t position = 0;; position += FAT_ENTRY_SIZE) {
        enum fat_result result = FAT_OK;
        if (position % FAT_UNIT == 0)
            result = fat_unit_read(volume, root, position, unit);
        if (result != FAT_OK)
            return result;
        const uint8_t *entry = unit + position % FAT_UNIT;
        if (entry[0] == 0)
            return FAT_END;
        if (is_label(entry)) {
            *ret_position = position;
            return FAT_OK;
        }
    }
}

enum fat_result fat_get_label(struct fat_volume *volume, uint16_t label[FAT_LABEL_ROOM])
{
    struct fat_file root;
    uint8_t unit[FAT_UNIT];
    uint32_t position;
    fat_root(volume, &root);
    label[0] = 0;
    enum fat_result result = find_label(volume, &root, unit, &position);
    if (result != FAT_OK)
        return result == FAT_END ? FAT_OK : result;
    size_t length = 0;
    for (unsigned i = 0; i < FAT_SHORT_NAME; i++) {
        label[i] = unit[position % FAT_UNIT + i];
        if (label[i] != ' ')
            length = i + 1;
    }
    label[length] = 0;
    return FAT_OK;
}

static bool write_boot_label(struct fat_volume *volume, const uint8_t *name)
{
    uint64_t place = volume->bits == 32 ? 71 : 43;
    bool written = volume->disk.write(volume->disk.context, place, name, FAT_SHORT_NAME) &&
                   (!volume->backup || volume->disk.write(volume->disk.context,
                                                          volume->backup + place, name,
                                                          FAT_SHORT_NAME));
    volume->failed = volume->failed || !written;
    return written;
}

static bool encode_label(const uint16_t *label, uint8_t name[FAT_SHORT_NAME])
{
    memset(name, ' ', FAT_SHORT_NAME);
    for (unsigned i = 0; label[i]; i++) {
        uint16_t letter = fat_upper(label[i]);
        if (i == FAT_SHORT_NAME || letter < ' ' || letter > '~' || (i == 0 && letter == ' '))
            return false;
        for (const char *bad = "\"*+,./:;<=>?[\\]|"; *bad; bad++)
            if (letter == (uint8_t)*bad)
                return false;
        name[i] = (uint8_t)letter;
    }
    return true;
}

enum fat_result fat_set_label(struct fat_volume *volume, const uint16_t *label,
                              const struct fat_time *now)
{
    struct fat_file root;
    uint8_t unit[FAT_UNIT], name[FAT_SHORT_NAME];
    uint8_t set[1][FAT_ENTRY_SIZE] = { { 0 } };
    uint32_t position;
    if (!encode_label(label, name))
        return FAT_BAD_NAME;
    fat_root(volume, &root);
    enum fat_result result = fat_begin(volume);
    if (result == FAT_OK)
        result = find_label(volume, &root, unit, &position);
    if (result != FAT_OK && result != FAT_END)
        return result;
    uint8_t *entry = result == FAT_OK ? unit + position % FAT_UNIT : set[0];
    memcpy(entry, name, FAT_SHORT_NAME);
    entry[11] = FAT_VOLUME_LABEL;
    memcpy(entry + 22, &now->time, 2);
    memcpy(entry + 24, &now->date, 2);
    if (!label[0])
        entry[0] = FAT_DELETED;
    if (result == FAT_OK)
        result = fat_unit_write(volume, &root, position - position % FAT_UNIT, unit);
    else if (label[0])
        result = fat_insert(volume, &root, set, 1, &position);
    else
        result = FAT_OK;
    if (result == FAT_OK && volume->has_label &&
        !write_boot_label(volume, label[0] ? name : (const uint8_t *)"NO NAME    "))
        result = FAT_IO_ERROR;
    return result;
}
