/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * EFI_LOAD_OPTION (UEFI 2.10 3.1.3): what Boot####, Driver#### and SysPrep#### hold. A pure parser
 * and builder; operating systems and hosts write these variables, so nothing in them is believed.
 */
#ifndef PRIVET_FIRMWARE_LOADOPTION_H
#define PRIVET_FIRMWARE_LOADOPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_OPTION_ACTIVE          0x00000001u
#define LOAD_OPTION_FORCE_RECONNECT 0x00000002u
#define LOAD_OPTION_HIDDEN          0x00000008u
#define LOAD_OPTION_CATEGORY        0x00001F00u
#define LOAD_OPTION_CATEGORY_APP    0x00000100u

/* Pointers into the variable's data, at any alignment. */
struct load_option {
    uint32_t attributes;
    const uint8_t *description; /* UTF-16, without its NUL */
    size_t letters;             /* of the description */
    const uint8_t *path;        /* the first device path of the list: well-formed, ends itself */
    size_t path_size;
    const uint8_t *optional; /* the program's LoadOptions */
    size_t optional_size;
};

/* False: not a load option. */
bool load_option_parse(const void *data, size_t size, struct load_option *ret);

/* Bytes that the option takes; writes them if they fit into `room`. */
size_t load_option_build(const struct load_option *option, uint8_t *data, size_t room);

/* The description as ASCII, what is not printable as '?'; always ends with NUL. */
void load_option_text(const struct load_option *option, char *text, size_t size);

#endif
