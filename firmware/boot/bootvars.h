/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The boot manager's variables (UEFI 2.10 3.3): numbers, lists of numbers, load options. All are of
 * the global vendor; what has a wrong size or form counts as absent.
 */
#ifndef PRIVET_FIRMWARE_BOOTVARS_H
#define PRIVET_FIRMWARE_BOOTVARS_H

#include "firmware/boot/loadoption.h"
#include "firmware/uefi/efi.h"

#define BOOTVAR_LASTING                                                                            \
    (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define BOOTVAR_VOLATILE (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

/* A variable of exactly `size` bytes. */
bool bootvar_read(const CHAR16 *name, void *data, size_t size);
/* Writes only what is not so already; size 0 deletes. False: refused (it is said why). */
bool bootvar_write(const CHAR16 *name, uint32_t attributes, const void *data, size_t size);

/* BootOrder and its kin. NULL: absent or empty; else pool memory of the caller. */
uint16_t *bootvar_list(const CHAR16 *name, size_t *ret_count);

/* "Boot000A" */
#define BOOTVAR_NAME_ROOM 16u
void bootvar_name(const char *kind, uint16_t number, char name[BOOTVAR_NAME_ROOM]);

/* Boot####, Driver####, SysPrep#### with its parsed content; `data` is pool memory. */
struct numbered_option {
    uint16_t number;
    void *data;
    struct load_option option;
};
bool bootvar_option(const char *kind, uint16_t number, struct numbered_option *ret);
void bootvar_option_free(struct numbered_option *option);
bool bootvar_option_write(const char *kind, uint16_t number, const struct load_option *option);
void bootvar_option_delete(const char *kind, uint16_t number);

/* The numbers of all Boot#### that exist, ascending. NULL: none; else pool memory. */
uint16_t *bootvar_numbers(size_t *ret_count);

#endif
