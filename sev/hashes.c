/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Builds the table of kernel hashes. */
#include "sev/hashes.h"

#include <string.h>

#define ENTRY_SIZE 50u

/* 9438d606-4f22-4cc9-b479-a793d411fd21 */
static const uint8_t table_guid[16] = { 0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
                                        0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21 };
/* 97d02dd8-bd20-4c94-aa78-e7714d36ab2a */
static const uint8_t cmdline_guid[16] = { 0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c,
                                          0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a };
/* 44baf731-3a2f-4bd7-9af1-41e29169781d */
static const uint8_t initrd_guid[16] = { 0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b,
                                         0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d };
/* 4de79437-abd2-427f-b835-d5b172d2045b */
static const uint8_t kernel_guid[16] = { 0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42,
                                         0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b };

static uint8_t *put_head(uint8_t *at, const uint8_t guid[16], uint16_t length)
{
    memcpy(at, guid, 16);
    at[16] = (uint8_t)length;
    at[17] = (uint8_t)(length >> 8);
    return at + 18;
}

void sev_hashes_build(const struct sev_kernel_hashes *hashes, uint8_t table[SEV_HASHES_TABLE_SIZE])
{
    const struct {
        const uint8_t *guid, *digest;
    } entries[] = {
        { cmdline_guid, hashes->cmdline },
        { initrd_guid, hashes->initrd },
        { kernel_guid, hashes->kernel },
    };
    memset(table, 0, SEV_HASHES_TABLE_SIZE);
    uint8_t *at = put_head(table, table_guid, 18 + 3 * ENTRY_SIZE);
    for (unsigned i = 0; i < 3; i++) {
        at = put_head(at, entries[i].guid, ENTRY_SIZE);
        memcpy(at, entries[i].digest, 32);
        at += 32;
    }
}
