/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A qcow2 image that is read: private to image_qcow2.c and image_qcow2_map.c.
 */
#ifndef PRIVET_MACHINE_DEVICES_IMAGE_QCOW2_H
#define PRIVET_MACHINE_DEVICES_IMAGE_QCOW2_H

#include "machine/devices/image_backend.h"

#define QCOW2_CACHED_TABLES 8u

struct qcow2_table {
    uint64_t offset; /* in the file; 0: unused */
    uint64_t used;   /* when last, for replacement */
    uint8_t *bytes;  /* one cluster */
};

struct qcow2 {
    struct image image;
    struct image *backing; /* NULL: what is not allocated reads as zeros */
    int fd;
    char *path;
    uint32_t version;
    unsigned cluster_bits;
    uint64_t file_size;
    uint8_t *l1; /* as in the file, big endian */
    uint32_t l1_entries;
    struct qcow2_table table[QCOW2_CACHED_TABLES];
    uint64_t uses;
    /* The compressed cluster that was read last, and where it came from. */
    uint8_t *inflated, *packed;
    uint64_t inflated_entry;
};

uint32_t qcow2_u32(const uint8_t *at);
uint64_t qcow2_u64(const uint8_t *at);

/* Reads the L1 table. false: errno; qcow2_map_free is due all the same. */
bool qcow2_map_init(struct qcow2 *qcow2, uint64_t l1_offset, uint32_t l1_entries);
void qcow2_map_free(struct qcow2 *qcow2);

/* The backend's read. */
bool qcow2_read(struct image *image, uint64_t offset, uint8_t *data, size_t length);

#endif
