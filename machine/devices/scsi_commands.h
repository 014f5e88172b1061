/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between the files of the SCSI unit: handlers, and how they answer.
 */
#ifndef PRIVET_MACHINE_DEVICES_SCSI_COMMANDS_H
#define PRIVET_MACHINE_DEVICES_SCSI_COMMANDS_H

#include "machine/devices/scsi.h"

typedef void scsi_handler(struct scsi_unit *unit, struct scsi_task *task);

static inline uint32_t scsi_get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t scsi_get32(const uint8_t *at)
{
    return scsi_get16(at) << 16 | scsi_get16(at + 2);
}

static inline uint64_t scsi_get64(const uint8_t *at)
{
    return (uint64_t)scsi_get32(at) << 32 | scsi_get32(at + 4);
}

static inline void scsi_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void scsi_put32(uint8_t *at, uint32_t value)
{
    scsi_put16(at, value >> 16);
    scsi_put16(at + 2, value & 0xFFFF);
}

static inline void scsi_put64(uint8_t *at, uint64_t value)
{
    scsi_put32(at, (uint32_t)(value >> 32));
    scsi_put32(at + 4, (uint32_t)value);
}

/* Bytes of a logical block, and how many there are. */
unsigned scsi_block_size(const struct scsi_unit *unit);
uint64_t scsi_blocks(const struct scsi_unit *unit);

void scsi_fail(struct scsi_unit *unit, struct scsi_task *task, uint8_t key, uint8_t code,
               uint8_t qualifier);
/* ILLEGAL REQUEST, invalid field in CDB. */
void scsi_invalid_field(struct scsi_unit *unit, struct scsi_task *task);
/* `reply` holds `length` bytes; the guest takes `allocation` at most. */
void scsi_reply(struct scsi_task *task, size_t length, uint32_t allocation);

/* scsi_inquiry.c */
scsi_handler scsi_inquiry, scsi_mode_sense_6, scsi_mode_sense_10;
/* scsi_cdrom.c */
scsi_handler scsi_read_toc, scsi_get_configuration, scsi_get_event_status, scsi_read_disc_information;

#endif
