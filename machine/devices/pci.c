/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Configuration space and BAR mapping. After each change of a command register or BAR all BARs are
 * mapped anew in a fixed order; one that overlaps something else stays unmapped until that changes.
 */
#include "machine/devices/pci.h"

#include <string.h>

uint32_t pci_get(const struct pci_function *function, unsigned offset, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)function->config[offset + i] << i * 8;
    return value;
}

void pci_set(struct pci_function *function, unsigned offset, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        function->config[offset + i] = (uint8_t)(value >> i * 8);
}

static void set_writable(struct pci_function *function, unsigned offset, uint32_t mask,
                         unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        function->writable[offset + i] = (uint8_t)(mask >> i * 8);
}

void pci_root_init(struct pci_root *root, struct bus *bus)
{
    memset(root, 0, sizeof(*root));
    root->bus = bus;
    memset(root->route, 0x80, sizeof(root->route));
}

/* As QEMU's q35: the reset values of ICH9's device interrupt routes (10.1.33), 30 a bridge. */
unsigned pci_pirq(unsigned device, unsigned pin)
{
    if (device < 25)
        return 4 + (device + pin - 1) % 4;
    return device == 30 ? 4 + pin - 1 : pin - 1;
}

void pci_function_init(struct pci_function *function, uint16_t vendor, uint16_t device,
                       uint32_t class_code, uint8_t revision)
{
    memset(function, 0, sizeof(*function));
    pci_set(function, PCI_VENDOR_ID, vendor, 2);
    pci_set(function, PCI_DEVICE_ID, device, 2);
    pci_set(function, PCI_REVISION, revision, 1);
    pci_set(function, PCI_CLASS, class_code, 3);
    set_writable(function, PCI_COMMAND,
                 PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | 0x140 |
                     PCI_COMMAND_INTX_OFF, 2);
    set_writable(function, 0x0C, 0xFF, 1); /* cache line size */
    set_writable(function, PCI_INTERRUPT_LINE, 0xFF, 1);
}

bool pci_attach(struct pci_root *root, struct pci_function *function, uint8_t devfn)
{
    for (unsigned i = 0; i < root->count; i++)
        if (root->function[i]->devfn == devfn)
            return false;
    if (root->count == PCI_MAX_FUNCTIONS)
        return false;
    function->root = root;
    function->devfn = devfn;
    root->function[root->count++] = function;
    return true;
}

void pci_bar_init(struct pci_function *function, unsigned index, uint64_t size, uint32_t flags,
                  bus_read_fn *read, bus_write_fn *write, void *context, unsigned max_access)
{
    struct pci_bar *bar = &function->bar[index];
    unsigned offset = PCI_BAR0 + index * 4;

    bar->size = size;
    bar->flags = flags;
    bar->range = (struct bus_range){ 0, size, max_access, read, write, context };
    pci_set(function, offset, flags, 4);
    set_writable(function, offset, (uint32_t)~(size - 1), 4);
    if (flags & 4)
        set_writable(function, offset + 4, (uint32_t)(~(size - 1) >> 32), 4);
}

void pci_add_capability(struct pci_function *function, unsigned offset, uint8_t id)
{
    unsigned last = PCI_CAPABILITIES;

    while (function->config[last])
        last = function->config[last] + 1u;
    function->config[last] = (uint8_t)offset;
    function->config[offset] = id;
    function->config[PCI_STATUS] |= PCI_STATUS_CAPS;
}

uint64_t pci_bar_address(const struct pci_function *function, unsigned index)
{
    const struct pci_bar *bar = &function->bar[index];
    unsigned offset = PCI_BAR0 + index * 4;

    if (bar->size == 0)
        return 0;
    return (pci_get(function, offset, 4) & ~(bar->size - 1)) |
           (bar->flags & 4 ? (uint64_t)pci_get(function, offset + 4, 4) << 32 : 0);
}

static bool decoded(const struct pci_function *function, const struct pci_bar *bar)
{
    return function->config[PCI_COMMAND] & (bar->flags & 1 ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
}

static enum bus_space space_of(const struct pci_bar *bar)
{
    return bar->flags & 1 ? BUS_PORTS : BUS_MMIO;
}

static void map_bar(struct pci_function *function, unsigned index)
{
    struct pci_bar *bar = &function->bar[index];
    uint64_t limit = bar->flags & 1 ? 0xFFFF : bar->flags & 4 ? UINT64_MAX : UINT32_MAX;
    uint64_t address = pci_bar_address(function, index);

    if (address == 0 || !decoded(function, bar) || address > limit - (bar->size - 1))
        return;
    bar->range.base = address;
    bar->mapped = bus_claim(function->root->bus, space_of(bar), &bar->range);
    if (!bar->mapped)
        bus_complain_once(function->root->bus, &function->root->said_overlap, "pci",
                          "BAR %u of 00:%02x.%x at 0x%llx overlaps what is there: not decoded",
                          index, function->devfn >> 3, function->devfn & 7u,
                          (unsigned long long)address);
}

static void unmap_bar(struct pci_function *function, unsigned index)
{
    struct pci_bar *bar = &function->bar[index];

    if (bar->mapped)
        bus_release(function->root->bus, space_of(bar), bar->range.base, bar->range.context);
    bar->mapped = false;
}

static void map_all(struct pci_root *root)
{
    for (unsigned i = 0; i < root->count * PCI_BAR_COUNT; i++)
        unmap_bar(root->function[i / PCI_BAR_COUNT], i % PCI_BAR_COUNT);
    for (unsigned i = 0; i < root->count * PCI_BAR_COUNT; i++)
        map_bar(root->function[i / PCI_BAR_COUNT], i % PCI_BAR_COUNT);
}

static struct pci_function *find(struct pci_root *root, uint8_t devfn)
{
    for (unsigned i = 0; i < root->count; i++)
        if (root->function[i]->devfn == devfn)
            return root->function[i];
    return NULL;
}

/* ISA lines are shared by all PIRQs that are routed to them. */
static void update_isa(struct pci_root *root)
{
    bool level[16] = { false };

    for (unsigned pirq = 0; pirq < PCI_PIRQ_COUNT; pirq++)
        if (root->route[pirq] < 16 && root->asserted[pirq])
            level[root->route[pirq]] = true;
    for (unsigned irq = 3; irq < 16; irq++)
        bus_line(root->bus, irq, BUS_DRIVER_PCI_ISA, level[irq]);
}

void pci_route(struct pci_root *root, unsigned pirq, uint8_t route)
{
    root->route[pirq] = route & 0x8F;
    update_isa(root);
}

static void update_interrupt(struct pci_function *function)
{
    struct pci_root *root = function->root;
    unsigned pin = function->config[PCI_INTERRUPT_PIN], pirq, index = 0;
    bool off = pci_get(function, PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF;

    function->config[PCI_STATUS] = (uint8_t)((function->config[PCI_STATUS] &
                                              ~PCI_STATUS_INTERRUPT) |
                                             (function->interrupt ? PCI_STATUS_INTERRUPT : 0));
    if (pin == 0)
        return;
    while (root->function[index] != function)
        index++;
    pirq = pci_pirq(function->devfn >> 3, pin);
    root->asserted[pirq] &= (uint16_t) ~(1u << index);
    if (function->interrupt && !off)
        root->asserted[pirq] |= (uint16_t)(1u << index);
    bus_line(root->bus, 16 + pirq, BUS_DRIVER_PCI_GSI, root->asserted[pirq] != 0);
    update_isa(root);
}

void pci_interrupt(struct pci_function *function, bool level)
{
    if (function->interrupt == level)
        return;
    function->interrupt = level;
    update_interrupt(function);
}

bool pci_is_master(const struct pci_function *function)
{
    return function->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

uint32_t pci_config_read(struct pci_root *root, uint8_t devfn, unsigned offset, unsigned size)
{
    struct pci_function *function = find(root, devfn);

    if (!function || offset + size > PCI_CONFIG_SIZE)
        return UINT32_MAX;
    if (function->reading)
        function->reading(function->context, offset, size);
    return pci_get(function, offset, size);
}

void pci_config_write(struct pci_root *root, uint8_t devfn, unsigned offset, uint32_t value,
                      unsigned size)
{
    struct pci_function *function = find(root, devfn);

    if (!function || offset + size > PCI_CONFIG_SIZE)
        return;
    for (unsigned i = 0; i < size; i++) {
        uint8_t mask = function->writable[offset + i];
        uint8_t old = function->config[offset + i];

        function->config[offset + i] = (uint8_t)((old & ~mask) | (value >> i * 8 & mask));
    }
    if (offset < PCI_BAR0 + PCI_BAR_COUNT * 4 && offset + size > PCI_COMMAND) {
        map_all(root);
        update_interrupt(function);
    }
    if (function->written)
        function->written(function->context, offset, size);
}

void pci_function_reset(struct pci_function *function)
{
    pci_set(function, PCI_COMMAND, 0, 2);
    pci_set(function, PCI_INTERRUPT_LINE, 0, 1);
    for (unsigned i = 0; i < PCI_BAR_COUNT; i++) {
        const struct pci_bar *bar = &function->bar[i];

        if (bar->size == 0)
            continue;
        pci_set(function, PCI_BAR0 + i * 4, bar->flags, 4);
        if (bar->flags & 4)
            pci_set(function, PCI_BAR0 + (i + 1) * 4, 0, 4);
    }
    function->interrupt = false;
    map_all(function->root);
    update_interrupt(function);
}
