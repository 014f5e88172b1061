/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * `privet firmware symbols`: the functions and variables of the firmware's debug image (ELF64), and
 * which of them an address belongs to.
 */
#include "cli/error.h"
#include "cli/firmware.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/elf_symbols.h"
#include "cli/file.h"

#define IMAGE_LIMIT (1u << 30) /* kernels with debug information are large, too */

struct symbols {
    struct elf_symbol *rows;
    size_t count, room;
};

static int by_address(const void *a, const void *b)
{
    const struct elf_symbol *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return strcmp(x->name, y->name);
}

static const char *add(void *context, const struct elf_symbol *symbol)
{
    struct symbols *symbols = context;
    if (symbols->count == symbols->room) {
        size_t room = symbols->room ? symbols->room * 2 : 1024;
        struct elf_symbol *rows = realloc(symbols->rows, room * sizeof(*rows));
        if (!rows)
            return "out of memory";
        symbols->rows = rows;
        symbols->room = room;
    }
    symbols->rows[symbols->count++] = *symbol;
    return NULL;
}

static const char *read_symbols(const struct file *file, struct symbols *ret)
{
    const char *reason = elf_symbols(file->data, file->size, add, ret);
    if (!reason && ret->count)
        qsort(ret->rows, ret->count, sizeof(*ret->rows), by_address);
    return reason;
}

/* Names may hold anything: only what can be printed is. */
static void print_name(const char *name)
{
    for (; *name; name++)
        putchar(*name > ' ' && *name < 127 ? *name : '?');
}

static void print_all(const struct symbols *symbols)
{
    for (size_t i = 0; i < symbols->count; i++) {
        printf("%016" PRIx64 " %8" PRIu64 " ", symbols->rows[i].address, symbols->rows[i].size);
        print_name(symbols->rows[i].name);
        putchar('\n');
    }
}

/*
 * The last symbol at or before the address, if the address is inside it. A label without a size
 * reaches to the next symbol, the very last one nowhere.
 */
static void print_one(const struct symbols *symbols, uint64_t address)
{
    const struct elf_symbol *best = NULL;
    for (size_t i = 0; i < symbols->count && symbols->rows[i].address <= address; i++) {
        const struct elf_symbol *s = &symbols->rows[i];
        if (!best || s->address > best->address || s->size > best->size)
            best = s;
    }
    printf("%016" PRIx64 " ", address);
    bool last = best && best->address == symbols->rows[symbols->count - 1].address;
    if (!best || (best->size ? address - best->address >= best->size
                             : last && address != best->address)) {
        printf("?\n");
        return;
    }
    print_name(best->name);
    printf("+0x%" PRIx64 "\n", address - best->address);
}

int firmware_symbols(const char *path, const uint64_t *addresses, unsigned count)
{
    struct file file;
    struct symbols symbols = { 0 };
    if (!file_read(path, "debug image", IMAGE_LIMIT, &file))
        return 1;
    const char *reason = read_symbols(&file, &symbols);
    if (reason)
        error_say("%s: %s", path, reason);
    else if (count == 0)
        print_all(&symbols);
    for (unsigned i = 0; !reason && i < count; i++)
        print_one(&symbols, addresses[i]);
    free(symbols.rows);
    file_free(&file);
    return !reason && output_flush() ? 0 : 1;
}
