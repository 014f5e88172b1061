/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The FAT reader. Cluster chains are followed only as far as the file's size asks for, directories
 * up to the format's limit, so that a chain that bites its tail ends like any other.
 */
#include "firmware/storage/fat.h"

#include <string.h>

#define ENTRY_SIZE        32u
#define DIRECTORY_LIMIT   (65536u * ENTRY_SIZE)
#define LONG_NAME         0x0Fu
#define LONG_LAST         0x40u
#define LETTERS_PER_ENTRY 13u
#define DELETED           0xE5u

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

bool fat_mount(fat_disk_read *read, void *disk, uint64_t size, struct fat_volume *ret)
{
    uint8_t boot[512];
    if (size < sizeof(boot) || !read(disk, 0, boot, sizeof(boot)))
        return false;
    uint32_t sector = get16(boot + 11), per_cluster = boot[13], reserved = get16(boot + 14);
    uint32_t fats = boot[16], root_entries = get16(boot + 17);
    uint64_t total = get16(boot + 19) ? get16(boot + 19) : get32(boot + 32);
    uint64_t fat_sectors = get16(boot + 22) ? get16(boot + 22) : get32(boot + 36);
    if (get16(boot + 510) != 0xAA55 || !power_of_two(sector) || sector < 512 || sector > 4096 ||
        !power_of_two(per_cluster) || reserved == 0 || fats == 0 || fats > 2 || fat_sectors == 0 ||
        total == 0 || total > size / sector)
        return false;
    uint64_t root_sectors = ((uint64_t)root_entries * ENTRY_SIZE + sector - 1) / sector;
    uint64_t before = reserved + fats * fat_sectors + root_sectors;
    if (before >= total)
        return false;
    uint64_t clusters = (total - before) / per_cluster;
    struct fat_volume volume = { .read = read, .disk = disk };
    volume.bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32;
    if (clusters == 0 || clusters > 0x0FFFFFF4 ||
        (clusters + 2) * volume.bits > fat_sectors * sector * 8 ||
        (volume.bits == 32) != (root_entries == 0))
        return false;
    volume.cluster_size = sector * per_cluster;
    volume.clusters = (uint32_t)clusters;
    volume.root_cluster = volume.bits == 32 ? get32(boot + 44) : 0;
    volume.fat = (uint64_t)reserved * sector;
    volume.root = (reserved + fats * fat_sectors) * sector;
    volume.root_size = root_entries * ENTRY_SIZE;
    volume.data = before * sector;
    volume.total = total * sector;
    *ret = volume;
    return true;
}

void fat_root(const struct fat_volume *volume, struct fat_file *ret)
{
    *ret = (struct fat_file){ .first = volume->root_cluster,
                              .attributes = FAT_DIRECTORY,
                              .fixed_root = volume->bits != 32 };
}

static bool is_cluster(const struct fat_volume *volume, uint32_t cluster)
{
    return cluster >= 2 && cluster - 2 < volume->clusters;
}

/* The cluster after this one; anything that is no cluster ends the chain. */
static bool next_cluster(const struct fat_volume *volume, uint32_t cluster, uint32_t *ret)
{
    uint8_t entry[4] = { 0 };
    uint64_t bit = (uint64_t)cluster * volume->bits;
    size_t width = volume->bits == 32 ? 4 : 2;
    if (!volume->read(volume->disk, volume->fat + bit / 8, entry, width))
        return false;
    uint32_t value = volume->bits == 32 ? get32(entry) & 0x0FFFFFFF : get16(entry);
    if (volume->bits == 12)
        value = cluster & 1 ? value >> 4 : value & 0xFFF;
    *ret = value;
    return true;
}

/* Moves the file's place in its chain to cluster number `index`. False: the chain is shorter. */
static bool seek(const struct fat_volume *volume, struct fat_file *file, uint32_t index)
{
    if (file->at_cluster == 0 || index < file->at_index) {
        file->at_index = 0;
        file->at_cluster = file->first;
    }
    while (is_cluster(volume, file->at_cluster) && file->at_index < index) {
        uint32_t next;
        if (!next_cluster(volume, file->at_cluster, &next))
            return false;
        file->at_cluster = next;
        file->at_index++;
    }
    if (is_cluster(volume, file->at_cluster))
        return true;
    file->at_cluster = 0;
    return false;
}

/* Bytes from `offset` that lie in a row on the disk, at most `length`. The place is sought. */
static size_t run_length(const struct fat_volume *volume, struct fat_file *file, uint32_t offset,
                         size_t length)
{
    size_t run = volume->cluster_size - offset % volume->cluster_size;
    uint32_t next;
    while (run < length && next_cluster(volume, file->at_cluster, &next) &&
           next == file->at_cluster + 1 && is_cluster(volume, next)) {
        file->at_cluster = next;
        file->at_index++;
        run += volume->cluster_size;
    }
    return run < length ? run : length;
}

static bool read_chain(const struct fat_volume *volume, struct fat_file *file, uint32_t offset,
                       void *data, size_t length)
{
    uint8_t *bytes = data;
    while (length > 0) {
        if (!seek(volume, file, offset / volume->cluster_size))
            return false;
        uint64_t place = volume->data + (uint64_t)(file->at_cluster - 2) * volume->cluster_size +
                         offset % volume->cluster_size;
        size_t run = run_length(volume, file, offset, length);
        if (!volume->read(volume->disk, place, bytes, run))
            return false;
        bytes += run;
        length -= run;
        offset += (uint32_t)run;
    }
    return true;
}

bool fat_read(const struct fat_volume *volume, struct fat_file *file, uint32_t offset, void *data,
              size_t length)
{
    if (offset > file->size || length > file->size - offset)
        return false;
    return read_chain(volume, file, offset, data, length);
}

static enum fat_result read_entry(const struct fat_volume *volume, struct fat_file *directory,
                                  uint32_t position, uint8_t entry[ENTRY_SIZE])
{
    if (directory->fixed_root) {
        if (position >= volume->root_size)
            return FAT_END;
        return volume->read(volume->disk, volume->root + position, entry, ENTRY_SIZE) ? FAT_OK
                                                                                      : FAT_ERROR;
    }
    if (position >= DIRECTORY_LIMIT || !seek(volume, directory, position / volume->cluster_size))
        return FAT_END;
    return read_chain(volume, directory, position, entry, ENTRY_SIZE) ? FAT_OK : FAT_ERROR;
}

static uint8_t short_checksum(const uint8_t *name)
{
    uint8_t sum = 0;
    for (unsigned i = 0; i < 11; i++)
        sum = (uint8_t)((uint8_t)(sum << 7 | sum >> 1) + name[i]);
    return sum;
}

/* A long name as its entries come in, last piece first. */
struct long_name {
    unsigned expected; /* number of the next piece; 0: none under way or complete */
    bool complete;
    uint8_t checksum;
    uint16_t letters[20 * LETTERS_PER_ENTRY + 1];
};

static void take_piece(struct long_name *name, const uint8_t *entry)
{
    static const uint8_t places[LETTERS_PER_ENTRY] = {
        1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30
    };
    unsigned number = entry[0] & 0x1F;
    if (entry[0] & LONG_LAST) {
        memset(name, 0, sizeof(*name));
        name->expected = number;
        name->checksum = entry[13];
    }
    if (number == 0 || number > 20 || number != name->expected || entry[13] != name->checksum) {
        memset(name, 0, sizeof(*name));
        return;
    }
    for (unsigned i = 0; i < LETTERS_PER_ENTRY; i++) {
        uint16_t letter = get16(entry + places[i]);
        name->letters[(number - 1) * LETTERS_PER_ENTRY + i] = letter == 0xFFFF ? 0 : letter;
    }
    name->expected = number - 1;
    name->complete = number == 1;
}

static uint16_t lower(uint16_t letter)
{
    return letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter;
}

/* 8.3 name; bits 3 and 4 of byte 12 say that base or extension are in lower case. */
static void short_name(const uint8_t *entry, uint16_t *name)
{
    size_t length = 0;
    for (unsigned i = 0; i < 11; i++) {
        bool small = entry[12] & (i < 8 ? 0x08 : 0x10);
        if (entry[i] == ' ')
            continue;
        if (i == 8)
            name[length++] = '.';
        uint16_t letter = i == 0 && entry[0] == 0x05 ? DELETED : entry[i];
        name[length++] = small ? lower(letter) : letter;
    }
    name[length] = 0;
}

static void fill(const struct fat_volume *volume, const uint8_t *raw, const struct long_name *name,
                 struct fat_entry *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (name->complete && name->letters[0] && name->checksum == short_checksum(raw))
        memcpy(ret->name, name->letters, (FAT_NAME_ROOM - 1) * sizeof(ret->name[0]));
    else
        short_name(raw, ret->name);
    uint32_t first = get16(raw + 26);
    if (volume->bits == 32)
        first |= (uint32_t)(get16(raw + 20) & 0x0FFF) << 16;
    ret->file = (struct fat_file){ .first = first,
                                   .size = get32(raw + 28),
                                   .attributes = raw[11],
                                   .date = get16(raw + 24),
                                   .time = get16(raw + 22) };
    if (!(raw[11] & FAT_DIRECTORY))
        return;
    ret->file.size = 0;
    if (first == 0) /* ".." of a directory below the root */
        fat_root(volume, &ret->file);
}

enum fat_result fat_next(const struct fat_volume *volume, struct fat_file *directory,
                         uint32_t *position, struct fat_entry *ret)
{
    struct long_name name = { 0 };
    for (;;) {
        uint8_t raw[ENTRY_SIZE];
        enum fat_result result = read_entry(volume, directory, *position, raw);
        if (result != FAT_OK)
            return result;
        if (raw[0] == 0)
            return FAT_END;
        *position += ENTRY_SIZE;
        if (raw[0] == DELETED) {
            memset(&name, 0, sizeof(name));
        } else if ((raw[11] & 0x3F) == LONG_NAME) {
            take_piece(&name, raw);
        } else if (!(raw[11] & FAT_VOLUME_LABEL)) {
            fill(volume, raw, &name, ret);
            return FAT_OK;
        } else {
            memset(&name, 0, sizeof(name));
        }
    }
}

static bool same_name(const uint16_t *a, const uint16_t *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (lower(a[i]) != lower(b[i]) || a[i] == 0)
            return false;
    return a[length] == 0;
}

enum fat_result fat_find(const struct fat_volume *volume, struct fat_file *directory,
                         const uint16_t *name, size_t length, struct fat_entry *ret)
{
    uint32_t position = 0;
    enum fat_result result;
    if (length == 0 || length >= FAT_NAME_ROOM)
        return FAT_END;
    while ((result = fat_next(volume, directory, &position, ret)) == FAT_OK)
        if (same_name(ret->name, name, length))
            return FAT_OK;
    return result;
}
