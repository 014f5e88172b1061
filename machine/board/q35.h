/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The chip set around the PCI bus: memory controller hub 8086:29C0 at 00:00.0, ICH9 LPC bridge
 * 8086:2918 at 00:1f.0, configuration access by ports 0xCF8/0xCFC and by ECAM.
 */
#ifndef PRIVET_MACHINE_BOARD_Q35_H
#define PRIVET_MACHINE_BOARD_Q35_H

#include "machine/board/acpi_pm.h"
#include "machine/board/tco.h"
#include "machine/devices/pci.h"

struct q35 {
    struct bus *bus;
    struct acpi_pm *pm;
    struct tco *tco;
    struct pci_root pci;
    struct pci_function mch, lpc;
    uint32_t address; /* port 0xCF8 */
    uint64_t ecam_base, ecam_size; /* size 0: off */
};

void q35_init(struct q35 *q35, struct bus *bus, struct acpi_pm *pm, struct tco *tco);

#endif
