/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Places of BARs and bridge windows. Windows are sized from the leaves to the root, then placed from
 * the root to the leaves, by one and the same layout: largest alignment first. Ports for hot-plug
 * get room in advance, as OVMF's. Sizes are the host's: what does not fit stays without address and
 * is named; reservations go first.
 */
#include "firmware/arch/paging.h"
#include "firmware/lib/log.h"
#include "firmware/platform/memory_map.h"
#include "firmware/platform/pci_tree.h"
#include "firmware/platform/q35.h"

enum { PAGE = 4096, ITEMS_MAX = PCI_FUNCTIONS_MAX * PCI_BARS + PCI_BRIDGES_MAX };

/* PCI-to-PCI bridge specification 1.2 3.2.5: granularity of bridge windows. */
static const uint64_t grain[PCI_KINDS] = { 0x1000, 0x100000, 0x100000 };

/* A BAR or the window of a bridge, to be placed on the bus above it. */
struct item {
    uint64_t size, align;
    struct pci_function *function; /* NULL: a bridge */
    struct pci_bridge *bridge;
    uint8_t bar;
};

/* A range that fills upward. */
struct space {
    uint64_t next, end;
};

static struct item items[ITEMS_MAX];
static size_t item_count;
static struct space io_space, low_space, high_space;
static uint64_t high_base;
static bool reserve[PCI_KINDS];

struct pci_window pci_window(enum pci_window_kind kind)
{
    switch (kind) {
    case PCI_WINDOW_IO:
        return (struct pci_window){ Q35_IO_BASE, Q35_IO_END };
    case PCI_WINDOW_LOW:
        return (struct pci_window){ Q35_MMIO_BASE, Q35_MMIO_END };
    case PCI_WINDOW_HIGH:
        return (struct pci_window){ high_base, high_space.next };
    default:
        return (struct pci_window){ 0, 256 };
    }
}

struct pci_window pci_high_space(void)
{
    uint64_t end = high_space.end > high_base ? high_space.end : high_base;

    return (struct pci_window){ high_base, end };
}

/* 0: no room. */
static uint64_t take(struct space *space, uint64_t size, uint64_t align)
{
    uint64_t base = (space->next + align - 1) & ~(align - 1);

    if (base < space->next || base >= space->end || size > space->end - base) {
        return 0;
    }
    space->next = base + size;
    return base;
}

/* Which of a bus's windows a BAR goes to. Behind bridges only prefetchable BARs may lie high. */
static enum pci_kind kind_of(const struct pci_bar *bar, size_t bus)
{
    if (bar->io) {
        return PCI_KIND_IO;
    }
    bool wide = bar->wide && (bus == 0 || bar->prefetchable) && pci_bridges[bus].opens[PCI_KIND_WIDE];
    return wide ? PCI_KIND_WIDE : PCI_KIND_MEMORY;
}

static void add_item(struct item item)
{
    size_t at = item_count++;

    for (; at > 0 && items[at - 1].align < item.align; at--) {
        items[at] = items[at - 1];
    }
    items[at] = item;
}

/* All that lies on a bus and is of one kind, largest alignment first. */
static void collect(size_t bus, enum pci_kind kind)
{
    item_count = 0;
    for (size_t i = 0; i < pci_function_count; i++) {
        for (uint8_t b = 0; pci_bus_of[i] == bus && b < PCI_BARS; b++) {
            const struct pci_bar *bar = &pci_functions[i].bars[b];
            if (bar->size == 0 || kind_of(bar, bus) != kind) {
                continue;
            }
            uint64_t align = bar->io || bar->size > PAGE ? bar->size : PAGE; /* a page for itself */
            add_item((struct item){ bar->size, align, &pci_functions[i], NULL, b });
        }
    }
    for (size_t i = bus + 1; i < pci_bridge_count; i++) {
        struct pci_bridge *bridge = &pci_bridges[i];
        if (bridge->parent == bus && bridge->size[kind] != 0) {
            add_item((struct item){ bridge->size[kind], bridge->align[kind], NULL, bridge, 0 });
        }
    }
}

static void size_window(size_t bus, enum pci_kind kind)
{
    struct pci_bridge *bridge = &pci_bridges[bus];
    struct space space = { 0, UINT64_MAX / 2 };
    bool fits = true;

    bridge->size[kind] = 0;
    bridge->align[kind] = grain[kind];
    if (!bridge->opens[kind]) {
        return;
    }
    collect(bus, kind);
    space.next = grain[kind]; /* not 0, which take() keeps for failure */
    if (item_count != 0 && items[0].align > grain[kind]) {
        bridge->align[kind] = items[0].align;
        space.next = items[0].align;
    }
    uint64_t start = space.next;
    for (size_t i = 0; i < item_count; i++) {
        fits &= take(&space, items[i].size, items[i].align) != 0;
    }
    uint64_t size = space.next - start;
    if (reserve[kind] && size < bridge->reserve[kind]) {
        size = bridge->reserve[kind];
        bridge->align[kind] = size > bridge->align[kind] ? size : bridge->align[kind];
    }
    bridge->size[kind] = fits ? (size + grain[kind] - 1) & ~(grain[kind] - 1) : UINT64_MAX / 2;
}

static void write_bar(const struct pci_function *f, unsigned index)
{
    const struct pci_bar *bar = &f->bars[index];

    pci_write32(f->address, PCI_BAR + 4 * index, (uint32_t)bar->base);
    if (bar->wide) {
        pci_write32(f->address, PCI_BAR + 4 * index + 4, (uint32_t)(bar->base >> 32));
    }
}

static void place_bar(struct pci_function *f, unsigned index, uint64_t base)
{
    struct pci_bar *bar = &f->bars[index];

    bar->base = base;
    if (base == 0) {
        log_line("PCI " PCI_PLACE ": no room for BAR %u of 0x%lx bytes",
                 PCI_PLACE_OF(f->address), index, bar->size);
        bar->size = 0;
    }
    write_bar(f, index);
}

static void place_item(const struct item *item, enum pci_kind kind, uint64_t base)
{
    if (item->function != NULL) {
        place_bar(item->function, item->bar, base);
    } else {
        item->bridge->base[kind] = base;
        item->bridge->size[kind] = base == 0 ? 0 : item->size;
    }
}

/* The root's spaces; what may lie high comes last and lies low while it fits. */
static void place_on_root(enum pci_kind kind)
{
    collect(0, kind);
    for (size_t i = 0; i < item_count; i++) {
        const struct item *item = &items[i];
        uint64_t base = take(kind == PCI_KIND_IO ? &io_space : &low_space, item->size, item->align);
        if (base == 0 && kind == PCI_KIND_WIDE) {
            base = take(&high_space, item->size, item->align);
            if (base != 0) {
                paging_map_device(base, item->size);
            }
        }
        place_item(item, kind, base);
    }
}

static void place_behind(size_t bus, enum pci_kind kind)
{
    const struct pci_bridge *bridge = &pci_bridges[bus];
    struct space space = { bridge->base[kind], bridge->base[kind] + bridge->size[kind] };

    collect(bus, kind);
    for (size_t i = 0; i < item_count; i++) {
        place_item(&items[i], kind, take(&space, items[i].size, items[i].align));
    }
}

/* An empty window is written with its limit below its base. */
static void write_windows(const struct pci_bridge *bridge)
{
    uint64_t base[PCI_KINDS] = { 0xF000, 0xFFF00000, 0xFFF00000 }, last[PCI_KINDS] = { 0 };

    for (unsigned kind = 0; kind < PCI_KINDS; kind++) {
        if (bridge->size[kind] != 0) {
            base[kind] = bridge->base[kind];
            last[kind] = bridge->base[kind] + bridge->size[kind] - 1;
        }
    }
    pci_write16(bridge->address, PCI_IO_WINDOW,
                (uint16_t)((last[PCI_KIND_IO] & 0xF000) | (base[PCI_KIND_IO] >> 8 & 0xF0)));
    pci_write32(bridge->address, PCI_IO_UPPER, 0);
    pci_write32(bridge->address, PCI_MEMORY_WINDOW,
                (uint32_t)((last[PCI_KIND_MEMORY] & 0xFFF00000)
                           | (base[PCI_KIND_MEMORY] >> 16 & 0xFFF0)));
    pci_write32(bridge->address, PCI_PREFETCH_WINDOW,
                (uint32_t)((last[PCI_KIND_WIDE] & 0xFFF00000)
                           | (base[PCI_KIND_WIDE] >> 16 & 0xFFF0)));
    pci_write32(bridge->address, PCI_PREFETCH_UPPER, (uint32_t)(base[PCI_KIND_WIDE] >> 32));
    pci_write32(bridge->address, PCI_PREFETCH_LIMIT_UPPER, (uint32_t)(last[PCI_KIND_WIDE] >> 32));
}

/* All windows of a kind; if the reservations are too much, without them. */
static void size_windows(enum pci_kind kind, uint64_t room)
{
    reserve[kind] = true;
    for (;;) {
        for (size_t bus = pci_bridge_count; bus-- > 0;) {
            size_window(bus, kind);
        }
        if (!reserve[kind] || pci_bridges[0].size[kind] <= room) {
            return;
        }
        reserve[kind] = false;
    }
}

void pci_assign_resources(void)
{
    uint64_t limit = 1ull << q35_address_bits(), granule = 1ull << 35;

    high_base = (memory_map_top() + granule - 1) & ~(granule - 1);
    uint64_t reserved = memory_map_reserved_after(high_base);
    io_space = (struct space){ Q35_IO_BASE, Q35_IO_END };
    low_space = (struct space){ Q35_MMIO_BASE, Q35_MMIO_END };
    high_space = (struct space){ high_base, reserved < limit ? reserved : limit };
    size_windows(PCI_KIND_IO, Q35_IO_END - Q35_IO_BASE);
    size_windows(PCI_KIND_MEMORY, Q35_MMIO_END - Q35_MMIO_BASE);
    size_windows(PCI_KIND_WIDE, high_space.end - high_space.next);
    for (unsigned kind = 0; kind < PCI_KINDS; kind++) {
        place_on_root(kind);
    }
    for (size_t bus = 1; bus < pci_bridge_count; bus++) {
        for (unsigned kind = 0; kind < PCI_KINDS; kind++) {
            place_behind(bus, kind);
        }
        write_windows(&pci_bridges[bus]);
    }
}
