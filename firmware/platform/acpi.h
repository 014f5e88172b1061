/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* ACPI tables by the host's table-loader script. */
#ifndef PRIVET_FIRMWARE_ACPI_H
#define PRIVET_FIRMWARE_ACPI_H

/* After pci_init (the tables describe its result) and uefi_init. Without a script: no tables. */
void acpi_init(void);

#endif
