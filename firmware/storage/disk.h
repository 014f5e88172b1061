/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Bytes of a disk: any offset and length over whole blocks, through one small write-through cache
 * that all handles of the disk share. What it returns true for is on the device (not yet flushed).
 */
#ifndef PRIVET_FIRMWARE_DISK_H
#define PRIVET_FIRMWARE_DISK_H

#include "firmware/storage/block.h"

struct disk;

/* NULL: no memory. The device stays for good, and so does a disk that was published. */
struct disk *disk_create(struct block_device *device);
void disk_destroy(struct disk *disk); /* NULL: nothing */
uint64_t disk_size(const struct disk *disk);

/* False: beyond the end, or an I/O error; then the buffer or the range may be changed in part. */
bool disk_read(struct disk *disk, uint64_t offset, void *data, size_t length);
bool disk_write(struct disk *disk, uint64_t offset, const void *data, size_t length);

/* What was written survives a power cut. No request if there is nothing new. */
bool disk_flush(struct disk *disk);

/* Forgets what was read before. */
void disk_forget(struct disk *disk);

#endif
