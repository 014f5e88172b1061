/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * ACPI tables: the host's, placed by its table-loader script, or the firmware's own, when the boot
 * is measured or the fw_cfg file opt/org.privet/acpi says "builtin".
 */
#ifndef PRIVET_FIRMWARE_ACPI_H
#define PRIVET_FIRMWARE_ACPI_H

/* After pci_init (the tables describe its result) and uefi_init. Without a script: no tables. */
void acpi_init(void);
/* The firmware's own tables, whatever the host offers; acpi_builtin.c. */
void acpi_builtin_init(void);

#endif
