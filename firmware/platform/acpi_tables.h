/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's own ACPI tables: a description of the q35 board that contains nothing of the
 * host's but what `struct acpi_board` says. Pure: who asks the hardware is acpi_builtin.c.
 */
#ifndef PRIVET_FIRMWARE_ACPI_TABLES_H
#define PRIVET_FIRMWARE_ACPI_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_PROCESSORS_MAX 1024u

struct acpi_board {
    unsigned processors; /* 1 to ACPI_PROCESSORS_MAX */
    /* How processor numbers become APIC ids: threads of a core, cores of a package, and where core
       and package begin in the id (CPUID leaf 0xB, APM 3 E.3.8). */
    unsigned threads, cores, core_shift, package_shift;
    uint64_t high_base, high_end; /* PCI memory above 4 GiB; the same: none */
    uint32_t hpet;                /* its capability register's lower half; 0: no HPET */
    bool keyboard;                /* an 8042 */
    bool panic_port;              /* pvpanic */
};

/* Bytes that are enough for acpi_tables_build. */
size_t acpi_tables_size(const struct acpi_board *board);
/* Builds all tables in zeroed memory at its own address, below 4 GiB; returns the RSDP. */
uint8_t *acpi_tables_build(const struct acpi_board *board, uint8_t *memory, size_t size);

#endif
