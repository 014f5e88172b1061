/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The variable store in the second flash unit, laid out as OVMF's OVMF_VARS_4M.fd or OVMF_VARS.fd: a
 * firmware volume of the store, an event log (unused), the working block and the spare blocks of
 * edk2's fault-tolerant write. What an interrupted write leaves, of ours or of OVMF's, is finished or
 * undone at the next start of either. Usable at runtime but for the opening.
 */
#ifndef PRIVET_FIRMWARE_UEFI_VARIABLE_FLASH_H
#define PRIVET_FIRMWARE_UEFI_VARIABLE_FLASH_H

#include "firmware/platform/flash.h"
#include "firmware/uefi/variable_store.h"

#define VARIABLE_STORE_MAX 0x3FFB8u /* bytes of the largest store */

enum variable_flash {
    VARIABLE_FLASH_ABSENT,   /* no chip */
    VARIABLE_FLASH_UNKNOWN,  /* a chip, of a size or with a format that is not ours: left alone */
    VARIABLE_FLASH_READ_ONLY,
    VARIABLE_FLASH_WRITABLE,
};

/*
 * Looks for the chip, finishes what was interrupted and reads the store into `area`
 * (VARIABLE_STORE_MAX bytes, 4-byte aligned). *store is set in any case, empty if need be, lasting
 * when the chip is writable; a damaged store is said and made anew. *ret_chip is set unless
 * the chip is absent.
 */
enum variable_flash variable_flash_open(struct variable_store *store, uint8_t *area,
                                        struct flash_chip *ret_chip);

/* Puts bytes to an offset of the store; only clears bits there. False: the chip failed. */
bool variable_flash_program(uint32_t offset, const void *data, size_t length);
/* Replaces the whole store by `bytes` (blank after that), or leaves it as it was: power may go. */
bool variable_flash_replace(const uint8_t *bytes, size_t length);

#endif
