/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Symbols of the guest, from ELF files and from lists as nm prints them. Both are hostile input. */
#include "cli/symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/elf_symbols.h"
#include "cli/file.h"

#define FILE_LIMIT   (1024u * 1024 * 1024)
#define SYMBOL_LIMIT (4u * 1024 * 1024)
#define REACH        (1024u * 1024) /* beyond a symbol's address an address is nobody's */

/* A file that is being added. */
struct addition {
    struct symbols *symbols;
    uint64_t base;
    size_t added;
};

/* NULL, or why no more symbols can be added. */
static const char *add(struct addition *addition, uint64_t address, const char *name)
{
    struct symbols *symbols = addition->symbols;
    if (symbols->count == symbols->room) {
        size_t room = symbols->room ? symbols->room * 2 : 1024;
        struct symbol *item = room > SYMBOL_LIMIT
                                  ? NULL
                                  : realloc(symbols->item, room * sizeof(*symbols->item));
        if (!item)
            return "too many symbols";
        symbols->item = item;
        symbols->room = room;
    }
    symbols->item[symbols->count++] = (struct symbol){ address + addition->base, name };
    addition->added++;
    return NULL;
}

/* --- nm and System.map ---------------------------------------------------------------------- */

static bool is_code_or_data(char type)
{
    return strchr("tTwWdDbBrRvV", type) && type;
}

static const char *add_line(char *line, struct addition *addition)
{
    char *end, *name;
    errno = 0;
    uint64_t address = strtoull(line, &end, 16);
    if (end == line || errno || end[0] != ' ' || !is_code_or_data(end[1]) || end[2] != ' ')
        return NULL;
    name = end + 3;
    name[strcspn(name, " \t\r")] = '\0';
    return *name ? add(addition, address, name) : NULL;
}

/* `text` ends with a zero. */
static const char *add_list(char *text, struct addition *addition)
{
    const char *reason = NULL;
    while (*text && !reason) {
        char *next = text + strcspn(text, "\n");
        bool last = !*next;
        *next = '\0';
        reason = add_line(text, addition);
        text = last ? next : next + 1;
    }
    return reason;
}

/* --- ELF ------------------------------------------------------------------------------------ */

static const char *add_symbol(void *context, const struct elf_symbol *symbol)
{
    return add(context, symbol->address, symbol->name);
}

/* --- both ----------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    const struct symbol *one = a, *other = b;
    if (one->address != other->address)
        return one->address < other->address ? -1 : 1;
    return strcmp(one->name, other->name);
}

static bool refuse(const char *path, const char *fact)
{
    fprintf(stderr, "privet: %s: %s\n", path, fact);
    return false;
}

/* Keeps a copy that ends with a zero, for the names to point into. */
static char *keep(struct symbols *symbols, const struct file *file)
{
    if (symbols->text_count == sizeof(symbols->text) / sizeof(symbols->text[0]))
        return NULL;
    char *text = malloc(file->size + 1);
    if (!text)
        return NULL;
    memcpy(text, file->data, file->size);
    text[file->size] = '\0';
    symbols->text[symbols->text_count++] = text;
    return text;
}

static bool add_file(struct symbols *symbols, const char *path, uint64_t base)
{
    struct file file = { .data = NULL };
    if (!file_read(path, "symbols", FILE_LIMIT, &file))
        return false;
    char *text = keep(symbols, &file);
    const char *reason;
    size_t size = file.size;
    file_free(&file);
    if (!text)
        return refuse(path, "out of memory, or too many files of symbols");
    struct addition addition = { .symbols = symbols, .base = base };
    if (size >= SELFMAG && memcmp(text, ELFMAG, SELFMAG) == 0)
        reason = elf_symbols((const uint8_t *)text, size, add_symbol, &addition);
    else
        reason = add_list(text, &addition);
    if (reason)
        return refuse(path, reason);
    if (!addition.added)
        return refuse(path, "no symbols: neither an ELF file with a symbol table nor a list as "
                            "nm prints it");
    qsort(symbols->item, symbols->count, sizeof(*symbols->item), by_address);
    return true;
}

bool symbols_add(struct symbols *symbols, const char *argument)
{
    const char *at = strrchr(argument, '@');
    char *end, path[4096];
    if (!at)
        return add_file(symbols, argument, 0);
    errno = 0;
    uint64_t base = strtoull(at + 1, &end, 0);
    if (end == at + 1 || *end || errno)
        return refuse(argument, "--symbols: what follows '@' is not an address");
    if ((size_t)(at - argument) >= sizeof(path))
        return refuse(argument, "--symbols: the name is too long");
    memcpy(path, argument, (size_t)(at - argument));
    path[at - argument] = '\0';
    return add_file(symbols, path, base);
}

void symbols_free(struct symbols *symbols)
{
    for (unsigned n = 0; n < symbols->text_count; n++)
        free(symbols->text[n]);
    free(symbols->item);
    memset(symbols, 0, sizeof(*symbols));
}

bool symbols_find(const struct symbols *symbols, uint64_t address, char *text, size_t size)
{
    size_t low = 0, high = symbols->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symbols->item[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || address - symbols->item[low - 1].address >= REACH)
        return false;
    const struct symbol *symbol = &symbols->item[low - 1];
    unsigned long long distance = address - symbol->address;
    if (distance)
        snprintf(text, size, "%s+0x%llx", symbol->name, distance);
    else
        snprintf(text, size, "%s", symbol->name);
    return true;
}
