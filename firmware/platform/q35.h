/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The board: QEMU's q35, its fixed addresses and the chip set registers the firmware programs. */
#ifndef PRIVET_FIRMWARE_Q35_H
#define PRIVET_FIRMWARE_Q35_H

#include <stdint.h>

#define Q35_DEVICES_BASE 0xB0000000ull /* no RAM from here to 4 GiB */
#define Q35_ECAM_BASE 0xB0000000ull    /* PCI configuration space, 256 buses */
#define Q35_ECAM_SIZE 0x10000000ull
#define Q35_MMIO_BASE 0xC0000000ull    /* window for PCI memory BARs */
#define Q35_MMIO_END 0xFEC00000ull
#define Q35_IO_BASE 0x6000u            /* window for PCI I/O BARs */
#define Q35_IO_END 0x10000u
#define Q35_APIC_BASE 0xFEE00000ull
#define Q35_PM_BASE 0x600u             /* ACPI power management ports */
#define Q35_PM_CONTROL (Q35_PM_BASE + 4)
#define Q35_PM_TIMER (Q35_PM_BASE + 8) /* 24 bits, 3.579545 MHz */
#define Q35_RCBA 0xFED1C000u           /* chipset registers */
#define Q35_IOAPIC_BASE 0xFEC00000ull
#define Q35_HPET_BASE 0xFED00000ull    /* if there is one */
#define Q35_PANIC_PORT 0x505u          /* pvpanic, if there is one */

/* Checks that this is a q35 and programs PMBASE, ECAM, interrupt routing; masks the old PICs. */
void q35_init(void);
/* Usable width of physical addresses, C-bit excluded: 36 to 46. */
unsigned q35_address_bits(void);

#endif
