/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Block I/O and disk I/O (UEFI 2.10 13.7, 13.9) for disks and their partitions, over one small
 * cache per disk that serves the scattered reads of file systems.
 */
#include "firmware/storage/block.h"

#include <string.h>

#include "firmware/lib/log.h"
#include "firmware/storage/partition.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define LINES     8u
#define LINE_SIZE 0x4000u /* a multiple of every block size */
#define MEDIA_ID  1u

struct disk {
    struct block_device *device;
    struct {
        uint64_t number; /* of the line on the disk, plus 1; 0: empty */
        uint8_t *data;
    } lines[LINES];
    unsigned next; /* line to be replaced */
};

struct block_range {
    EFI_BLOCK_IO_PROTOCOL block_io;
    EFI_DISK_IO_PROTOCOL disk_io;
    EFI_BLOCK_IO_MEDIA media;
    struct disk *disk;
    uint64_t start, blocks;
    EFI_HANDLE handle;
};

static struct block_range *of_block_io(EFI_BLOCK_IO_PROTOCOL *this)
{
    return (struct block_range *)this;
}

static struct block_range *of_disk_io(EFI_DISK_IO_PROTOCOL *this)
{
    return (struct block_range *)((uint8_t *)this - offsetof(struct block_range, disk_io));
}

static uint64_t disk_size(const struct disk *disk)
{
    return disk->device->blocks * disk->device->block_size;
}

/* The cached line that holds a byte of the disk, or NULL on an I/O error. */
static uint8_t *line_of(struct disk *disk, uint64_t offset)
{
    uint64_t number = offset / LINE_SIZE, begin = number * LINE_SIZE;
    for (unsigned i = 0; i < LINES; i++)
        if (disk->lines[i].number == number + 1)
            return disk->lines[i].data;
    unsigned i = disk->next++ % LINES;
    uint64_t length = disk_size(disk) - begin < LINE_SIZE ? disk_size(disk) - begin : LINE_SIZE;
    disk->lines[i].number = 0;
    uint32_t size = disk->device->block_size;
    if (!disk->device->read(disk->device, begin / size, (uint32_t)(length / size),
                            disk->lines[i].data))
        return NULL;
    disk->lines[i].number = number + 1;
    return disk->lines[i].data;
}

/* The whole blocks in the middle of a large request go straight to the caller's buffer. */
static bool read_direct(struct disk *disk, uint64_t offset, uint8_t *bytes, size_t length)
{
    uint32_t size = disk->device->block_size;
    uint64_t count = length / size;
    while (count > 0) {
        uint32_t piece = count < 0x10000 ? (uint32_t)count : 0x10000;
        if (!disk->device->read(disk->device, offset / size, piece, bytes))
            return false;
        offset += (uint64_t)piece * size;
        bytes += (size_t)piece * size;
        count -= piece;
    }
    return true;
}

static bool read_disk_bytes(struct disk *disk, uint64_t offset, uint8_t *bytes, size_t length)
{
    uint32_t size = disk->device->block_size;
    while (length > 0) {
        size_t piece;
        if (offset % size == 0 && length >= LINE_SIZE) {
            piece = length - length % size;
            if (!read_direct(disk, offset, bytes, piece))
                return false;
        } else {
            uint8_t *line = line_of(disk, offset);
            if (!line)
                return false;
            piece = LINE_SIZE - offset % LINE_SIZE;
            if (piece > length)
                piece = length;
            if (length >= LINE_SIZE && offset % size != 0 && piece > size - offset % size)
                piece = size - offset % size; /* up to the block where direct reads begin */
            memcpy(bytes, line + offset % LINE_SIZE, piece);
        }
        offset += piece;
        bytes += piece;
        length -= piece;
    }
    return true;
}

bool block_read_bytes(void *range_pointer, uint64_t offset, void *data, size_t length)
{
    struct block_range *range = range_pointer;
    uint64_t size = range->blocks * range->media.BlockSize;
    if (offset > size || length > size - offset)
        return false;
    return read_disk_bytes(range->disk, range->start * range->media.BlockSize + offset, data,
                           length);
}

static EFI_STATUS check(const struct block_range *range, UINT32 media, UINT64 offset, UINTN length,
                        const void *buffer)
{
    uint64_t size = range->blocks * range->media.BlockSize;
    if (media != MEDIA_ID)
        return EFI_MEDIA_CHANGED;
    if (!buffer || offset > size || length > size - offset)
        return EFI_INVALID_PARAMETER;
    return EFI_SUCCESS;
}

static bool byte_offset(const struct block_range *range, EFI_LBA block, uint64_t *ret)
{
    return !__builtin_mul_overflow(block, (uint64_t)range->media.BlockSize, ret);
}

static EFI_STATUS EFIAPI reset(EFI_BLOCK_IO_PROTOCOL *this, BOOLEAN extended)
{
    (void)extended;
    return this ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
}

static EFI_STATUS EFIAPI read_blocks(EFI_BLOCK_IO_PROTOCOL *this, UINT32 media, EFI_LBA block,
                                     UINTN length, VOID *buffer)
{
    struct block_range *range = of_block_io(this);
    uint64_t offset;
    if (length % range->media.BlockSize)
        return EFI_BAD_BUFFER_SIZE;
    if (!byte_offset(range, block, &offset))
        return EFI_INVALID_PARAMETER;
    if (length == 0)
        return EFI_SUCCESS;
    EFI_STATUS status = check(range, media, offset, length, buffer);
    if (status != EFI_SUCCESS)
        return status;
    return block_read_bytes(range, offset, buffer, length) ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

/* Writes whole blocks and forgets the cache. */
static bool write_through(struct block_range *range, uint64_t block, const uint8_t *bytes,
                          uint64_t count)
{
    struct disk *disk = range->disk;
    for (unsigned i = 0; i < LINES; i++)
        disk->lines[i].number = 0;
    while (count > 0) {
        uint32_t piece = count < 0x10000 ? (uint32_t)count : 0x10000;
        if (!disk->device->write(disk->device, range->start + block, piece, bytes))
            return false;
        block += piece;
        bytes += (size_t)piece * range->media.BlockSize;
        count -= piece;
    }
    return true;
}

static EFI_STATUS EFIAPI write_blocks(EFI_BLOCK_IO_PROTOCOL *this, UINT32 media, EFI_LBA block,
                                      UINTN length, VOID *buffer)
{
    struct block_range *range = of_block_io(this);
    uint64_t offset;
    if (range->media.ReadOnly)
        return EFI_WRITE_PROTECTED;
    if (length % range->media.BlockSize)
        return EFI_BAD_BUFFER_SIZE;
    if (!byte_offset(range, block, &offset))
        return EFI_INVALID_PARAMETER;
    if (length == 0)
        return EFI_SUCCESS;
    EFI_STATUS status = check(range, media, offset, length, buffer);
    if (status != EFI_SUCCESS)
        return status;
    return write_through(range, block, buffer, length / range->media.BlockSize) ? EFI_SUCCESS
                                                                                : EFI_DEVICE_ERROR;
}

static EFI_STATUS EFIAPI flush_blocks(EFI_BLOCK_IO_PROTOCOL *this)
{
    struct block_device *device = of_block_io(this)->disk->device;
    return device->flush(device) ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

static EFI_STATUS EFIAPI read_disk(EFI_DISK_IO_PROTOCOL *this, UINT32 media, UINT64 offset,
                                   UINTN length, VOID *buffer)
{
    struct block_range *range = of_disk_io(this);
    EFI_STATUS status = check(range, media, offset, length, buffer);
    if (status != EFI_SUCCESS)
        return status;
    return block_read_bytes(range, offset, buffer, length) ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

/* Any bytes: the blocks at both ends are read, changed and written back. */
static EFI_STATUS EFIAPI write_disk(EFI_DISK_IO_PROTOCOL *this, UINT32 media, UINT64 offset,
                                    UINTN length, VOID *buffer)
{
    struct block_range *range = of_disk_io(this);
    uint32_t size = range->media.BlockSize;
    if (range->media.ReadOnly)
        return EFI_WRITE_PROTECTED;
    EFI_STATUS status = check(range, media, offset, length, buffer);
    if (status != EFI_SUCCESS || length == 0)
        return status;
    uint64_t first = offset / size, last = (offset + length - 1) / size;
    size_t whole = (size_t)(last - first + 1) * size;
    uint8_t *bounce = pool_allocate(MEMORY_BOOT_DATA, whole);
    if (!bounce)
        return EFI_OUT_OF_RESOURCES;
    bool done = block_read_bytes(range, first * size, bounce, whole);
    if (done) {
        memcpy(bounce + offset % size, buffer, length);
        done = write_through(range, first, bounce, last - first + 1);
    }
    pool_free(bounce);
    return done ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

static struct block_range *publish_range(struct disk *disk, uint64_t start, uint64_t blocks,
                                         bool partition, EFI_DEVICE_PATH_PROTOCOL *path)
{
    struct block_range *range = pool_allocate(MEMORY_BOOT_DATA, sizeof(*range));
    if (!range || !path)
        panic("no memory for a disk");
    range->block_io = (EFI_BLOCK_IO_PROTOCOL){ .Revision = EFI_BLOCK_IO_PROTOCOL_REVISION3,
                                               .Media = &range->media,
                                               .Reset = reset,
                                               .ReadBlocks = read_blocks,
                                               .WriteBlocks = write_blocks,
                                               .FlushBlocks = flush_blocks };
    range->disk_io = (EFI_DISK_IO_PROTOCOL){ .Revision = 0x00010000,
                                             .ReadDisk = read_disk,
                                             .WriteDisk = write_disk };
    range->media = (EFI_BLOCK_IO_MEDIA){ .MediaId = MEDIA_ID,
                                         .MediaPresent = true,
                                         .LogicalPartition = partition,
                                         .ReadOnly = disk->device->read_only,
                                         .BlockSize = disk->device->block_size,
                                         .LastBlock = blocks - 1 };
    range->disk = disk;
    range->start = start;
    range->blocks = blocks;
    range->handle = handle_of_path(path); /* a disk without a node of its own: the PCI function */
    if (!range->handle)
        handle_install(&range->handle, &guid_device_path, path);
    handle_install(&range->handle, &guid_block_io, &range->block_io);
    handle_install(&range->handle, &guid_disk_io, &range->disk_io);
    return range;
}

static bool scan_read(void *context, uint64_t block, uint32_t count, void *data)
{
    struct block_device *device = context;
    return device->read(device, block, count, data);
}

static EFI_DEVICE_PATH_PROTOCOL *partition_path(const EFI_DEVICE_PATH_PROTOCOL *disk,
                                                const struct partition *partition)
{
    HARDDRIVE_DEVICE_PATH node = {
        .Header = { MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP, { sizeof(HARDDRIVE_DEVICE_PATH), 0 } },
        .PartitionNumber = partition->number,
        .PartitionStart = partition->start,
        .PartitionSize = partition->blocks,
        .MBRType = partition->table_type,
        .SignatureType = partition->table_type
    };
    memcpy(node.Signature, partition->signature, sizeof(node.Signature));
    return devicepath_append(disk, &node.Header);
}

static void publish_partitions(struct disk *disk, const EFI_DEVICE_PATH_PROTOCOL *path)
{
    struct block_device *device = disk->device;
    uint8_t *scratch = pool_allocate(MEMORY_BOOT_DATA, PARTITION_SCRATCH);
    struct partition *found = pool_allocate(MEMORY_BOOT_DATA, PARTITIONS_MAXIMUM * sizeof(*found));
    if (!scratch || !found)
        panic("no memory for a partition table");
    size_t count =
        partition_scan(scan_read, device, device->block_size, device->blocks, scratch, found);
    for (size_t i = 0; i < count; i++) {
        struct block_range *range = publish_range(disk, found[i].start, found[i].blocks, true,
                                                  partition_path(path, &found[i]));
        fatfs_publish(range->handle, range, found[i].blocks * device->block_size);
    }
    pool_free(found);
    pool_free(scratch);
}

void block_publish(struct block_device *device, EFI_DEVICE_PATH_PROTOCOL *path)
{
    struct disk *disk = pool_allocate(MEMORY_BOOT_DATA, sizeof(*disk));
    uint8_t *cache = pool_allocate(MEMORY_BOOT_DATA, LINES * LINE_SIZE);
    if (!disk || !cache)
        panic("no memory for a disk");
    disk->device = device;
    for (unsigned i = 0; i < LINES; i++)
        disk->lines[i].data = cache + i * LINE_SIZE;
    struct block_range *whole = publish_range(disk, 0, device->blocks, false, path);
    /* A FAT volume without partition table has a boot sector that looks like an MBR. */
    if (!fatfs_publish(whole->handle, whole, device->blocks * device->block_size))
        publish_partitions(disk, path);
}
