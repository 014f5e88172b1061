/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Transfers of any length over a driver's single requests; the time that looking for disks has. */
#include "firmware/drivers/drive.h"

#include "firmware/arch/time.h"
#include "firmware/drivers/drivers.h"
#include "firmware/lib/log.h"
#include "firmware/platform/pci.h"

enum { BLOCK_MINIMUM = 512, BLOCK_MAXIMUM = 4096, BUS_ALIGNMENT = 4 };

#define SECOND     10000000ull /* of time_now_100ns */
#define SCAN_TIME  (60 * SECOND)
#define SCANS_TIME (300 * SECOND)

static uint64_t scan_end, scans_end; /* 0: there is no limit */

void drive_scans(void)
{
    scans_end = time_now_100ns() + SCANS_TIME;
}

bool drive_scan_begin(uint16_t address, const char *driver)
{
    uint64_t now = time_now_100ns();
    if (scans_end && now >= scans_end) {
        device_refuse(address, driver, "the devices before it took too long");
        return false;
    }
    scan_end = now + SCAN_TIME;
    if (scans_end && scan_end > scans_end)
        scan_end = scans_end;
    return true;
}

bool drive_scan_late(void)
{
    return scan_end && time_now_100ns() >= scan_end;
}

void drive_scan_end(uint16_t address, const char *driver)
{
    if (drive_scan_late())
        log_line("%s at " PCI_PLACE " is too slow: some of its disks may be missing", driver,
                 PCI_PLACE_OF(address));
    scan_end = 0;
}

bool drive_map(void *data, size_t length, enum dma_direction direction, struct dma_mapping *ret)
{
    return (uintptr_t)data % BUS_ALIGNMENT ? dma_bounce(data, length, direction, ret)
                                           : dma_map(data, length, direction, ret);
}

static bool one_piece(struct drive *drive, uint64_t block, uint32_t count, void *data,
                      enum dma_direction direction)
{
    struct dma_mapping mapping;
    if (!drive_map(data, (size_t)count * drive->block.block_size, direction, &mapping))
        return false;
    bool done = drive->transfer(drive, block, count, &mapping);
    dma_unmap(&mapping);
    return done;
}

static void complain(struct drive *drive, uint64_t block, enum dma_direction direction)
{
    if (!drive->complained)
        log_line("%s at " PCI_PLACE ": cannot %s block %lu", drive->driver,
                 PCI_PLACE_OF(drive->address), direction == DMA_FROM_DEVICE ? "read" : "write",
                 (unsigned long)block);
    drive->complained = true;
}

static bool transfer(struct drive *drive, uint64_t block, uint32_t count, uint8_t *data,
                     enum dma_direction direction)
{
    while (count > 0) {
        uint32_t whole = drive->piece / drive->block.block_size;
        uint32_t piece = count < whole ? count : whole;
        if (drive_scan_late() || !one_piece(drive, block, piece, data, direction)) {
            complain(drive, block, direction);
            return false;
        }
        block += piece;
        count -= piece;
        data += (size_t)piece * drive->block.block_size;
    }
    return true;
}

static bool read(struct block_device *block, uint64_t first, uint32_t count, void *data)
{
    return transfer((struct drive *)block, first, count, data, DMA_FROM_DEVICE);
}

static bool write(struct block_device *block, uint64_t first, uint32_t count, const void *data)
{
    return transfer((struct drive *)block, first, count, (uint8_t *)(uintptr_t)data, DMA_TO_DEVICE);
}

static bool flush(struct block_device *block)
{
    struct drive *drive = (struct drive *)block;
    return !drive->flush || drive->flush(drive);
}

bool drive_init(struct drive *drive, uint64_t blocks, uint32_t block_size)
{
    if (block_size < BLOCK_MINIMUM || block_size > BLOCK_MAXIMUM ||
        (block_size & (block_size - 1)) != 0 || blocks < 2 || blocks > UINT64_MAX / BLOCK_MAXIMUM)
        return false;
    if (drive->piece == 0)
        drive->piece = DRIVE_PIECE;
    drive->block.block_size = block_size;
    drive->block.blocks = blocks;
    drive->block.read = read;
    drive->block.write = write;
    drive->block.flush = flush;
    return true;
}
