/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Host bridge and LPC bridge. The PAM registers route 0xC0000 to 0xFFFFF to RAM or ROM; SMRAM is
 * kept without effect, as there is no SMM. Intel 3 Series MCH data sheet 5.1; ICH9 13.1.
 */
#include "machine/board/q35.h"

#include <string.h>

enum { MCH_PCIEXBAR = 0x60, MCH_PAM = 0x90, MCH_SMRAM = 0x9D };
enum { LPC_PMBASE = 0x40, LPC_ACPI_CONTROL = 0x44, LPC_PIRQ_A = 0x60, LPC_PIRQ_E = 0x68,
       LPC_GEN_PMCON_1 = 0xA0, LPC_RCBA = 0xF0 };
enum { ACPI_CONTROL_ENABLE = 0x80 };

#define ADDRESS_ENABLE 0x80000000u
#define RCBA_ENABLE    1u
#define RCBA_ADDRESS   0xFFFFC000u
#define LEGACY_BASE    0xC0000u
#define LEGACY_SIZE    0x40000u
#define MCH_PAM_COUNT  7u

static void open_register(struct pci_function *function, unsigned offset, unsigned size)
{
    memset(function->writable + offset, 0xFF, size);
}

/* --- configuration access --- */

static uint64_t ports_read(void *context, uint64_t offset, unsigned size)
{
    struct q35 *q35 = context;

    if (offset < 4) {
        if (size == 4)
            return q35->address;
        return offset == 1 && size == 1 ? acpi_pm_read_reset(q35->pm) : UINT64_MAX;
    }
    if (!(q35->address & ADDRESS_ENABLE) || (q35->address >> 16 & 0xFF))
        return UINT64_MAX;
    return pci_config_read(&q35->pci, (uint8_t)(q35->address >> 8),
                           (q35->address & 0xFC) | (unsigned)(offset & 3), size);
}

static void ports_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct q35 *q35 = context;

    if (offset < 4) {
        if (size == 4)
            q35->address = (uint32_t)value & 0x80FFFFFCu;
        else if (offset == 1 && size == 1)
            acpi_pm_write_reset(q35->pm, (uint8_t)value);
        return;
    }
    if ((q35->address & ADDRESS_ENABLE) && !(q35->address >> 16 & 0xFF))
        pci_config_write(&q35->pci, (uint8_t)(q35->address >> 8),
                         (q35->address & 0xFC) | (unsigned)(offset & 3), (uint32_t)value, size);
}

/* ECAM: bus << 20 | devfn << 12 | register; only bus 0 has functions. */
static uint64_t ecam_read(void *context, uint64_t offset, unsigned size)
{
    struct q35 *q35 = context;

    if (offset >> 20)
        return UINT64_MAX;
    return pci_config_read(&q35->pci, (uint8_t)(offset >> 12), (unsigned)(offset & 0xFFF), size);
}

static void ecam_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct q35 *q35 = context;

    if (!(offset >> 20))
        pci_config_write(&q35->pci, (uint8_t)(offset >> 12), (unsigned)(offset & 0xFFF),
                         (uint32_t)value, size);
}

static void map_ecam(struct q35 *q35)
{
    uint32_t low = pci_get(&q35->mch, MCH_PCIEXBAR, 4);
    uint64_t size = low >> 1 & 3 ? (low >> 1 & 3) == 1 ? 128u << 20 : 64u << 20 : 256u << 20;
    uint64_t base = (low & ~(size - 1)) | (uint64_t)(pci_get(&q35->mch, MCH_PCIEXBAR + 4, 4) & 0xF)
                                              << 32;
    struct bus_range range = { base, size, 4, ecam_read, ecam_write, q35 };

    if (!(low & 1) || (low >> 1 & 3) == 3)
        size = 0;
    if (size == q35->ecam_size && base == q35->ecam_base)
        return;
    if (q35->ecam_size)
        bus_release(q35->bus, BUS_MMIO, q35->ecam_base, q35);
    q35->ecam_base = base;
    q35->ecam_size = size && bus_claim(q35->bus, BUS_MMIO, &range) ? size : 0;
}

/* --- memory below 1 MiB --- */

/* A nibble of a PAM register: bit 0 routes reads to RAM, bit 1 writes (data sheet 5.1.20). */
static void route_memory(struct q35 *q35)
{
    const uint8_t *pam = q35->mch.config + MCH_PAM;

    memory_route(q35->bus->memory, 0xF0000, 0x10000, pam[0] >> 4 & 3);
    for (unsigned i = 0; i < 12; i++)
        memory_route(q35->bus->memory, 0xC0000 + i * 0x4000, 0x4000,
                     pam[1 + i / 2] >> (i & 1) * 4 & 3);
}

/* What is not readable there is nothing; writes reach RAM if they are routed to it. */
static uint64_t legacy_read(void *context, uint64_t offset, unsigned size)
{
    return UINT64_MAX;
}

static void legacy_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct q35 *q35 = context;
    uint8_t byte = (uint8_t)value;

    memory_write_shadow(q35->bus->memory, LEGACY_BASE + offset, &byte, 1);
}

static void mch_written(void *context, unsigned offset, unsigned size)
{
    if (offset < MCH_PAM + MCH_PAM_COUNT && offset + size > MCH_PAM)
        route_memory(context);
    if (offset >= MCH_PCIEXBAR && offset < MCH_PCIEXBAR + 8)
        map_ecam(context);
}

/* --- LPC --- */

static void lpc_written(void *context, unsigned offset, unsigned size)
{
    struct q35 *q35 = context;
    bool on = q35->lpc.config[LPC_ACPI_CONTROL] & ACPI_CONTROL_ENABLE;

    uint16_t base = on ? (uint16_t)(pci_get(&q35->lpc, LPC_PMBASE, 2) & 0xFF80) : 0;
    uint32_t rcba = pci_get(&q35->lpc, LPC_RCBA, 4);

    acpi_pm_map(q35->pm, base);
    tco_map(q35->tco, base);
    tco_map_chipset(q35->tco, rcba & RCBA_ENABLE ? rcba & RCBA_ADDRESS : 0);
    for (unsigned pirq = 0; pirq < PCI_PIRQ_COUNT; pirq++)
        pci_route(&q35->pci, pirq,
                  q35->lpc.config[(pirq < 4 ? LPC_PIRQ_A : LPC_PIRQ_E - 4) + pirq]);
}

static void init_mch(struct q35 *q35)
{
    struct pci_function *mch = &q35->mch;

    pci_function_init(mch, 0x8086, 0x29C0, 0x060000, 0);
    pci_set(mch, PCI_SUBSYSTEM_VENDOR, 0x1AF4, 2);
    pci_set(mch, PCI_SUBSYSTEM_ID, 0x1100, 2);
    open_register(mch, 0x50, 2); /* firmware asks for QEMU's TSEG extension by 0xFFFF: not here */
    open_register(mch, MCH_PCIEXBAR, 8);
    for (unsigned i = 0; i < MCH_PAM_COUNT; i++)
        mch->writable[MCH_PAM + i] = i ? 0x33 : 0x30;
    open_register(mch, 0x9C, 3);
    mch->written = mch_written;
    mch->context = q35;
}

static void init_lpc(struct q35 *q35)
{
    struct pci_function *lpc = &q35->lpc;

    pci_function_init(lpc, 0x8086, 0x2918, 0x060100, 2);
    pci_set(lpc, PCI_SUBSYSTEM_VENDOR, 0x1AF4, 2);
    pci_set(lpc, PCI_SUBSYSTEM_ID, 0x1100, 2);
    pci_set(lpc, PCI_HEADER_TYPE, 0x80, 1);
    lpc->writable[LPC_PMBASE] = 0x80;
    lpc->writable[LPC_PMBASE + 1] = 0xFF;
    lpc->writable[LPC_ACPI_CONTROL] = 0x87;
    for (unsigned i = 0; i < 4; i++)
        lpc->writable[LPC_PIRQ_A + i] = lpc->writable[LPC_PIRQ_E + i] = 0x8F;
    open_register(lpc, LPC_GEN_PMCON_1, 2);
    open_register(lpc, 0x80, 16); /* decode ranges of super I/O chips that are not there */
    open_register(lpc, LPC_RCBA, 4);
    lpc->written = lpc_written;
    lpc->context = q35;
}

static void reset(void *context)
{
    struct q35 *q35 = context;

    q35->address = 0;
    pci_set(&q35->mch, MCH_PCIEXBAR, 0, 4);
    pci_set(&q35->mch, MCH_PCIEXBAR + 4, 0, 4);
    pci_set(&q35->mch, 0x50, 0, 2);
    memset(q35->mch.config + MCH_PAM, 0, MCH_PAM_COUNT);
    route_memory(q35);
    pci_set(&q35->mch, 0x9C, 0, 1);
    pci_set(&q35->mch, MCH_SMRAM, 2, 1);
    pci_set(&q35->mch, MCH_SMRAM + 1, 0x38, 1);
    map_ecam(q35);
    pci_set(&q35->lpc, LPC_PMBASE, 1, 4);
    pci_set(&q35->lpc, LPC_ACPI_CONTROL, 0, 1);
    memset(q35->lpc.config + LPC_PIRQ_A, 0x80, 4);
    memset(q35->lpc.config + LPC_PIRQ_E, 0x80, 4);
    pci_set(&q35->lpc, LPC_GEN_PMCON_1, 0, 2);
    pci_set(&q35->lpc, LPC_RCBA, 0, 4);
    lpc_written(q35, 0, 4);
    for (unsigned i = 0; i < q35->pci.count; i++)
        pci_function_reset(q35->pci.function[i]);
    /* The bridges decode without being told so. */
    pci_set(&q35->mch, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    pci_set(&q35->lpc, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

void q35_init(struct q35 *q35, struct bus *bus, struct acpi_pm *pm, struct tco *tco)
{
    const struct bus_range ports = { 0xCF8, 8, 4, ports_read, ports_write, q35 };
    const struct bus_range legacy = { LEGACY_BASE, LEGACY_SIZE, 1, legacy_read, legacy_write, q35 };

    memset(q35, 0, sizeof(*q35));
    q35->bus = bus;
    q35->pm = pm;
    q35->tco = tco;
    pci_root_init(&q35->pci, bus);
    init_mch(q35);
    init_lpc(q35);
    pci_attach(&q35->pci, &q35->mch, PCI_DEVFN(0, 0));
    pci_attach(&q35->pci, &q35->lpc, PCI_DEVFN(31, 0));
    bus_claim(bus, BUS_PORTS, &ports);
    bus_claim(bus, BUS_MMIO, &legacy);
    bus_on_reset(bus, reset, q35);
}
