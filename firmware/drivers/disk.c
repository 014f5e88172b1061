/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Transfers of any length over a driver's single requests. */
#include "firmware/drivers/disk.h"

#include "firmware/lib/log.h"

enum { BLOCK_MINIMUM = 512, BLOCK_MAXIMUM = 4096 };

static bool one_piece(struct disk *disk, uint64_t block, uint32_t count, void *data,
                      enum dma_direction direction)
{
    struct dma_mapping mapping;
    if (!dma_map(data, (size_t)count * disk->block.block_size, direction, &mapping))
        return false;
    bool done = disk->transfer(disk, block, count, &mapping);
    dma_unmap(&mapping);
    return done;
}

static bool transfer(struct disk *disk, uint64_t block, uint32_t count, uint8_t *data,
                     enum dma_direction direction)
{
    while (count > 0) {
        uint32_t whole = disk->piece / disk->block.block_size;
        uint32_t piece = count < whole ? count : whole;
        if (!one_piece(disk, block, piece, data, direction)) {
            if (!disk->complained)
                log_line("%s at %02x:%02x.%u: cannot %s block %lu", disk->driver,
                         disk->address >> 8, disk->address >> 3 & 31, disk->address & 7,
                         direction == DMA_FROM_DEVICE ? "read" : "write", (unsigned long)block);
            disk->complained = true;
            return false;
        }
        block += piece;
        count -= piece;
        data += (size_t)piece * disk->block.block_size;
    }
    return true;
}

static bool read(struct block_device *block, uint64_t first, uint32_t count, void *data)
{
    return transfer((struct disk *)block, first, count, data, DMA_FROM_DEVICE);
}

static bool write(struct block_device *block, uint64_t first, uint32_t count, const void *data)
{
    return transfer((struct disk *)block, first, count, (uint8_t *)(uintptr_t)data,
                    DMA_TO_DEVICE);
}

static bool flush(struct block_device *block)
{
    struct disk *disk = (struct disk *)block;
    return !disk->flush || disk->flush(disk);
}

bool disk_init(struct disk *disk, uint64_t blocks, uint32_t block_size)
{
    if (block_size < BLOCK_MINIMUM || block_size > BLOCK_MAXIMUM ||
        (block_size & (block_size - 1)) != 0 || blocks < 2 || blocks > UINT64_MAX / BLOCK_MAXIMUM)
        return false;
    if (disk->piece == 0)
        disk->piece = DISK_PIECE;
    disk->block.block_size = block_size;
    disk->block.blocks = blocks;
    disk->block.read = read;
    disk->block.write = write;
    disk->block.flush = flush;
    return true;
}
