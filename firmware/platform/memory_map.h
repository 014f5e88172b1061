/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Guest RAM as the host describes it, checked. */
#ifndef PRIVET_FIRMWARE_MEMORY_MAP_H
#define PRIVET_FIRMWARE_MEMORY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads and checks the host's map; panics on nonsense. After fwcfg_init, before any allocation. */
void memory_map_read(void);
/* Announces it all to the UEFI memory map, with the firmware's own ranges carved out. */
void memory_map_announce(void);

/* RAM ranges in ascending order, page aligned, not overlapping; false: no more. */
bool memory_map_ram(size_t index, uint64_t *ret_base, uint64_t *ret_length);
/* First address above all RAM, present and pluggable, at least 4 GiB. */
uint64_t memory_map_top(void);
/* Start of the first range reserved by the host that ends above the address; all ones: none. */
uint64_t memory_map_reserved_after(uint64_t address);

#endif
