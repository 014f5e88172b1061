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
    uint64_t blocks;
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

/* Reads bytes through a small cache, relative to the range; false: I/O error or out of range. */
bool block_read_bytes(void *range, uint64_t offset, void *data, size_t length);

/* fatfs.c: installs the file system of a range on its handle. False: it has none. */
bool fatfs_publish(EFI_HANDLE handle, struct block_range *range, uint64_t size);

#endif
