/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands of a disk, and the table of all commands. Operation codes: SPC-4 and SBC-3; a length of
 * zero blocks is no error but for WRITE SAME.
 */
#include "machine/devices/scsi_commands.h"

#include <stdio.h>
#include <string.h>

enum { KEY_MEDIUM_ERROR = 3, KEY_ILLEGAL = 5, KEY_ATTENTION = 6,
       KEY_DATA_PROTECT = 7 };
enum { FLAG_FUA = 0x08, FLAG_UNMAP = 0x08, FLAG_NO_DATA_OUT = 0x01, PROTECT_SHIFT = 5 };

/* --- answers --- */

void scsi_fail(struct scsi_unit *unit, struct scsi_task *task, uint8_t key, uint8_t code,
               uint8_t qualifier)
{
    task->status = SCSI_CHECK_CONDITION;
    task->data = SCSI_NO_DATA;
    task->sense = (struct scsi_sense){ key, code, qualifier };
    unit->sense = task->sense;
}

void scsi_invalid_field(struct scsi_unit *unit, struct scsi_task *task)
{
    scsi_fail(unit, task, KEY_ILLEGAL, 0x24, 0);
}

void scsi_medium_error(struct scsi_unit *unit, struct scsi_task *task)
{
    bool reading = task->data == SCSI_READ;

    scsi_fail(unit, task, KEY_MEDIUM_ERROR, reading ? 0x11 : 0x0C, 0);
}

void scsi_reply(struct scsi_task *task, size_t length, uint32_t allocation)
{
    task->data = SCSI_REPLY;
    task->reply_length = length < allocation ? length : allocation;
}

void scsi_put_sense(const struct scsi_sense *sense, uint8_t ret[SCSI_SENSE_SIZE])
{
    memset(ret, 0, SCSI_SENSE_SIZE);
    ret[0] = 0x70; /* current, fixed format */
    ret[2] = sense->key;
    ret[7] = SCSI_SENSE_SIZE - 8;
    ret[12] = sense->code;
    ret[13] = sense->qualifier;
}

unsigned scsi_block_size(const struct scsi_unit *unit)
{
    return unit->cdrom ? 2048 : IMAGE_SECTOR;
}

uint64_t scsi_blocks(const struct scsi_unit *unit)
{
    return image_size(unit->image) / scsi_block_size(unit);
}

/* --- ranges of blocks --- */

struct range {
    uint64_t block;
    uint64_t count;
};

/* From the four forms of CDB: 6, 10, 12 and 16 bytes, told by the group of the operation code. */
static struct range cdb_range(const uint8_t *cdb)
{
    switch (cdb[0] >> 5) {
    case 0: /* 0 means 256 */
        return (struct range){ scsi_get32(cdb) & 0x1FFFFF, cdb[4] ? cdb[4] : 256 };
    case 4:
        return (struct range){ scsi_get64(cdb + 2), scsi_get32(cdb + 10) };
    case 5:
        return (struct range){ scsi_get32(cdb + 2), scsi_get32(cdb + 6) };
    default:
        return (struct range){ scsi_get32(cdb + 2), scsi_get16(cdb + 7) };
    }
}

static bool is_6_bytes(const uint8_t *cdb)
{
    return cdb[0] >> 5 == 0;
}

/* Puts the range into the task, in bytes. false: it is beyond the end, and that is said. */
static bool set_range(struct scsi_unit *unit, struct scsi_task *task, struct range range)
{
    uint64_t blocks = scsi_blocks(unit);

    if (range.block > blocks || range.count > blocks - range.block) {
        scsi_fail(unit, task, KEY_ILLEGAL, 0x21, 0); /* LBA out of range */
        return false;
    }
    task->offset = range.block * scsi_block_size(unit);
    task->length = range.count * scsi_block_size(unit);
    return true;
}

static bool may_write(struct scsi_unit *unit, struct scsi_task *task)
{
    if (!image_read_only(unit->image))
        return true;
    scsi_fail(unit, task, KEY_DATA_PROTECT, 0x27, 0); /* write protected */
    return false;
}

/* Protection information is not offered: its fields must be zero. */
static bool unprotected(struct scsi_unit *unit, struct scsi_task *task)
{
    if (is_6_bytes(task->cdb) || task->cdb[1] >> PROTECT_SHIFT == 0)
        return true;
    scsi_invalid_field(unit, task);
    return false;
}

static void read_blocks(struct scsi_unit *unit, struct scsi_task *task)
{
    if (unprotected(unit, task) && set_range(unit, task, cdb_range(task->cdb)))
        task->data = task->length ? SCSI_READ : SCSI_NO_DATA;
}

static void write_blocks(struct scsi_unit *unit, struct scsi_task *task)
{
    if (!unprotected(unit, task) || !may_write(unit, task) ||
        !set_range(unit, task, cdb_range(task->cdb)))
        return;
    task->data = task->length ? SCSI_WRITE : SCSI_NO_DATA;
    task->flush = !is_6_bytes(task->cdb) && task->cdb[1] & FLAG_FUA;
}

/* Without a comparison (BYTCHK 0) there is nothing to transfer. */
static void verify(struct scsi_unit *unit, struct scsi_task *task)
{
    if (task->cdb[1] & 6)
        scsi_invalid_field(unit, task);
    else if (unprotected(unit, task))
        set_range(unit, task, cdb_range(task->cdb));
}

static void synchronize(struct scsi_unit *unit, struct scsi_task *task)
{
    if (set_range(unit, task, cdb_range(task->cdb)) && !image_flush(unit->image))
        scsi_medium_error(unit, task);
}

/* --- UNMAP and WRITE SAME, SBC-3 5.25, 5.42 --- */

static bool zero(struct scsi_unit *unit, struct scsi_task *task, struct range range)
{
    if (!set_range(unit, task, range))
        return false;
    if (image_zero(unit->image, task->offset, task->length))
        return true;
    scsi_medium_error(unit, task);
    return false;
}

static void unmap(struct scsi_unit *unit, struct scsi_task *task)
{
    uint32_t length = scsi_get16(task->cdb + 7);

    if (task->cdb[1] & 1) { /* anchored */
        scsi_invalid_field(unit, task);
    } else if (length > SCSI_MAX_LIST) {
        scsi_fail(unit, task, KEY_ILLEGAL, 0x1A, 0); /* parameter list length error */
    } else if (may_write(unit, task) && length) {
        task->data = SCSI_PARAMETERS;
        task->length = length;
    }
}

/* Header of 8 bytes, descriptors of 16. */
static void unmap_list(struct scsi_unit *unit, struct scsi_task *task, const uint8_t *list)
{
    uint64_t length = task->length, descriptors;

    task->data = SCSI_NO_DATA;
    if (length < 8) {
        scsi_fail(unit, task, KEY_ILLEGAL, 0x1A, 0);
        return;
    }
    descriptors = scsi_get16(list + 2);
    if (descriptors > length - 8)
        descriptors = length - 8;
    if (descriptors / 16 > SCSI_MAX_UNMAP_COUNT) {
        scsi_fail(unit, task, KEY_ILLEGAL, 0x26, 0); /* invalid field in the list */
        return;
    }
    for (const uint8_t *at = list + 8; descriptors >= 16; at += 16, descriptors -= 16) {
        struct range range = { scsi_get64(at), scsi_get32(at + 8) };

        if (range.count > SCSI_MAX_UNMAP) {
            scsi_fail(unit, task, KEY_ILLEGAL, 0x26, 0);
            return;
        }
        if (!zero(unit, task, range))
            return;
    }
}

static struct range same_range(const struct scsi_task *task)
{
    return cdb_range(task->cdb);
}

static void write_same(struct scsi_unit *unit, struct scsi_task *task)
{
    struct range range = same_range(task);
    bool no_data = task->cdb[0] == 0x93 && task->cdb[1] & FLAG_NO_DATA_OUT;

    if (!unprotected(unit, task) || !may_write(unit, task))
        return;
    if (range.count == 0 || range.count > SCSI_MAX_WRITE_SAME || task->cdb[1] & 0x16) {
        scsi_invalid_field(unit, task);
    } else if (no_data) {
        zero(unit, task, range);
    } else if (set_range(unit, task, range)) {
        task->data = SCSI_PARAMETERS;
        task->length = scsi_block_size(unit);
    }
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

static void write_same_block(struct scsi_unit *unit, struct scsi_task *task, const uint8_t *block)
{
    struct range range = same_range(task);
    unsigned size = scsi_block_size(unit);

    task->data = SCSI_NO_DATA;
    if (is_zero(block, size)) {
        zero(unit, task, range);
        return;
    }
    for (uint64_t i = 0; i < range.count; i++)
        if (!image_write(unit->image, task->offset + i * size, block, size)) {
            scsi_medium_error(unit, task);
            return;
        }
}

void scsi_parameters(struct scsi_unit *unit, struct scsi_task *task, const uint8_t *list)
{
    if (task->cdb[0] == 0x42)
        unmap_list(unit, task, list);
    else
        write_same_block(unit, task, list);
}

/* --- small commands --- */

static void no_operation(struct scsi_unit *unit, struct scsi_task *task)
{
}

static void request_sense(struct scsi_unit *unit, struct scsi_task *task)
{
    if (unit->attention) {
        unit->attention = false;
        unit->sense = (struct scsi_sense){ KEY_ATTENTION, 0x29, 0 };
    }
    if (task->cdb[1] & 1) { /* descriptor format */
        scsi_invalid_field(unit, task);
        return;
    }
    scsi_put_sense(&unit->sense, task->reply);
    scsi_reply(task, SCSI_SENSE_SIZE, task->cdb[4]);
    unit->sense = (struct scsi_sense){ 0, 0, 0 };
}

static void read_capacity_10(struct scsi_unit *unit, struct scsi_task *task)
{
    uint64_t last = scsi_blocks(unit) - 1;

    scsi_put32(task->reply, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
    scsi_put32(task->reply + 4, scsi_block_size(unit));
    scsi_reply(task, 8, 8);
}

static void read_capacity_16(struct scsi_unit *unit, struct scsi_task *task)
{
    if ((task->cdb[1] & 0x1F) != 0x10) { /* another service action */
        scsi_invalid_field(unit, task);
        return;
    }
    memset(task->reply, 0, 32);
    scsi_put64(task->reply, scsi_blocks(unit) - 1);
    scsi_put32(task->reply + 8, scsi_block_size(unit));
    if (!unit->cdrom) {
        task->reply[13] = 3;                                     /* 4 KiB physical blocks */
        task->reply[14] = image_read_only(unit->image) ? 0 : 0xC0; /* LBPME, LBPRZ */
    }
    scsi_reply(task, 32, scsi_get32(task->cdb + 10));
}

/* One unit a target: LUN 0. */
static void report_luns(struct scsi_unit *unit, struct scsi_task *task)
{
    uint32_t allocation = scsi_get32(task->cdb + 6);
    bool well_known_only = task->cdb[2] == 1;

    if (task->cdb[2] > 2 || allocation < 16) {
        scsi_invalid_field(unit, task);
        return;
    }
    memset(task->reply, 0, 16);
    scsi_put32(task->reply, well_known_only ? 0 : 8);
    scsi_reply(task, well_known_only ? 8 : 16, allocation);
}

/* --- the table --- */

enum { FOR_DISK = 1, FOR_CDROM = 2, FOR_ALL = 3, ALWAYS = 4 /* with an attention pending, too */ };

static const struct {
    uint8_t operation, use;
    scsi_handler *handler;
} commands[] = {
    { 0x00, FOR_ALL, no_operation }, /* TEST UNIT READY: the medium is always there */
    { 0x03, FOR_ALL | ALWAYS, request_sense },
    { 0x08, FOR_DISK, read_blocks },
    { 0x0A, FOR_DISK, write_blocks },
    { 0x12, FOR_ALL | ALWAYS, scsi_inquiry },
    { 0x1A, FOR_ALL, scsi_mode_sense_6 },
    { 0x1B, FOR_ALL, no_operation }, /* START STOP UNIT: nothing turns, nothing is ejected */
    { 0x1E, FOR_ALL, no_operation }, /* PREVENT ALLOW MEDIUM REMOVAL */
    { 0x25, FOR_ALL, read_capacity_10 },
    { 0x28, FOR_ALL, read_blocks },
    { 0x2A, FOR_DISK, write_blocks },
    { 0x2F, FOR_DISK, verify },
    { 0x35, FOR_ALL, synchronize },
    { 0x41, FOR_DISK, write_same },
    { 0x42, FOR_DISK, unmap },
    { 0x43, FOR_CDROM, scsi_read_toc },
    { 0x46, FOR_CDROM, scsi_get_configuration },
    { 0x4A, FOR_CDROM, scsi_get_event_status },
    { 0x51, FOR_CDROM, scsi_read_disc_information },
    { 0x5A, FOR_ALL, scsi_mode_sense_10 },
    { 0x88, FOR_DISK, read_blocks },
    { 0x8A, FOR_DISK, write_blocks },
    { 0x8F, FOR_DISK, verify },
    { 0x91, FOR_DISK, synchronize },
    { 0x93, FOR_DISK, write_same },
    { 0x9E, FOR_DISK, read_capacity_16 },
    { 0xA0, FOR_ALL | ALWAYS, report_luns },
    { 0xA8, FOR_ALL, read_blocks },
    { 0xAA, FOR_DISK, write_blocks },
};

static void run(struct scsi_unit *unit, struct scsi_task *task, unsigned use,
                scsi_handler *handler)
{
    if (task->other_lun && !(use & ALWAYS)) {
        scsi_fail(unit, task, KEY_ILLEGAL, 0x25, 0); /* logical unit not supported */
    } else if (unit->attention && !(use & ALWAYS)) {
        unit->attention = false;
        scsi_fail(unit, task, KEY_ATTENTION, 0x29, 0); /* power on or reset */
    } else {
        handler(unit, task);
    }
}

void scsi_start(struct scsi_unit *unit, struct scsi_task *task)
{
    unsigned kind = unit->cdrom ? FOR_CDROM : FOR_DISK;

    task->status = SCSI_GOOD;
    task->sense = (struct scsi_sense){ 0, 0, 0 };
    task->data = SCSI_NO_DATA;
    task->offset = task->length = 0;
    task->flush = false;
    task->reply_length = 0;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (commands[i].operation == task->cdb[0] && commands[i].use & kind) {
            run(unit, task, commands[i].use, commands[i].handler);
            return;
        }
    scsi_fail(unit, task, KEY_ILLEGAL, 0x20, 0); /* invalid operation code */
}

void scsi_reset(struct scsi_unit *unit)
{
    unit->attention = true;
    unit->sense = (struct scsi_sense){ 0, 0, 0 };
}

void scsi_init(struct scsi_unit *unit, struct image *image, bool cdrom, const char *serial)
{
    memset(unit, 0, sizeof(*unit));
    unit->image = image;
    unit->cdrom = cdrom;
    snprintf(unit->serial, sizeof(unit->serial), "%s", serial);
    scsi_reset(unit);
}
