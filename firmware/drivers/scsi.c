/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a disk or CD drive is asked, and what its sense data mean. Answers are private copies here
 * and as untrusted as any: only their fixed offsets are looked at, sizes are checked by drive_init.
 */
#include "firmware/drivers/scsi.h"

#include <string.h>

#include "firmware/arch/time.h"
#include "firmware/lib/log.h"
#include "firmware/platform/pci.h"

enum {
    TEST_UNIT_READY = 0x00,
    REQUEST_SENSE = 0x03,
    INQUIRY = 0x12,
    MODE_SENSE_6 = 0x1A,
    READ_CAPACITY_10 = 0x25,
    READ_10 = 0x28,
    WRITE_10 = 0x2A,
    SYNCHRONIZE_CACHE_10 = 0x35,
    READ_16 = 0x88,
    WRITE_16 = 0x8A,
    SERVICE_ACTION_IN_16 = 0x9E,
    READ_CAPACITY_16 = 0x10, /* its service action */
    TYPE_DISK = 0,           /* SPC-4 6.4.2 */
    TYPE_CD = 5,
    INQUIRY_LENGTH = 36,
    INQUIRY_REMOVABLE = 0x80,
    MODE_LENGTH = 192, /* some devices insist on room for all pages */
    MODE_HEADER = 4,
    MODE_ALL_PAGES = 0x3F,
    MODE_WRITE_PROTECTED = 0x80, /* SBC-3 6.4.1 */
    CAPACITY_10_LENGTH = 8,
    CAPACITY_16_LENGTH = 32,
    CAPACITY_16_NEEDED = 12,
    KEY_RECOVERED = 1, /* SPC-4 4.5.6 */
    KEY_NOT_READY = 2,
    KEY_UNIT_ATTENTION = 6,
    KEY_ABORTED = 11,
    CODE_BECOMING_READY = 0x0401, /* additional sense code and qualifier */
    CODE_MEDIUM_CHANGED = 0x2800,
    TRIES = 50,
    TRIES_100NS = 600000000, /* a minute, after which there is no other try */
    PAUSE_US = 100000,
};

struct sense {
    uint8_t key;
    uint16_t code;
};

static void put(uint8_t *to, uint64_t value, unsigned size)
{
    while (size-- > 0) {
        to[size] = (uint8_t)value;
        value >>= 8;
    }
}

static uint64_t get(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | from[i];
    return value;
}

/* Fixed and descriptor format (SPC-4 4.5.2, 4.5.3); what is not there is zero. */
static struct sense decode_sense(const struct scsi_command *command)
{
    uint8_t sense[SCSI_SENSE_SIZE] = { 0 };
    memcpy(sense, command->sense, command->sense_length);
    if ((sense[0] & 0x7E) == 0x72)
        return (struct sense){ sense[1] & 15, (uint16_t)get(sense + 2, 2) };
    return (struct sense){ sense[2] & 15, (uint16_t)get(sense + 12, 2) };
}

/* For transports that do not bring sense data along. */
static void ask_sense(struct scsi_unit *unit, struct scsi_command *command)
{
    struct dma_mapping mapping;
    struct scsi_command ask = { .cdb = { REQUEST_SENSE, 0, 0, 0, SCSI_SENSE_SIZE },
                                .data = &mapping };
    if (!drive_map(command->sense, SCSI_SENSE_SIZE, DMA_FROM_DEVICE, &mapping))
        return;
    if (unit->execute(unit, &ask) == SCSI_DONE)
        command->sense_length = (uint8_t)ask.moved;
    dma_unmap(&mapping);
}

static struct sense get_sense(struct scsi_unit *unit, struct scsi_command *command)
{
    if (command->sense_length == 0)
        ask_sense(unit, command);
    return decode_sense(command);
}

/* Is a command that met this condition worth another try? */
static bool again(struct scsi_unit *unit, struct sense sense)
{
    if (sense.key == KEY_NOT_READY && sense.code == CODE_BECOMING_READY) {
        time_delay_us(PAUSE_US);
        return true;
    }
    if (unit->started && unit->drive.block.removable && sense.code == CODE_MEDIUM_CHANGED) {
        unit->medium_gone = true; /* what was read before belongs to another one */
        return false;
    }
    return sense.key == KEY_UNIT_ATTENTION || sense.key == KEY_ABORTED;
}

static bool run(struct scsi_unit *unit, struct scsi_command *command)
{
    uint64_t end = time_now_100ns() + TRIES_100NS;
    for (unsigned i = 0; i < TRIES && !unit->medium_gone && !drive_scan_late() &&
                         (i == 0 || time_now_100ns() < end);
         i++) {
        command->moved = 0;
        command->sense_length = 0;
        enum scsi_result result = unit->execute(unit, command);
        if (result == SCSI_DONE || result == SCSI_FAILED)
            return result == SCSI_DONE;
        if (result == SCSI_BUSY) {
            time_delay_us(PAUSE_US);
            continue;
        }
        struct sense sense = get_sense(unit, command);
        if (sense.key == KEY_RECOVERED)
            return true; /* done, with an effort */
        if (!again(unit, sense))
            return false;
    }
    return false;
}

uint32_t scsi_ask(struct scsi_unit *unit, const uint8_t cdb[SCSI_CDB_SIZE], void *answer,
                  uint32_t length)
{
    struct dma_mapping mapping;
    struct scsi_command command = { .data = &mapping };
    memcpy(command.cdb, cdb, SCSI_CDB_SIZE);
    if (!drive_map(answer, length, DMA_FROM_DEVICE, &mapping))
        return 0;
    bool done = run(unit, &command);
    dma_unmap(&mapping);
    return done ? command.moved : 0;
}

static bool transfer(struct drive *drive, uint64_t block, uint32_t count,
                     const struct dma_mapping *data)
{
    struct scsi_command command = { .data = data };
    bool reads = data->direction == DMA_FROM_DEVICE;
    if (block + count <= UINT32_MAX) {
        command.cdb[0] = reads ? READ_10 : WRITE_10;
        put(command.cdb + 2, block, 4);
        put(command.cdb + 7, count, 2);
    } else {
        command.cdb[0] = reads ? READ_16 : WRITE_16;
        put(command.cdb + 2, block, 8);
        put(command.cdb + 10, count, 4);
    }
    return run((struct scsi_unit *)drive, &command) && command.moved == data->length;
}

static bool flush(struct drive *drive)
{
    struct scsi_command command = { .cdb = { SYNCHRONIZE_CACHE_10 } };
    return run((struct scsi_unit *)drive, &command);
}

/* Disk or CD drive? */
static bool identify(struct scsi_unit *unit)
{
    static const uint8_t cdb[SCSI_CDB_SIZE] = { INQUIRY, 0, 0, 0, INQUIRY_LENGTH };
    uint8_t answer[INQUIRY_LENGTH];
    if (scsi_ask(unit, cdb, answer, sizeof(answer)) < 5 ||
        (answer[0] != TYPE_DISK && answer[0] != TYPE_CD))
        return false;
    unit->drive.block.removable = answer[1] & INQUIRY_REMOVABLE;
    unit->drive.block.read_only = answer[0] == TYPE_CD;
    return true;
}

static bool ready(struct scsi_unit *unit)
{
    struct scsi_command command = { .cdb = { TEST_UNIT_READY } };
    return run(unit, &command);
}

static bool write_protected(struct scsi_unit *unit)
{
    static const uint8_t cdb[SCSI_CDB_SIZE] = { MODE_SENSE_6, 0, MODE_ALL_PAGES, 0, MODE_LENGTH };
    uint8_t answer[MODE_LENGTH];
    return scsi_ask(unit, cdb, answer, sizeof(answer)) >= MODE_HEADER &&
           (answer[2] & MODE_WRITE_PROTECTED);
}

static bool read_capacity(struct scsi_unit *unit, uint64_t *ret_last, uint32_t *ret_size)
{
    static const uint8_t short_cdb[SCSI_CDB_SIZE] = { READ_CAPACITY_10 };
    static const uint8_t long_cdb[SCSI_CDB_SIZE] = { SERVICE_ACTION_IN_16, READ_CAPACITY_16,
                                                     [13] = CAPACITY_16_LENGTH };
    uint8_t answer[CAPACITY_16_LENGTH];
    if (scsi_ask(unit, short_cdb, answer, CAPACITY_10_LENGTH) < CAPACITY_10_LENGTH)
        return false;
    *ret_last = get(answer, 4);
    *ret_size = (uint32_t)get(answer + 4, 4);
    if (*ret_last != UINT32_MAX)
        return true;
    if (scsi_ask(unit, long_cdb, answer, sizeof(answer)) < CAPACITY_16_NEEDED)
        return false;
    *ret_last = get(answer, 8);
    *ret_size = (uint32_t)get(answer + 8, 4);
    return *ret_last != UINT64_MAX;
}

bool scsi_start(struct scsi_unit *unit)
{
    uint64_t last;
    uint32_t size;
    if (!identify(unit) || !ready(unit) || !read_capacity(unit, &last, &size))
        return false;
    if (!unit->drive.block.read_only) {
        unit->drive.block.read_only = write_protected(unit);
        unit->drive.flush = flush;
    }
    unit->drive.transfer = transfer;
    unit->started = drive_init(&unit->drive, last + 1, size);
    if (!unit->started)
        log_line("%s at " PCI_PLACE ": unit %u:%u has an impossible size", unit->drive.driver,
                 PCI_PLACE_OF(unit->drive.address), unit->target, unit->lun);
    return unit->started;
}
