/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Partition tables: GPT (UEFI 2.10 5.3) and the four primary entries of an MBR. A pure parser. */
#ifndef PRIVET_FIRMWARE_PARTITION_H
#define PRIVET_FIRMWARE_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARTITIONS_MAXIMUM 128u

struct partition {
    uint64_t start, blocks; /* in the disk's blocks */
    uint32_t number;        /* from 1 */
    uint8_t signature[16];
    uint8_t table_type; /* as in the device path: 1 MBR, 2 GPT; so is the signature's type */
};

/* Reads whole blocks of the disk. */
typedef bool partition_read(void *disk, uint64_t block, uint32_t count, void *data);

/*
 * Finds at most PARTITIONS_MAXIMUM partitions, all inside the disk; returns how many. `scratch`
 * has room for one block and for the largest GPT array that is accepted.
 */
#define PARTITION_SCRATCH (4096u + 0x8000u)
size_t partition_scan(partition_read *read, void *disk, uint32_t block_size, uint64_t blocks,
                      uint8_t *scratch, struct partition *ret);

#endif
