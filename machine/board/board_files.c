/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What fw_cfg tells the firmware: sizes, the kernel to boot, the memory map, tables.
 */
#include "machine/board/board_state.h"

#include <stdio.h>
#include <string.h>

enum { SETUP_SECTORS = 0x1F1, BOOT_FLAG = 0x1FE, SETUP_MAGIC = 0x202 };

/* Where QEMU says the parts go; firmware uses its own places. */
#define KERNEL_ADDRESS  0x100000u
#define CMDLINE_ADDRESS 0x20000u
#define SETUP_ADDRESS   0x10000u

static void put(uint8_t *bytes, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> i * 8);
}

/*
 * Linux boot protocol 1.1: setup sectors, 0 meaning 4, after the boot sector. Other files (EFI
 * programs of every kind) have no setup part: firmware puts the parts together again anyway.
 */
static size_t setup_size(const struct board_blob *kernel)
{
    size_t sectors;

    if (kernel->size < SETUP_MAGIC + 4 || memcmp(kernel->data + SETUP_MAGIC, "HdrS", 4) != 0 ||
        kernel->data[BOOT_FLAG] != 0x55 || kernel->data[BOOT_FLAG + 1] != 0xAA)
        return 0;
    sectors = kernel->data[SETUP_SECTORS] ? kernel->data[SETUP_SECTORS] : 4;
    return (sectors + 1) * 512 < kernel->size ? (sectors + 1) * 512 : 0;
}

bool board_firmware_is_legacy(const struct board_blob *firmware)
{
    const uint8_t *vector = firmware->data + firmware->size - 16;

    return firmware->size >= 16 && vector[0] == 0xEA && vector[3] == 0x00 && vector[4] == 0xF0;
}

/* The header stays as it is in the file: patching would break hashes and signatures. */
static bool add_kernel(struct board *board, char *error, size_t error_size)
{
    const struct board_config *config = &board->config;
    const struct board_blob *kernel = &config->kernel, *initrd = &config->initrd;
    const char *line = config->command_line ? config->command_line : "";
    struct fw_cfg *fw_cfg = &board->fw_cfg;
    size_t setup;

    if (!kernel->data)
        return true;
    if (board_firmware_is_legacy(&config->firmware)) {
        snprintf(error, error_size,
                 "kernel: a legacy BIOS starts no kernel by itself; use a UEFI firmware or a disk");
        return false;
    }
    setup = setup_size(kernel);
    if (kernel->size > UINT32_MAX || initrd->size > UINT32_MAX) {
        snprintf(error, error_size, "kernel: it, or the initrd, has 4 GiB or more");
        return false;
    }
    fw_cfg_add_number(fw_cfg, FW_CFG_SETUP_ADDRESS, SETUP_ADDRESS, 4);
    fw_cfg_add_number(fw_cfg, FW_CFG_SETUP_SIZE, setup, 4);
    fw_cfg_add(fw_cfg, FW_CFG_SETUP_DATA, kernel->data, setup);
    fw_cfg_add_number(fw_cfg, FW_CFG_KERNEL_ADDRESS, KERNEL_ADDRESS, 4);
    fw_cfg_add_number(fw_cfg, FW_CFG_KERNEL_SIZE, kernel->size - setup, 4);
    fw_cfg_add(fw_cfg, FW_CFG_KERNEL_DATA, kernel->data + setup, kernel->size - setup);
    fw_cfg_add_number(fw_cfg, FW_CFG_CMDLINE_ADDRESS, CMDLINE_ADDRESS, 4);
    fw_cfg_add_number(fw_cfg, FW_CFG_CMDLINE_SIZE, strlen(line) + 1, 4);
    fw_cfg_add(fw_cfg, FW_CFG_CMDLINE_DATA, line, strlen(line) + 1);
    if (initrd->size) {
        uint64_t top = board->ram_low - initrd->size;

        fw_cfg_add_number(fw_cfg, FW_CFG_INITRD_ADDRESS,
                          initrd->size < board->ram_low ? top & ~UINT64_C(0xFFF) : 0, 4);
        fw_cfg_add_number(fw_cfg, FW_CFG_INITRD_SIZE, initrd->size, 4);
        fw_cfg_add(fw_cfg, FW_CFG_INITRD_DATA, initrd->data, initrd->size);
    }
    return true;
}

/* e820 entry: u64 base, u64 length, u32 type (1: RAM). */
static void add_memory_map(struct board *board)
{
    const uint64_t ranges[2][2] = { { 0, board->ram_low },
                                    { UINT64_C(0x100000000), board->ram_high } };
    unsigned count = board->ram_high ? 2 : 1;

    for (unsigned i = 0; i < count; i++) {
        put(board->e820 + i * 20, ranges[i][0], 8);
        put(board->e820 + i * 20 + 8, ranges[i][1], 8);
        put(board->e820 + i * 20 + 16, 1, 4);
    }
    fw_cfg_add_file(&board->fw_cfg, "etc/e820", board->e820, (size_t)count * 20, NULL, NULL);
}

bool board_add_files(struct board *board, char *error, size_t error_size)
{
    /* Sleep states: none but S5. Byte i says S(i); bit 7: offered, low bits: SLP_TYP. */
    static const uint8_t system_states[6] = { 0x80, 0, 0, 0, 0, 0x80 };
    static const uint8_t boot_fail_wait[4] = { 0xFF, 0xFF, 0xFF, 0xFF }; /* never reboot */
    static const uint8_t serial_console[2] = { 0xF8, 0x03 }; /* SeaBIOS: no display but this */
    static const uint8_t pvpanic_port[2] = { PVPANIC_PORT & 0xFF, PVPANIC_PORT >> 8 };
    struct fw_cfg *fw_cfg = &board->fw_cfg;

    fw_cfg_add_number(fw_cfg, FW_CFG_RAM_SIZE, board->config.ram_size, 8);
    fw_cfg_add_number(fw_cfg, FW_CFG_NOGRAPHIC, 1, 2);
    fw_cfg_add_number(fw_cfg, FW_CFG_CPUS, board->processors, 2);
    fw_cfg_add_number(fw_cfg, FW_CFG_MAX_CPUS, board->processors, 2);
    fw_cfg_add_number(fw_cfg, FW_CFG_BOOT_MENU, 0, 2);
    add_memory_map(board);
    fw_cfg_add_file(fw_cfg, "etc/system-states", system_states, sizeof(system_states), NULL, NULL);
    fw_cfg_add_file(fw_cfg, "etc/boot-fail-wait", boot_fail_wait, sizeof(boot_fail_wait), NULL,
                    NULL);
    fw_cfg_add_file(fw_cfg, "etc/sercon-port", serial_console, sizeof(serial_console), NULL, NULL);
    if (board->config.display)
        ramfb_init(&board->ramfb, fw_cfg);
    fw_cfg_add_file(fw_cfg, "etc/pvpanic-port", pvpanic_port, sizeof(pvpanic_port), NULL, NULL);
    return add_kernel(board, error, error_size);
}

bool board_add_extra_files(struct board *board, char *error, size_t error_size)
{
    for (unsigned i = 0; i < board->config.file_count; i++) {
        const struct board_file *file = &board->config.files[i];

        if (fw_cfg_has_file(&board->fw_cfg, file->name))
            return board_fail(error, error_size, "fw_cfg: there is a file %s already", file->name);
        if (!fw_cfg_add_file(&board->fw_cfg, file->name, file->content.data, file->content.size,
                             NULL, NULL))
            return board_fail(error, error_size, "fw_cfg: no room for %s", file->name);
    }
    return true;
}
