/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* An NVMe controller (NVMe 1.4) with namespaces on models of disks. */
#ifndef PRIVET_TESTS_NVME_MODEL_H
#define PRIVET_TESTS_NVME_MODEL_H

#include "disk_model.h"
#include "fakes.h"

enum { NVME_MODEL_NAMESPACES = 2 };

struct nvme_model {
    struct {
        uint32_t number; /* 0: none */
        struct disk_model *disk;
        uint8_t eui[8];
        uint16_t metadata;
        bool read_only;
    } namespace[NVME_MODEL_NAMESPACES];
    uint8_t transfer_shift; /* MDTS */
    /* Lies. */
    bool silent, never_ready, no_list;
    bool never_stops; /* once it was ready */
    uint16_t status;        /* that I/O commands end with */
    uint16_t wrong_command; /* added to the command's number */

    uint64_t capabilities;
    uint32_t configuration, state, sizes;
    uint64_t admin[2]; /* submission, completion */
    struct {
        uint64_t submission, completion;
        uint16_t size, head, tail, completed;
        bool phase;
    } queue[2];
    unsigned commands, unmapped;
    bool shut_down; /* properly */
};

void nvme_model_add(struct nvme_model *model);

#endif
