/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SMBIOS (DMTF DSP0134 5.2): the anchor and the tables are the host's. They are copied to private
 * memory, the anchor's lengths are held against the files, its address and checksums set anew.
 */
#include "firmware/platform/smbios.h"

#include <stdint.h>

#include "firmware/lib/log.h"
#include "firmware/lib/string.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/uefi.h"

enum { ANCHOR_2_SIZE = 31, ANCHOR_3_SIZE = 24, TABLES_MAX = 0xFFFF };

static const struct guid smbios_2_guid = {
    0xeb9d2d31, 0x2d88, 0x11d3, { 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } };
static const struct guid smbios_3_guid = {
    0xf2fd1544, 0x9794, 0x4a2c, { 0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94 } };

static void set_checksum(uint8_t *from, size_t length, uint8_t *at)
{
    uint8_t sum = 0;

    *at = 0;
    for (size_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + from[i]);
    }
    *at = (uint8_t)-sum;
}

static void finish_2(uint8_t *anchor, uint64_t tables, uint32_t size)
{
    uint32_t address = (uint32_t)tables;
    uint16_t length = (uint16_t)size;

    anchor[5] = ANCHOR_2_SIZE;
    memcpy(anchor + 0x16, &length, sizeof(length));
    memcpy(anchor + 0x18, &address, sizeof(address));
    set_checksum(anchor + 0x10, 15, anchor + 0x15);
    set_checksum(anchor, ANCHOR_2_SIZE, anchor + 4);
    uefi_set_table(&smbios_2_guid, anchor);
}

static void finish_3(uint8_t *anchor, uint64_t tables, uint32_t size)
{
    anchor[6] = ANCHOR_3_SIZE;
    memcpy(anchor + 0x0C, &size, sizeof(size));
    memcpy(anchor + 0x10, &tables, sizeof(tables));
    set_checksum(anchor, ANCHOR_3_SIZE, anchor + 5);
    uefi_set_table(&smbios_3_guid, anchor);
}

/* Every structure must lie inside, down to its double NUL: readers trust the lengths. */
static bool tables_valid(const uint8_t *tables, uint32_t size)
{
    uint32_t at = 0;

    while (at < size) {
        uint32_t length = size - at < 4 ? 0 : tables[at + 1];
        if (length < 4 || length > size - at) {
            return false;
        }
        uint8_t type = tables[at];
        at += length;
        while (size - at >= 2 && (tables[at] != 0 || tables[at + 1] != 0)) {
            at++;
        }
        if (size - at < 2) {
            return false;
        }
        at += 2;
        if (type == 127) {
            return true;
        }
    }
    return false;
}

void smbios_init(void)
{
    uint16_t anchor_key, tables_key;
    uint32_t anchor_size, size;

    if (!fwcfg_find("etc/smbios/smbios-anchor", &anchor_key, &anchor_size)
        || !fwcfg_find("etc/smbios/smbios-tables", &tables_key, &size)) {
        return;
    }
    if ((anchor_size != ANCHOR_2_SIZE && anchor_size != ANCHOR_3_SIZE) || size == 0
        || size > TABLES_MAX) {
        log_line("SMBIOS: impossible sizes (anchor %u, tables %u), left out", anchor_size, size);
        return;
    }
    uint64_t pages = (32 + size + 4095) / 4096;
    uint64_t base = memory_allocate(MEMORY_RUNTIME_DATA, pages, 1ull << 32);
    if (base == 0) {
        log_line("SMBIOS: no memory for %u bytes, left out", size);
        return;
    }
    uint8_t *anchor = (uint8_t *)(uintptr_t)base, *tables = anchor + 32;
    fwcfg_read(anchor_key, anchor, anchor_size);
    fwcfg_read(tables_key, tables, size);
    if (!tables_valid(tables, size)) {
        log_line("SMBIOS: damaged tables, left out");
    } else if (anchor_size == ANCHOR_2_SIZE && memcmp(anchor, "_SM_", 4) == 0) {
        finish_2(anchor, base + 32, size);
    } else if (anchor_size == ANCHOR_3_SIZE && memcmp(anchor, "_SM3_", 5) == 0) {
        finish_3(anchor, base + 32, size);
    } else {
        log_line("SMBIOS: unknown anchor, left out");
    }
}
