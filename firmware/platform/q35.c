/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Board set-up, by configuration ports only: the ECAM works after this. */
#include "firmware/platform/q35.h"

#include "firmware/arch/cpu.h"
#include "firmware/arch/io.h"
#include "firmware/lib/log.h"
#include "firmware/platform/pci.h"
#include "firmware/sev/sev.h"

enum {
    HOST_BRIDGE_ID = 0x29C08086, LPC_DEVICE = 31,
    MCH_PCIEXBAR = 0x60, LPC_PM_BASE = 0x40, LPC_ACPI_CONTROL = 0x44, LPC_ACPI_ENABLE = 0x80,
    LPC_PIRQ_A = 0x60, LPC_PIRQ_E = 0x68,
    LPC_RCBA = 0xF0, /* chipset registers: operating systems look there for the watchdog */
    /* PIRQ A, B to IRQ 10, C, D to IRQ 11; the same for E to H (see pci_interrupt_line). */
    PIRQ_ROUTES = 0x0B0B0A0A,
    PM_SCI_ENABLE = 1, PIC_MASTER = 0x21, PIC_SLAVE = 0xA1,
};

unsigned q35_address_bits(void)
{
    unsigned bits = 36;

    if (cpuid(0x80000000, 0).eax >= 0x80000008) {
        bits = cpuid(0x80000008, 0).eax & 0xFF;
    }
    while (sev_c_mask() != 0 && bits > 36 && (1ull << (bits - 1)) >= sev_c_mask()) {
        bits--;
    }
    return bits < 36 ? 36 : bits > 46 ? 46 : bits;
}

void q35_init(void)
{
    const uint16_t bridge = pci_address(0, 0, 0), lpc = pci_address(0, LPC_DEVICE, 0);
    uint32_t id = pci_port_read32(bridge, 0);

    if (id != HOST_BRIDGE_ID) {
        panic("this firmware is for QEMU's q35 machine; the host bridge here is %04x:%04x",
              id & 0xFFFF, id >> 16);
    }
    out8(PIC_MASTER, 0xFF);
    out8(PIC_SLAVE, 0xFF);
    pci_port_write32(lpc, LPC_PM_BASE, Q35_PM_BASE | 1);
    pci_port_write32(lpc, LPC_ACPI_CONTROL,
                     pci_port_read32(lpc, LPC_ACPI_CONTROL) | LPC_ACPI_ENABLE);
    pci_port_write32(lpc, LPC_RCBA, Q35_RCBA | 1);
    pci_port_write32(lpc, LPC_PIRQ_A, PIRQ_ROUTES);
    pci_port_write32(lpc, LPC_PIRQ_E, PIRQ_ROUTES);
    pci_port_write32(bridge, MCH_PCIEXBAR + 4, (uint32_t)(Q35_ECAM_BASE >> 32));
    pci_port_write32(bridge, MCH_PCIEXBAR, (uint32_t)Q35_ECAM_BASE | 1);
    out16(Q35_PM_CONTROL, in16(Q35_PM_CONTROL) | PM_SCI_ENABLE);
}
