/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a unit says of itself: INQUIRY with its vital product data, and mode pages.
 */
#include "machine/devices/scsi_commands.h"

#include <string.h>

#define VENDOR  "PRIVET  "
#define PRODUCT_DISK  "PRIVET DISK     "
#define PRODUCT_CDROM "PRIVET CD-ROM   "

enum { TYPE_DISK = 0, TYPE_CDROM = 5, TYPE_NONE = 0x7F /* no such unit here */ };

/* --- INQUIRY, SPC-4 6.4 --- */

static uint8_t peripheral(const struct scsi_unit *unit, const struct scsi_task *task)
{
    if (task->other_lun)
        return TYPE_NONE;
    return unit->cdrom ? TYPE_CDROM : TYPE_DISK;
}

static size_t standard(const struct scsi_unit *unit, uint8_t *reply)
{
    reply[1] = unit->cdrom ? 0x80 : 0; /* removable medium */
    reply[2] = 5;                      /* SPC-3 */
    reply[3] = 0x12;                   /* response data format 2, hierarchical LUNs */
    reply[4] = 36 - 5;
    reply[7] = 0x02; /* command queueing */
    memcpy(reply + 8, VENDOR, 8);
    memcpy(reply + 16, unit->cdrom ? PRODUCT_CDROM : PRODUCT_DISK, 16);
    memcpy(reply + 32, "0001", 4);
    return 36;
}

static size_t page_serial(const struct scsi_unit *unit, uint8_t *at)
{
    size_t length = strlen(unit->serial);

    memcpy(at, unit->serial, length);
    return length;
}

/* One designator: T10 vendor identification, ASCII (SPC-4 7.8.6.4). */
static size_t page_identification(const struct scsi_unit *unit, uint8_t *at)
{
    size_t length = strlen(unit->serial);

    at[0] = 2;
    at[1] = 1;
    at[3] = (uint8_t)(8 + length);
    memcpy(at + 4, VENDOR, 8);
    memcpy(at + 12, unit->serial, length);
    return 12 + length;
}

/* SBC-3 6.6.4; offsets of the standard less the header of 4. */
static size_t page_limits(const struct scsi_unit *unit, uint8_t *at)
{
    at[0] = 1;             /* WRITE SAME of zero blocks is refused */
    scsi_put16(at + 2, 8); /* granularity: 4 KiB */
    if (!image_read_only(unit->image)) {
        scsi_put32(at + 16, SCSI_MAX_UNMAP);
        scsi_put32(at + 20, SCSI_MAX_UNMAP_COUNT);
        scsi_put32(at + 24, 8);
        scsi_put64(at + 32, SCSI_MAX_WRITE_SAME);
    }
    return 0x3C;
}

static size_t page_characteristics(const struct scsi_unit *unit, uint8_t *at)
{
    scsi_put16(at, 1); /* nothing rotates */
    return 0x3C;
}

/* Thin provisioning; UNMAP and WRITE SAME give space back (SBC-3 6.6.5). */
static size_t page_provisioning(const struct scsi_unit *unit, uint8_t *at)
{
    at[1] = image_read_only(unit->image) ? 0 : 0xE4; /* LBPU, LBPWS, LBPWS10, LBPRZ */
    at[2] = 2;
    return 4;
}

static const struct {
    uint8_t page;
    bool disk_only;
    size_t (*fill)(const struct scsi_unit *unit, uint8_t *at); /* NULL: the list of pages */
} pages[] = {
    { 0x00, false, NULL },
    { 0x80, false, page_serial },
    { 0x83, false, page_identification },
    { 0xB0, true, page_limits },
    { 0xB1, true, page_characteristics },
    { 0xB2, true, page_provisioning },
};
#define PAGES (sizeof(pages) / sizeof(pages[0]))

static size_t page_list(const struct scsi_unit *unit, uint8_t *at)
{
    size_t count = 0;

    for (size_t i = 0; i < PAGES; i++)
        if (!unit->cdrom || !pages[i].disk_only)
            at[count++] = pages[i].page;
    return count;
}

static void vital_product_data(struct scsi_unit *unit, struct scsi_task *task, uint32_t allocation)
{
    uint8_t page = task->cdb[2];
    size_t length;

    for (size_t i = 0; i < PAGES; i++) {
        if (pages[i].page != page || (unit->cdrom && pages[i].disk_only) || task->other_lun)
            continue;
        length = pages[i].fill ? pages[i].fill(unit, task->reply + 4)
                               : page_list(unit, task->reply + 4);
        task->reply[1] = page;
        scsi_put16(task->reply + 2, (uint32_t)length);
        scsi_reply(task, 4 + length, allocation);
        return;
    }
    scsi_invalid_field(unit, task);
}

void scsi_inquiry(struct scsi_unit *unit, struct scsi_task *task)
{
    uint32_t allocation = scsi_get16(task->cdb + 3);

    memset(task->reply, 0, sizeof(task->reply));
    task->reply[0] = peripheral(unit, task);
    if (task->cdb[1] & 1)
        vital_product_data(unit, task, allocation);
    else if (task->cdb[2] || task->cdb[1] & 2)
        scsi_invalid_field(unit, task);
    else
        scsi_reply(task, standard(unit, task->reply), allocation);
}

/* --- MODE SENSE, SPC-4 6.13 and 7.5 --- */

enum { MODE_CURRENT, MODE_CHANGEABLE, MODE_DEFAULT, MODE_SAVED };
enum { MODE_ALL_PAGES = 0x3F, MODE_NO_DESCRIPTOR = 0x08 };
enum { DEVICE_WRITE_PROTECTED = 0x80, DEVICE_FUA = 0x10 };

static const uint8_t mode_error_recovery[] = { 0x01, 0x0A, 0x80 }; /* AWRE */
static const uint8_t mode_error_cdrom[] = { 0x01, 0x06 };
static const uint8_t mode_caching[] = { 0x08, 0x12, 0x04 }; /* write cache enabled */
static const uint8_t mode_control[] = { 0x0A, 0x0A };
/* MMC-3's C/DVD capabilities: reads CD-R, CD-RW, DVD-ROM; 2 KiB sectors; no audio. */
static const uint8_t mode_capabilities[] = { 0x2A, 0x12, 0x0B, 0x00, 0x00, 0x00, 0x29 };

static const struct {
    bool cdrom;
    const uint8_t *bytes; /* page, length of what follows, and its beginning: the rest is 0 */
    size_t given;
} mode_pages[] = {
    { false, mode_error_recovery, sizeof(mode_error_recovery) },
    { false, mode_caching, sizeof(mode_caching) },
    { false, mode_control, sizeof(mode_control) },
    { true, mode_error_cdrom, sizeof(mode_error_cdrom) },
    { true, mode_capabilities, sizeof(mode_capabilities) },
};

/* Appends the pages asked for; their length, 0: there is none. */
static size_t put_pages(const struct scsi_unit *unit, uint8_t page, bool changeable, uint8_t *at)
{
    size_t length = 0;

    for (size_t i = 0; i < sizeof(mode_pages) / sizeof(mode_pages[0]); i++) {
        const uint8_t *bytes = mode_pages[i].bytes;

        if (mode_pages[i].cdrom != unit->cdrom || (page != MODE_ALL_PAGES && page != bytes[0]))
            continue;
        memcpy(at + length, bytes, changeable ? 2 : mode_pages[i].given); /* none can change */
        length += 2u + bytes[1];
    }
    return length;
}

/* A short block descriptor, for disks. */
static size_t put_descriptor(const struct scsi_unit *unit, const struct scsi_task *task,
                             uint8_t *at)
{
    uint64_t blocks = scsi_blocks(unit);

    if (unit->cdrom || task->cdb[1] & MODE_NO_DESCRIPTOR)
        return 0;
    scsi_put32(at, blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)blocks);
    scsi_put32(at + 4, scsi_block_size(unit));
    return 8;
}

static void mode_sense(struct scsi_unit *unit, struct scsi_task *task, size_t header,
                       uint32_t allocation)
{
    uint8_t *reply = task->reply, control = task->cdb[2] >> 6;
    uint8_t device = unit->cdrom ? 0 : DEVICE_FUA;
    size_t descriptor, length;

    memset(reply, 0, sizeof(task->reply));
    descriptor = put_descriptor(unit, task, reply + header);
    length = put_pages(unit, task->cdb[2] & 0x3F, control == MODE_CHANGEABLE,
                       reply + header + descriptor);
    if (control == MODE_SAVED) {
        scsi_fail(unit, task, 5, 0x39, 0); /* saving parameters not supported */
        return;
    }
    if (length == 0 || task->cdb[3]) {
        scsi_invalid_field(unit, task);
        return;
    }
    if (image_read_only(unit->image))
        device |= DEVICE_WRITE_PROTECTED;
    length += header + descriptor;
    if (header == 4) {
        reply[0] = (uint8_t)(length - 1);
        reply[2] = device;
        reply[3] = (uint8_t)descriptor;
    } else {
        scsi_put16(reply, (uint32_t)(length - 2));
        reply[3] = device;
        scsi_put16(reply + 6, (uint32_t)descriptor);
    }
    scsi_reply(task, length, allocation);
}

void scsi_mode_sense_6(struct scsi_unit *unit, struct scsi_task *task)
{
    mode_sense(unit, task, 4, task->cdb[4]);
}

void scsi_mode_sense_10(struct scsi_unit *unit, struct scsi_task *task)
{
    mode_sense(unit, task, 8, scsi_get16(task->cdb + 7));
}
