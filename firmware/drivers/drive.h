/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What disk drivers have in common: a transfer is cut into pieces, each of them bounced through the
 * shared pool; the first error is said with the device's name.
 */
#ifndef PRIVET_FIRMWARE_DRIVE_H
#define PRIVET_FIRMWARE_DRIVE_H

#include "firmware/sev/dma.h"
#include "firmware/storage/block.h"

#define DRIVE_PIECE (256u * 1024) /* bytes per request: several fit the shared pool */

struct drive {
    struct block_device block; /* first: the block layer's device is the disk */
    const char *driver;        /* for messages */
    uint16_t address;          /* PCI */
    uint32_t piece;            /* bytes per request, a multiple of the block size */
    bool complained;
    /* One request of whole blocks; the mapping's direction says which way. */
    bool (*transfer)(struct drive *drive, uint64_t block, uint32_t count,
                     const struct dma_mapping *data);
    bool (*flush)(struct drive *drive); /* NULL: nothing is cached */
};

/*
 * Takes the size that the device claims; the other fields of `drive` are set by the driver, before
 * (piece 0: DRIVE_PIECE). False: no usable size (blocks of 512 to 4096 bytes, two at least).
 */
bool drive_init(struct drive *drive, uint64_t blocks, uint32_t block_size);

/*
 * While a controller is looked for disks, its requests have a minute altogether, and those of all
 * controllers five from drive_scans on; later ones fail. A host that is slow or says "busy" to
 * everything delays a boot and does not stop it. Every begin that is true has its end.
 */
void drive_scans(void);
bool drive_scan_begin(uint16_t address, const char *driver); /* false: refused, no time is left */
bool drive_scan_late(void);
void drive_scan_end(uint16_t address, const char *driver);

/* dma_map to a bus address that is a multiple of 4, which is what AHCI and NVMe ask for. */
bool drive_map(void *data, size_t length, enum dma_direction direction, struct dma_mapping *ret);

#endif
