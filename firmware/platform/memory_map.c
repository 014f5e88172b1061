/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory map from fw_cfg's etc/e820 (20-byte entries), else from CMOS. The host writes both:
 * ranges are bounded, sorted and may not overlap each other or the board's devices, or the boot
 * stops. A wrong map that passes (RAM that is not there) can only make the guest fail.
 */
#include "firmware/platform/memory_map.h"

#include "firmware/arch/cpu.h"
#include "firmware/arch/io.h"
#include "firmware/arch/layout.h"
#include "firmware/lib/log.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/platform/q35.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"

struct e820_entry {
    uint64_t base, length;
    uint32_t type;
} __attribute__((packed));
_Static_assert(sizeof(struct e820_entry) == 20, "wire format");

enum {
    E820_RAM = 1, ENTRIES_MAX = 64, PAGE = 4096, LEGACY_HOLE = 0xA0000, LEGACY_END = 0x100000,
    CMOS_LOW = 0x34, CMOS_HIGH = 0x5B,
};
#define FOUR_GIB (1ull << 32)
#define RAM_LOW_MIN 0x1000000ull /* the firmware lives below 16 MiB */

struct range {
    uint64_t base, end;
};

static struct range ram[ENTRIES_MAX + 1], reserved[ENTRIES_MAX];
static size_t ram_count, reserved_count;

static void ram_add(uint64_t base, uint64_t end)
{
    size_t at = ram_count;

    base = (base + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    end &= ~(uint64_t)(PAGE - 1);
    if (base >= end) {
        return;
    }
    if (ram_count == sizeof(ram) / sizeof(ram[0])) {
        panic("memory map: more than %u RAM ranges", (unsigned)ram_count);
    }
    for (; at > 0 && ram[at - 1].base > base; at--) {
        ram[at] = ram[at - 1];
    }
    ram[at] = (struct range){ base, end };
    ram_count++;
}

/* 0xA0000 to 1 MiB is display memory and ROM on a PC, whatever the map says. */
static void ram_add_without_hole(uint64_t base, uint64_t end)
{
    ram_add(base, end < LEGACY_HOLE ? end : LEGACY_HOLE);
    ram_add(base > LEGACY_END ? base : LEGACY_END, end);
}

static void read_e820(uint16_t key, uint32_t size)
{
    struct e820_entry entry;
    uint64_t limit = 1ull << q35_address_bits();
    uint32_t count = size / sizeof(entry);

    if (size % sizeof(entry) != 0 || count == 0 || count > ENTRIES_MAX) {
        panic("memory map: etc/e820 has an impossible size of %u bytes", size);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0) {
            fwcfg_read(key, &entry, sizeof(entry));
        } else {
            fwcfg_read_more(&entry, sizeof(entry));
        }
        if (entry.length == 0) {
            continue;
        }
        if (entry.base >= limit || entry.length > limit - entry.base) {
            panic("memory map: entry %u, 0x%lx bytes at 0x%lx, is beyond the address space", i,
                  entry.length, entry.base);
        }
        if (entry.type == E820_RAM) {
            ram_add_without_hole(entry.base, entry.base + entry.length);
        } else {
            reserved[reserved_count++] = (struct range){ entry.base, entry.base + entry.length };
        }
    }
}

static uint32_t cmos(uint8_t index)
{
    out8(0x70, index);
    return in8(0x71);
}

/* QEMU's CMOS: 64 KiB units above 16 MiB and above 4 GiB. */
static void read_cmos(void)
{
    uint64_t low = RAM_LOW_MIN + ((uint64_t)(cmos(CMOS_LOW) | cmos(CMOS_LOW + 1) << 8) << 16);
    uint64_t high = (uint64_t)(cmos(CMOS_HIGH) | cmos(CMOS_HIGH + 1) << 8
                               | cmos(CMOS_HIGH + 2) << 16) << 16;

    ram_add_without_hole(0, low);
    ram_add(FOUR_GIB, FOUR_GIB + high);
}

static void check(void)
{
    bool room = false;

    for (size_t i = 0; i < ram_count; i++) {
        if (i > 0 && ram[i].base < ram[i - 1].end) {
            panic("memory map: RAM ranges overlap at 0x%lx", ram[i].base);
        }
        if (ram[i].base < FOUR_GIB && ram[i].end > Q35_DEVICES_BASE) {
            panic("memory map: RAM at 0x%lx to 0x%lx covers the devices", ram[i].base, ram[i].end);
        }
        room |= ram[i].base <= LEGACY_END && ram[i].end >= RAM_LOW_MIN;
    }
    if (!room) {
        panic("memory map: the firmware needs RAM from 1 MiB to 16 MiB");
    }
    for (size_t i = 0; i < reserved_count; i++) {
        if (reserved[i].base < RAM_LOW_MIN && reserved[i].end > LEGACY_END) {
            panic("memory map: reserved range at 0x%lx covers the firmware", reserved[i].base);
        }
    }
}

void memory_map_read(void)
{
    uint16_t key;
    uint32_t size;

    ram_count = reserved_count = 0;
    if (fwcfg_find("etc/e820", &key, &size)) {
        read_e820(key, size);
    } else {
        read_cmos();
    }
    check();
}

bool memory_map_ram(size_t index, uint64_t *ret_base, uint64_t *ret_length)
{
    if (index >= ram_count) {
        return false;
    }
    *ret_base = ram[index].base;
    *ret_length = ram[index].end - ram[index].base;
    return true;
}

uint64_t memory_map_top(void)
{
    uint64_t top = FOUR_GIB, end;
    uint16_t key;
    uint32_t size;

    for (size_t i = 0; i < ram_count; i++) {
        top = ram[i].end > top ? ram[i].end : top;
    }
    /* Room for memory that is plugged in later, as far as the host's wish is sensible. */
    if (fwcfg_find("etc/reserved-memory-end", &key, &size) && size == sizeof(end)) {
        fwcfg_read(key, &end, sizeof(end));
        top = end > top && end < 1ull << q35_address_bits() ? end : top;
    }
    return top;
}

uint64_t memory_map_reserved_after(uint64_t address)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < reserved_count; i++) {
        if (reserved[i].end > address && reserved[i].base < next) {
            next = reserved[i].base;
        }
    }
    return next;
}

static void own(uint64_t base, uint64_t end, enum memory_type type)
{
    if (end > base) {
        memory_add(base, end - base, type);
    }
}

extern const char __body_start[], __code_end[], __bss_end[], __stack_top[];

void memory_map_announce(void)
{
    for (size_t i = 0; i < ram_count; i++) {
        memory_add(ram[i].base, ram[i].end - ram[i].base, MEMORY_CONVENTIONAL);
    }
    for (size_t i = 0; i < reserved_count; i++) {
        uint64_t base = reserved[i].base & ~(uint64_t)(PAGE - 1);
        uint64_t end = (reserved[i].end + PAGE - 1) & ~(uint64_t)(PAGE - 1);
        memory_add(base, end - base, MEMORY_RESERVED);
    }
    own(0, PAGE, MEMORY_BOOT_DATA); /* address 0 is never handed out */
    own(RESET_TABLES, RESET_TABLES + RESET_TABLES_SIZE, MEMORY_BOOT_DATA);
    own(WORK_AREA, WORK_AREA + PAGE, MEMORY_BOOT_DATA);
    own(LAUNCH_PAGE, LAUNCH_PAGE + PAGE, MEMORY_RESERVED);
    if (sev_es()) {
        own(RESET_SPLIT, RESET_SPLIT + PAGE, MEMORY_BOOT_DATA);
        own(GHCB_PAGE, GHCB_PAGE + PAGE, MEMORY_RESERVED);
        own(AP_TABLE, AP_TABLE + PAGE, MEMORY_RESERVED);
    }
    own((uintptr_t)__body_start, (uintptr_t)__code_end, MEMORY_RUNTIME_CODE);
    own((uintptr_t)__code_end, (uintptr_t)__bss_end, MEMORY_RUNTIME_DATA);
    own((uintptr_t)__bss_end, (uintptr_t)__stack_top, MEMORY_BOOT_DATA);
    own(Q35_ECAM_BASE, Q35_ECAM_BASE + Q35_ECAM_SIZE, MEMORY_RESERVED);
}
