/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SMBIOS structures of the firmware's own (DMTF DSP0134 7): what it is, and in a measured boot the
 * whole set, which describes the guest without a word of the host's but its memory size.
 */
#ifndef PRIVET_FIRMWARE_SMBIOS_STRUCTURES_H
#define PRIVET_FIRMWARE_SMBIOS_STRUCTURES_H

#include <stddef.h>
#include <stdint.h>

/* Type 0 with its strings: hosts leave it to the firmware. */
extern const void *const smbios_firmware;
extern const size_t smbios_firmware_size;

/* Writes the whole set, RAM given in MiB below and above 4 GiB; returns its size. */
size_t smbios_structures(uint8_t *at, size_t room, uint64_t low, uint64_t high);

#endif
