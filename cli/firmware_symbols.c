/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * `privet firmware symbols`: the functions and variables of the firmware's debug image (ELF64), and
 * which of them an address belongs to. The file is not trusted: every offset is checked.
 */
#include "cli/firmware.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "sev/bytes.h"

#define IMAGE_LIMIT (1u << 30) /* kernels with debug information are large, too */

/* ELF-64 Object File Format 1.5: header, section header and symbol, what is needed of them. */
enum {
    HEADER_SIZE = 64,
    HEADER_SECTIONS = 40,
    HEADER_SECTION_SIZE = 58,
    HEADER_SECTION_COUNT = 60,
    SECTION_SIZE = 64,
    SECTION_TYPE = 4,
    SECTION_OFFSET = 24,
    SECTION_BYTES = 32,
    SECTION_LINK = 40,
    SECTION_IS_SYMBOLS = 2,
    SYMBOL_SIZE = 24,
    SYMBOL_INFO = 4,
    SYMBOL_SECTION = 6,
    SYMBOL_VALUE = 8,
    SYMBOL_BYTES = 16,
    LAST_NAMED_TYPE = 2, /* 0 none (assembly labels), 1 object, 2 function */
    ABSOLUTE = 0xFFF1,
};

struct symbol {
    uint64_t address, size;
    const char *name; /* inside the file */
};

struct symbols {
    struct symbol *rows;
    size_t count;
};

struct span {
    const uint8_t *data;
    size_t size;
};

static uint64_t load_le64(const uint8_t *p)
{
    return load_le32(p) | (uint64_t)load_le32(p + 4) << 32;
}

static bool cut(struct span from, uint64_t offset, uint64_t size, struct span *ret)
{
    if (offset > from.size || size > from.size - offset)
        return false;
    *ret = (struct span){ from.data + offset, (size_t)size };
    return true;
}

static bool section(struct span file, unsigned index, struct span *ret_header)
{
    uint64_t table = load_le64(file.data + HEADER_SECTIONS);
    struct span all;
    if (index >= load_le16(file.data + HEADER_SECTION_COUNT) || table > file.size)
        return false;
    return cut(file, table, (uint64_t)(index + 1) * SECTION_SIZE, &all) &&
           cut(all, (uint64_t)index * SECTION_SIZE, SECTION_SIZE, ret_header);
}

static bool content(struct span file, struct span header, struct span *ret)
{
    return cut(file, load_le64(header.data + SECTION_OFFSET),
               load_le64(header.data + SECTION_BYTES), ret);
}

/* The symbol table and its names. NULL, or why not. */
static const char *find_tables(struct span file, struct span *symbols, struct span *names)
{
    static const uint8_t magic[] = { 0x7F, 'E', 'L', 'F', 2, 1 };
    struct span header, names_header;
    if (file.size < HEADER_SIZE || memcmp(file.data, magic, sizeof(magic)) != 0)
        return "not a 64-bit ELF file; give the firmware's debug image, privet.debug";
    if (load_le16(file.data + HEADER_SECTION_SIZE) != SECTION_SIZE)
        return "damaged: its section headers have another size";
    for (unsigned i = 0; section(file, i, &header); i++) {
        if (load_le32(header.data + SECTION_TYPE) != SECTION_IS_SYMBOLS)
            continue;
        if (!content(file, header, symbols) ||
            !section(file, load_le32(header.data + SECTION_LINK), &names_header) ||
            !content(file, names_header, names))
            return "damaged: its symbol table lies outside the file";
        if (names->size == 0 || names->data[names->size - 1] != 0)
            return "damaged: its symbol names do not end";
        return NULL;
    }
    return "there is no symbol table in it";
}

static bool take(struct span names, const uint8_t *entry, struct symbol *ret)
{
    uint32_t name = load_le32(entry);
    uint16_t in = load_le16(entry + SYMBOL_SECTION);
    if (name == 0 || name >= names.size || in == 0 || in == ABSOLUTE ||
        (entry[SYMBOL_INFO] & 15) > LAST_NAMED_TYPE)
        return false;
    ret->address = load_le64(entry + SYMBOL_VALUE);
    ret->size = load_le64(entry + SYMBOL_BYTES);
    ret->name = (const char *)names.data + name;
    return true;
}

static int by_address(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return strcmp(x->name, y->name);
}

static const char *read_symbols(struct span file, struct symbols *ret)
{
    struct span symbols = { 0 }, names = { 0 };
    const char *reason = find_tables(file, &symbols, &names);
    if (reason)
        return reason;
    size_t count = symbols.size / SYMBOL_SIZE;
    ret->rows = calloc(count + 1, sizeof(*ret->rows));
    if (!ret->rows)
        return "out of memory";
    for (size_t i = 0; i < count; i++)
        ret->count += take(names, symbols.data + i * SYMBOL_SIZE, &ret->rows[ret->count]);
    qsort(ret->rows, ret->count, sizeof(*ret->rows), by_address);
    return NULL;
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
    const struct symbol *best = NULL;
    for (size_t i = 0; i < symbols->count && symbols->rows[i].address <= address; i++) {
        const struct symbol *s = &symbols->rows[i];
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
    const char *reason = read_symbols((struct span){ file.data, file.size }, &symbols);
    if (reason)
        fprintf(stderr, "privet: %s: %s\n", path, reason);
    else if (count == 0)
        print_all(&symbols);
    for (unsigned i = 0; !reason && i < count; i++)
        print_one(&symbols, addresses[i]);
    free(symbols.rows);
    file_free(&file);
    return !reason && output_flush() ? 0 : 1;
}
