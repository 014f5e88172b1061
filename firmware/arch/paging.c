/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The identity map, 4 levels (APM 2 5.3), with the C-bit (APM 2 15.34.5): RAM private, everything
 * else shared and uncached. Large pages are split on demand; the parts inherit every bit of the
 * whole. Tables come from small chunks of boot-services memory, so a split rarely changes the
 * memory map.
 */
#include "firmware/arch/paging.h"

#include <stddef.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/layout.h"
#include "firmware/lib/log.h"
#include "firmware/platform/memory_map.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"

#define ENTRY_PRESENT 0x1u
#define ENTRY_WRITE 0x2u
#define ENTRY_UNCACHED 0x18u /* PCD, PWT */
#define ENTRY_USED 0x60u     /* accessed, dirty */
#define ENTRY_LARGE 0x80u
#define ENTRY_NX (1ull << 63)
#define ADDRESS_BITS 0x000FFFFFFFFFF000ull

enum { CHUNK = 16, LEVELS = 4, CPUID_NX = 20, CPUID_1G = 26 };

#define EFER 0xC0000080u
#define EFER_NXE 0x800u
#define CR0_WP 0x10000u

/* UEFI 2.10 7.2.3 */
#define MEMORY_RP 0x2000ull
#define MEMORY_XP 0x4000ull
#define MEMORY_RO 0x20000ull

extern const char __body_start[], __code_end[], __stack_top[];

static uint64_t *root;
static uint64_t c_mask;
static bool has_nx, has_1g, in_use;
static uint64_t spare;
static unsigned spare_count;

static unsigned shift_of(unsigned level)
{
    return 12 + 9 * (level - 1);
}

static uint64_t size_of(unsigned level)
{
    return 1ull << shift_of(level);
}

static uint64_t *table_new(void)
{
    if (spare_count == 0) {
        spare = memory_allocate(MEMORY_BOOT_DATA, CHUNK, 1ull << 32);
        if (spare == 0) {
            panic("no memory left for page tables");
        }
        spare_count = CHUNK;
    }
    spare_count--;
    uint64_t *table = (uint64_t *)(uintptr_t)spare;
    spare += 4096;
    return table;
}

static bool is_table(uint64_t entry, unsigned level)
{
    return level > 1 && (entry & ENTRY_PRESENT) != 0 && (entry & ENTRY_LARGE) == 0;
}

static uint64_t *table_of(uint64_t entry)
{
    return (uint64_t *)(uintptr_t)(entry & ADDRESS_BITS & ~c_mask);
}

/* Makes a leaf (or a hole) of `level` into a table of leaves of the level below. */
static void split(uint64_t *entry, unsigned level)
{
    uint64_t whole = *entry;
    uint64_t *table = table_new();

    if (whole != 0) {
        uint64_t part = level == 2 ? whole & ~(uint64_t)ENTRY_LARGE : whole;
        for (unsigned i = 0; i < 512; i++) {
            table[i] = part + i * size_of(level - 1);
        }
    }
    *entry = (uintptr_t)table | c_mask | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USED;
}

/* The entry of `level` that translates the address; splits what is larger. */
static uint64_t *entry_at(uint64_t address, unsigned level)
{
    uint64_t *table = root;

    for (unsigned l = LEVELS;; l--) {
        uint64_t *entry = &table[address >> shift_of(l) & 511];
        if (l == level) {
            return entry;
        }
        if (!is_table(*entry, l)) {
            split(entry, l);
        }
        table = table_of(*entry);
    }
}

/* The leaf (or hole) by which `table`, one of the highest level, translates the address; its level. */
static uint64_t *leaf_in(uint64_t *table, uint64_t address, unsigned *ret_level)
{
    for (unsigned l = LEVELS;; l--) {
        uint64_t *entry = &table[address >> shift_of(l) & 511];
        if (!is_table(*entry, l)) {
            *ret_level = l;
            return entry;
        }
        table = table_of(*entry);
    }
}

static uint64_t *leaf_at(uint64_t address, unsigned *ret_level)
{
    return leaf_in(root, address, ret_level);
}

static void flush_tlb(void)
{
    if (in_use) {
        cr3_write(cr3_read()); /* no global pages here */
    }
}

static void map(uint64_t base, uint64_t length, uint64_t bits)
{
    uint64_t end = base + length;

    while (base < end) {
        unsigned level = has_1g ? 3 : 2;
        while (level > 1 && ((base & (size_of(level) - 1)) != 0 || end - base < size_of(level))) {
            level--;
        }
        uint64_t *entry = entry_at(base, level);
        while (is_table(*entry, level)) {
            level--;
            entry = entry_at(base, level);
        }
        *entry = base | bits | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USED
                 | (level > 1 ? ENTRY_LARGE : 0);
        base += size_of(level);
    }
}

static void change(uint64_t base, uint64_t length, uint64_t set, uint64_t clear)
{
    uint64_t end = base + length;

    while (base < end) {
        unsigned level;
        uint64_t *entry = leaf_at(base, &level);
        if (*entry != 0 && ((*entry | set) & ~clear) != *entry) {
            while ((base & (size_of(level) - 1)) != 0 || end - base < size_of(level)) {
                split(entry, level);
                level--;
                entry = entry_at(base, level);
            }
            *entry = (*entry | set) & ~clear;
        }
        base = (base & ~(size_of(level) - 1)) + size_of(level);
    }
}

/* The firmware's code and constants cannot be written, its data and stack not executed. */
static void protect_firmware(void)
{
    uintptr_t code = (uintptr_t)__body_start, data = (uintptr_t)__code_end;

    paging_set_attributes(code, data - code, MEMORY_RO, 0);
    paging_set_attributes(data, (uintptr_t)__stack_top - data, MEMORY_XP, 0);
}

void paging_init(void)
{
    uint64_t base, length;
    struct cpuid features = cpuid(0x80000001, 0);

    c_mask = sev_c_mask();
    has_1g = (features.edx >> CPUID_1G & 1) != 0;
    has_nx = (features.edx >> CPUID_NX & 1) != 0;
    root = table_new();
    uint64_t next = 0;
    for (size_t i = 0; memory_map_ram(i, &base, &length); i++) {
        if (next < base && next < 1ull << 32) {
            uint64_t gap = base < 1ull << 32 ? base : 1ull << 32;
            map(next, gap - next, ENTRY_UNCACHED);
        }
        map(base, length, c_mask);
        next = base + length;
    }
    if (next < 1ull << 32) {
        map(next, (1ull << 32) - next, ENTRY_UNCACHED);
    }
    if (has_nx) {
        msr_write(EFER, msr_read(EFER) | EFER_NXE);
    }
    cr0_write(cr0_read() | CR0_WP);
    protect_firmware();
    if (sev_es()) {
        change(GHCB_PAGE, 4096, 0, c_mask);
    }
    in_use = true;
    cr3_write((uintptr_t)root | c_mask);
}

void paging_map_device(uint64_t base, uint64_t length)
{
    uint64_t end = (base + length + 4095) & ~4095ull;

    base &= ~4095ull;
    map(base, end - base, ENTRY_UNCACHED);
    flush_tlb();
}

/* Writes back and drops every line of the range: its key is about to change (APM 2 15.34.9). */
static void flush_cache(uint64_t base, uint64_t length)
{
    uint64_t line = (cpuid(1, 0).ebx >> 8 & 0xFF) * 8;

    if (line < 16) {
        line = 16;
    }
    for (uint64_t address = base; address < base + length; address += line) {
        __asm__ volatile("clflush (%0)" : : "r"(address) : "memory");
    }
    __asm__ volatile("mfence" : : : "memory");
}

void paging_set_shared(uint64_t base, uint64_t length, bool shared)
{
    assert(((base | length) & 4095) == 0);
    if (c_mask == 0) {
        return;
    }
    flush_cache(base, length);
    change(base, length, shared ? 0 : c_mask, shared ? c_mask : 0);
    flush_tlb();
}

/* A page that may not be read is not present; the rest of its entry is kept. */
static uint64_t bits_off(uint64_t attributes)
{
    return ((attributes & MEMORY_RP) ? ENTRY_PRESENT : 0)
           | ((attributes & MEMORY_RO) ? ENTRY_WRITE : 0);
}

static uint64_t bits_on(uint64_t attributes)
{
    return (attributes & MEMORY_XP) != 0 && has_nx ? ENTRY_NX : 0;
}

void paging_set_attributes(uint64_t base, uint64_t length, uint64_t set, uint64_t clear)
{
    change(base, length, bits_on(set) | bits_off(clear), bits_off(set) | bits_on(clear));
    flush_tlb();
}

uint64_t paging_get_attributes(uint64_t address)
{
    unsigned level;
    uint64_t entry = *leaf_at(address, &level);

    return ((entry & ENTRY_PRESENT) ? 0 : MEMORY_RP) | ((entry & ENTRY_WRITE) ? 0 : MEMORY_RO)
           | ((entry & ENTRY_NX) ? MEMORY_XP : 0);
}

bool paging_shared(uint64_t address, uint64_t *ret_physical)
{
    unsigned level;
    uint64_t entry = *leaf_in(table_of(cr3_read()), address, &level);
    uint64_t offset = size_of(level) - 1;

    *ret_physical = (entry & ADDRESS_BITS & ~offset) | (address & offset);
    return (entry & ENTRY_PRESENT) != 0 && (entry & sev_c_mask()) == 0;
}

void paging_describe(uint64_t address)
{
    if (!in_use || address >> 47 != 0) {
        return;
    }
    const uint64_t *table = root;
    for (unsigned l = LEVELS; l > 0; l--) {
        uint64_t entry = table[address >> shift_of(l) & 511];
        log_line("walk of 0x%lx, level %u: %016lx%s", address, l, entry,
                 c_mask == 0 ? "" : (entry & c_mask) ? " private" : " shared");
        if (!is_table(entry, l)) {
            return;
        }
        table = table_of(entry);
    }
}
