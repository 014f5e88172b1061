/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Runtime drivers that loaders bring along: what is left of them for the operating system. */
#ifndef PRIVET_FIRMWARE_RUNTIME_IMAGES_H
#define PRIVET_FIRMWARE_RUNTIME_IMAGES_H

#include "firmware/uefi/pe.h"

/* After pe_relocate, while the file is there. False: no memory. */
bool runtime_image_add(const struct pe_image *pe, uint64_t base);
void runtime_image_remove(uint64_t base); /* another image's base does no harm */
/* SetVirtualAddressMap: relocates each image to where `convert` puts its base. */
void runtime_images_relocate(bool (*convert)(uint64_t *address));

/* The first image at or after an address, in whole pages; false: none. */
bool runtime_image_next(uint64_t address, uint64_t *ret_base, uint64_t *ret_length);
/* A piece of a runtime image that has one protection; false: no more. */
bool runtime_image_piece(uint64_t base, size_t index, uint64_t *ret_address, uint64_t *ret_length,
                         bool *ret_code);

/* memory_attributes_table.c: published at start; filled before ExitBootServices succeeds */
void memory_attributes_table_init(void);
void memory_attributes_table_fill(void);

#endif
