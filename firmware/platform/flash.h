/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A parallel flash chip behind the firmware image (QEMU: cfi.pflash01, a byte wide): CFI (JEDEC
 * JESD68.01), Intel command set. Usable at runtime. What it holds is the host's: every byte is to be
 * copied and checked. Single moves only: in a SEV guest nobody can emulate a repeated string
 * instruction, and every access must be shared and uncached.
 */
#ifndef PRIVET_FIRMWARE_FLASH_H
#define PRIVET_FIRMWARE_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLASH_BLOCK 4096u /* what is erased at once; chips with other blocks are not used */

struct flash_chip {
    uint64_t base;
    uint32_t size;
    bool writable;
};

/* Looks for a chip that ends at `end`, told from ROM, RAM and nothing by its answer to a query. */
bool flash_find(uint64_t end, struct flash_chip *ret);
/* The chip's new address, after SetVirtualAddressMap. */
void flash_move(uint64_t base);

/* Offsets are within the chip; `length` bytes must be there. */
void flash_read(uint32_t offset, void *data, size_t length);
/*
 * Clears bits until the bytes are equal to `data`, which must not need a bit set. Byte after byte,
 * or a few hundred at once in any order. False: the chip refuses or does not answer.
 */
bool flash_program(uint32_t offset, const void *data, size_t length);
/* Sets every bit of the block at `offset`. A block that is blank is left alone. */
bool flash_erase(uint32_t offset);

#endif
