/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The allocation table, through a window of three sectors: 1024 entries of 12 bits, 768 of 16, 384
 * of 32. All copies are written alike. Entries of FAT32 have 28 bits; the other four stay.
 */
#include "firmware/storage/fat.h"

#include <string.h>

#define SECTOR 512u
#define FIRST  2u /* number of the first cluster */

bool fat_is_cluster(const struct fat_volume *volume, uint32_t cluster)
{
    return cluster >= FIRST && cluster - FIRST < volume->clusters;
}

enum fat_result fat_table_flush(struct fat_volume *volume)
{
    struct fat_window *window = &volume->window;
    if (window->changed_from >= window->changed_to)
        return FAT_OK;
    uint32_t from = window->changed_from & ~(SECTOR - 1);
    uint32_t to = (window->changed_to + SECTOR - 1) & ~(SECTOR - 1);
    window->changed_from = window->changed_to = 0;
    if (to > window->length)
        to = window->length;
    for (unsigned i = 0; i < volume->fats; i++)
        if (!volume->disk.write(volume->disk.context,
                                volume->fat + i * volume->fat_size + window->offset + from,
                                window->bytes + from, to - from)) {
            volume->failed = true;
            window->length = 0;
            return FAT_IO_ERROR;
        }
    return FAT_OK;
}

/* Brings an entry into the window; its place there. */
static enum fat_result load(struct fat_volume *volume, uint32_t cluster, uint32_t *ret_place)
{
    struct fat_window *window = &volume->window;
    uint64_t byte = (uint64_t)cluster * volume->bits / 8, offset = byte - byte % FAT_WINDOW;
    *ret_place = (uint32_t)(byte - offset);
    if (window->length && window->offset == offset)
        return FAT_OK;
    enum fat_result result = fat_table_flush(volume);
    if (result != FAT_OK)
        return result;
    uint64_t left = volume->fat_size - offset;
    window->length = 0;
    uint32_t length = left < FAT_WINDOW ? (uint32_t)left : FAT_WINDOW;
    if (!volume->disk.read(volume->disk.context, volume->fat + offset, window->bytes, length))
        return FAT_IO_ERROR;
    window->offset = offset;
    window->length = length;
    return FAT_OK;
}

static uint32_t get(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

/* Entries 0 and 1 are no clusters, but they exist. */
enum fat_result fat_table_get(struct fat_volume *volume, uint32_t cluster, uint32_t *ret)
{
    uint32_t place;
    enum fat_result result = load(volume, cluster, &place);
    if (result != FAT_OK)
        return result;
    uint32_t value = get(volume->window.bytes + place, volume->bits == 32 ? 4 : 2);
    if (volume->bits == 12)
        value = cluster & 1 ? value >> 4 : value & 0xFFF;
    *ret = value & 0x0FFFFFFF;
    return FAT_OK;
}

enum fat_result fat_table_set(struct fat_volume *volume, uint32_t cluster, uint32_t value)
{
    uint32_t place, width = volume->bits == 32 ? 4 : 2, shift = 0, mask = 0xFFFF;
    struct fat_window *window = &volume->window;
    enum fat_result result = load(volume, cluster, &place);
    if (result != FAT_OK)
        return result;
    if (volume->bits == 32)
        mask = 0x0FFFFFFF;
    else if (volume->bits == 12) {
        shift = cluster & 1 ? 4 : 0;
        mask = 0xFFFu << shift;
    }
    uint32_t old = get(window->bytes + place, width);
    uint32_t new = (old & ~mask) | (value << shift & mask);
    memcpy(window->bytes + place, &new, width);
    if (window->changed_from >= window->changed_to) {
        window->changed_from = place;
        window->changed_to = place + width;
    }
    if (place < window->changed_from)
        window->changed_from = place;
    if (place + width > window->changed_to)
        window->changed_to = place + width;
    return FAT_OK;
}

static void count(struct fat_volume *volume, int32_t change)
{
    if (volume->free == FAT_UNKNOWN)
        return;
    uint32_t now = volume->free + (uint32_t)change;
    volume->free = now <= volume->clusters ? now : FAT_UNKNOWN; /* it was a lie */
}

/* Takes one cluster and hangs it on the chain that ends with `last` (0: none yet). */
static enum fat_result take(struct fat_volume *volume, uint32_t cluster, uint32_t last)
{
    enum fat_result result = fat_table_set(volume, cluster, FAT_CHAIN_END);
    if (result == FAT_OK && last)
        result = fat_table_set(volume, last, cluster);
    if (result == FAT_OK)
        count(volume, -1);
    return result;
}

enum fat_result fat_allocate(struct fat_volume *volume, uint32_t wanted, uint32_t *ret_first)
{
    uint32_t first = 0, last = 0, cluster = volume->next;
    enum fat_result result = wanted <= volume->clusters ? FAT_OK : FAT_FULL;
    for (uint32_t i = 0; result == FAT_OK && wanted > 0; i++, cluster++) {
        uint32_t value;
        if (!fat_is_cluster(volume, cluster))
            cluster = FIRST;
        if (i == volume->clusters)
            result = FAT_FULL;
        else
            result = fat_table_get(volume, cluster, &value);
        if (result != FAT_OK || value != 0)
            continue;
        result = take(volume, cluster, last);
        first = first ? first : cluster;
        last = cluster;
        wanted--;
    }
    if (result == FAT_OK)
        result = fat_table_flush(volume);
    if (result != FAT_OK) {
        (void)fat_free_chain(volume, first);
        return result;
    }
    volume->next = last + 1;
    *ret_first = first;
    return FAT_OK;
}

/*
 * Ends at a free cluster: a chain that bites its tail has freed it before. Not on a disk that forgets
 * what is written, where the number of clusters is the limit.
 */
enum fat_result fat_free_chain(struct fat_volume *volume, uint32_t first)
{
    uint32_t next, left = volume->clusters;
    for (uint32_t cluster = first; fat_is_cluster(volume, cluster); cluster = next) {
        if (left-- == 0)
            return FAT_CORRUPT;
        enum fat_result result = fat_table_get(volume, cluster, &next);
        if (result == FAT_OK && next == 0)
            break;
        if (result == FAT_OK)
            result = fat_table_set(volume, cluster, 0);
        if (result != FAT_OK)
            return result;
        count(volume, 1);
        if (cluster < volume->next)
            volume->next = cluster;
    }
    return fat_table_flush(volume);
}

enum fat_result fat_free_clusters(struct fat_volume *volume, uint32_t *ret)
{
    uint32_t value, found = 0;
    for (uint32_t i = 0; volume->free == FAT_UNKNOWN && i < volume->clusters; i++) {
        enum fat_result result = fat_table_get(volume, FIRST + i, &value);
        if (result != FAT_OK)
            return result;
        found += value == 0;
    }
    if (volume->free == FAT_UNKNOWN)
        volume->free = found;
    *ret = volume->free;
    return FAT_OK;
}
