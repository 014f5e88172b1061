/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Content along cluster chains, which are followed only as far as an access asks for, so that a
 * chain that bites its tail ends like any other. Neighbouring clusters are moved in one piece.
 */
#include "firmware/storage/fat.h"

#define FIRST           2u
#define DIRECTORY_LIMIT (65536u * FAT_ENTRY_SIZE) /* of the format */

enum fat_result fat_seek(struct fat_volume *volume, struct fat_file *file, uint32_t index)
{
    if (file->at_cluster == 0 || index < file->at_index) {
        file->at_index = 0;
        file->at_cluster = file->first;
    }
    if (!fat_is_cluster(volume, file->at_cluster)) {
        file->at_cluster = 0;
        return FAT_END;
    }
    while (file->at_index < index) {
        uint32_t next;
        enum fat_result result = fat_table_get(volume, file->at_cluster, &next);
        if (result != FAT_OK)
            return result;
        if (!fat_is_cluster(volume, next))
            return FAT_END;
        file->at_cluster = next;
        file->at_index++;
    }
    return FAT_OK;
}

/* Bytes from `offset` that lie in a row on the disk, at most `length`. The place is sought. */
static enum fat_result run_length(struct fat_volume *volume, struct fat_file *file, uint32_t offset,
                                  size_t length, size_t *ret)
{
    size_t run = volume->cluster_size - offset % volume->cluster_size;
    while (run < length) {
        uint32_t next;
        enum fat_result result = fat_table_get(volume, file->at_cluster, &next);
        if (result != FAT_OK)
            return result;
        if (next != file->at_cluster + 1 || !fat_is_cluster(volume, next))
            break;
        file->at_cluster = next;
        file->at_index++;
        run += volume->cluster_size;
    }
    *ret = run < length ? run : length;
    return FAT_OK;
}

/* `write` tells which of the two buffers counts. */
static enum fat_result transfer(struct fat_volume *volume, struct fat_file *file, uint32_t offset,
                                bool write, uint8_t *to, const uint8_t *from, size_t length)
{
    for (size_t done = 0, run; done < length; done += run, offset += (uint32_t)run) {
        enum fat_result result = fat_seek(volume, file, offset / volume->cluster_size);
        if (result != FAT_OK)
            return result == FAT_END ? FAT_CORRUPT : result;
        uint64_t place = volume->data +
                         (uint64_t)(file->at_cluster - FIRST) * volume->cluster_size +
                         offset % volume->cluster_size;
        result = run_length(volume, file, offset, length - done, &run);
        if (result != FAT_OK)
            return result;
        if (!(write ? volume->disk.write(volume->disk.context, place, from + done, run)
                    : volume->disk.read(volume->disk.context, place, to + done, run))) {
            volume->failed = volume->failed || write;
            return FAT_IO_ERROR;
        }
    }
    return FAT_OK;
}

enum fat_result fat_chain_read(struct fat_volume *volume, struct fat_file *file, uint32_t offset,
                               void *data, size_t length)
{
    return transfer(volume, file, offset, false, data, NULL, length);
}

enum fat_result fat_chain_write(struct fat_volume *volume, struct fat_file *file, uint32_t offset,
                                const void *data, size_t length)
{
    return transfer(volume, file, offset, true, NULL, data, length);
}

enum fat_result fat_read(struct fat_volume *volume, struct fat_file *file, uint32_t offset,
                         void *data, size_t length)
{
    if (offset > file->size || length > file->size - offset)
        return FAT_CORRUPT;
    return fat_chain_read(volume, file, offset, data, length);
}

/*
 * The chain may already be longer than the size tells: a power cut between the two leaves it so.
 * What is there is used first.
 */
enum fat_result fat_chain_extend(struct fat_volume *volume, struct fat_file *file,
                                 uint32_t clusters)
{
    enum fat_result result = clusters ? fat_seek(volume, file, clusters - 1) : FAT_OK;
    if (result != FAT_END)
        return result;
    uint32_t last = file->at_cluster, have = last ? file->at_index + 1 : 0, new;
    if ((uint64_t)have * volume->cluster_size < file->size)
        return FAT_CORRUPT;
    result = fat_allocate(volume, clusters - have, &new);
    if (result != FAT_OK)
        return result;
    if (!last) {
        file->first = new;
        return FAT_OK;
    }
    result = fat_table_set(volume, last, new);
    return result == FAT_OK ? fat_table_flush(volume) : result;
}

enum fat_result fat_chain_zero(struct fat_volume *volume, struct fat_file *file, uint32_t from,
                               uint32_t to)
{
    static uint8_t zeros[0x4000]; /* never written */
    enum fat_result result = FAT_OK;
    for (uint32_t piece; result == FAT_OK && from < to; from += piece) {
        piece = to - from < sizeof(zeros) ? to - from : sizeof(zeros);
        result = fat_chain_write(volume, file, from, zeros, piece);
    }
    return result;
}

enum fat_result fat_directory_size(struct fat_volume *volume, struct fat_file *directory,
                                   uint32_t *ret)
{
    uint32_t clusters = 0, most = DIRECTORY_LIMIT / volume->cluster_size;
    enum fat_result result = FAT_OK;
    if (directory->fixed_root) {
        *ret = volume->root_size;
        return FAT_OK;
    }
    while (clusters < most && (result = fat_seek(volume, directory, clusters)) == FAT_OK)
        clusters++;
    *ret = clusters * volume->cluster_size;
    return result == FAT_END && clusters ? FAT_OK : result == FAT_END ? FAT_CORRUPT : result;
}
