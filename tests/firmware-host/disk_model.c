/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See disk_model.h. */
#include "disk_model.h"

#include <stddef.h>
#include <string.h>

enum { GOOD = 0, CHECK_CONDITION = 2 };

uint8_t disk_model_byte(uint64_t offset)
{
    return (uint8_t)(offset ^ offset >> 8 ^ offset >> 16);
}

void disk_model_init(struct disk_model *disk, uint64_t blocks, uint32_t block_size)
{
    *disk = (struct disk_model){ .blocks = blocks, .block_size = block_size };
    for (size_t i = 0; i < DISK_MODEL_SIZE; i++)
        disk->data[i] = disk_model_byte(i);
}

uint8_t *disk_model_at(struct disk_model *disk, uint64_t block, uint64_t length, bool write)
{
    uint64_t offset = block * disk->block_size;
    *(write ? &disk->writes : &disk->reads) += 1;
    if (length > disk->largest)
        disk->largest = (uint32_t)length;
    if (disk->fails || block > disk->blocks || offset > DISK_MODEL_SIZE ||
        length > DISK_MODEL_SIZE - offset)
        return NULL;
    return disk->data + offset;
}

static uint8_t check(struct scsi_model *scsi, uint8_t key, uint16_t code)
{
    memset(scsi->sense, 0, sizeof(scsi->sense));
    scsi->sense[0] = 0x70;
    scsi->sense[2] = key;
    scsi->sense[7] = 10;
    scsi->sense[12] = (uint8_t)(code >> 8);
    scsi->sense[13] = (uint8_t)code;
    return CHECK_CONDITION;
}

static uint64_t get(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;
    while (size-- > 0)
        value = value << 8 | *from++;
    return value;
}

static void put(uint8_t *to, uint64_t value, unsigned size)
{
    while (size-- > 0) {
        to[size] = (uint8_t)value;
        value >>= 8;
    }
}

static uint8_t answer(uint8_t *in, uint32_t in_length, const uint8_t *data, uint32_t length,
                      uint32_t *ret_moved)
{
    *ret_moved = length < in_length ? length : in_length;
    if (*ret_moved)
        memcpy(in, data, *ret_moved);
    return GOOD;
}

static uint8_t capacity(struct scsi_model *scsi, bool wide, uint8_t *in, uint32_t in_length,
                        uint32_t *ret_moved)
{
    uint8_t data[32] = { 0 };
    uint64_t last = scsi->disk->blocks - 1;
    put(data, wide ? last : last < UINT32_MAX ? last : UINT32_MAX, wide ? 8 : 4);
    put(data + (wide ? 8 : 4), scsi->disk->block_size, 4);
    return answer(in, in_length, data, wide ? 32 : 8, ret_moved);
}

static uint8_t transfer(struct scsi_model *scsi, const uint8_t cdb[16], bool wide,
                        const uint8_t *out, uint32_t out_length, uint8_t *in, uint32_t in_length,
                        uint32_t *ret_moved)
{
    bool write = (cdb[0] & 0x0F) == 0x0A;
    uint64_t block = get(cdb + 2, wide ? 8 : 4);
    uint64_t length = get(cdb + (wide ? 10 : 7), wide ? 4 : 2) * scsi->disk->block_size;
    uint8_t *data = disk_model_at(scsi->disk, block, length, write);
    if (!data || length > (write ? out_length : in_length))
        return check(scsi, 3, 0x1100); /* medium error */
    if (write && scsi->write_protected)
        return check(scsi, 7, 0x2700);
    if (write)
        memcpy(data, out, length);
    else
        memcpy(in, data, length);
    *ret_moved = (uint32_t)length - (write ? 0 : scsi->disk->short_by);
    return scsi->recovered ? check(scsi, 1, 0x1701) : GOOD;
}

static uint8_t serve(struct scsi_model *scsi, const uint8_t cdb[16], const uint8_t *out,
                     uint32_t out_length, uint8_t *in, uint32_t in_length, uint32_t *ret_moved)
{
    const uint8_t inquiry[36] = { scsi->type, scsi->removable ? 0x80 : 0, 5, 2, 31 };
    const uint8_t mode[4] = { 3, 0, scsi->write_protected ? 0x80 : 0, 0 };
    if (cdb[0] == 0x12)
        return answer(in, in_length, inquiry, sizeof(inquiry), ret_moved);
    if (scsi->attentions > 0) {
        scsi->attentions--;
        return check(scsi, 6, scsi->attention_code);
    }
    if (scsi->becoming_ready > 0) {
        scsi->becoming_ready--;
        return check(scsi, 2, 0x0401);
    }
    if (scsi->no_medium)
        return check(scsi, 2, 0x3A00);
    switch (cdb[0]) {
    case 0x00:
        return GOOD;
    case 0x1A:
        return answer(in, in_length, mode, sizeof(mode), ret_moved);
    case 0x25:
        return capacity(scsi, false, in, in_length, ret_moved);
    case 0x9E:
        return capacity(scsi, true, in, in_length, ret_moved);
    case 0x28:
    case 0x2A:
    case 0x88:
    case 0x8A:
        return transfer(scsi, cdb, cdb[0] & 0x80, out, out_length, in, in_length, ret_moved);
    case 0x35:
        scsi->disk->flushes++;
        return GOOD;
    default:
        return check(scsi, 5, 0x2000);
    }
}

uint8_t scsi_model_serve(struct scsi_model *scsi, const uint8_t cdb[16], const uint8_t *out,
                         uint32_t out_length, uint8_t *in, uint32_t in_length, uint32_t *ret_moved)
{
    *ret_moved = 0;
    if (cdb[0] == 0x03) /* REQUEST SENSE */
        return answer(in, in_length, scsi->sense, sizeof(scsi->sense), ret_moved);
    scsi->commands++;
    memcpy(scsi->last, cdb, sizeof(scsi->last));
    return serve(scsi, cdb, out, out_length, in, in_length, ret_moved);
}
