/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * FAT12, FAT16 and FAT32 with long names (UEFI 2.10 13.3), read-only. A pure parser: the disk may
 * be hostile; every walk is bounded and every offset checked against the volume.
 */
#ifndef PRIVET_FIRMWARE_FAT_H
#define PRIVET_FIRMWARE_FAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAT_NAME_ROOM    256u /* UTF-16 units with the NUL */
#define FAT_READ_ONLY    0x01u
#define FAT_VOLUME_LABEL 0x08u
#define FAT_DIRECTORY    0x10u

/* Reads bytes of the volume; false: I/O error or beyond its end. */
typedef bool fat_disk_read(void *disk, uint64_t offset, void *data, size_t length);

struct fat_volume {
    fat_disk_read *read;
    void *disk;
    unsigned bits; /* 12, 16, 32 */
    uint32_t cluster_size, clusters, root_cluster;
    uint64_t fat, root, data; /* byte offsets; root: FAT12 and FAT16 */
    uint32_t root_size;
    uint64_t total;
};

struct fat_file {
    uint32_t first, size; /* first cluster, 0: empty, or the root directory of FAT12/16 */
    uint8_t attributes;
    bool fixed_root;
    uint16_t date, time;           /* of the last change, FAT format */
    uint32_t at_index, at_cluster; /* where the last read was in the chain */
};

struct fat_entry {
    uint16_t name[FAT_NAME_ROOM];
    struct fat_file file;
};

/* True: a FAT volume of at most `size` bytes; *ret is set. */
bool fat_mount(fat_disk_read *read, void *disk, uint64_t size, struct fat_volume *ret);
void fat_root(const struct fat_volume *volume, struct fat_file *ret);

/* Reads from a file, up to its size. False: I/O error or a broken chain. */
bool fat_read(const struct fat_volume *volume, struct fat_file *file, uint32_t offset, void *data,
              size_t length);

enum fat_result { FAT_OK, FAT_END, FAT_ERROR };
/* The next entry of a directory from *position (start with 0), which advances. */
enum fat_result fat_next(const struct fat_volume *volume, struct fat_file *directory,
                         uint32_t *position, struct fat_entry *ret);
/* Finds a name (ASCII letters in either case) in a directory. */
enum fat_result fat_find(const struct fat_volume *volume, struct fat_file *directory,
                         const uint16_t *name, size_t length, struct fat_entry *ret);

#endif
