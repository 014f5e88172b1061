/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The cache of a disk: a few lines of neighbouring blocks for the scattered small accesses of file
 * systems. Large reads and all writes go to the device directly; writes change the lines, too.
 */
#include "firmware/storage/disk.h"

#include <string.h>

#include "firmware/uefi/memory.h"

#define LINES     8u
#define LINE_SIZE 0x4000u  /* a multiple of every block size */
#define TRANSFER  0x10000u /* blocks in one call of the driver */

struct line {
    uint64_t number; /* on the disk, plus 1; 0: empty */
    uint8_t *data;
};

struct disk {
    struct block_device *device;
    struct line lines[LINES];
    unsigned next; /* line to be replaced */
    bool written;  /* since the last flush */
};

struct disk *disk_create(struct block_device *device)
{
    struct disk *disk = pool_allocate(MEMORY_BOOT_DATA, sizeof(*disk));
    uint8_t *cache = pool_allocate(MEMORY_BOOT_DATA, LINES * LINE_SIZE);
    if (!disk || !cache) {
        pool_free(disk);
        pool_free(cache);
        return NULL;
    }
    disk->device = device;
    for (unsigned i = 0; i < LINES; i++)
        disk->lines[i].data = cache + i * LINE_SIZE;
    return disk;
}

void disk_destroy(struct disk *disk)
{
    if (disk)
        pool_free(disk->lines[0].data);
    pool_free(disk);
}

uint64_t disk_size(const struct disk *disk)
{
    return disk->device->blocks * disk->device->block_size;
}

void disk_forget(struct disk *disk)
{
    for (unsigned i = 0; i < LINES; i++)
        disk->lines[i].number = 0;
}

static bool in_range(const struct disk *disk, uint64_t offset, size_t length)
{
    uint64_t size = disk_size(disk);
    return offset <= size && length <= size - offset;
}

/* The cached line that holds a byte of the disk, or NULL on an I/O error. */
static uint8_t *line_of(struct disk *disk, uint64_t offset)
{
    uint64_t number = offset / LINE_SIZE, begin = number * LINE_SIZE;
    for (unsigned i = 0; i < LINES; i++)
        if (disk->lines[i].number == number + 1)
            return disk->lines[i].data;
    struct line *line = &disk->lines[disk->next++ % LINES];
    uint64_t left = disk_size(disk) - begin, length = left < LINE_SIZE ? left : LINE_SIZE;
    uint32_t size = disk->device->block_size;
    line->number = 0;
    if (!disk->device->read(disk->device, begin / size, (uint32_t)(length / size), line->data))
        return NULL;
    line->number = number + 1;
    return line->data;
}

/* Brings the cached lines up to date with a write; data NULL: it failed, nobody knows. */
static void update_lines(struct disk *disk, uint64_t offset, const uint8_t *data, size_t length)
{
    for (unsigned i = 0; i < LINES; i++) {
        struct line *line = &disk->lines[i];
        if (!line->number)
            continue;
        uint64_t begin = (line->number - 1) * LINE_SIZE, end = begin + LINE_SIZE;
        uint64_t from = offset > begin ? offset : begin;
        uint64_t to = offset + length < end ? offset + length : end;
        if (from >= to)
            continue;
        if (data)
            memcpy(line->data + (from - begin), data + (from - offset), to - from);
        else
            line->number = 0;
    }
}

/* Whole blocks, to or from the caller's buffer. */
static bool read_blocks(struct disk *disk, uint64_t offset, uint8_t *data, size_t length)
{
    struct block_device *device = disk->device;
    uint64_t block = offset / device->block_size;
    for (size_t left = length / device->block_size, count; left > 0; left -= count) {
        count = left < TRANSFER ? left : TRANSFER;
        if (!device->read(device, block, (uint32_t)count, data))
            return false;
        block += count;
        data += count * device->block_size;
    }
    return true;
}

static bool write_blocks(struct disk *disk, uint64_t offset, const uint8_t *data, size_t length)
{
    struct block_device *device = disk->device;
    uint64_t block = offset / device->block_size;
    for (size_t left = length / device->block_size, count; left > 0; left -= count) {
        count = left < TRANSFER ? left : TRANSFER;
        size_t bytes = count * device->block_size;
        bool done = device->write(device, block, (uint32_t)count, data);
        update_lines(disk, block * device->block_size, done ? data : NULL, bytes);
        if (!done)
            return false;
        block += count;
        data += bytes;
    }
    return true;
}

bool disk_read(struct disk *disk, uint64_t offset, void *data, size_t length)
{
    uint32_t size = disk->device->block_size;
    uint8_t *bytes = data;
    if (!in_range(disk, offset, length))
        return false;
    while (length > 0) {
        size_t piece = LINE_SIZE - offset % LINE_SIZE;
        if (offset % size == 0 && length >= LINE_SIZE) {
            piece = length - length % size;
            if (!read_blocks(disk, offset, bytes, piece))
                return false;
        } else {
            const uint8_t *line = line_of(disk, offset);
            if (!line)
                return false;
            if (length >= LINE_SIZE)
                piece = size - offset % size; /* up to the block where whole ones begin */
            if (piece > length)
                piece = length;
            memcpy(bytes, line + offset % LINE_SIZE, piece);
        }
        offset += piece;
        bytes += piece;
        length -= piece;
    }
    return true;
}

/* Bytes inside one block, which is read, changed and written back. */
static bool write_part(struct disk *disk, uint64_t offset, const uint8_t *data, size_t length)
{
    uint32_t size = disk->device->block_size;
    uint64_t begin = offset - offset % size;
    uint8_t *line = line_of(disk, offset);
    if (!line)
        return false;
    memcpy(line + offset % LINE_SIZE, data, length);
    bool done = disk->device->write(disk->device, begin / size, 1, line + begin % LINE_SIZE);
    if (!done)
        update_lines(disk, begin, NULL, size);
    return done;
}

bool disk_write(struct disk *disk, uint64_t offset, const void *data, size_t length)
{
    uint32_t size = disk->device->block_size;
    const uint8_t *bytes = data;
    if (disk->device->read_only || !in_range(disk, offset, length))
        return false;
    disk->written = true;
    while (length > 0) {
        bool whole = offset % size == 0 && length >= size;
        size_t room = size - offset % size;
        size_t piece = whole ? length - length % size : length < room ? length : room;
        if (whole ? !write_blocks(disk, offset, bytes, piece)
                  : !write_part(disk, offset, bytes, piece))
            return false;
        offset += piece;
        bytes += piece;
        length -= piece;
    }
    return true;
}

bool disk_flush(struct disk *disk)
{
    if (!disk->written)
        return true;
    disk->written = !disk->device->flush(disk->device);
    return !disk->written;
}
