/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The UEFI memory map and page allocator (UEFI 2.10 7.2), usable by the platform before the system
 * table exists. Type numbers are EFI_MEMORY_TYPE.
 */
#ifndef PRIVET_FIRMWARE_UEFI_MEMORY_H
#define PRIVET_FIRMWARE_UEFI_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memory_type {
    MEMORY_RESERVED,
    MEMORY_LOADER_CODE,
    MEMORY_LOADER_DATA,
    MEMORY_BOOT_CODE,
    MEMORY_BOOT_DATA,
    MEMORY_RUNTIME_CODE,
    MEMORY_RUNTIME_DATA,
    MEMORY_CONVENTIONAL,
    MEMORY_UNUSABLE,
    MEMORY_ACPI_RECLAIM,
    MEMORY_ACPI_NVS,
    MEMORY_MMIO,
    MEMORY_MMIO_PORT,
    MEMORY_PAL_CODE,
    MEMORY_PERSISTENT,
    MEMORY_UNACCEPTED,
};

void memory_init(void);
/* Platform: announces a range. RAM as MEMORY_CONVENTIONAL; then carves reserved parts out of it. */
void memory_add(uint64_t base, uint64_t length, enum memory_type type);

/*
 * Internal twins of the boot services. Memory comes zeroed, pages below `limit` (exclusive; 0:
 * anywhere), highest first. 0 / NULL when there is nothing left.
 */
uint64_t memory_allocate(enum memory_type type, uint64_t pages, uint64_t limit);
bool memory_allocate_at(enum memory_type type, uint64_t base, uint64_t pages);
/* memory_allocate without the zeros, for who fills the pages at once. */
uint64_t memory_reserve(enum memory_type type, uint64_t pages, uint64_t limit);
bool memory_free(uint64_t base, uint64_t pages);
/* Gives allocated pages another type; they keep their contents. False: not all are allocated. */
bool memory_retype(uint64_t base, uint64_t pages, enum memory_type type);
void *pool_allocate(enum memory_type type, size_t size);
void pool_free(void *data);

/* Is every page of the range RAM (of whatever type but MMIO, unusable or absent)? */
bool memory_is_ram(uint64_t base, uint64_t length);
/* The ranges in ascending order, neighbours of one type perhaps apart; false: no more. */
bool memory_range_at(size_t index, uint64_t *ret_base, uint64_t *ret_length, uint32_t *ret_type);
/* Bytes of conventional memory that are left. */
uint64_t memory_free_bytes(void);
/* Called for pages before they become free; set by whoever gave pages properties. */
extern void (*memory_on_free)(uint64_t base, uint64_t pages);
/* Key of the present map: changes with every allocation and every release. */
uint64_t memory_map_key(void);

#endif
