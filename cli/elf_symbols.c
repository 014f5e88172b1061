/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Symbol tables of ELF64 files. The file is not trusted: every offset is checked. */
#include "cli/elf_symbols.h"

#include <string.h>

#include "sev/bytes.h"

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

struct span {
    const uint8_t *data;
    size_t size;
};

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

static bool take(struct span names, const uint8_t *entry, struct elf_symbol *ret)
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

const char *elf_symbols(const uint8_t *data, size_t size, elf_symbol_visitor *visit, void *context)
{
    struct span symbols = { 0 }, names = { 0 };
    struct elf_symbol symbol;
    const char *reason = find_tables((struct span){ data, size }, &symbols, &names);
    for (size_t at = 0; !reason && at + SYMBOL_SIZE <= symbols.size; at += SYMBOL_SIZE) {
        if (take(names, symbols.data + at, &symbol))
            reason = visit(context, &symbol);
    }
    return reason;
}
