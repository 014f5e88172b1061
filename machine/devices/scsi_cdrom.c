/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands that only a CD-ROM drive has (MMC-5): one session with one data track, always there.
 */
#include "machine/devices/scsi_commands.h"

#include <string.h>

#define LEAD_OUT     0xAA
#define DATA_TRACK   0x14 /* ADR 1, control: data */
#define CD_BLOCKS    (80u * 60 * 75) /* what is larger is a DVD */
#define PROFILE_CD   0x0008
#define PROFILE_DVD  0x0010
#define MSF_OFFSET   150u /* two seconds of lead-in */

/* An address as a block number, or as minute, second, frame. */
static void put_address(uint8_t *at, uint32_t block, bool msf)
{
    uint32_t frames = block + MSF_OFFSET;

    if (!msf) {
        scsi_put32(at, block);
        return;
    }
    at[0] = 0;
    at[1] = (uint8_t)(frames / 75 / 60);
    at[2] = (uint8_t)(frames / 75 % 60);
    at[3] = (uint8_t)(frames % 75);
}

static uint32_t block_count(const struct scsi_unit *unit)
{
    uint64_t blocks = scsi_blocks(unit);

    return blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)blocks;
}

static size_t put_track(uint8_t *at, uint8_t track, uint32_t block, bool msf)
{
    at[1] = DATA_TRACK;
    at[2] = track;
    put_address(at + 4, block, msf);
    return 8;
}

/* 6.26: format 0 lists tracks from one on, format 1 names the last session. */
void scsi_read_toc(struct scsi_unit *unit, struct scsi_task *task)
{
    uint8_t *reply = task->reply, first = task->cdb[6];
    bool msf = task->cdb[1] & 2;
    unsigned format = task->cdb[2] & 0xF;
    size_t length = 4;

    memset(reply, 0, sizeof(task->reply));
    if (format > 1 || (format == 0 && first > 1 && first != LEAD_OUT)) {
        scsi_invalid_field(unit, task);
        return;
    }
    reply[2] = reply[3] = 1;
    if (format == 1 || first <= 1)
        length += put_track(reply + length, 1, 0, msf);
    if (format == 0)
        length += put_track(reply + length, LEAD_OUT, block_count(unit), msf);
    scsi_put16(reply, (uint32_t)(length - 2));
    scsi_reply(task, length, scsi_get16(task->cdb + 7));
}

/* 6.6: the profile list is the only feature. */
void scsi_get_configuration(struct scsi_unit *unit, struct scsi_task *task)
{
    unsigned profile = scsi_blocks(unit) > CD_BLOCKS ? PROFILE_DVD : PROFILE_CD;
    uint8_t *reply = task->reply;
    size_t length = 8;

    memset(reply, 0, sizeof(task->reply));
    scsi_put16(reply + 6, profile);
    if (scsi_get16(task->cdb + 2) == 0) { /* features from this number on */
        reply[10] = 0x03;                 /* persistent, current */
        reply[11] = 4;
        scsi_put16(reply + 12, profile);
        reply[14] = 1;
        length = 16;
    }
    scsi_put32(reply, (uint32_t)(length - 4));
    scsi_reply(task, length, scsi_get16(task->cdb + 7));
}

/* 6.7: by polling only; nothing ever happens to the medium. */
void scsi_get_event_status(struct scsi_unit *unit, struct scsi_task *task)
{
    bool media = task->cdb[4] & 0x10;
    uint8_t *reply = task->reply;

    memset(reply, 0, sizeof(task->reply));
    if (!(task->cdb[1] & 1)) {
        scsi_invalid_field(unit, task);
        return;
    }
    scsi_put16(reply, media ? 6 : 2);
    reply[2] = media ? 4 : 0x80; /* class media; no event available */
    reply[3] = 0x10;
    reply[5] = 2; /* medium present */
    scsi_reply(task, media ? 8 : 4, scsi_get16(task->cdb + 7));
}

/* 6.22: a finished disc with one session and one track. */
void scsi_read_disc_information(struct scsi_unit *unit, struct scsi_task *task)
{
    uint8_t *reply = task->reply;

    memset(reply, 0, sizeof(task->reply));
    if (task->cdb[1] & 7) {
        scsi_invalid_field(unit, task);
        return;
    }
    scsi_put16(reply, 32);
    reply[2] = 0x0E; /* complete */
    reply[3] = reply[4] = reply[5] = reply[6] = 1;
    scsi_reply(task, 34, scsi_get16(task->cdb + 7));
}
