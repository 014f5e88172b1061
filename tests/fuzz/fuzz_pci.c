/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's PCI enumeration over a configuration space made of the input: functions anywhere,
 * bridges that lead to themselves, BARs of every size, capability lists in rings. Whatever the host
 * says, each BAR must lie in a window of its bus, aligned, apart from all others.
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/arch/io.h"
#include "firmware/arch/paging.h"
#include "firmware/lib/log.h"
#include "firmware/platform/memory_map.h"
#include "firmware/platform/pci_tree.h"
#include "firmware/platform/q35.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 3, WRITTEN = 1 << 14, CAPABILITY_IDS = 32 };
#define ADDRESS_BITS 40
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

static const uint8_t *input;
static size_t input_size;
static struct {
    uint32_t key, value; /* key: ECAM offset / 4 + 1; 0: free */
} written[WRITTEN];

void log_line(const char *fmt, ...)
{
}

void log_debug(const char *fmt, ...)
{
}

void paging_map_device(uint64_t base, uint64_t length)
{
    CHECK(base >= 1ull << 32 && length <= (1ull << ADDRESS_BITS) - base);
}

unsigned q35_address_bits(void)
{
    return ADDRESS_BITS;
}

uint64_t memory_map_top(void)
{
    return (uint64_t)(4 + input[2]) << 30;
}

uint64_t memory_map_reserved_after(uint64_t address)
{
    return (1ull << ADDRESS_BITS) - ((uint64_t)input[1] << 28);
}

static uint8_t input_at(uint32_t index)
{
    return input[HEADER + index % (input_size - HEADER)];
}

/* Density of functions by the first byte; a bridge makes its whole bus visible. */
static bool present(uint32_t function)
{
    return input_at(function * 13 + (function >> 8)) <= input[0];
}

static uint32_t input_register(uint32_t offset)
{
    uint32_t at = (offset >> 12) * 61 + (offset & 0xFFF), value = 0;
    for (unsigned i = 0; i < 4; i++)
        value |= (uint32_t)input_at(at + i) << 8 * i;
    return value;
}

/* The place of a written register: its own or the first free one. NULL: too many. */
static uint32_t *find(uint32_t offset, bool make)
{
    uint32_t key = offset / 4 + 1;
    for (uint32_t i = 0, at = key * 2654435761u; i < WRITTEN; i++, at++) {
        if (written[at % WRITTEN].key == key)
            return &written[at % WRITTEN].value;
        if (written[at % WRITTEN].key == 0) {
            if (!make)
                return NULL;
            written[at % WRITTEN].key = key;
            written[at % WRITTEN].value = input_register(offset);
            return &written[at % WRITTEN].value;
        }
    }
    return NULL;
}

static uint32_t offset_of(uint64_t address, unsigned size)
{
    CHECK(address >= Q35_ECAM_BASE && address - Q35_ECAM_BASE < Q35_ECAM_SIZE);
    CHECK((address & (size - 1)) == 0);
    return (uint32_t)(address - Q35_ECAM_BASE);
}

uint64_t test_mmio_read(uint64_t address, unsigned size)
{
    uint32_t offset = offset_of(address, size);
    if (!present(offset >> 12))
        return UINT64_MAX;
    const uint32_t *value = find(offset & ~3u, false);
    uint32_t whole = value ? *value : input_register(offset & ~3u);
    return whole >> 8 * (offset & 3);
}

/* BARs keep what their size lets them: the size and the kind are the input's. */
static uint32_t kept(uint32_t offset, uint32_t value)
{
    unsigned at = offset & 0xFFF;
    if (at < 0x10 || at >= 0x28)
        return value;
    uint32_t shape = input_register(offset) * 2654435761u;
    uint32_t fixed = (1u << (shape >> 27)) - 1;
    return (value & ~(fixed | 15)) | (shape & 15);
}

void test_mmio_write(uint64_t address, unsigned size, uint64_t value)
{
    uint32_t offset = offset_of(address, size), shift = 8 * (offset & 3);
    uint32_t *to = find(offset & ~3u, true);
    uint32_t mask = (size == 4 ? UINT32_MAX : (1u << 8 * size) - 1) << shift;
    if (to)
        *to = kept(offset & ~3u, (*to & ~mask) | ((uint32_t)value << shift & mask));
}

uint32_t test_port_read(uint16_t port, unsigned size)
{
    abort();
}

void test_port_write(uint16_t port, unsigned size, uint32_t value)
{
    abort();
}

static bool inside(uint64_t base, uint64_t size, uint64_t from, uint64_t end)
{
    return base >= from && base < end && size <= end - base;
}

static void check_bar(const struct pci_function *f, const struct pci_bar *bar)
{
    struct pci_window io = pci_window(PCI_WINDOW_IO), low = pci_window(PCI_WINDOW_LOW),
                      high = pci_window(PCI_WINDOW_HIGH);
    CHECK(bar->size != 0 && bar->base % bar->size == 0);
    if (bar->io)
        CHECK(inside(bar->base, bar->size, io.base, io.end));
    else
        CHECK(inside(bar->base, bar->size, low.base, low.end) ||
              (bar->wide && inside(bar->base, bar->size, high.base, high.end)));
    const struct pci_bridge *bridge = &pci_bridges[pci_bus_of[f - pci_functions]];
    bool in = bridge == &pci_bridges[0];
    for (unsigned kind = 0; kind < PCI_KINDS; kind++)
        in |= bridge->size[kind] != 0 && (kind == PCI_KIND_IO) == bar->io &&
              inside(bar->base, bar->size, bridge->base[kind],
                     bridge->base[kind] + bridge->size[kind]);
    CHECK(in);
}

static void check_apart(const struct pci_bar *a, const struct pci_bar *b)
{
    CHECK(a->io != b->io || a->base + a->size <= b->base || b->base + b->size <= a->base);
}

static void check_bridges(void)
{
    for (size_t i = 1; i < pci_bridge_count; i++) {
        const struct pci_bridge *bridge = &pci_bridges[i], *parent = &pci_bridges[bridge->parent];
        CHECK(bridge->parent < i);
        for (unsigned kind = 0; kind < PCI_KINDS && bridge->parent != 0; kind++)
            CHECK(bridge->size[kind] == 0 ||
                  inside(bridge->base[kind], bridge->size[kind], parent->base[kind],
                         parent->base[kind] + parent->size[kind]));
    }
}

static void check_function(size_t index)
{
    struct pci_function *f = &pci_functions[index];
    for (uint8_t id = 0; id < CAPABILITY_IDS; id++)
        (void)pci_capability(f->address, id, pci_capability(f->address, id, 0));
    for (unsigned i = 0; i < PCI_BARS; i++) {
        if (f->bars[i].base == 0)
            continue;
        check_bar(f, &f->bars[i]);
        for (size_t other = 0; other <= index; other++)
            for (unsigned j = 0; j < (other == index ? i : PCI_BARS); j++)
                if (pci_functions[other].bars[j].base != 0)
                    check_apart(&f->bars[i], &pci_functions[other].bars[j]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= HEADER)
        return 0;
    input = data;
    input_size = size;
    memset(written, 0, sizeof(written));
    pci_init();
    CHECK(pci_function_count <= PCI_FUNCTIONS_MAX && pci_bridge_count <= PCI_BRIDGES_MAX);
    check_bridges();
    for (size_t i = 0; i < pci_function_count; i++)
        check_function(i);
    return 0;
}
