/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Names for guest addresses: the symbols of a kernel or firmware image, from its ELF file or from a
 * list as nm and System.map have it (`address type name`).
 */
#ifndef PRIVET_CLI_SYMBOLS_H
#define PRIVET_CLI_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol {
    uint64_t address;
    const char *name; /* in symbols.text */
};

struct symbols {
    struct symbol *item; /* by address */
    size_t count, room;
    char *text[16]; /* what names point into, a file each */
    unsigned text_count;
};

/*
 * Adds the symbols of `argument`: FILE, or FILE@BASE with BASE added to every address (a kernel
 * that moved, an image that was linked at 0). False: said why on stderr.
 */
bool symbols_add(struct symbols *symbols, const char *argument);
void symbols_free(struct symbols *symbols);

/* "name+0x10" of the nearest symbol at or below, at most 1 MiB away; false: there is none. */
bool symbols_find(const struct symbols *symbols, uint64_t address, char *text, size_t size);

#endif
