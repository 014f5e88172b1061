/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Builds the table of injected secrets. */
#include "owner/secret_table.h"

#include <stdbool.h>
#include <string.h>

#include "sev/bytes.h"
#include "sev/guid_table.h"

#define CREDENTIAL_NAME_MAX 255u
#define HEADER_SIZE 20u /* GUID and u32 length, of the table and of each entry */

/* 1e74f542-71dd-4d66-963e-ef4287ff173b */
static const uint8_t table_guid[16] = { 0x42, 0xf5, 0x74, 0x1e, 0xdd, 0x71, 0x66, 0x4d,
                                        0x96, 0x3e, 0xef, 0x42, 0x87, 0xff, 0x17, 0x3b };

/* Text position to byte: the first three groups are stored little-endian. */
static const uint8_t text_order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    if (!at)
        return -1;
    return at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

static const char *parse_guid(const char *text, uint8_t guid[16])
{
    if (strlen(text) != 36)
        return "not a GUID";
    for (int i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return "not a GUID";
        int high = hex_digit(text[0]), low = hex_digit(text[1]);
        if (high < 0 || low < 0)
            return "not a GUID";
        guid[text_order[i]] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return NULL;
}

static int contains(const struct owner_secret_table *table, const uint8_t guid[16])
{
    for (size_t at = HEADER_SIZE; at < table->used; at += load_le32(table->bytes + at + 16)) {
        if (memcmp(table->bytes + at, guid, 16) == 0)
            return 1;
    }
    return 0;
}

void owner_secret_begin(struct owner_secret_table *table)
{
    memset(table, 0, sizeof(*table));
    memcpy(table->bytes, table_guid, sizeof(table_guid));
    table->used = HEADER_SIZE;
    store_le32(table->bytes + 16, HEADER_SIZE);
}

const char *owner_secret_add(struct owner_secret_table *table, const char *guid,
                             const uint8_t *data, size_t size)
{
    uint8_t *entry = table->bytes + table->used;
    uint8_t name[16];
    const char *reason = parse_guid(guid, name);
    if (reason)
        return reason;
    if (contains(table, name))
        return "a secret with this GUID is already in the table";
    if (sizeof(table->bytes) - table->used < HEADER_SIZE ||
        size > sizeof(table->bytes) - table->used - HEADER_SIZE)
        return "the secrets are too large: a launch takes 16 KiB in all";
    memcpy(entry, name, sizeof(name));
    store_le32(entry + 16, (uint32_t)(HEADER_SIZE + size));
    if (size)
        memcpy(entry + HEADER_SIZE, data, size);
    table->used += HEADER_SIZE + size;
    store_le32(table->bytes + 16, (uint32_t)table->used);
    return NULL;
}

/* systemd's rules: a file's name, printable, without a colon (systemd.exec(5)). */
static int credential_name_valid(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > CREDENTIAL_NAME_MAX || name[0] == '.')
        return 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '/' || name[i] == ':')
            return 0;
    }
    return 1;
}

static int contains_credential(const struct owner_credentials *credentials, const char *name)
{
    for (size_t at = 0; at < credentials->used;) {
        const char *other = (const char *)credentials->bytes + at;
        if (strcmp(other, name) == 0)
            return 1;
        at += strlen(other) + 1;
        at += 4 + load_le32(credentials->bytes + at);
    }
    return 0;
}

const char *owner_credential_add(struct owner_credentials *credentials, const char *name,
                                 const uint8_t *data, size_t size)
{
    size_t left = sizeof(credentials->bytes) - credentials->used, length = strlen(name) + 1;
    uint8_t *at = credentials->bytes + credentials->used;
    if (!credential_name_valid(name))
        return "not a name for a credential";
    if (contains_credential(credentials, name))
        return "a credential of this name is already there";
    if (left < length + 4 || size > left - length - 4)
        return "the credentials are too large: a launch takes 16 KiB in all";
    memcpy(at, name, length);
    store_le32(at + length, (uint32_t)size);
    if (size)
        memcpy(at + length + 4, data, size);
    credentials->used += length + 4 + size;
    return NULL;
}

size_t owner_secret_size(const struct owner_secret_table *table)
{
    return (table->used + 15) & ~(size_t)15;
}

static bool meets(const struct owner_secret_area *area, uint64_t base, uint64_t size)
{
    return area->base < base + size && base < (uint64_t)area->base + area->size;
}

/* The image ends at 4 GiB. */
const char *owner_secret_place(const uint8_t *image, size_t image_size, size_t size,
                               struct owner_secret_area *ret_area)
{
    struct owner_secret_area hashes = { 0, 0 };
    *ret_area = hashes;
    if (!sev_guid_table_find_area(image, image_size, &sev_guid_secret_area, &ret_area->base,
                                  &ret_area->size))
        return "its GUIDed table names no secret area";
    sev_guid_table_find_area(image, image_size, &sev_guid_hashes_area, &hashes.base, &hashes.size);
    if (ret_area->base % 16)
        return "its secret area does not begin at a multiple of 16, as LAUNCH_SECRET demands";
    if (meets(ret_area, (1ull << 32) - image_size, image_size))
        return "its secret area is not in memory, but in the flash";
    if (meets(ret_area, hashes.base, hashes.size))
        return "its secret area overlaps the area of the kernel hashes";
    return size > ret_area->size ? "its secret area is too small" : NULL;
}
