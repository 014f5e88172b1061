/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The identity map: 4 levels, large pages, split on demand; children inherit the parent's bits.
 * RAM is private (C set), device ranges shared.
 */
#ifndef PRIVET_FIRMWARE_PAGING_H
#define PRIVET_FIRMWARE_PAGING_H

#include <stdbool.h>
#include <stdint.h>

/* Maps [0, 4 GiB) plus all RAM, then loads CR3. Called once the memory map is known. */
void paging_init(void);

/* Maps a device range uncached and shared; needed for 64-bit BARs, harmless elsewhere. */
void paging_map_device(uint64_t base, uint64_t length);

/* Sets or clears the C-bit of RAM, with the cache flush and TLB maintenance the APM asks for. */
void paging_set_shared(uint64_t base, uint64_t length, bool shared);

/* UEFI memory attributes on pages: EFI_MEMORY_RP, _XP, _RO bits. */
void paging_set_attributes(uint64_t base, uint64_t length, uint64_t set, uint64_t clear);
uint64_t paging_get_attributes(uint64_t address); /* of the page; mixed ranges: ask each page */

/*
 * Does the processor see the address as shared memory? Then the guest physical address. By the tables
 * in use, whoever made them: they are to be mapped at their own addresses.
 */
bool paging_shared(uint64_t address, uint64_t *ret_physical);

/* Logs the table entries that translate an address, for exception reports. */
void paging_describe(uint64_t address);

/* Memory types: RAM write-back, the device window uncached. mtrr.c */
void mtrr_init(void);

#endif
