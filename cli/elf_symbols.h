/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The named functions, variables and labels of an ELF64 file (ELF-64 Object File Format 1.5). */
#ifndef PRIVET_CLI_ELF_SYMBOLS_H
#define PRIVET_CLI_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_symbol {
    uint64_t address, size; /* 0: the file gives no size */
    const char *name;       /* inside the file's data */
};

/* NULL, or why the reading ends. */
typedef const char *elf_symbol_visitor(void *context, const struct elf_symbol *symbol);

/*
 * Calls `visit` with each symbol of the first symbol table, in the order of the file. NULL: all were
 * visited; else one line that says what is wrong with the file, or what `visit` returned.
 */
const char *elf_symbols(const uint8_t *data, size_t size, elf_symbol_visitor *visit, void *context);

#endif
