/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a kernel that starts without firmware is handed: multiboot 0.6.96 3.3, PVH's hvm_start_info.
 * Run with `--append "alpha beta"` and a module that says "module".
 */
#include "guest.h"

static uint64_t get(uint32_t address, unsigned size)
{
    uint64_t value = 0;
    memcpy(&value, (const void *)(word)address, size);
    return value;
}

/* The line ends with `tail`. */
static bool ends_with(const char *line, const char *tail)
{
    size_t length = 0, cut = 0;
    while (line[length])
        length++;
    while (tail[cut])
        cut++;
    return length > cut && !memcmp(line + length - cut, tail, cut + 1);
}

static bool sums_to_zero(uint32_t at, unsigned size)
{
    uint8_t sum = 0;
    for (unsigned n = 0; n < size; n++)
        sum = (uint8_t)(sum + get(at + n, 1));
    return !sum;
}

/* The map has RAM at 1 MiB and something else, in ascending order. */
static void check_map(uint32_t at, unsigned count, unsigned step)
{
    uint64_t end = 0, ram = 0;
    bool ascending = true, reserved = false;
    for (unsigned n = 0; n < count; n++, at += step) {
        uint64_t base = get(at, 8), size = get(at + 8, 8), type = get(at + 16, 4);
        ascending = ascending && base >= end;
        end = base + size;
        if (type == 1 && base <= 0x100000 && base + size > 0x100000)
            ram = size;
        reserved = reserved || type != 1;
    }
    check(ascending && reserved, "the memory map ascends and has reserved ranges");
    check(ram > 60u << 20 && ram < 64u << 20, "the RAM above 1 MiB");
}

static void check_module(uint32_t start, uint64_t size)
{
    check(!(start & 0xFFF) && size == 6 && !memcmp((const void *)(word)start, "module", 6),
          "the module, on a page");
}

static void multiboot(void)
{
    uint32_t flags = (uint32_t)get(boot_info, 4);
    check((flags & 0x4D) == 0x4D, "flags: memory, command line, modules, map");
    check(get(boot_info + 4, 4) >= 512 && get(boot_info + 8, 4) > 60 * 1024, "memory sizes");
    check(ends_with((const char *)(word)get(boot_info + 16, 4), " alpha beta"), "command line");
    check(get(boot_info + 20, 4) == 1, "one module");
    uint32_t module = (uint32_t)get(boot_info + 24, 4), start = (uint32_t)get(module, 4);
    check_module(start, get(module + 4, 4) - start);
    uint32_t map = (uint32_t)get(boot_info + 48, 4);
    check(get(map, 4) == 20, "size of a map entry");
    check_map(map + 4, (unsigned)get(boot_info + 44, 4) / 24, 24);
}

static void pvh(void)
{
    check(get(boot_info, 4) == 0x336EC578 && get(boot_info + 4, 4) >= 1, "magic and version");
    check(!memcmp((const char *)(word)get(boot_info + 24, 8), "alpha beta", 11), "command line");
    check(get(boot_info + 12, 4) == 1, "one module");
    uint32_t module = (uint32_t)get(boot_info + 16, 8);
    check_module((uint32_t)get(module, 8), get(module + 8, 8));
    check_map((uint32_t)get(boot_info + 40, 8), (unsigned)get(boot_info + 48, 4), 24);
    uint32_t rsdp = (uint32_t)get(boot_info + 32, 8);
    check(!memcmp((const void *)(word)rsdp, "RSD PTR ", 8) && sums_to_zero(rsdp, 20) &&
              sums_to_zero(rsdp, 36), "RSDP");
    uint32_t xsdt = (uint32_t)get(rsdp + 24, 8);
    check(!memcmp((const void *)(word)xsdt, "XSDT", 4) &&
              sums_to_zero(xsdt, (unsigned)get(xsdt + 4, 4)), "XSDT");
    uint32_t first = (uint32_t)get(xsdt + 36, 8);
    check(!memcmp((const void *)(word)first, "FACP", 4) &&
              sums_to_zero(first, (unsigned)get(first + 4, 4)), "FADT");
}

void test(void)
{
    if (boot_magic == 0x2BADB002)
        multiboot();
    else
        pvh();
}
