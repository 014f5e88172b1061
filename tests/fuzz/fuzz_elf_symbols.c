/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* ELF files of symbols: every name lies in the file and ends in it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/elf_symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct file {
    const char *data;
    size_t size;
};

static const char *visit(void *context, const struct elf_symbol *symbol)
{
    const struct file *file = context;
    if (symbol->name < file->data || symbol->name >= file->data + file->size ||
        !memchr(symbol->name, 0, file->size - (size_t)(symbol->name - file->data)))
        abort();
    return symbol->address == 0xDEAD ? "enough" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file file = {(const char *)data, size};
    elf_symbols(data, size, visit, &file);
    return 0;
}
