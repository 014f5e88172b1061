/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What firmware would have done by the time a kernel runs, for kernels that are started without
 * one: the chip set's address decoding, the boot processor's local APIC, ACPI tables in memory.
 */
#include <string.h>

#include "machine/board/board_state.h"

#define RSDP_ADDRESS 0xE0000u /* in the range that is searched: ACPI 6.4 5.2.5.1 */
#define TABLES_ROOM  0x10000u /* at the end of low memory */
#define PM_BASE      0x600u

/* QEMU's table-loader script: commands of 128 bytes, file names of 56. */
enum { COMMAND_SIZE = 128, NAME_SIZE = 56 };
enum { ADD_POINTER = 2, ADD_CHECKSUM = 3 };

/* A file of the script, as a copy to be patched. */
struct table_file {
    const char *name;
    uint8_t *data;
    size_t size;
    uint64_t gpa;
};

struct tables {
    struct table_file file[2]; /* the tables, the RSDP */
    uint8_t content[TABLES_ROOM];
    uint8_t rsdp[64];
};

static uint64_t get(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;
    for (unsigned n = 0; n < size; n++)
        value |= (uint64_t)bytes[n] << (8 * n);
    return value;
}

static struct table_file *find_file(struct tables *tables, const uint8_t *name)
{
    for (unsigned n = 0; n < 2; n++) {
        if (strncmp(tables->file[n].name, (const char *)name, NAME_SIZE) == 0)
            return &tables->file[n];
    }
    return NULL;
}

/* A table offset becomes an address. */
static void add_pointer(struct tables *tables, const uint8_t *command)
{
    struct table_file *to = find_file(tables, command + 4);
    struct table_file *from = find_file(tables, command + 4 + NAME_SIZE);
    uint64_t offset = get(command + 4 + 2 * NAME_SIZE, 4);
    unsigned size = command[4 + 2 * NAME_SIZE + 4];
    if (!to || !from || size > 8 || offset + size > to->size)
        return;
    uint64_t value = get(to->data + offset, size) + from->gpa;
    for (unsigned n = 0; n < size; n++)
        to->data[offset + n] = (uint8_t)(value >> (8 * n));
}

static void add_checksum(struct tables *tables, const uint8_t *command)
{
    struct table_file *file = find_file(tables, command + 4);
    uint64_t result = get(command + 4 + NAME_SIZE, 4);
    uint64_t start = get(command + 8 + NAME_SIZE, 4), length = get(command + 12 + NAME_SIZE, 4);
    uint8_t sum = 0;
    if (!file || result >= file->size || start + length > file->size)
        return;
    for (uint64_t n = start; n < start + length; n++)
        sum = (uint8_t)(sum + file->data[n]);
    file->data[result] = (uint8_t)(file->data[result] - sum);
}

static bool place_tables(struct board *board, uint64_t gpa)
{
    static struct tables tables; /* large for a stack; one guest is set up at a time */
    const struct acpi_blobs *acpi = &board->acpi;
    if (acpi->tables_size > sizeof(tables.content) || acpi->rsdp_size > sizeof(tables.rsdp))
        return false;
    memcpy(tables.content, acpi->tables, acpi->tables_size);
    memcpy(tables.rsdp, acpi->rsdp, acpi->rsdp_size);
    tables.file[0] = (struct table_file){"etc/acpi/tables", tables.content, acpi->tables_size, gpa};
    tables.file[1] =
        (struct table_file){"etc/acpi/rsdp", tables.rsdp, acpi->rsdp_size, RSDP_ADDRESS};
    for (size_t at = 0; at + COMMAND_SIZE <= acpi->loader_size; at += COMMAND_SIZE) {
        const uint8_t *command = acpi->loader + at;
        if (get(command, 4) == ADD_POINTER)
            add_pointer(&tables, command);
        else if (get(command, 4) == ADD_CHECKSUM)
            add_checksum(&tables, command);
    }
    for (unsigned n = 0; n < 2; n++) {
        const struct table_file *file = &tables.file[n];
        if (memory_write(board->memory, file->gpa, file->data, file->size, MEMORY_RAW) != 0)
            return false;
    }
    return true;
}

/* Intel 3 Series MCH 5.1, ICH9 13.1: ECAM, RAM instead of ROM below 1 MiB, PM block, PCI lines. */
static void set_up_chip_set(struct board *board)
{
    struct pci_root *pci = &board->q35.pci;
    const uint8_t mch = PCI_DEVFN(0, 0), lpc = PCI_DEVFN(31, 0);
    static const uint8_t lines[4] = {10, 10, 11, 11};
    pci_config_write(pci, mch, 0x60, (uint32_t)board->acpi_config.ecam_base | 1, 4);
    pci_config_write(pci, mch, 0x90, 0x30, 1);
    for (unsigned n = 1; n < 7; n++)
        pci_config_write(pci, mch, 0x90 + n, 0x33, 1);
    pci_config_write(pci, lpc, 0x40, PM_BASE | 1, 4);
    pci_config_write(pci, lpc, 0x44, 0x80, 1);
    for (unsigned n = 0; n < 4; n++) {
        pci_config_write(pci, lpc, 0x60 + n, lines[n], 1);
        pci_config_write(pci, lpc, 0x68 + n, lines[n], 1);
    }
}

/* APM 2 16.4: on, spurious vector 0xFF; the 8259 arrives by LINT0, NMI by LINT1. */
static void set_up_apic(struct board *board)
{
    const struct cpu_io *io = &board->processor[0].io;
    static const uint32_t registers[][2] = {
        {0xFEE000F0, 0x1FF}, {0xFEE00350, 0x700}, {0xFEE00360, 0x400}};
    for (unsigned n = 0; n < 3; n++)
        io->mmio_write(io->context, registers[n][0], registers[n][1], 4);
}

/* As a PC's BIOS: vectors 0x08 and 0x70; timer, keyboard, floppy disk and the second one on. */
static void set_up_pic(struct board *board)
{
    static const uint8_t writes[][2] = {{0x20, 0x11}, {0x21, 0x08}, {0x21, 4}, {0x21, 1},
                                        {0xA0, 0x11}, {0xA1, 0x70}, {0xA1, 2}, {0xA1, 1},
                                        {0x21, 0xB8}, {0xA1, 0x00}};
    for (unsigned n = 0; n < sizeof(writes) / sizeof(writes[0]); n++)
        bus_write(&board->bus, BUS_PORTS, writes[n][0], writes[n][1], 1);
}

bool board_prepare_direct(struct board *board, struct board_direct *ret)
{
    *ret = (struct board_direct){.ram_low = board->ram_low,
                                 .ram_high = board->ram_high,
                                 .tables = board->ram_low - TABLES_ROOM,
                                 .tables_size = TABLES_ROOM,
                                 .rsdp = RSDP_ADDRESS};
    set_up_chip_set(board);
    set_up_apic(board);
    set_up_pic(board);
    return place_tables(board, ret->tables);
}
