/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * PCI enumeration and resource assignment: depth first over bridges, BARs placed largest first on
 * each bus. 64-bit BARs go below 4 GiB as well while they fit there. Sizes come from the host's
 * devices: each is bounded by its window, a BAR that does not fit is left unassigned and said so.
 */
#include "firmware/platform/pci.h"

#include "firmware/arch/io.h"
#include "firmware/arch/paging.h"
#include "firmware/lib/log.h"
#include "firmware/platform/memory_map.h"
#include "firmware/platform/q35.h"

enum {
    CONFIG_ADDRESS = 0xCF8, CONFIG_DATA = 0xCFC,
    PCI_ID = 0x00, PCI_COMMAND = 0x04, PCI_STATUS = 0x06, PCI_CLASS = 0x08, PCI_HEADER = 0x0E,
    PCI_BAR = 0x10, PCI_BUSES = 0x18, PCI_IO_WINDOW = 0x1C, PCI_MEMORY_WINDOW = 0x20,
    PCI_PREFETCH_WINDOW = 0x24, PCI_IO_UPPER = 0x30, PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3C, PCI_INTERRUPT_PIN = 0x3D,
    COMMAND_IO = 1, COMMAND_MEMORY = 2, COMMAND_MASTER = 4, STATUS_CAPABILITIES = 0x10,
    HEADER_MULTI = 0x80, HEADER_BRIDGE = 1, BAR_IO = 1, BAR_WIDE = 4,
    FUNCTIONS_MAX = 128, DEPTH_MAX = 8, BRIDGE_GRAIN = 0x100000, BRIDGE_IO_GRAIN = 0x1000,
};

/* A window that fills upward. */
struct window {
    uint64_t next, end;
};

static struct pci_function functions[FUNCTIONS_MAX];
static size_t function_count;
static unsigned next_bus;
static struct window io_window = { Q35_IO_BASE, Q35_IO_END };
static struct window low_window = { Q35_MMIO_BASE, Q35_MMIO_END };
static struct window high_window;

uint32_t pci_port_read32(uint16_t address, unsigned offset)
{
    out32(CONFIG_ADDRESS, 0x80000000u | (uint32_t)address << 8 | (offset & 0xFC));
    return in32(CONFIG_DATA);
}

void pci_port_write32(uint16_t address, unsigned offset, uint32_t value)
{
    out32(CONFIG_ADDRESS, 0x80000000u | (uint32_t)address << 8 | (offset & 0xFC));
    out32(CONFIG_DATA, value);
}

static uint64_t ecam(uint16_t address, unsigned offset)
{
    return Q35_ECAM_BASE + ((uint64_t)address << 12) + (offset & 0xFFF);
}

uint8_t pci_read8(uint16_t address, unsigned offset)
{
    return mmio_read8(ecam(address, offset));
}

uint16_t pci_read16(uint16_t address, unsigned offset)
{
    return mmio_read16(ecam(address, offset));
}

uint32_t pci_read32(uint16_t address, unsigned offset)
{
    return mmio_read32(ecam(address, offset));
}

void pci_write8(uint16_t address, unsigned offset, uint8_t value)
{
    mmio_write8(ecam(address, offset), value);
}

void pci_write16(uint16_t address, unsigned offset, uint16_t value)
{
    mmio_write16(ecam(address, offset), value);
}

void pci_write32(uint16_t address, unsigned offset, uint32_t value)
{
    mmio_write32(ecam(address, offset), value);
}

static uint64_t align_up(uint64_t value, uint64_t grain)
{
    return (value + grain - 1) & ~(grain - 1);
}

/* 0: does not fit. */
static uint64_t take(struct window *window, uint64_t size)
{
    uint64_t base = align_up(window->next, size);

    if (base < window->next || base >= window->end || size > window->end - base) {
        return 0;
    }
    window->next = base + size;
    return base;
}

static void size_bars(struct pci_function *f, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct pci_bar *bar = &f->bars[i];
        unsigned offset = PCI_BAR + 4 * i;
        pci_write32(f->address, offset, UINT32_MAX);
        uint32_t mask = pci_read32(f->address, offset);
        if (mask == 0) {
            continue;
        }
        bar->io = (mask & BAR_IO) != 0;
        bar->wide = !bar->io && (mask & 6) == BAR_WIDE && i + 1 < count;
        uint64_t bits = bar->io ? mask & ~3u : mask & ~15u;
        if (bar->wide) {
            pci_write32(f->address, offset + 4, UINT32_MAX);
            bits |= (uint64_t)pci_read32(f->address, offset + 4) << 32;
        } else if (bar->io) {
            bits |= 0xFFFFFFFFFFFF0000ull; /* the upper half may read as zero */
        } else {
            bits |= 0xFFFFFFFF00000000ull;
        }
        bar->size = bits & -bits; /* the lowest writable bit: always a power of two */
        if (!bar->io && bar->size != 0 && bar->size < 4096) {
            bar->size = 4096; /* no two devices in one page */
        }
        i += bar->wide;
    }
}

static void write_bar(const struct pci_function *f, unsigned index)
{
    const struct pci_bar *bar = &f->bars[index];

    pci_write32(f->address, PCI_BAR + 4 * index, (uint32_t)bar->base);
    if (bar->wide) {
        pci_write32(f->address, PCI_BAR + 4 * index + 4, (uint32_t)(bar->base >> 32));
    }
}

static void place_bar(struct pci_function *f, unsigned index, bool behind_bridge)
{
    struct pci_bar *bar = &f->bars[index];

    bar->base = take(bar->io ? &io_window : &low_window, bar->size);
    if (bar->base == 0 && bar->wide && !behind_bridge) {
        bar->base = take(&high_window, bar->size);
        if (bar->base != 0) {
            paging_map_device(bar->base, bar->size);
        }
    }
    if (bar->base == 0) {
        log_line("PCI %02x:%02x.%u: no room for BAR %u of 0x%lx bytes", f->address >> 8,
                 f->address >> 3 & 31, f->address & 7, index, bar->size);
        bar->size = 0;
    }
    write_bar(f, index);
}

/* Largest first wastes nothing to alignment. */
static void place_bus(size_t first, size_t end, bool behind_bridge)
{
    for (;;) {
        struct pci_function *best = NULL;
        unsigned index = 0;
        for (size_t i = first; i < end; i++) {
            for (unsigned b = 0; b < 6; b++) {
                const struct pci_bar *bar = &functions[i].bars[b];
                if (bar->size != 0 && bar->base == 0
                    && (best == NULL || bar->size > best->bars[index].size)) {
                    best = &functions[i];
                    index = b;
                }
            }
        }
        if (best == NULL) {
            return;
        }
        place_bar(best, index, behind_bridge);
    }
}

/*
 * ICH9: on bus 0, devices below 25 rotate over PIRQ E-H, the others take A-D in pin order. Routes
 * as q35_init set them; behind bridges the operating system uses the ACPI routing.
 */
static void route_interrupt(const struct pci_function *f)
{
    static const uint8_t routes[4] = { 10, 10, 11, 11 };
    uint8_t pin = pci_read8(f->address, PCI_INTERRUPT_PIN);
    unsigned device = f->address >> 3 & 31;

    if (pin >= 1 && pin <= 4) {
        unsigned line = device < 25 ? (device + pin - 1u) & 3 : pin - 1u;
        pci_write8(f->address, PCI_INTERRUPT_LINE, routes[line]);
    }
}

static void scan_bus(unsigned bus, unsigned depth);

static void open_bridge(uint16_t address, unsigned depth)
{
    unsigned secondary = ++next_bus;

    low_window.next = align_up(low_window.next, BRIDGE_GRAIN);
    io_window.next = align_up(io_window.next, BRIDGE_IO_GRAIN);
    uint64_t memory = low_window.next, io = io_window.next;
    pci_write32(address, PCI_BUSES, 0xFF0000u | secondary << 8 | address >> 8);
    scan_bus(secondary, depth + 1);
    pci_write32(address, PCI_BUSES, next_bus << 16 | secondary << 8 | address >> 8);
    low_window.next = align_up(low_window.next, BRIDGE_GRAIN);
    io_window.next = align_up(io_window.next, BRIDGE_IO_GRAIN);
    /* An empty window is written with its limit below its base. */
    pci_write32(address, PCI_MEMORY_WINDOW, memory == low_window.next ? 0x0000FFF0u
                : (uint32_t)((low_window.next - 1) & 0xFFF00000u) | (uint32_t)(memory >> 16));
    pci_write32(address, PCI_PREFETCH_WINDOW, 0x0000FFF0u);
    pci_write16(address, PCI_IO_WINDOW, io == io_window.next ? 0x00F0u
                : (uint16_t)(((io_window.next - 1) & 0xF000u) | io >> 8));
    pci_write32(address, PCI_IO_UPPER, 0);
}

static bool probe(uint16_t address)
{
    uint32_t id = pci_read32(address, PCI_ID);

    if ((id & 0xFFFF) == 0xFFFF || (id & 0xFFFF) == 0) {
        return false;
    }
    if (function_count == FUNCTIONS_MAX) {
        log_line("PCI: more than %d functions, the rest is ignored", FUNCTIONS_MAX);
        return false;
    }
    struct pci_function *f = &functions[function_count++];
    *f = (struct pci_function){ .address = address, .vendor = (uint16_t)id,
                                .device = (uint16_t)(id >> 16),
                                .class_code = pci_read32(address, PCI_CLASS) >> 8 };
    uint16_t command = pci_read16(address, PCI_COMMAND);
    pci_write16(address, PCI_COMMAND, command & (uint16_t)~(COMMAND_IO | COMMAND_MEMORY));
    size_bars(f, (pci_read8(address, PCI_HEADER) & 0x7F) == HEADER_BRIDGE ? 2 : 6);
    return true;
}

static void scan_bus(unsigned bus, unsigned depth)
{
    size_t first = function_count;

    for (unsigned device = 0; device < 32; device++) {
        uint16_t address = pci_address(bus, device, 0);
        if (!probe(address) || (pci_read8(address, PCI_HEADER) & HEADER_MULTI) == 0) {
            continue;
        }
        for (unsigned function = 1; function < 8; function++) {
            (void)probe(pci_address(bus, device, function));
        }
    }
    size_t end = function_count;
    place_bus(first, end, depth > 0);
    for (size_t i = first; i < end; i++) {
        uint16_t address = functions[i].address;
        route_interrupt(&functions[i]);
        if ((pci_read8(address, PCI_HEADER) & 0x7F) == HEADER_BRIDGE && depth < DEPTH_MAX
            && next_bus < 254) {
            open_bridge(address, depth);
        }
        pci_write16(address, PCI_COMMAND, pci_read16(address, PCI_COMMAND) | COMMAND_IO
                    | COMMAND_MEMORY | COMMAND_MASTER);
    }
}

void pci_init(void)
{
    uint64_t reserved, limit = 1ull << q35_address_bits();

    high_window.next = align_up(memory_map_top(), 1ull << 35);
    reserved = memory_map_reserved_after(high_window.next);
    high_window.end = reserved < limit ? reserved : limit;
    scan_bus(0, 0);
    log_debug("PCI: %lu functions on %u buses", function_count, next_bus + 1);
}

bool pci_function_at(size_t index, const struct pci_function **ret)
{
    if (index >= function_count) {
        return false;
    }
    *ret = &functions[index];
    return true;
}

unsigned pci_capability(uint16_t address, uint8_t id, unsigned start)
{
    unsigned offset = start != 0 ? pci_read8(address, start + 1)
                      : (pci_read16(address, PCI_STATUS) & STATUS_CAPABILITIES)
                          ? pci_read8(address, PCI_CAPABILITIES) : 0u;

    for (unsigned i = 0; i < 48 && (offset &= 0xFC) >= 0x40; i++) {
        if (pci_read8(address, offset) == id) {
            return offset;
        }
        offset = pci_read8(address, offset + 1);
    }
    return 0;
}
