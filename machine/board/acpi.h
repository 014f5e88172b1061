/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The board's ACPI tables (ACPI 6.4 chapter 5) and the script by which firmware places them, as
 * QEMU's fw_cfg files etc/acpi/tables, etc/acpi/rsdp and etc/table-loader. Private to
 * machine/board.
 */
#ifndef PRIVET_MACHINE_ACPI_H
#define PRIVET_MACHINE_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct acpi_config {
    unsigned processors;
    uint64_t ecam_base, ecam_size;
    uint32_t pci32_base, pci32_limit;    /* inclusive */
    uint64_t pci64_base, pci64_size;     /* size 0: no window */
    uint16_t sci;
};

/* Owned by the caller; acpi_free. */
struct acpi_blobs {
    uint8_t *tables, *rsdp, *loader;
    size_t tables_size, rsdp_size, loader_size;
};

/* False: out of memory, or the tables outgrew their room. */
bool acpi_build(const struct acpi_config *config, struct acpi_blobs *ret);
void acpi_free(struct acpi_blobs *blobs);

#endif
