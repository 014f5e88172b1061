/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Partition tables: GPT (UEFI 2.10 5.3), MBR with logical partitions (5.2), El Torito boot catalogs
 * (13.3.2.1). Pure parsers: the disk may be hostile; every walk is bounded.
 */
#ifndef PRIVET_FIRMWARE_PARTITION_H
#define PRIVET_FIRMWARE_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARTITIONS_MAXIMUM 128u

/* MBR and GPT as in the device path, where they are also the signature's type. */
enum partition_kind { PARTITION_MBR = 1, PARTITION_GPT = 2, PARTITION_CD = 3 };

struct partition {
    uint64_t start, blocks; /* in the disk's blocks */
    uint32_t number;        /* from 1; a CD's boot entry, from 0 */
    enum partition_kind kind;
    uint32_t inside; /* logical partitions: 1 + index of the extended one in the list; else 0 */
    uint8_t signature[16];
};

struct partition_disk {
    /* Reads bytes; false: I/O error or beyond the end. */
    bool (*read)(void *context, uint64_t offset, void *data, size_t length);
    void *context;
    uint32_t block_size;
    uint64_t blocks;
};

/*
 * At most PARTITIONS_MAXIMUM partitions, all inside the disk; returns how many. GPT: the primary
 * header, or else the backup. An MBR counts only if the disk is not a volume itself: the caller's
 * affair.
 */
size_t partition_gpt(const struct partition_disk *disk, struct partition *ret);
size_t partition_mbr(const struct partition_disk *disk, struct partition *ret);
/* The images of the boot catalog, as edk2 counts and measures them. el_torito.c */
size_t partition_el_torito(const struct partition_disk *disk, struct partition *ret);

#endif
