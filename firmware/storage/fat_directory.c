/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Directories of FAT, read entry by entry up to the format's limit of 65536. */
#include "firmware/storage/fat.h"

#include <string.h>

#define DIRECTORY_LIMIT (65536u * FAT_ENTRY_SIZE)
#define ALIAS_MOST      12u /* letters of an 8.3 name with its dot */

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

/* A directory must have a chain; the fixed root may end within a unit, but never within a sector. */
enum fat_result fat_unit_read(struct fat_volume *volume, struct fat_file *directory,
                              uint32_t position, uint8_t unit[FAT_UNIT])
{
    if (directory->fixed_root) {
        if (position >= volume->root_size)
            return FAT_END;
        return volume->disk.read(volume->disk.context, volume->root + position, unit, FAT_UNIT)
                   ? FAT_OK
                   : FAT_IO_ERROR;
    }
    if (position >= DIRECTORY_LIMIT)
        return FAT_END;
    enum fat_result result = fat_seek(volume, directory, position / volume->cluster_size);
    if (result == FAT_OK)
        result = fat_chain_read(volume, directory, position, unit, FAT_UNIT);
    return result == FAT_END && position == 0 ? FAT_CORRUPT : result;
}

enum fat_result fat_unit_write(struct fat_volume *volume, struct fat_file *directory,
                               uint32_t position, const uint8_t unit[FAT_UNIT])
{
    if (!directory->fixed_root)
        return fat_chain_write(volume, directory, position, unit, FAT_UNIT);
    if (volume->disk.write(volume->disk.context, volume->root + position, unit, FAT_UNIT))
        return FAT_OK;
    volume->failed = true;
    return FAT_IO_ERROR;
}

static void fill(const struct fat_volume *volume, const uint8_t *raw, uint32_t entries,
                 uint32_t entry, struct fat_file *ret)
{
    uint32_t first = get16(raw + 26);
    if (volume->bits == 32)
        first |= (uint32_t)(get16(raw + 20) & 0x0FFF) << 16;
    bool directory = raw[11] & FAT_DIRECTORY;
    uint32_t size = get16(raw + 28) | (uint32_t)get16(raw + 30) << 16;
    *ret = (struct fat_file){
        .first = first,
        .size = directory ? 0 : size,
        .attributes = raw[11],
        .created = { .date = get16(raw + 16), .time = get16(raw + 14), .tenths = raw[13] },
        .modified = { .date = get16(raw + 24), .time = get16(raw + 22) },
        .accessed = get16(raw + 18),
        .entries = entries,
        .entry = entry
    };
}

enum fat_result fat_next(struct fat_volume *volume, struct fat_file *directory, uint32_t *position,
                         struct fat_entry *ret)
{
    struct fat_long_name name = { 0 };
    uint8_t unit[FAT_UNIT];
    uint32_t begin = 0, loaded = 1; /* no unit begins there */
    for (;; *position += FAT_ENTRY_SIZE) {
        uint32_t at = *position - *position % FAT_UNIT;
        enum fat_result result = FAT_OK;
        if (directory->fixed_root && *position >= volume->root_size)
            return FAT_END;
        if (loaded != at)
            result = fat_unit_read(volume, directory, at, unit);
        if (result != FAT_OK)
            return result;
        loaded = at;
        const uint8_t *raw = unit + *position % FAT_UNIT;
        if (raw[0] == 0)
            return FAT_END;
        if (raw[0] != FAT_DELETED && (raw[11] & 0x3F) == FAT_LONG) {
            fat_take_piece(&name, raw);
            begin = raw[0] & 0x40 ? *position : begin;
        } else if (raw[0] == FAT_DELETED || (raw[11] & FAT_VOLUME_LABEL)) {
            memset(&name, 0, sizeof(name));
        } else {
            bool has_long = fat_decode_name(raw, &name, ret->name);
            memcpy(ret->raw, raw, FAT_ENTRY_SIZE);
            fill(volume, raw, has_long ? begin : *position, *position, &ret->file);
            *position += FAT_ENTRY_SIZE;
            return FAT_OK;
        }
    }
}

enum fat_result fat_find(struct fat_volume *volume, struct fat_file *directory,
                         const uint16_t *name, size_t length, struct fat_entry *ret)
{
    uint32_t position = 0;
    uint16_t alias[FAT_NAME_ROOM];
    enum fat_result result;
    while ((result = fat_next(volume, directory, &position, ret)) == FAT_OK) {
        if (fat_same_name(name, length, ret->name))
            break;
        if (length > ALIAS_MOST)
            continue;
        fat_decode_name(ret->raw, NULL, alias);
        if (fat_same_name(name, length, alias))
            break;
    }
    return result;
}
