/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Formats: PI 1.7 volume 3, 3.2.1; edk2's VariableFormat.h and SystemNvDataGuid.h. */
#include "cli/vars_image.h"

#include <string.h>

#include "sev/bytes.h"

/* Firmware volume header; the one entry of its block map ends it. */
enum { VOLUME_GUID = 16, VOLUME_LENGTH = 32, VOLUME_SIGNATURE = 40, VOLUME_ATTRIBUTES = 44,
       VOLUME_HEADER_LENGTH = 48, VOLUME_CHECKSUM = 50, VOLUME_REVISION = 55, VOLUME_BLOCKS = 56,
       VOLUME_BLOCK_SIZE = 60, VOLUME_HEADER = 72 };
enum { STORE_LENGTH = 16, STORE_FORMATTED = 20, STORE_HEALTHY = 21, STORE_HEADER = 28 };
enum { RECORD_STATE = 2, RECORD_ATTRIBUTES = 4, RECORD_NAME_SIZE = 36, RECORD_DATA_SIZE = 40,
       RECORD_GUID = 44, RECORD_HEADER = 60 };
enum { BLOCK = 4096, RECORD_START = 0x55AA, STATE_ADDED = 0x3F, STATE_BEING_DELETED = 0x3E,
       STATE_HEADER_INVALID = 0x80, FORMATTED = 0x5A, HEALTHY = 0xFE };

static const uint8_t volume_guid[16] = { 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
                                         0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };
static const uint8_t store_guid[16] = { 0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43,
                                        0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92 };
static const uint8_t plain_guid[16] = { 0x16, 0x36, 0xcf, 0xdd, 0x75, 0x32, 0x64, 0x41,
                                        0x98, 0xb6, 0xfe, 0x85, 0x70, 0x7f, 0xfe, 0x7d };
/* Header of an empty working block of 4 KiB: GUID, CRC, valid, queue size. */
static const uint8_t work_header[32] = { 0x2b, 0x29, 0x58, 0x9e, 0x68, 0x7c, 0x7d, 0x49,
                                         0xa0, 0xce, 0x65, 0x00, 0xfd, 0x9f, 0x1b, 0x95,
                                         0x2c, 0xaf, 0x2c, 0x64, 0xfe, 0xff, 0xff, 0xff,
                                         0xe0, 0x0f, 0,    0,    0,    0,    0,    0 };

static uint16_t sum16(const uint8_t *data, size_t size)
{
    uint16_t sum = 0;
    for (size_t i = 0; i + 1 < size; i += 2)
        sum = (uint16_t)(sum + load_le16(data + i));
    return sum;
}

const char *vars_open(const uint8_t *data, size_t size, struct vars_image *ret)
{
    if (size < VOLUME_HEADER + STORE_HEADER || memcmp(data + VOLUME_SIGNATURE, "_FVH", 4) != 0 ||
        memcmp(data + VOLUME_GUID, volume_guid, sizeof(volume_guid)) != 0)
        return "no variable store at its start";
    size_t header = load_le16(data + VOLUME_HEADER_LENGTH);
    size_t volume = load_le32(data + VOLUME_LENGTH);
    if (load_le32(data + VOLUME_LENGTH + 4) != 0 || volume > size || header < VOLUME_HEADER ||
        header % 4 || volume < header + STORE_HEADER || sum16(data, header) != 0)
        return "the header of the variable store's volume is damaged, or the file is cut off";
    const uint8_t *store = data + header;
    if (memcmp(store, plain_guid, sizeof(plain_guid)) == 0)
        return "a variable store of an old format, without authenticated variables";
    size_t length = load_le32(store + STORE_LENGTH);
    if (memcmp(store, store_guid, sizeof(store_guid)) != 0 || length < STORE_HEADER ||
        length > volume - header || store[STORE_FORMATTED] != FORMATTED ||
        store[STORE_HEALTHY] != HEALTHY)
        return "the header of the variable store is damaged";
    *ret = (struct vars_image){ .store = store, .size = length, .at = STORE_HEADER };
    return NULL;
}

/* The record at `at`, whatever its state. False: the end, or damage. */
static bool record_at(struct vars_image *image, struct vars_variable *ret)
{
    const uint8_t *record = image->store + image->at;
    if (image->size - image->at < RECORD_HEADER || load_le16(record) != RECORD_START ||
        (record[RECORD_STATE] & STATE_HEADER_INVALID))
        return false;
    uint64_t left = image->size - image->at;
    uint64_t name_size = load_le32(record + RECORD_NAME_SIZE);
    uint64_t data_size = load_le32(record + RECORD_DATA_SIZE);
    uint64_t total = (RECORD_HEADER + name_size + data_size + 3) & ~3ull;
    if (total > left || name_size < 2 || name_size % 2) {
        image->damaged = true;
        return false;
    }
    *ret = (struct vars_variable){ .guid = record + RECORD_GUID,
                                   .name = record + RECORD_HEADER,
                                   .data = record + RECORD_HEADER + name_size,
                                   .name_size = (size_t)name_size,
                                   .data_size = (size_t)data_size,
                                   .total = (size_t)total,
                                   .attributes = load_le32(record + RECORD_ATTRIBUTES) };
    return true;
}

/* Is there one of this name that is not being deleted? */
static bool replaced(const struct vars_image *image, const struct vars_variable *variable)
{
    struct vars_image walk = *image;
    struct vars_variable other;
    for (walk.at = STORE_HEADER; record_at(&walk, &other); walk.at += other.total) {
        if (walk.store[walk.at + RECORD_STATE] == STATE_ADDED &&
            other.name_size == variable->name_size &&
            memcmp(other.guid, variable->guid, 16) == 0 &&
            memcmp(other.name, variable->name, other.name_size) == 0)
            return true;
    }
    return false;
}

bool vars_next(struct vars_image *image, struct vars_variable *ret)
{
    struct vars_variable variable;
    while (!image->damaged && record_at(image, &variable)) {
        uint8_t state = image->store[image->at + RECORD_STATE];
        image->at += variable.total;
        if (state == STATE_ADDED || (state == STATE_BEING_DELETED && !replaced(image, &variable))) {
            *ret = variable;
            return true;
        }
    }
    return false;
}

void vars_make(uint8_t *data, size_t size)
{
    size_t nv = size == VARS_SIZE_4M ? 0x40000 : 0xE000, event_log = BLOCK;
    memset(data, 0xFF, size);
    memset(data, 0, VOLUME_HEADER);
    memcpy(data + VOLUME_GUID, volume_guid, sizeof(volume_guid));
    store_le32(data + VOLUME_LENGTH, (uint32_t)size);
    memcpy(data + VOLUME_SIGNATURE, "_FVH", 4);
    store_le32(data + VOLUME_ATTRIBUTES, 0x4FEFF);
    store_le16(data + VOLUME_HEADER_LENGTH, VOLUME_HEADER);
    data[VOLUME_REVISION] = 2;
    store_le32(data + VOLUME_BLOCKS, (uint32_t)(size / BLOCK));
    store_le32(data + VOLUME_BLOCK_SIZE, BLOCK);
    store_le16(data + VOLUME_CHECKSUM, (uint16_t)-sum16(data, VOLUME_HEADER));
    uint8_t *store = data + VOLUME_HEADER;
    memset(store, 0, STORE_HEADER);
    memcpy(store, store_guid, sizeof(store_guid));
    store_le32(store + STORE_LENGTH, (uint32_t)(nv - VOLUME_HEADER));
    store[STORE_FORMATTED] = FORMATTED;
    store[STORE_HEALTHY] = HEALTHY;
    memcpy(data + nv + event_log, work_header, sizeof(work_header));
}
