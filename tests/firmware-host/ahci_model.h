/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* An AHCI controller (AHCI 1.3.1) with a disk or a CD drive on some of its ports. */
#ifndef PRIVET_TESTS_AHCI_MODEL_H
#define PRIVET_TESTS_AHCI_MODEL_H

#include "disk_model.h"
#include "fakes.h"

enum { AHCI_MODEL_PORTS = 3 };

struct ahci_model {
    uint32_t capabilities, control;
    struct {
        struct disk_model *disk; /* a SATA disk, */
        struct scsi_model *scsi; /* or a packet device; neither: nothing */
        uint32_t registers[32];
        unsigned issued;
        /* Lies. */
        bool silent, hangs; /* no command ends; the port does not stop */
        bool stuck;         /* busy after an error until the link is reset */
        uint32_t less;      /* bytes that it says it moved less */
    } port[AHCI_MODEL_PORTS];
    uint16_t identify[256]; /* changes to the words of a disk: not 0 */
    unsigned unmapped, link_resets;
};

void ahci_model_add(struct ahci_model *model);

#endif
