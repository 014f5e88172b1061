/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Images of UEFI variable stores, as OVMF and Privet's firmware keep them in flash: a firmware volume
 * with edk2's authenticated variable store in it. A reader of its own, which the firmware's mistakes
 * do not fool.
 */
#ifndef PRIVET_CLI_VARS_IMAGE_H
#define PRIVET_CLI_VARS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vars_image {
    const uint8_t *store; /* the variable store with its header, within the caller's data */
    size_t size, at;      /* of the store; of the next record */
    bool damaged;         /* set by vars_next: a record that cannot be, at `at`; nothing follows */
};

struct vars_variable {
    const uint8_t *guid, *name, *data; /* name: UTF-16, with its NUL */
    size_t name_size, data_size, total; /* bytes; total with header and padding */
    uint32_t attributes;
};

/* Finds the store at the start of a flash image. NULL, or why there is none. */
const char *vars_open(const uint8_t *data, size_t size, struct vars_image *ret);
/* The next variable that counts; false: no more. */
bool vars_next(struct vars_image *image, struct vars_variable *ret);

/* Sizes of empty images that can be made. */
#define VARS_SIZE_4M 0x84000u
#define VARS_SIZE_2M 0x20000u
/* Fills `size` bytes, one of the above, with an empty store. */
void vars_make(uint8_t *data, size_t size);

#endif
