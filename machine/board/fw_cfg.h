/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * QEMU's firmware configuration device: numbered items and a directory of named files, read by
 * port (0x510, 0x511) or DMA (0x514). QEMU docs/specs/fw_cfg.
 */
#ifndef PRIVET_MACHINE_BOARD_FW_CFG_H
#define PRIVET_MACHINE_BOARD_FW_CFG_H

#include "machine/devices/bus.h"

#define FW_CFG_MAX_FILES  32u
#define FW_CFG_FILE_FIRST 0x20u
#define FW_CFG_NAME_SIZE  56u

enum fw_cfg_key {
    FW_CFG_SIGNATURE = 0x00, FW_CFG_ID = 0x01, FW_CFG_UUID = 0x02, FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04, FW_CFG_CPUS = 0x05, FW_CFG_KERNEL_ADDRESS = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08, FW_CFG_INITRD_ADDRESS = 0x0A, FW_CFG_INITRD_SIZE = 0x0B,
    FW_CFG_BOOT_MENU = 0x0E, FW_CFG_MAX_CPUS = 0x0F, FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12, FW_CFG_CMDLINE_ADDRESS = 0x13, FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15, FW_CFG_SETUP_ADDRESS = 0x16, FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18, FW_CFG_DIRECTORY = 0x19,
};

struct fw_cfg_item {
    const uint8_t *data; /* owned by whoever added it */
    uint8_t *writable;   /* the same bytes if the guest may write them by DMA, else NULL */
    uint32_t size;
    /* Called when the item is selected, before its first byte is read; may be NULL. */
    void (*select)(void *context);
    void *context;
    char name[FW_CFG_NAME_SIZE]; /* of a file */
};

struct fw_cfg {
    struct bus *bus;
    struct fw_cfg_item item[FW_CFG_FILE_FIRST + FW_CFG_MAX_FILES];
    unsigned file_count;
    uint8_t directory[4 + FW_CFG_MAX_FILES * 64];
    uint8_t numbers[FW_CFG_FILE_FIRST][8]; /* small items live here */
    bool said_descriptor, said_copy, said_write; /* a complaint each, once */
    uint16_t selected;
    uint64_t position, dma_address;
};

void fw_cfg_init(struct fw_cfg *fw_cfg, struct bus *bus);
/* `data` must stay; an item of more than 4 GiB - 1 bytes is refused with false. */
bool fw_cfg_add(struct fw_cfg *fw_cfg, enum fw_cfg_key key, const void *data, size_t size);
/* A little-endian number of `size` bytes. */
void fw_cfg_add_number(struct fw_cfg *fw_cfg, enum fw_cfg_key key, uint64_t value, unsigned size);
/* Files are kept sorted by name. `select`: see struct fw_cfg_item. */
bool fw_cfg_add_file(struct fw_cfg *fw_cfg, const char *name, const void *data, size_t size,
                     void (*select)(void *context), void *context);
/* A file whose bytes the guest may change, in place; its size stays. Nothing else can be written. */
bool fw_cfg_add_writable_file(struct fw_cfg *fw_cfg, const char *name, uint8_t *data, size_t size);
bool fw_cfg_has_file(const struct fw_cfg *fw_cfg, const char *name);
/* Replaces the content of a file that exists. */
void fw_cfg_set_file(struct fw_cfg *fw_cfg, const char *name, const void *data, size_t size);

#endif
