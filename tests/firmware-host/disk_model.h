/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A medium, and a SCSI disk or CD drive on it, for models of controllers. */
#ifndef PRIVET_TESTS_DISK_MODEL_H
#define PRIVET_TESTS_DISK_MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum { DISK_MODEL_SIZE = 1024 * 1024 }; /* bytes that are there; the size may say more */

struct disk_model {
    uint8_t data[DISK_MODEL_SIZE];
    uint64_t blocks;
    uint32_t block_size;
    unsigned reads, writes, flushes;
    uint32_t largest; /* bytes of one request */
    /* Lies. */
    bool fails;
    uint32_t short_by; /* bytes that a read brings less */
};

/* Blocks 0 to `blocks`-1 of that size, filled with a pattern. */
void disk_model_init(struct disk_model *disk, uint64_t blocks, uint32_t block_size);
/* What is at a byte of the pattern. */
uint8_t disk_model_byte(uint64_t offset);
/* Bytes of the medium, NULL: outside what is there. */
uint8_t *disk_model_at(struct disk_model *disk, uint64_t block, uint64_t length, bool write);

struct scsi_model {
    struct disk_model *disk;
    uint8_t type; /* 0 disk, 5 CD drive */
    bool removable, write_protected;
    unsigned attentions; /* unit attentions to come */
    uint16_t attention_code;
    unsigned becoming_ready; /* commands until it is ready */
    bool no_medium;
    bool recovered; /* commands that move data end with "recovered error" */
    uint8_t sense[18]; /* of the last command */
    unsigned commands;
    uint8_t last[16]; /* the last command */
};

/*
 * Serves a command; `in` has room for `in_length` bytes. Returns the SCSI status, 0 or 2; sets how
 * many bytes were moved.
 */
uint8_t scsi_model_serve(struct scsi_model *scsi, const uint8_t cdb[16], const uint8_t *out,
                         uint32_t out_length, uint8_t *in, uint32_t in_length,
                         uint32_t *ret_moved);

#endif
