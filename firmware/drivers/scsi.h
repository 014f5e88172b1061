/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SCSI disks and CD drives (SPC-4, SBC-3, MMC-6) over a transport's single commands: virtio-scsi,
 * and ATAPI over AHCI.
 */
#ifndef PRIVET_FIRMWARE_SCSI_H
#define PRIVET_FIRMWARE_SCSI_H

#include "firmware/drivers/drive.h"

#define SCSI_CDB_SIZE   16u
#define SCSI_SENSE_SIZE 18u

enum scsi_result {
    SCSI_DONE,
    SCSI_CHECK, /* CHECK CONDITION: there is, or can be asked for, sense data */
    SCSI_BUSY,
    SCSI_FAILED, /* no such unit, no such service, no answer */
};

struct scsi_command {
    uint8_t cdb[SCSI_CDB_SIZE];
    const struct dma_mapping *data; /* NULL: none */
    /* The transport's answer. */
    uint32_t moved; /* bytes of data, at most its length */
    uint8_t sense[SCSI_SENSE_SIZE];
    uint8_t sense_length; /* 0: the transport has none; it is asked for */
};

struct scsi_unit {
    struct drive drive; /* first; the transport sets `driver` and `address` */
    uint8_t target;
    uint16_t lun;
    bool started;
    bool medium_gone;
    /* One command; returns when it is over, in bounded time. */
    enum scsi_result (*execute)(struct scsi_unit *unit, struct scsi_command *command);
};

/* Sends a command that brings a short answer; the bytes that came, 0 on any error. */
uint32_t scsi_ask(struct scsi_unit *unit, const uint8_t cdb[SCSI_CDB_SIZE], void *answer,
                  uint32_t length);
/* Looks at the unit. True: a disk, or a CD drive with a medium, of usable size. */
bool scsi_start(struct scsi_unit *unit);

#endif
