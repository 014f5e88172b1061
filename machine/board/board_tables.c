/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * ACPI and SMBIOS as fw_cfg files. The ACPI tables tell where the firmware put ECAM and the PCI
 * windows, so they are built when the firmware asks for them. Their size is the same each time,
 * because firmware may have read the directory before.
 */
#include "machine/board/board_state.h"

#include <stdio.h>
#include <string.h>

#define FOUR_GIB     UINT64_C(0x100000000)
#define WINDOW64     (UINT64_C(32) << 30) /* size and alignment, as QEMU's q35 */
#define WINDOW32_END 0xFEBFFFFFu          /* the I/O APIC follows */

static const char tables_name[] = "etc/acpi/tables";
static const char rsdp_name[] = "etc/acpi/rsdp";
static const char loader_name[] = "etc/table-loader";

/*
 * Lowest address in [from, to) that a memory BAR is set to, or `to`. Decoding may be off: OVMF
 * switches it on when a driver starts the device.
 */
static uint64_t lowest_bar(const struct board *board, uint64_t from, uint64_t to)
{
    const struct pci_root *pci = &board->q35.pci;
    uint64_t lowest = to;

    for (unsigned i = 0; i < pci->count * PCI_BAR_COUNT; i++) {
        const struct pci_function *function = pci->function[i / PCI_BAR_COUNT];
        uint64_t address = pci_bar_address(function, i % PCI_BAR_COUNT);

        if (!(function->bar[i % PCI_BAR_COUNT].flags & 1) && address >= from && address < lowest)
            lowest = address;
    }
    return lowest;
}

/* The 32-bit window lies on that side of ECAM where the firmware put BARs, else on top. */
static void choose_windows(const struct board *board, struct acpi_config *config)
{
    uint64_t ecam_end = config->ecam_base + config->ecam_size, high;
    bool below = lowest_bar(board, board->ram_low, config->ecam_base) < config->ecam_base;

    if (config->ecam_base > board->ram_low && (below || ecam_end >= WINDOW32_END / 16 * 15)) {
        config->pci32_base = (uint32_t)board->ram_low;
        config->pci32_limit = (uint32_t)(config->ecam_base - 1);
    } else {
        config->pci32_base = (uint32_t)ecam_end;
        config->pci32_limit = WINDOW32_END;
    }
    high = (FOUR_GIB + board->ram_high + WINDOW64 - 1) / WINDOW64 * WINDOW64;
    config->pci64_base = lowest_bar(board, FOUR_GIB + board->ram_high, UINT64_MAX);
    if (config->pci64_base == UINT64_MAX)
        config->pci64_base = high;
    config->pci64_base &= ~(UINT64_C(0x40000000) - 1);
    config->pci64_size = WINDOW64;
}

static struct acpi_config current_config(const struct board *board)
{
    const struct q35 *q35 = &board->q35;
    struct acpi_config config;
    bool ecam = q35->ecam_size && q35->ecam_base >= board->ram_low &&
                q35->ecam_base + q35->ecam_size <= WINDOW32_END;

    memset(&config, 0, sizeof(config)); /* compared as bytes, padding too */
    config.processors = board->processors;
    config.sci = ACPI_PM_SCI;
    config.ecam_base = ecam ? q35->ecam_base : 0xB0000000u;
    config.ecam_size = ecam ? q35->ecam_size : 256u << 20;
    choose_windows(board, &config);
    return config;
}

static bool rebuild(struct board *board)
{
    struct acpi_config config = current_config(board);
    struct acpi_blobs blobs;

    if (memcmp(&config, &board->acpi_config, sizeof(config)) == 0)
        return true;
    if (!acpi_build(&config, &blobs))
        return false;
    fw_cfg_set_file(&board->fw_cfg, tables_name, blobs.tables, blobs.tables_size);
    fw_cfg_set_file(&board->fw_cfg, rsdp_name, blobs.rsdp, blobs.rsdp_size);
    fw_cfg_set_file(&board->fw_cfg, loader_name, blobs.loader, blobs.loader_size);
    acpi_free(&board->acpi);
    board->acpi = blobs;
    board->acpi_config = config;
    return true;
}

static void on_select(void *context)
{
    rebuild(context); /* out of memory: the tables stay as they were */
}

bool board_add_tables(struct board *board, char *error, size_t error_size)
{
    struct fw_cfg *fw_cfg = &board->fw_cfg;
    struct smbios_blobs *smbios = &board->smbios;

    fw_cfg_add_file(fw_cfg, tables_name, NULL, 0, on_select, board);
    fw_cfg_add_file(fw_cfg, rsdp_name, NULL, 0, on_select, board);
    fw_cfg_add_file(fw_cfg, loader_name, NULL, 0, on_select, board);
    if (!rebuild(board) || !smbios_build(board->config.ram_size, board->processors, smbios)) {
        snprintf(error, error_size, "board: no memory for ACPI and SMBIOS tables");
        return false;
    }
    fw_cfg_add_file(fw_cfg, "etc/smbios/smbios-anchor", smbios->anchor, smbios->anchor_size, NULL,
                    NULL);
    fw_cfg_add_file(fw_cfg, "etc/smbios/smbios-tables", smbios->tables, smbios->tables_size, NULL,
                    NULL);
    return true;
}

void board_free_tables(struct board *board)
{
    acpi_free(&board->acpi);
    smbios_free(&board->smbios);
}
