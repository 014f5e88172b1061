/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Block devices: what a driver gives, and their publication as UEFI handles with partitions and
 * file systems on top.
 */
#ifndef PRIVET_FIRMWARE_BLOCK_H
#define PRIVET_FIRMWARE_BLOCK_H

#include "firmware/uefi/efi.h"

struct block_device {
    uint32_t block_size; /* 512 to 4096, a power of two */
    uint64_t blocks;     /* at least 2 */
    bool read_only;
    bool removable; /* a CD drive */
    /* Whole blocks, in range (checked by the caller); buffers are private memory. */
    bool (*read)(struct block_device *device, uint64_t block, uint32_t count, void *data);
    bool (*write)(struct block_device *device, uint64_t block, uint32_t count, const void *data);
    bool (*flush)(struct block_device *device);
};

/* Publishes a disk, its partitions and their volumes. Device and path stay for good. */
void block_publish(struct block_device *device, EFI_DEVICE_PATH_PROTOCOL *path);

/* A whole disk or a partition of it. */
struct block_range;

/* Bytes relative to the range, as in disk.h; flush: what was written survives a power cut. */
bool block_read_bytes(void *range, uint64_t offset, void *data, size_t length);
bool block_write_bytes(void *range, uint64_t offset, const void *data, size_t length);
bool block_flush(void *range);
uint64_t block_range_size(const struct block_range *range);
bool block_range_read_only(const struct block_range *range);

/*
 * Keeps event notifications of TPL_CALLBACK, which may use the same disk, away while a call is
 * inside the block or file layer. Not for nesting; leave gets what enter returned.
 */
EFI_TPL block_enter(void);
void block_leave(EFI_TPL tpl);

/* fatfs.c: installs the file system of a range on its handle. False: it has none. */
bool fatfs_publish(EFI_HANDLE handle, struct block_range *range);

#endif
