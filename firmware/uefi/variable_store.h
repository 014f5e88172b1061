/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Variables in memory, in the format of edk2's authenticated variable store (MdeModulePkg's
 * VariableFormat.h): a header, then one record after the other; a record is changed by adding a new
 * one, and the bits of its state, which are only ever cleared, tell which of them count. The copy of
 * a store in flash is the flash's bytes, so that each change is the same few bytes in both. Usable at
 * runtime; TPL and services' rules are variables.c's affair.
 */
#ifndef PRIVET_FIRMWARE_UEFI_VARIABLE_STORE_H
#define PRIVET_FIRMWARE_UEFI_VARIABLE_STORE_H

#include "firmware/uefi/efi.h"

/* State bits, cleared in this order (a deleted variable may skip one). */
#define VARIABLE_HEADER_VALID  0x80u
#define VARIABLE_ADDED         0x40u
#define VARIABLE_BEING_DELETED 0x01u /* replaced: counts as long as there is no other */
#define VARIABLE_DELETED       0x02u

#define VARIABLE_START 0x55AAu

struct variable {
    uint16_t start;
    uint8_t state, reserved;
    uint32_t attributes;
    uint64_t count; /* this and the next two: of authenticated variables; kept, not used */
    uint8_t time[16];
    uint32_t key_index;
    uint32_t name_size, data_size; /* bytes; the name with its NUL */
    EFI_GUID vendor;
    uint8_t content[]; /* name, data */
} __attribute__((packed, aligned(4)));
_Static_assert(sizeof(struct variable) == 60, "AUTHENTICATED_VARIABLE_HEADER");

struct variable_store_header {
    EFI_GUID format;
    uint32_t size; /* of the store, with this header */
    uint8_t formatted, healthy;
    uint8_t reserved[6];
} __attribute__((packed, aligned(4)));
_Static_assert(sizeof(struct variable_store_header) == 28, "VARIABLE_STORE_HEADER");

struct variable_store {
    uint8_t *bytes; /* 4-byte aligned */
    uint32_t size, used;
    bool lasting; /* each change goes to flash, too: variable_flash.h */
    bool failed;  /* flash did: no more changes */
};

/* Makes an empty store of `size` bytes, in memory only. */
void store_format(struct variable_store *store, uint8_t *bytes, uint32_t size);

enum store_state {
    STORE_GOOD,
    STORE_UNTIDY,  /* all is there; interrupted writes, which store_tidy cleans up */
    STORE_DAMAGED, /* something was dropped or unreadable: the same */
    STORE_FOREIGN, /* a format that we do not write: hands off */
    STORE_BROKEN,  /* no variable store: nothing of it can be used */
};
/*
 * Takes over `size` bytes that came from elsewhere: checks all of them. What is no correct variable
 * is marked deleted in memory. *store is set unless it is FOREIGN or BROKEN.
 */
enum store_state store_adopt(struct variable_store *store, uint8_t *bytes, uint32_t size);

/* The variable of this name, or NULL; at most one. */
struct variable *store_find(const struct variable_store *store, const CHAR16 *name,
                            const EFI_GUID *vendor);
/* Those that count, in order: the first after `previous` (NULL: of all), or NULL. */
struct variable *store_next(const struct variable_store *store, const struct variable *previous);
const uint8_t *variable_data(const struct variable *v);

/* Bytes that a variable takes, and those that are left when everything deleted is cleared away. */
uint32_t variable_size(uint32_t name_size, uint32_t data_size);
uint32_t store_free(const struct variable_store *store);

/*
 * Adds `v`, which lies outside of the store, in place of `old` (may be NULL): in flash, a loss of
 * power leaves one of the two. Pointers into the store are void after it. EFI_OUT_OF_RESOURCES: no
 * room. EFI_DEVICE_ERROR: the flash failed, and the store changes no more.
 */
EFI_STATUS store_put(struct variable_store *store, struct variable *old, struct variable *v);
EFI_STATUS store_delete(struct variable_store *store, struct variable *v);
/* Clears deleted variables away, in memory and in flash. */
EFI_STATUS store_tidy(struct variable_store *store);

#endif
