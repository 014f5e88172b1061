/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Block I/O and disk I/O (UEFI 2.10 13.7, 13.9) for disks and their partitions: ranges of one
 * struct disk, so that what is written through one handle is read through the others.
 */
#include "firmware/storage/block.h"

#include <string.h>

#include "firmware/lib/log.h"
#include "firmware/storage/disk.h"
#include "firmware/storage/partition.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define MEDIA_ID 1u

struct block_range {
    EFI_BLOCK_IO_PROTOCOL block_io;
    EFI_DISK_IO_PROTOCOL disk_io;
    EFI_BLOCK_IO_MEDIA media;
    struct disk *disk;
    struct block_device *device;
    uint64_t start, size; /* bytes */
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

EFI_TPL block_enter(void)
{
    EFI_TPL tpl = bs_raise_tpl(TPL_HIGH_LEVEL); /* the way to learn it */
    bs_restore_tpl(tpl);
    return bs_raise_tpl(tpl > TPL_CALLBACK ? tpl : TPL_CALLBACK);
}

void block_leave(EFI_TPL tpl)
{
    bs_restore_tpl(tpl);
}

static bool in_range(const struct block_range *range, uint64_t offset, size_t length)
{
    return offset <= range->size && length <= range->size - offset;
}

bool block_read_bytes(void *pointer, uint64_t offset, void *data, size_t length)
{
    struct block_range *range = pointer;
    return in_range(range, offset, length) &&
           disk_read(range->disk, range->start + offset, data, length);
}

bool block_write_bytes(void *pointer, uint64_t offset, const void *data, size_t length)
{
    struct block_range *range = pointer;
    return in_range(range, offset, length) &&
           disk_write(range->disk, range->start + offset, data, length);
}

bool block_flush(void *pointer)
{
    return disk_flush(((struct block_range *)pointer)->disk);
}

uint64_t block_range_size(const struct block_range *range)
{
    return range->size;
}

bool block_range_read_only(const struct block_range *range)
{
    return range->device->read_only;
}

/* One of the four transfers; the caller has checked the arguments of its protocol. */
static EFI_STATUS transfer(struct block_range *range, bool write, uint64_t offset, UINTN length,
                           void *buffer)
{
    if (length == 0)
        return EFI_SUCCESS;
    if (!buffer || !in_range(range, offset, length))
        return EFI_INVALID_PARAMETER;
    EFI_TPL tpl = block_enter();
    bool done = write ? block_write_bytes(range, offset, buffer, length)
                      : block_read_bytes(range, offset, buffer, length);
    block_leave(tpl);
    return done ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

/* Both protocols: a changed medium is reported before anything else (UEFI 2.10 13.9.3). */
static EFI_STATUS check(const struct block_range *range, bool write, UINT32 media)
{
    if (media != MEDIA_ID)
        return EFI_MEDIA_CHANGED;
    return write && range->media.ReadOnly ? EFI_WRITE_PROTECTED : EFI_SUCCESS;
}

static EFI_STATUS transfer_blocks(EFI_BLOCK_IO_PROTOCOL *this, bool write, UINT32 media,
                                  EFI_LBA block, UINTN length, VOID *buffer)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    struct block_range *range = of_block_io(this);
    uint64_t offset;
    EFI_STATUS status = check(range, write, media);
    if (status != EFI_SUCCESS)
        return status;
    if (length % range->media.BlockSize)
        return EFI_BAD_BUFFER_SIZE;
    if (__builtin_mul_overflow(block, (uint64_t)range->media.BlockSize, &offset))
        return EFI_INVALID_PARAMETER;
    return transfer(range, write, offset, length, buffer);
}

static EFI_STATUS EFIAPI read_blocks(EFI_BLOCK_IO_PROTOCOL *this, UINT32 media, EFI_LBA block,
                                     UINTN length, VOID *buffer)
{
    return transfer_blocks(this, false, media, block, length, buffer);
}

static EFI_STATUS EFIAPI write_blocks(EFI_BLOCK_IO_PROTOCOL *this, UINT32 media, EFI_LBA block,
                                      UINTN length, VOID *buffer)
{
    return transfer_blocks(this, true, media, block, length, buffer);
}

static EFI_STATUS EFIAPI reset(EFI_BLOCK_IO_PROTOCOL *this, BOOLEAN extended)
{
    (void)extended;
    if (!this)
        return EFI_INVALID_PARAMETER;
    EFI_TPL tpl = block_enter();
    disk_forget(of_block_io(this)->disk);
    block_leave(tpl);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI flush_blocks(EFI_BLOCK_IO_PROTOCOL *this)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    EFI_TPL tpl = block_enter();
    bool done = block_flush(of_block_io(this));
    block_leave(tpl);
    return done ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

static EFI_STATUS transfer_bytes(EFI_DISK_IO_PROTOCOL *this, bool write, UINT32 media,
                                 UINT64 offset, UINTN length, VOID *buffer)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = check(of_disk_io(this), write, media);
    return status == EFI_SUCCESS ? transfer(of_disk_io(this), write, offset, length, buffer)
                                 : status;
}

static EFI_STATUS EFIAPI read_disk(EFI_DISK_IO_PROTOCOL *this, UINT32 media, UINT64 offset,
                                   UINTN length, VOID *buffer)
{
    return transfer_bytes(this, false, media, offset, length, buffer);
}

static EFI_STATUS EFIAPI write_disk(EFI_DISK_IO_PROTOCOL *this, UINT32 media, UINT64 offset,
                                    UINTN length, VOID *buffer)
{
    return transfer_bytes(this, true, media, offset, length, buffer);
}

/* False: no memory, or the handle is that of a disk already. */
static bool install(struct block_range *range, EFI_DEVICE_PATH_PROTOCOL *path)
{
    range->handle = handle_of_path(path); /* a disk without a node of its own: the PCI function */
    EFI_STATUS status =
        range->handle
            ? bs_install_multiple(&range->handle, &guid_block_io, &range->block_io, &guid_disk_io,
                                  &range->disk_io, NULL)
            : bs_install_multiple(&range->handle, &guid_device_path, path, &guid_block_io,
                                  &range->block_io, &guid_disk_io, &range->disk_io, NULL);
    return status == EFI_SUCCESS;
}

/* NULL: nothing was published; what a bus or a disk lists twice is there once. */
static struct block_range *publish_range(struct disk *disk, struct block_device *device,
                                         const struct partition *partition,
                                         EFI_DEVICE_PATH_PROTOCOL *path)
{
    struct block_range *range =
        path ? pool_allocate(MEMORY_BOOT_DATA, sizeof(*range)) : NULL;
    if (!range)
        return NULL;
    uint64_t start = partition ? partition->start : 0;
    uint64_t blocks = partition ? partition->blocks : device->blocks;
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
                                         .RemovableMedia = device->removable,
                                         .MediaPresent = true,
                                         .LogicalPartition = partition != NULL,
                                         .ReadOnly = device->read_only,
                                         .BlockSize = device->block_size,
                                         .LastBlock = blocks - 1 };
    range->disk = disk;
    range->device = device;
    range->start = start * device->block_size;
    range->size = blocks * device->block_size;
    if (install(range, path))
        return range;
    pool_free(range);
    return NULL;
}

/* UEFI 2.10 10.3.5.1, 10.3.5.2 */
static EFI_DEVICE_PATH_PROTOCOL *partition_path(const EFI_DEVICE_PATH_PROTOCOL *parent,
                                                const struct partition *partition)
{
    if (partition->kind == PARTITION_CD) {
        CDROM_DEVICE_PATH cd = {
            .Header = { MEDIA_DEVICE_PATH, MEDIA_CDROM_DP, { sizeof(CDROM_DEVICE_PATH), 0 } },
            .BootEntry = partition->number,
            .PartitionStart = partition->start,
            .PartitionSize = partition->blocks
        };
        return devicepath_append(parent, &cd.Header);
    }
    HARDDRIVE_DEVICE_PATH node = {
        .Header = { MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP, { sizeof(HARDDRIVE_DEVICE_PATH), 0 } },
        .PartitionNumber = partition->number,
        .PartitionStart = partition->start,
        .PartitionSize = partition->blocks,
        .MBRType = (UINT8)partition->kind,
        .SignatureType = (UINT8)partition->kind
    };
    memcpy(node.Signature, partition->signature, sizeof(node.Signature));
    return devicepath_append(parent, &node.Header);
}

static bool scan_read(void *disk, uint64_t offset, void *data, size_t length)
{
    return disk_read(disk, offset, data, length);
}

/*
 * A disk's GPT or boot catalog, else its own file system, else its MBR: a FAT volume without a
 * partition table has a boot sector that looks like an MBR, and a disc's image may have one.
 */
static size_t scan(struct block_range *whole, struct partition *found)
{
    const struct partition_disk disk = { .read = scan_read,
                                         .context = whole->disk,
                                         .block_size = whole->device->block_size,
                                         .blocks = whole->device->blocks };
    size_t count = partition_gpt(&disk, found);
    if (!count)
        count = partition_el_torito(&disk, found);
    if (!count && !fatfs_publish(whole->handle, whole))
        count = partition_mbr(&disk, found);
    return count;
}

static void publish_partitions(struct block_range *whole, EFI_DEVICE_PATH_PROTOCOL *path,
                               const struct partition *found, size_t count)
{
    EFI_DEVICE_PATH_PROTOCOL *paths[PARTITIONS_MAXIMUM];
    size_t left_out = 0;
    for (size_t i = 0; i < count; i++) {
        EFI_DEVICE_PATH_PROTOCOL *parent = found[i].inside ? paths[found[i].inside - 1] : path;
        paths[i] = parent ? partition_path(parent, &found[i]) : NULL;
        struct block_range *range = publish_range(whole->disk, whole->device, &found[i], paths[i]);
        if (range)
            fatfs_publish(range->handle, range);
        left_out += !range;
    }
    if (left_out)
        log_line("%lu partitions are listed twice, or there is no memory for them",
                 (unsigned long)left_out);
}

void block_publish(struct block_device *device, EFI_DEVICE_PATH_PROTOCOL *path)
{
    struct partition *found = pool_allocate(MEMORY_BOOT_DATA, PARTITIONS_MAXIMUM * sizeof(*found));
    struct disk *disk = disk_create(device);
    struct block_range *whole = found && disk ? publish_range(disk, device, NULL, path) : NULL;
    if (whole) {
        publish_partitions(whole, path, found, scan(whole, found));
    } else {
        disk_destroy(disk);
        log_line("a disk is left out: it is listed twice, or there is no memory for it");
    }
    pool_free(found);
}
