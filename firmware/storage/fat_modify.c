/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Changes of directories and files. What makes an entry appear or vanish is one write of a unit of
 * 512 bytes: a set of entries lies in one unit, or, for names of more than 195 letters, at the end
 * of the directory, where it is written from behind and becomes visible with its first unit.
 */
#include "firmware/storage/fat.h"

#include <string.h>

#define DIRECTORY_LIMIT (65536u * FAT_ENTRY_SIZE)
#define ALIAS_NUMBERS   4096u

/* Where a set of entries goes. `end`: of the directory so far, if the set lies there. */
struct place {
    uint32_t start, length, end;
    bool appended;
};

static uint32_t unit_of(uint32_t position)
{
    return position - position % FAT_UNIT;
}

/* Makes the directory one cluster longer, zeros first. */
static enum fat_result grow_directory(struct fat_volume *volume, struct fat_file *directory,
                                      uint32_t size)
{
    struct fat_file fresh = { .first = 0 };
    if (directory->fixed_root || size >= DIRECTORY_LIMIT)
        return FAT_FULL;
    enum fat_result result = fat_allocate(volume, 1, &fresh.first);
    if (result == FAT_OK)
        result = fat_chain_zero(volume, &fresh, 0, volume->cluster_size);
    if (result == FAT_OK)
        result = fat_seek(volume, directory, size / volume->cluster_size - 1);
    if (result == FAT_OK)
        result = fat_table_set(volume, directory->at_cluster, fresh.first);
    return result == FAT_OK ? fat_table_flush(volume) : result;
}

/* A hole for `count` entries in one unit, or else the directory's end and the free run before it. */
static enum fat_result search(struct fat_volume *volume, struct fat_file *directory, unsigned count,
                              struct place *ret)
{
    uint8_t unit[FAT_UNIT];
    uint32_t position = 0, size, run = 0;
    enum fat_result result = fat_directory_size(volume, directory, &size);
    for (; result == FAT_OK && position < size; position += FAT_ENTRY_SIZE) {
        if (position % FAT_UNIT == 0) {
            result = fat_unit_read(volume, directory, position, unit);
            run = 0;
        }
        const uint8_t *entry = unit + position % FAT_UNIT;
        if (result != FAT_OK || entry[0] == 0)
            break;
        run = entry[0] == FAT_DELETED ? run + 1 : 0;
        if (run == count && count <= FAT_UNIT_ENTRIES) {
            ret->start = position + FAT_ENTRY_SIZE - count * FAT_ENTRY_SIZE;
            return FAT_OK;
        }
    }
    if (position % FAT_UNIT == 0)
        run = 0;
    ret->appended = true;
    ret->end = position;
    ret->start = count <= FAT_UNIT_ENTRIES ? position - run * FAT_ENTRY_SIZE : position;
    if (count <= FAT_UNIT_ENTRIES &&
        unit_of(ret->start) != unit_of(ret->start + (count - 1) * FAT_ENTRY_SIZE))
        ret->start = unit_of(ret->start) + FAT_UNIT;
    return result;
}

/* On a disk that forgets what is written, a directory does not grow. */
static enum fat_result find_place(struct fat_volume *volume, struct fat_file *directory,
                                  unsigned count, struct place *ret)
{
    uint32_t size, least = 0;
    *ret = (struct place){ .length = count * FAT_ENTRY_SIZE };
    enum fat_result result = search(volume, directory, count, ret);
    while (result == FAT_OK) {
        result = fat_directory_size(volume, directory, &size);
        if (result == FAT_OK && ret->start + ret->length <= size)
            return FAT_OK;
        if (result == FAT_OK)
            result = size < least ? FAT_CORRUPT : grow_directory(volume, directory, size);
        least = size + 1;
    }
    return result;
}

/* One unit as it is after the set was put in its place. */
static void compose(uint8_t unit[FAT_UNIT], uint32_t begin, const struct place *place,
                    const uint8_t set[][FAT_ENTRY_SIZE])
{
    uint32_t new_end = place->start + place->length;
    for (uint32_t i = 0; i < FAT_UNIT; i += FAT_ENTRY_SIZE) {
        uint32_t at = begin + i;
        if (at >= place->start && at < new_end) {
            memcpy(unit + i, set[(at - place->start) / FAT_ENTRY_SIZE], FAT_ENTRY_SIZE);
        } else if (place->appended && at >= place->end) {
            memset(unit + i, 0, FAT_ENTRY_SIZE);
            unit[i] = at < place->start ? FAT_DELETED : 0;
        }
    }
}

/* Units from behind: the first one makes the others visible. */
static enum fat_result write_set(struct fat_volume *volume, struct fat_file *directory,
                                 const struct place *place, const uint8_t set[][FAT_ENTRY_SIZE])
{
    uint32_t first = unit_of(place->start), last = unit_of(place->start + place->length - 1), size;
    enum fat_result result = fat_directory_size(volume, directory, &size);
    if (place->appended && place->end < first)
        first = unit_of(place->end);
    if (place->appended && place->start + place->length == last + FAT_UNIT &&
        last + FAT_UNIT < size)
        last += FAT_UNIT; /* a new end of the directory */
    for (uint32_t at = last; result == FAT_OK; at -= FAT_UNIT) {
        uint8_t unit[FAT_UNIT];
        result = fat_unit_read(volume, directory, at, unit);
        if (result != FAT_OK)
            return result;
        compose(unit, at, place, set);
        result = fat_unit_write(volume, directory, at, unit);
        if (at == first)
            break;
    }
    return result;
}

enum fat_result fat_insert(struct fat_volume *volume, struct fat_file *directory,
                           const uint8_t set[][FAT_ENTRY_SIZE], unsigned count,
                           uint32_t *ret_position)
{
    struct place place;
    enum fat_result result = find_place(volume, directory, count, &place);
    if (result == FAT_OK)
        result = write_set(volume, directory, &place, set);
    *ret_position = place.start;
    return result;
}

/* Marks the entries of a set as deleted, the 8.3 one first. */
static enum fat_result erase(struct fat_volume *volume, struct fat_file *directory, uint32_t from,
                             uint32_t to)
{
    for (uint32_t at = unit_of(to);; at -= FAT_UNIT) {
        uint8_t unit[FAT_UNIT];
        enum fat_result result = fat_unit_read(volume, directory, at, unit);
        if (result != FAT_OK)
            return result == FAT_END ? FAT_CORRUPT : result;
        for (uint32_t i = 0; i < FAT_UNIT; i += FAT_ENTRY_SIZE)
            if (at + i >= from && at + i <= to)
                unit[i] = FAT_DELETED;
        result = fat_unit_write(volume, directory, at, unit);
        if (result != FAT_OK || at <= unit_of(from))
            return result;
    }
}

/* The number of an alias "BASE~12 EXT" that the one in question would have, too; 0: none. */
static unsigned alias_number(const struct fat_alias *alias, const uint8_t *name)
{
    struct fat_alias same = *alias;
    unsigned number = 0, at = 0;
    while (at < 8 && name[at] != '~')
        at++;
    for (at++; at < 8 && name[at] >= '0' && name[at] <= '9'; at++)
        number = number * 10 + (name[at] - '0');
    if (number == 0 || number >= ALIAS_NUMBERS)
        return 0;
    fat_number_alias(&same, number);
    return memcmp(same.name, name, FAT_SHORT_NAME) == 0 ? number : 0;
}

/* Gives an alias the first number that is free in the directory. */
static enum fat_result make_unique(struct fat_volume *volume, struct fat_file *directory,
                                   struct fat_alias *alias)
{
    uint8_t taken[ALIAS_NUMBERS / 8] = { 0 };
    struct fat_entry entry;
    uint32_t position = 0;
    enum fat_result result;
    while ((result = fat_next(volume, directory, &position, &entry)) == FAT_OK) {
        unsigned number = alias_number(alias, entry.raw);
        taken[number / 8] |= (uint8_t)(1u << number % 8);
    }
    unsigned number = 1;
    while (number < ALIAS_NUMBERS && taken[number / 8] & 1u << number % 8)
        number++;
    if (result != FAT_END)
        return result;
    if (number == ALIAS_NUMBERS)
        return FAT_FULL;
    fat_number_alias(alias, number);
    return FAT_OK;
}

/* Puts the 8.3 name into an entry and makes the set of a name. */
static enum fat_result make_set(struct fat_volume *volume, struct fat_file *directory,
                                const uint16_t *name, size_t length, uint8_t *entry,
                                uint8_t set[FAT_SET_MOST][FAT_ENTRY_SIZE], unsigned *ret_count)
{
    struct fat_alias alias = fat_make_alias(name, length);
    enum fat_result result = alias.exact ? FAT_OK : make_unique(volume, directory, &alias);
    if (result != FAT_OK)
        return result;
    memcpy(entry, alias.name, FAT_SHORT_NAME);
    entry[12] = alias.lower;
    *ret_count = fat_encode_set(name, length, alias.exact, entry, set);
    return FAT_OK;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put_first(const struct fat_volume *volume, uint8_t *entry, uint32_t first)
{
    put16(entry + 26, first);
    if (volume->bits == 32)
        put16(entry + 20, first >> 16);
}

/* What an entry says but the name. */
static void put_file(const struct fat_volume *volume, const struct fat_file *file, uint8_t *entry)
{
    entry[11] = file->attributes;
    entry[13] = file->created.tenths;
    put16(entry + 14, file->created.time);
    put16(entry + 16, file->created.date);
    put16(entry + 18, file->accessed);
    put16(entry + 22, file->modified.time);
    put16(entry + 24, file->modified.date);
    put_first(volume, entry, file->first);
    put16(entry + 28, file->size);
    put16(entry + 30, file->size >> 16);
}

/* As ".." names it: the root directory is cluster 0, with FAT32, too. */
static uint32_t parent_cluster(const struct fat_volume *volume, const struct fat_file *directory)
{
    return directory->fixed_root || directory->first == volume->root_cluster ? 0
                                                                             : directory->first;
}

/* The first cluster of a directory, which nothing names yet. */
static enum fat_result make_directory(struct fat_volume *volume, const struct fat_file *parent,
                                      struct fat_file *file)
{
    uint8_t unit[FAT_UNIT] = { 0 };
    struct fat_file dot = *file;
    enum fat_result result = fat_allocate(volume, 1, &file->first);
    if (result != FAT_OK)
        return result;
    dot.first = file->first;
    memset(unit, ' ', FAT_SHORT_NAME);
    memset(unit + FAT_ENTRY_SIZE, ' ', FAT_SHORT_NAME);
    unit[0] = unit[FAT_ENTRY_SIZE] = unit[FAT_ENTRY_SIZE + 1] = '.';
    put_file(volume, &dot, unit);
    dot.first = parent_cluster(volume, parent);
    put_file(volume, &dot, unit + FAT_ENTRY_SIZE);
    result = fat_chain_zero(volume, file, 0, volume->cluster_size);
    return result == FAT_OK ? fat_unit_write(volume, file, 0, unit) : result;
}

enum fat_result fat_create(struct fat_volume *volume, struct fat_file *directory,
                           const uint16_t *name, size_t length, uint8_t attributes,
                           const struct fat_time *now, struct fat_entry *ret)
{
    uint8_t entry[FAT_ENTRY_SIZE] = { 0 }, set[FAT_SET_MOST][FAT_ENTRY_SIZE];
    struct fat_file file = { .attributes = attributes,
                             .created = *now,
                             .modified = *now,
                             .accessed = now->date };
    uint32_t position;
    unsigned count;
    enum fat_result result = fat_begin(volume);
    if (result == FAT_OK && (attributes & FAT_DIRECTORY))
        result = make_directory(volume, directory, &file);
    if (result == FAT_OK) {
        put_file(volume, &file, entry);
        result = make_set(volume, directory, name, length, entry, set, &count);
    }
    if (result == FAT_OK)
        result = fat_insert(volume, directory, set, count, &position);
    if (result == FAT_OK)
        return fat_next(volume, directory, &position, ret);
    if (file.first)
        (void)fat_free_chain(volume, file.first);
    return result;
}

static enum fat_result check_empty(struct fat_volume *volume, struct fat_file *directory)
{
    struct fat_entry entry;
    uint32_t position = 0;
    enum fat_result result;
    while ((result = fat_next(volume, directory, &position, &entry)) == FAT_OK)
        if (!fat_same_name(u".", 1, entry.name) && !fat_same_name(u"..", 2, entry.name))
            return FAT_NOT_EMPTY;
    return result == FAT_END ? FAT_OK : result;
}

enum fat_result fat_remove(struct fat_volume *volume, struct fat_file *directory,
                           struct fat_file *file)
{
    enum fat_result result = FAT_OK;
    if (file->attributes & FAT_DIRECTORY)
        result = check_empty(volume, file);
    if (result == FAT_OK)
        result = fat_begin(volume);
    if (result == FAT_OK)
        result = erase(volume, directory, file->entries, file->entry);
    return result == FAT_OK ? fat_free_chain(volume, file->first) : result;
}

/* The unit of an entry that is still where it was; another handle may have written to the disk. */
static enum fat_result read_entry(struct fat_volume *volume, struct fat_file *directory,
                                  const struct fat_file *file, uint8_t unit[FAT_UNIT])
{
    enum fat_result result = fat_unit_read(volume, directory, unit_of(file->entry), unit);
    if (result != FAT_OK)
        return result == FAT_END ? FAT_CORRUPT : result;
    const uint8_t *entry = unit + file->entry % FAT_UNIT;
    return entry[0] == 0 || entry[0] == FAT_DELETED || (entry[11] & FAT_VOLUME_LABEL) ? FAT_CORRUPT
                                                                                      : FAT_OK;
}

enum fat_result fat_update(struct fat_volume *volume, struct fat_file *directory,
                           const struct fat_file *file)
{
    uint8_t unit[FAT_UNIT];
    enum fat_result result = fat_begin(volume);
    if (result == FAT_OK)
        result = read_entry(volume, directory, file, unit);
    if (result != FAT_OK)
        return result;
    put_file(volume, file, unit + file->entry % FAT_UNIT);
    return fat_unit_write(volume, directory, unit_of(file->entry), unit);
}

/*
 * Tries to put the new set into the unit of the old one, so that one write does both. FAT_END: there
 * is no room.
 */
static enum fat_result rename_in_unit(struct fat_volume *volume, struct fat_file *directory,
                                      struct fat_file *file,
                                      const uint8_t set[][FAT_ENTRY_SIZE], unsigned count)
{
    uint8_t unit[FAT_UNIT];
    uint32_t begin = unit_of(file->entry), run = 0, i = 0;
    if (unit_of(file->entries) != begin || count > FAT_UNIT_ENTRIES)
        return FAT_END;
    enum fat_result result = read_entry(volume, directory, file, unit);
    if (result != FAT_OK)
        return result;
    for (uint32_t at = file->entries; at <= file->entry; at += FAT_ENTRY_SIZE)
        unit[at - begin] = FAT_DELETED;
    while (i < FAT_UNIT && unit[i] != 0 && run < count) {
        run = unit[i] == FAT_DELETED ? run + 1 : 0;
        i += FAT_ENTRY_SIZE;
    }
    uint32_t start = i - run * FAT_ENTRY_SIZE, end = start + count * FAT_ENTRY_SIZE;
    if (run < count && (i == FAT_UNIT || end >= FAT_UNIT))
        return FAT_END; /* the directory's end must stay in this unit */
    struct place place = { begin + start, count * FAT_ENTRY_SIZE, begin + i, run < count };
    compose(unit, begin, &place, set);
    result = fat_unit_write(volume, directory, begin, unit);
    if (result == FAT_OK) {
        file->entries = begin + start;
        file->entry = begin + end - FAT_ENTRY_SIZE;
    }
    return result;
}

/* A directory has moved: its ".." names the new parent. */
static enum fat_result update_parent(struct fat_volume *volume, struct fat_file *directory,
                                     const struct fat_file *parent)
{
    uint8_t unit[FAT_UNIT];
    uint8_t *entry = unit + FAT_ENTRY_SIZE;
    enum fat_result result = fat_unit_read(volume, directory, 0, unit);
    if (result != FAT_OK)
        return result;
    if (entry[0] != '.' || entry[1] != '.')
        return FAT_CORRUPT;
    put_first(volume, entry, parent_cluster(volume, parent));
    return fat_unit_write(volume, directory, 0, unit);
}

enum fat_result fat_rename(struct fat_volume *volume, struct fat_file *from, struct fat_file *to,
                           struct fat_file *file, const uint16_t *name, size_t length)
{
    uint8_t unit[FAT_UNIT], set[FAT_SET_MOST][FAT_ENTRY_SIZE];
    struct place place;
    unsigned count;
    enum fat_result result = fat_begin(volume);
    if (result == FAT_OK)
        result = read_entry(volume, from, file, unit);
    if (result == FAT_OK)
        result = make_set(volume, to, name, length, unit + file->entry % FAT_UNIT, set, &count);
    if (result == FAT_OK)
        result = from == to ? rename_in_unit(volume, to, file, set, count) : FAT_END;
    if (result != FAT_END)
        return result;
    /* Between the two writes the file has no name: its clusters are lost, never shared. */
    result = find_place(volume, to, count, &place);
    if (result == FAT_OK)
        result = erase(volume, from, file->entries, file->entry);
    if (result == FAT_OK && from != to && (file->attributes & FAT_DIRECTORY))
        result = update_parent(volume, file, to);
    if (result == FAT_OK)
        result = write_set(volume, to, &place, set);
    if (result == FAT_OK) {
        file->entries = place.start;
        file->entry = place.start + place.length - FAT_ENTRY_SIZE;
    }
    return result;
}

static uint32_t clusters_for(const struct fat_volume *volume, uint64_t size)
{
    return (uint32_t)((size + volume->cluster_size - 1) / volume->cluster_size);
}

/* The chain long enough for `size`, zeros from the old end to `from`. */
static enum fat_result extend(struct fat_volume *volume, struct fat_file *file, uint64_t size,
                              uint64_t from)
{
    if (size > UINT32_MAX)
        return FAT_TOO_LARGE;
    enum fat_result result = fat_chain_extend(volume, file, clusters_for(volume, size));
    if (result == FAT_OK && from > file->size)
        result = fat_chain_zero(volume, file, file->size, (uint32_t)from);
    return result;
}

/* A file that had nothing keeps nothing when it cannot be filled. */
static void undo_first(struct fat_volume *volume, struct fat_file *file)
{
    (void)fat_free_chain(volume, file->first);
    file->first = file->at_cluster = 0;
}

enum fat_result fat_write(struct fat_volume *volume, struct fat_file *file, uint64_t offset,
                          const void *data, size_t length)
{
    uint64_t end;
    bool was_empty = file->first == 0;
    if (__builtin_add_overflow(offset, length, &end))
        return FAT_TOO_LARGE;
    enum fat_result result = length ? fat_begin(volume) : FAT_OK;
    if (result == FAT_OK && length && end > file->size)
        result = extend(volume, file, end, offset);
    if (result == FAT_OK)
        result = fat_chain_write(volume, file, (uint32_t)offset, data, length);
    if (result == FAT_OK && length && end > file->size)
        file->size = (uint32_t)end;
    if (result != FAT_OK && was_empty && file->first)
        undo_first(volume, file);
    return result;
}

/* What is behind the new end goes; the entry does not name it any more. */
static enum fat_result cut(struct fat_volume *volume, struct fat_file *file, uint32_t old_first)
{
    uint32_t next;
    if (file->size == 0)
        return fat_free_chain(volume, old_first);
    enum fat_result result = fat_seek(volume, file, clusters_for(volume, file->size) - 1);
    if (result == FAT_OK)
        result = fat_table_get(volume, file->at_cluster, &next);
    if (result == FAT_OK && fat_is_cluster(volume, next))
        result = fat_table_set(volume, file->at_cluster, FAT_CHAIN_END);
    if (result == FAT_OK)
        result = fat_table_flush(volume);
    if (result != FAT_OK)
        return result == FAT_END ? FAT_CORRUPT : result;
    return fat_free_chain(volume, next);
}

enum fat_result fat_resize(struct fat_volume *volume, struct fat_file *directory,
                           struct fat_file *file, uint64_t size)
{
    uint32_t old_size = file->size, old_first = file->first;
    enum fat_result result = fat_begin(volume);
    if (result == FAT_OK && size > old_size)
        result = extend(volume, file, size, size);
    if (result != FAT_OK) {
        if (old_first == 0 && file->first)
            undo_first(volume, file);
        return result;
    }
    file->size = (uint32_t)size;
    if (size == 0)
        file->first = file->at_cluster = 0;
    result = fat_update(volume, directory, file);
    return result == FAT_OK && size < old_size ? cut(volume, file, old_first) : result;
}
