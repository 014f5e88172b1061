/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SMBIOS (DMTF DSP0134 5.2): the anchor and the tables are the host's. They are copied to private
 * memory, the anchor's lengths are held against the files, its address and checksums set anew. In a
 * measured boot the structures are those of smbios_structures.c.
 */
#include "firmware/platform/smbios.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/boot/direct.h"
#include "firmware/lib/log.h"
#include "firmware/lib/string.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/platform/memory_map.h"
#include "firmware/platform/smbios_structures.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/uefi.h"

enum {
    ANCHOR_2_SIZE = 31, ANCHOR_3_SIZE = 24, ANCHOR_ROOM = 32, TABLES_MAX = 0xF000, PAGE = 4096,
    TYPE_FIRMWARE = 0, TYPE_END = 127,
};

#define FOUR_GIB (1ull << 32)

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

struct summary {
    uint32_t size;
    uint16_t count, largest;
    bool has_firmware;
};

static void finish_2(uint8_t *anchor, uint64_t tables, const struct summary *summary)
{
    uint32_t address = (uint32_t)tables;
    uint16_t length = (uint16_t)summary->size;

    anchor[5] = ANCHOR_2_SIZE;
    memcpy(anchor + 0x08, &summary->largest, sizeof(summary->largest));
    memcpy(anchor + 0x16, &length, sizeof(length));
    memcpy(anchor + 0x18, &address, sizeof(address));
    memcpy(anchor + 0x1C, &summary->count, sizeof(summary->count));
    set_checksum(anchor + 0x10, 15, anchor + 0x15);
    set_checksum(anchor, ANCHOR_2_SIZE, anchor + 4);
    uefi_set_table(&smbios_2_guid, anchor);
}

static void finish_3(uint8_t *anchor, uint64_t tables, const struct summary *summary)
{
    anchor[6] = ANCHOR_3_SIZE;
    memcpy(anchor + 0x0C, &summary->size, sizeof(summary->size));
    memcpy(anchor + 0x10, &tables, sizeof(tables));
    set_checksum(anchor, ANCHOR_3_SIZE, anchor + 5);
    uefi_set_table(&smbios_3_guid, anchor);
}

/* Every structure must lie inside, down to its double NUL: readers trust the lengths. */
static bool summarize(const uint8_t *tables, uint32_t size, struct summary *ret)
{
    uint32_t at = 0;

    *ret = (struct summary){ 0 };
    while (at < size) {
        uint32_t begin = at, length = size - at < 4 ? 0 : tables[at + 1];
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
        ret->count++;
        ret->largest = at - begin > ret->largest ? (uint16_t)(at - begin) : ret->largest;
        ret->has_firmware |= type == TYPE_FIRMWARE;
        if (type == TYPE_END) {
            ret->size = at;
            return true;
        }
    }
    return false;
}

/* Reads both files into one runtime allocation, the tables behind our own structure. */
static void load(uint16_t anchor_key, uint32_t anchor_size, uint16_t tables_key, uint32_t size)
{
    const uint32_t own = (uint32_t)smbios_firmware_size;
    uint64_t pages = (ANCHOR_ROOM + own + size + PAGE - 1) / PAGE;
    uint64_t base = memory_allocate(MEMORY_RUNTIME_DATA, pages, 1ull << 32);
    struct summary summary;

    if (base == 0) {
        log_line("SMBIOS: no memory for %u bytes, left out", size);
        return;
    }
    uint8_t *anchor = (uint8_t *)(uintptr_t)base, *tables = anchor + ANCHOR_ROOM + own;
    fwcfg_read(anchor_key, anchor, anchor_size);
    fwcfg_read(tables_key, tables, size);
    if (!summarize(tables, size, &summary)) {
        log_line("SMBIOS: damaged tables, left out");
        return;
    }
    if (!summary.has_firmware) {
        tables -= own;
        memcpy(tables, smbios_firmware, own);
        summary.size += own;
        summary.count++;
        summary.largest = summary.largest < own ? (uint16_t)own : summary.largest;
    }
    if (anchor_size == ANCHOR_2_SIZE && memcmp(anchor, "_SM_", 4) == 0) {
        finish_2(anchor, (uintptr_t)tables, &summary);
    } else if (anchor_size == ANCHOR_3_SIZE && memcmp(anchor, "_SM3_", 5) == 0) {
        finish_3(anchor, (uintptr_t)tables, &summary);
    } else {
        log_line("SMBIOS: unknown anchor, left out");
    }
}

/* Megabytes of RAM; sizes are the memory map's, which was checked. */
static uint64_t ram_megabytes(uint64_t first, uint64_t end)
{
    uint64_t base, length, total = 0;

    for (size_t i = 0; memory_map_ram(i, &base, &length); i++) {
        total += base >= first && base < end ? length : 0;
    }
    return (total + (1 << 20) - 1) >> 20;
}

static void install_own(void)
{
    uint64_t base = memory_allocate(MEMORY_RUNTIME_DATA, 1, 1ull << 32);
    struct summary summary;

    if (base == 0) {
        log_line("SMBIOS: no memory, left out");
        return;
    }
    uint8_t *anchor = (uint8_t *)(uintptr_t)base, *tables = anchor + ANCHOR_ROOM;
    memcpy(anchor, "_SM3_", 5);
    anchor[7] = 3; /* of DSP0134 3.0; document revision 0 */
    anchor[10] = 1;
    size_t size = smbios_structures(tables, PAGE - ANCHOR_ROOM, ram_megabytes(0, FOUR_GIB),
                                    ram_megabytes(FOUR_GIB, UINT64_MAX));
    bool sound = summarize(tables, (uint32_t)size, &summary);
    assert(sound);
    finish_3(anchor, (uintptr_t)tables, &summary);
}

void smbios_init(void)
{
    uint16_t anchor_key, tables_key;
    uint32_t anchor_size, size;

    if (direct_measured()) {
        install_own();
        return;
    }
    if (!fwcfg_find("etc/smbios/smbios-anchor", &anchor_key, &anchor_size)
        || !fwcfg_find("etc/smbios/smbios-tables", &tables_key, &size)) {
        return;
    }
    if ((anchor_size != ANCHOR_2_SIZE && anchor_size != ANCHOR_3_SIZE) || size == 0
        || size > TABLES_MAX) {
        log_line("SMBIOS: impossible sizes (anchor %u, tables %u), left out", anchor_size, size);
        return;
    }
    load(anchor_key, anchor_size, tables_key, size);
}
