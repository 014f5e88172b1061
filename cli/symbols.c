/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Symbols of the guest: readers of ELF64 symbol tables and of nm lists. Both are hostile input. */
#include "cli/symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"

#define FILE_LIMIT   (1024u * 1024 * 1024)
#define SYMBOL_LIMIT (4u * 1024 * 1024)
#define REACH        (1024u * 1024) /* beyond a symbol's address an address is nobody's */

static bool add(struct symbols *symbols, uint64_t address, const char *name)
{
    if (symbols->count == symbols->room) {
        size_t room = symbols->room ? symbols->room * 2 : 1024;
        struct symbol *item = room > SYMBOL_LIMIT
                                  ? NULL
                                  : realloc(symbols->item, room * sizeof(*symbols->item));
        if (!item)
            return false;
        symbols->item = item;
        symbols->room = room;
    }
    symbols->item[symbols->count++] = (struct symbol){ address, name };
    return true;
}

/* --- nm and System.map ---------------------------------------------------------------------- */

static bool is_code_or_data(char type)
{
    return strchr("tTwWdDbBrRvV", type) && type;
}

static bool add_line(struct symbols *symbols, char *line, uint64_t base, size_t *added)
{
    char *end, *name;
    errno = 0;
    uint64_t address = strtoull(line, &end, 16);
    if (end == line || errno || end[0] != ' ' || !is_code_or_data(end[1]) || end[2] != ' ')
        return true;
    name = end + 3;
    name[strcspn(name, " \t\r")] = '\0';
    (*added)++;
    return !*name || add(symbols, address + base, name);
}

/* `text` ends with a zero. */
static bool add_list(struct symbols *symbols, char *text, uint64_t base, size_t *added)
{
    while (*text) {
        char *next = text + strcspn(text, "\n");
        bool last = !*next;
        *next = '\0';
        if (!add_line(symbols, text, base, added))
            return false;
        text = last ? next : next + 1;
    }
    return true;
}

/* --- ELF ------------------------------------------------------------------------------------ */

struct image {
    char *data;
    size_t size;
};

static bool get(const struct image *image, uint64_t offset, void *data, size_t size)
{
    if (offset > image->size || size > image->size - offset)
        return false;
    memcpy(data, image->data + offset, size);
    return true;
}

/* A string of the file that ends within its table and its file, else NULL. */
static const char *string_at(const struct image *image, const Elf64_Shdr *table, uint32_t index)
{
    if (index >= table->sh_size || table->sh_offset > image->size ||
        table->sh_size > image->size - table->sh_offset)
        return NULL;
    const char *text = image->data + table->sh_offset + index;
    return memchr(text, 0, table->sh_size - index) ? text : NULL;
}

static bool add_section(struct symbols *symbols, const struct image *image,
                        const Elf64_Shdr *section, const Elf64_Shdr *strings, uint64_t base,
                        size_t *added)
{
    Elf64_Sym symbol;
    for (uint64_t at = 0; at + sizeof(symbol) <= section->sh_size; at += sizeof(symbol)) {
        if (!get(image, section->sh_offset + at, &symbol, sizeof(symbol)))
            return true;
        unsigned type = ELF64_ST_TYPE(symbol.st_info);
        const char *name = string_at(image, strings, symbol.st_name);
        if (type == STT_SECTION || type == STT_FILE || symbol.st_shndx == SHN_UNDEF || !name ||
            !*name)
            continue;
        (*added)++;
        if (!add(symbols, symbol.st_value + base, name))
            return false;
    }
    return true;
}

static bool add_elf(struct symbols *symbols, const struct image *image, uint64_t base,
                    size_t *added)
{
    Elf64_Ehdr header;
    Elf64_Shdr section, strings;
    if (!get(image, 0, &header, sizeof(header)) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_shentsize != sizeof(section))
        return true;
    for (unsigned n = 0; n < header.e_shnum; n++) {
        if (!get(image, header.e_shoff + n * sizeof(section), &section, sizeof(section)))
            return true;
        if (section.sh_type != SHT_SYMTAB || section.sh_link >= header.e_shnum ||
            !get(image, header.e_shoff + section.sh_link * sizeof(strings), &strings,
                 sizeof(strings)))
            continue;
        if (!add_section(symbols, image, &section, &strings, base, added))
            return false;
    }
    return true;
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
    size_t added = 0;
    if (!file_read(path, "symbols", FILE_LIMIT, &file))
        return false;
    bool elf = file.size >= SELFMAG && memcmp(file.data, ELFMAG, SELFMAG) == 0;
    struct image image = { .data = keep(symbols, &file), .size = file.size };
    file_free(&file);
    if (!image.data ||
        !(elf ? add_elf(symbols, &image, base, &added)
              : add_list(symbols, image.data, base, &added)))
        return refuse(path, "too many symbols");
    if (!added)
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
