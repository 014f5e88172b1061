/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A SCSI logical unit over a disk image: a disk (SPC-4, SBC-3) or a CD-ROM with a medium in it
 * (MMC-5). It knows commands and their data, not how these travel: scsi_start says what is to be
 * transferred, the transport does that.
 */
#ifndef PRIVET_MACHINE_DEVICES_SCSI_H
#define PRIVET_MACHINE_DEVICES_SCSI_H

#include "machine/devices/image.h"

#define SCSI_CDB_SIZE    32u
#define SCSI_SENSE_SIZE  18u
#define SCSI_REPLY_SIZE  512u
#define SCSI_SERIAL_SIZE 20u
#define SCSI_MAX_LIST    4096u /* bytes of a parameter list */

/* Limits that block limits (VPD 0xB0) tells. */
#define SCSI_MAX_UNMAP       131072u /* blocks of a descriptor: 64 MiB */
#define SCSI_MAX_UNMAP_COUNT 64u
#define SCSI_MAX_WRITE_SAME  131072u

enum scsi_status { SCSI_GOOD = 0, SCSI_CHECK_CONDITION = 2 };

struct scsi_sense {
    uint8_t key, code, qualifier; /* SPC-4 4.5.6: sense key, additional code and its qualifier */
};

struct scsi_unit {
    struct image *image; /* the caller's */
    bool cdrom;
    char serial[SCSI_SERIAL_SIZE + 1];
    bool attention;           /* a reset is to be reported (SAM-5 5.14) */
    struct scsi_sense sense; /* of the last command that failed: REQUEST SENSE */
};

enum scsi_data {
    SCSI_NO_DATA,
    SCSI_REPLY,      /* `reply` goes to the guest */
    SCSI_READ,       /* image to guest */
    SCSI_WRITE,      /* guest to image */
    SCSI_PARAMETERS, /* `length` bytes come from the guest: scsi_parameters */
};

struct scsi_task {
    uint8_t cdb[SCSI_CDB_SIZE]; /* the caller's */
    bool other_lun;             /* the caller's: a LUN of this target that is not there */
    enum scsi_status status;
    struct scsi_sense sense;
    enum scsi_data data;
    uint64_t offset, length; /* bytes of the image; length of the list for SCSI_PARAMETERS */
    bool flush;              /* after a write */
    uint8_t reply[SCSI_REPLY_SIZE];
    size_t reply_length; /* cut to the allocation length already */
};

void scsi_init(struct scsi_unit *unit, struct image *image, bool cdrom, const char *serial);
/* Power-on or reset: the next command hears of it. */
void scsi_reset(struct scsi_unit *unit);

/* Decodes the command and does what needs no data of the guest. */
void scsi_start(struct scsi_unit *unit, struct scsi_task *task);
/* Goes on with a command whose data is SCSI_PARAMETERS, once its list is there. */
void scsi_parameters(struct scsi_unit *unit, struct scsi_task *task, const uint8_t *list);
/* A transfer failed. */
void scsi_medium_error(struct scsi_unit *unit, struct scsi_task *task);

/* Sense data in fixed format (SPC-4 4.5.3). */
void scsi_put_sense(const struct scsi_sense *sense, uint8_t ret[SCSI_SENSE_SIZE]);

#endif
