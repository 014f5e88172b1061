/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Walks the GUIDed table of a firmware image, backwards, inside its bounds. */
#include "sev/guid_table.h"

#include <string.h>

#define FOOTER_END 0x20u /* distance of the table's end from the image's end */
#define ENTRY_MIN  18u   /* u16 length and the GUID */

/* 96b582de-1fb2-45f7-baea-a366c55a082d */
const struct sev_guid sev_guid_table_footer = { { 0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                                                  0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08,
                                                  0x2d } };
/* 7255371f-3a3b-4b04-927b-1da6efa8d454 */
const struct sev_guid sev_guid_hashes_area = { { 0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
                                                 0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4,
                                                 0x54 } };
/* 4c2eb361-7d9b-4cc3-8081-127c90d3d294 */
const struct sev_guid sev_guid_secret_area = { { 0x61, 0xb3, 0x2e, 0x4c, 0x9b, 0x7d, 0xc3, 0x4c,
                                                 0x80, 0x81, 0x12, 0x7c, 0x90, 0xd3, 0xd2,
                                                 0x94 } };
/* 00f771de-1a7e-4fcb-890e-68c77e2fb44e */
const struct sev_guid sev_guid_reset_block = { { 0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
                                                 0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4,
                                                 0x4e } };
/* dc886566-984a-4798-a75e-5585a7bf67cc */
const struct sev_guid sev_guid_snp_metadata = { { 0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
                                                  0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67,
                                                  0xcc } };
/* e47a6535-984a-4798-865e-4685a7bf8ec2 */
const struct sev_guid sev_guid_tdx_metadata = { { 0x35, 0x65, 0x7a, 0xe4, 0x4a, 0x98, 0x98, 0x47,
                                                  0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e,
                                                  0xc2 } };
/* 784fa70e-3176-4677-8a20-04b68699e374 */
const struct sev_guid sev_guid_igvm_metadata = { { 0x0e, 0xa7, 0x4f, 0x78, 0x76, 0x31, 0x77, 0x46,
                                                   0x8a, 0x20, 0x04, 0xb6, 0x86, 0x99, 0xe3,
                                                   0x74 } };
/* f71c4475-00c9-4744-a71a-316412a1288a */
const struct sev_guid sev_guid_privet_version = { { 0x75, 0x44, 0x1c, 0xf7, 0xc9, 0x00, 0x44, 0x47,
                                                    0xa7, 0x1a, 0x31, 0x64, 0x12, 0xa1, 0x28,
                                                    0x8a } };

static uint16_t read_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t read_u32(const uint8_t *p)
{
    return read_u16(p) | (uint32_t)read_u16(p + 2) << 16;
}

bool sev_guid_table_open(const uint8_t *image, size_t size, struct sev_guid_walk *ret)
{
    if (size < FOOTER_END + ENTRY_MIN)
        return false;
    size_t end = size - FOOTER_END;
    const uint8_t *footer = image + end - sizeof(struct sev_guid);
    uint16_t total = read_u16(footer - 2);
    if (memcmp(footer, sev_guid_table_footer.bytes, sizeof(struct sev_guid)) != 0 ||
        total < ENTRY_MIN || total > end)
        return false;
    ret->start = image + end - total;
    ret->at = footer - 2;
    return true;
}

bool sev_guid_table_next(struct sev_guid_walk *walk, struct sev_guid_entry *ret)
{
    size_t left = (size_t)(walk->at - walk->start);
    if (left < ENTRY_MIN)
        return false;
    const uint8_t *guid = walk->at - sizeof(struct sev_guid);
    uint16_t length = read_u16(guid - 2);
    if (length < ENTRY_MIN || length > left)
        return false;
    memcpy(ret->guid.bytes, guid, sizeof(ret->guid.bytes));
    ret->length = (uint16_t)(length - ENTRY_MIN);
    walk->at -= length;
    ret->data = walk->at;
    return true;
}

/* The content of an entry of that length; NULL: there is none. */
static const uint8_t *find(const uint8_t *image, size_t size, const struct sev_guid *guid,
                           size_t length)
{
    struct sev_guid_walk walk;
    struct sev_guid_entry entry;
    if (!sev_guid_table_open(image, size, &walk))
        return NULL;
    while (sev_guid_table_next(&walk, &entry)) {
        if (memcmp(&entry.guid, guid, sizeof(*guid)) == 0 && entry.length == length)
            return entry.data;
    }
    return NULL;
}

bool sev_guid_table_reset_address(const uint8_t *image, size_t size, uint32_t *ret_address)
{
    const uint8_t *data = find(image, size, &sev_guid_reset_block, 4);
    if (data)
        *ret_address = read_u32(data);
    return data;
}

bool sev_guid_table_find_area(const uint8_t *image, size_t size, const struct sev_guid *guid,
                              uint32_t *ret_base, uint32_t *ret_size)
{
    const uint8_t *data = find(image, size, guid, 8);
    if (!data)
        return false;
    *ret_base = read_u32(data);
    *ret_size = read_u32(data + 4);
    return true;
}
