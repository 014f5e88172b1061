/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * PCI configuration space and enumeration: depth first over bridges, each bridge getting the next
 * bus number, whatever it says of itself. Every function's BARs are sized on the way.
 */
#include "firmware/platform/pci.h"

#include "firmware/arch/io.h"
#include "firmware/lib/log.h"
#include "firmware/platform/pci_tree.h"
#include "firmware/platform/q35.h"

enum {
    CONFIG_ADDRESS = 0xCF8, CONFIG_DATA = 0xCFC,
    PCI_ID = 0x00, PCI_COMMAND = 0x04, PCI_STATUS = 0x06, PCI_CLASS = 0x08, PCI_HEADER = 0x0E,
    PCI_BUSES = 0x18, PCI_CAPABILITIES = 0x34, PCI_INTERRUPT_LINE = 0x3C, PCI_INTERRUPT_PIN = 0x3D,
    COMMAND_IO = 1, COMMAND_MEMORY = 2, COMMAND_MASTER = 4, STATUS_CAPABILITIES = 0x10,
    HEADER_MULTI = 0x80, HEADER_BRIDGE = 1, BAR_IO = 1, BAR_WIDE = 4, BAR_PREFETCHABLE = 8,
    CAPABILITY_SHPC = 0x0C, CAPABILITY_EXPRESS = 0x10, EXPRESS_FLAGS = 2, EXPRESS_SLOT = 0x14,
    EXPRESS_HAS_SLOT = 0x100, SLOT_HOTPLUG = 0x40, BUSES_MAX = 256,
    CAPABILITY_VENDOR = 0x09, CAPABILITIES_MAX = 48, VENDOR_REDHAT = 0x1B36,
    HINTS_LENGTH = 32, HINTS_RESERVATION = 1, HOTPLUG_IO = 0x1000, HOTPLUG_MEMORY = 0x200000,
};
#define RESERVE_MAX (1ull << 46) /* no address is wider */

struct pci_function pci_functions[PCI_FUNCTIONS_MAX];
uint8_t pci_bus_of[PCI_FUNCTIONS_MAX];
size_t pci_function_count;
struct pci_bridge pci_bridges[PCI_BRIDGES_MAX];
size_t pci_bridge_count;
static unsigned last_bus;

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
        bar->prefetchable = !bar->io && (mask & BAR_PREFETCHABLE) != 0;
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
        i += bar->wide;
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

/* Does a device find room behind the bridge while the machine runs? */
static bool takes_hotplug(uint16_t address)
{
    unsigned express = pci_capability(address, CAPABILITY_EXPRESS, 0);

    if (express == 0) {
        return pci_capability(address, CAPABILITY_SHPC, 0) != 0;
    }
    return (pci_read16(address, express + EXPRESS_FLAGS) & EXPRESS_HAS_SLOT) != 0
           && (pci_read32(address, express + EXPRESS_SLOT) & SLOT_HOTPLUG) != 0;
}

static uint64_t read64(uint16_t address, unsigned offset)
{
    return pci_read32(address, offset) | (uint64_t)pci_read32(address, offset + 4) << 32;
}

/* QEMU's capability with the host's wishes for a bridge (QEMU docs/pcie_pci_bridge.txt); 0: none. */
static unsigned find_hints(uint16_t address)
{
    unsigned at = 0;

    if (pci_read16(address, PCI_ID) != VENDOR_REDHAT) {
        return 0;
    }
    for (unsigned i = 0; i < CAPABILITIES_MAX; i++) {
        at = pci_capability(address, CAPABILITY_VENDOR, at);
        if (at == 0 || (pci_read8(address, at + 2) >= HINTS_LENGTH
                        && pci_read8(address, at + 3) == HINTS_RESERVATION)) {
            break;
        }
    }
    return at;
}

/* A hint in bytes as a power of two; all ones: no hint. */
static void take_hint(uint64_t *reserve, uint64_t hint, uint64_t none)
{
    if (hint == none) {
        return;
    }
    *reserve = 1;
    while (*reserve < hint && *reserve < RESERVE_MAX) {
        *reserve *= 2;
    }
    *reserve = hint == 0 ? 0 : *reserve;
}

static void find_reservations(struct pci_bridge *bridge, unsigned hints)
{
    uint64_t prefetch32 = 0;

    if (takes_hotplug(bridge->address)) {
        bridge->reserve[PCI_KIND_IO] = HOTPLUG_IO;
        bridge->reserve[PCI_KIND_MEMORY] = bridge->reserve[PCI_KIND_WIDE] = HOTPLUG_MEMORY;
    }
    if (hints == 0) {
        return;
    }
    take_hint(&bridge->reserve[PCI_KIND_IO], read64(bridge->address, hints + 8), UINT64_MAX);
    take_hint(&bridge->reserve[PCI_KIND_MEMORY], pci_read32(bridge->address, hints + 16),
              UINT32_MAX);
    take_hint(&prefetch32, pci_read32(bridge->address, hints + 20), UINT32_MAX);
    take_hint(&bridge->reserve[PCI_KIND_WIDE], read64(bridge->address, hints + 24), UINT64_MAX);
    if (bridge->reserve[PCI_KIND_WIDE] < prefetch32) {
        bridge->reserve[PCI_KIND_WIDE] = prefetch32;
    }
}

/* Bus numbers for bridges that come later. */
static void reserve_buses(unsigned secondary, uint32_t count)
{
    if (count < BUSES_MAX - secondary && secondary + count - 1 > last_bus) {
        last_bus = secondary + count - 1;
    }
}

/* Which windows the bridge has: those whose base can be written (PCI bridge 1.2 3.2.5). */
static void probe_windows(struct pci_bridge *bridge)
{
    pci_write16(bridge->address, PCI_IO_WINDOW, 0xF0);
    pci_write32(bridge->address, PCI_PREFETCH_WINDOW, 0xFFF0);
    uint32_t prefetch = pci_read32(bridge->address, PCI_PREFETCH_WINDOW);
    bridge->opens[PCI_KIND_IO] = (pci_read16(bridge->address, PCI_IO_WINDOW) & 0xF0) != 0;
    bridge->opens[PCI_KIND_MEMORY] = true;
    bridge->opens[PCI_KIND_WIDE] = (prefetch & 0xFFF0) != 0 && (prefetch & 15) == 1
                                   && pci_bridges[bridge->parent].opens[PCI_KIND_WIDE];
}

static void scan_bus(unsigned bus, uint8_t bridge);

static void open_bridge(uint16_t address, uint8_t parent)
{
    if (pci_bridge_count == PCI_BRIDGES_MAX || last_bus + 1 == BUSES_MAX) {
        log_line("PCI: too many bridges, what lies behind " PCI_PLACE " is ignored",
                 PCI_PLACE_OF(address));
        return;
    }
    uint8_t index = (uint8_t)pci_bridge_count++;
    unsigned secondary = ++last_bus;
    unsigned hints = find_hints(address);
    pci_bridges[index] = (struct pci_bridge){ .parent = parent, .address = address };
    find_reservations(&pci_bridges[index], hints);
    probe_windows(&pci_bridges[index]);
    pci_write32(address, PCI_BUSES, 0xFF0000u | secondary << 8 | address >> 8);
    scan_bus(secondary, index);
    if (hints != 0 && pci_read32(address, hints + 4) != 0) {
        reserve_buses(secondary, pci_read32(address, hints + 4));
    }
    pci_write32(address, PCI_BUSES, last_bus << 16 | secondary << 8 | address >> 8);
}

static bool is_bridge(uint16_t address)
{
    return (pci_read8(address, PCI_HEADER) & 0x7F) == HEADER_BRIDGE;
}

static bool probe(uint16_t address, uint8_t bridge)
{
    uint32_t id = pci_read32(address, PCI_ID);

    if ((id & 0xFFFF) == 0xFFFF || (id & 0xFFFF) == 0) {
        return false;
    }
    if (pci_function_count == PCI_FUNCTIONS_MAX) {
        log_line("PCI: more than %d functions, " PCI_PLACE " is ignored", PCI_FUNCTIONS_MAX,
                 PCI_PLACE_OF(address));
        return false;
    }
    pci_bus_of[pci_function_count] = bridge;
    struct pci_function *f = &pci_functions[pci_function_count++];
    *f = (struct pci_function){ .address = address, .vendor = (uint16_t)id,
                                .device = (uint16_t)(id >> 16),
                                .class_code = pci_read32(address, PCI_CLASS) >> 8 };
    uint16_t command = pci_read16(address, PCI_COMMAND);
    pci_write16(address, PCI_COMMAND, command & (uint16_t)~(COMMAND_IO | COMMAND_MEMORY));
    size_bars(f, is_bridge(address) ? 2 : PCI_BARS);
    return true;
}

static void scan_bus(unsigned bus, uint8_t bridge)
{
    size_t first = pci_function_count;

    for (unsigned device = 0; device < 32; device++) {
        uint16_t address = pci_address(bus, device, 0);
        if (!probe(address, bridge) || (pci_read8(address, PCI_HEADER) & HEADER_MULTI) == 0) {
            continue;
        }
        for (unsigned function = 1; function < 8; function++) {
            (void)probe(pci_address(bus, device, function), bridge);
        }
    }
    size_t end = pci_function_count;
    for (size_t i = first; i < end; i++) {
        if (is_bridge(pci_functions[i].address)) {
            open_bridge(pci_functions[i].address, bridge);
        }
    }
}

void pci_init(void)
{
    pci_function_count = 0;
    pci_bridges[0] = (struct pci_bridge){ .opens = { true, true, true } };
    pci_bridge_count = 1;
    last_bus = 0;
    scan_bus(0, 0);
    pci_assign_resources();
    for (size_t i = 0; i < pci_function_count; i++) {
        uint16_t address = pci_functions[i].address;
        route_interrupt(&pci_functions[i]);
        pci_write16(address, PCI_COMMAND, pci_read16(address, PCI_COMMAND) | COMMAND_IO
                    | COMMAND_MEMORY | COMMAND_MASTER);
    }
    log_debug("PCI: %lu functions on %u buses", pci_function_count, last_bus + 1);
}

bool pci_function_at(size_t index, const struct pci_function **ret)
{
    if (index >= pci_function_count) {
        return false;
    }
    *ret = &pci_functions[index];
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
