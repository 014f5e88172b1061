/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's PCI enumeration over a fake configuration space: one well-behaved function and
 * functions of a lying host (BARs larger than any window, capability lists without end).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "firmware/arch/io.h"
#include "firmware/arch/paging.h"
#include "firmware/lib/log.h"
#include "firmware/platform/memory_map.h"
#include "firmware/platform/pci.h"
#include "firmware/platform/q35.h"

enum { DEVICES = 4 };

static uint8_t space[DEVICES][4096]; /* devices 0 to 3 of bus 0 */
static uint32_t bar_mask[DEVICES][6];
static unsigned complaints;

void log_line(const char *fmt, ...)
{
    complaints++;
}

void log_debug(const char *fmt, ...)
{
}

void paging_map_device(uint64_t base, uint64_t length)
{
}

unsigned q35_address_bits(void)
{
    return 40;
}

uint64_t memory_map_top(void)
{
    return 1ull << 32;
}

uint64_t memory_map_reserved_after(uint64_t address)
{
    return 1ull << 40;
}

static uint8_t *register_of(uint64_t address, unsigned size)
{
    uint64_t offset = address - Q35_ECAM_BASE;
    unsigned device = (unsigned)(offset >> 15);

    assert_true(address >= Q35_ECAM_BASE && (offset & 0xFFF) + size <= 0x1000);
    return device < DEVICES && (offset >> 12 & 7) == 0 ? &space[device][offset & 0xFFF] : NULL;
}

uint64_t test_mmio_read(uint64_t address, unsigned size)
{
    const uint8_t *from = register_of(address, size);
    uint64_t value = UINT64_MAX;

    if (from != NULL) {
        memcpy(&value, from, size);
    }
    return value;
}

void test_mmio_write(uint64_t address, unsigned size, uint64_t value)
{
    uint8_t *to = register_of(address, size);
    unsigned offset = address & 0xFFF, bar = (offset - 0x10) / 4;

    if (to == NULL) {
        return;
    }
    if (offset >= 0x10 && offset < 0x28) {
        uint32_t fixed = bar_mask[(address - Q35_ECAM_BASE) >> 15][bar];
        value = (value & (fixed & ~15u)) | (fixed & 15u);
    }
    memcpy(to, &value, size);
}

uint32_t test_port_read(uint16_t port, unsigned size)
{
    return UINT32_MAX;
}

void test_port_write(uint16_t port, unsigned size, uint32_t value)
{
}

static void add(unsigned device, uint16_t vendor)
{
    memcpy(space[device], &vendor, sizeof(vendor));
    space[device][6] = 0x10; /* it has capabilities */
}

static void capability(unsigned device, unsigned at, uint8_t id, uint8_t next)
{
    space[device][at] = id;
    space[device][at + 1] = next;
}

static int enumerate(void **state)
{
    add(0, 0x1AF4);
    bar_mask[0][0] = 0xFFFFC000u | 4; /* 16 KiB, 64 bits wide */
    bar_mask[0][1] = 0xFFFFFFFFu;
    bar_mask[0][2] = 0xFFFFFF00u; /* 256 bytes: gets a page */
    space[0][0x34] = 0x40;
    capability(0, 0x40, 0x05, 0x50);
    capability(0, 0x50, 0x09, 0x60);
    capability(0, 0x60, 0x09, 0);
    add(1, 0x8086);
    bar_mask[1][0] = 0x80000000u; /* 2 GiB: no window has it */
    space[1][0x34] = 0x40;
    capability(1, 0x40, 0x05, 0x48);
    capability(1, 0x48, 0x11, 0x40); /* a ring */
    add(2, 0x1AF4);
    space[2][0x34] = 0x3C; /* into the header */
    pci_init();
    return 0;
}

static const struct pci_function *function(size_t index)
{
    const struct pci_function *ret;

    assert_true(pci_function_at(index, &ret));
    return ret;
}

static void finds_what_is_there(void **state)
{
    const struct pci_function *ret;

    assert_int_equal(function(0)->vendor, 0x1AF4);
    assert_int_equal(function(2)->address, pci_address(0, 2, 0));
    assert_false(pci_function_at(3, &ret));
}

static void bars_get_room(void **state)
{
    const struct pci_bar *wide = &function(0)->bars[0], *small = &function(0)->bars[2];

    assert_int_equal(wide->size, 0x4000);
    assert_true(wide->wide && wide->base >= Q35_MMIO_BASE && wide->base % 0x4000 == 0);
    assert_int_equal(small->size, 0x100);
    assert_int_equal(small->base % 0x1000, 0);
    assert_true(small->base >= wide->base + wide->size || small->base + 0x1000 <= wide->base);
    assert_int_equal(pci_read32(function(0)->address, 0x10) & ~15u, (uint32_t)wide->base);
}

static void bar_without_room_is_named(void **state)
{
    assert_int_equal(function(1)->bars[0].size, 0);
    assert_int_equal(complaints, 1);
}

static void capabilities(void **state)
{
    assert_int_equal(pci_capability(function(0)->address, 0x09, 0), 0x50);
    assert_int_equal(pci_capability(function(0)->address, 0x09, 0x50), 0x60);
    assert_int_equal(pci_capability(function(0)->address, 0x09, 0x60), 0);
    assert_int_equal(pci_capability(function(1)->address, 0x09, 0), 0);
    assert_int_equal(pci_capability(function(2)->address, 0x09, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_there),
        cmocka_unit_test(bars_get_room),
        cmocka_unit_test(bar_without_room_is_named),
        cmocka_unit_test(capabilities),
    };
    return cmocka_run_group_tests_name("firmware-pci", tests, enumerate, NULL);
}
