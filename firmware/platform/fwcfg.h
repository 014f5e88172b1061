/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * QEMU's fw_cfg device. Everything it says comes from the host: sizes are bounded here, contents
 * are checked by whoever parses them, after they were copied to private memory.
 */
#ifndef PRIVET_FIRMWARE_FWCFG_H
#define PRIVET_FIRMWARE_FWCFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fwcfg_key {
    FWCFG_SIGNATURE = 0x00, FWCFG_ID = 0x01, FWCFG_CPU_COUNT = 0x05,
    FWCFG_KERNEL_SIZE = 0x08, FWCFG_INITRD_SIZE = 0x0B, FWCFG_BOOT_MENU = 0x0E,
    FWCFG_KERNEL_DATA = 0x11,
    FWCFG_INITRD_DATA = 0x12, FWCFG_CMDLINE_SIZE = 0x14, FWCFG_CMDLINE_DATA = 0x15,
    FWCFG_SETUP_SIZE = 0x17, FWCFG_SETUP_DATA = 0x18, FWCFG_DIRECTORY = 0x19,
};

#define FWCFG_NAME_SIZE 56u /* of a file, with the NUL */

/* Probes the device and reads its directory, by port only. false: absent. */
bool fwcfg_init(void);
/* From here on reads go by DMA through the shared pool, if the device can. After dma_init. */
void fwcfg_enable_dma(void);

/* The files of the directory that are plausible: proper name, file key, size. false: no more. */
bool fwcfg_file_at(size_t index, const char **ret_name, uint16_t *ret_key, uint32_t *ret_size);
/* Size and key of the first file of that name. */
bool fwcfg_find(const char *name, uint16_t *ret_key, uint32_t *ret_size);

/* Selects a key and reads from its start; the rest of a shorter item reads as zeros. */
void fwcfg_read(uint16_t key, void *data, size_t length);
/* Goes on reading the selected item. */
void fwcfg_read_more(void *data, size_t length);
uint32_t fwcfg_read_u32(uint16_t key); /* little-endian number items: the *_SIZE keys */
/* Writes a file's bytes at an offset (ACPI write-pointer command). false: refused or no DMA. */
bool fwcfg_write(uint16_t key, uint32_t offset, const void *data, uint32_t length);

/*
 * As fwcfg_read, but hands each private piece to `sink` right after it was copied in, while it is
 * hot in the cache: for hashing each byte once on its way in.
 */
typedef void fwcfg_sink(void *context, const void *piece, size_t length);
void fwcfg_read_through(uint16_t key, void *data, size_t length, fwcfg_sink *sink, void *context);

#endif
