/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The PE32+ loader. Real images bend the format: section alignment down to 0x20, no relocation
 * directory in position-independent code, discardable sections that are needed, six data
 * directories. All that is accepted; nothing outside file or image is ever touched.
 */
#include "firmware/uefi/pe.h"

#include <string.h>

#define DOS_MAGIC          0x5A4Du
#define PE_MAGIC           0x00004550u
#define PE32_PLUS          0x20Bu
#define MACHINE_X64        0x8664u
#define RELOCS_STRIPPED    0x0001u
#define MAXIMUM_SECTIONS   96u /* PE/COFF 3: the Windows loader's limit */
#define MAXIMUM_IMAGE_SIZE 0x40000000u

#define DOS_SIZE              64u
#define COFF_SIZE             24u  /* with the signature */
#define OPTIONAL_SIZE         112u /* of PE32+, before the data directories */
#define IMAGE_SIZE_AT         56u  /* offset in it */
#define DIRECTORY_RELOC       5u
#define SECTION_SIZE          40u
#define SECTION_UNINITIALIZED 0x80u
#define SECTION_EXECUTE       0x20000000u

enum { RELOC_ABSOLUTE = 0, RELOC_HIGHLOW = 3, RELOC_DIR64 = 10 };

struct section {
    uint32_t virtual_size, address, raw_size, raw_offset, characteristics;
};

static uint16_t get16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static bool fits(size_t offset, size_t length, size_t size)
{
    return offset <= size && length <= size - offset;
}

static struct section read_section(const struct pe_image *image, unsigned index)
{
    const uint8_t *at = image->file + image->section_table + (size_t)index * SECTION_SIZE;
    return (struct section){ .virtual_size = get32(at + 8),
                             .address = get32(at + 12),
                             .raw_size = get32(at + 16),
                             .raw_offset = get32(at + 20),
                             .characteristics = get32(at + 36) };
}

/* Bytes of a section that the file provides. */
static uint32_t loaded_size(const struct section *section)
{
    if (section->characteristics & SECTION_UNINITIALIZED && section->raw_offset == 0)
        return 0;
    if (section->virtual_size && section->virtual_size < section->raw_size)
        return section->virtual_size; /* the rest is padding to the file alignment */
    return section->raw_size;
}

static bool sections_valid(const struct pe_image *image)
{
    for (unsigned i = 0; i < image->sections; i++) {
        struct section section = read_section(image, i);
        uint32_t length = loaded_size(&section);
        uint32_t extent = section.virtual_size > length ? section.virtual_size : length;
        if (!fits(section.address, extent, image->image_size))
            return false;
        if (length && !fits(section.raw_offset, length, image->file_size))
            return false;
    }
    return true;
}

static void read_directories(const uint8_t *optional, uint32_t count, struct pe_image *image)
{
    if (count <= DIRECTORY_RELOC)
        return;
    const uint8_t *entry = optional + OPTIONAL_SIZE + DIRECTORY_RELOC * 8;
    image->reloc_address = get32(entry);
    image->reloc_size = get32(entry + 4);
}

static enum pe_result parse_optional(const uint8_t *optional, size_t size, struct pe_image *image)
{
    if (get16(optional) != PE32_PLUS)
        return PE_UNSUPPORTED;
    image->entry = get32(optional + 16);
    image->preferred_base = get64(optional + 24);
    image->section_alignment = get32(optional + 32);
    image->image_size = get32(optional + IMAGE_SIZE_AT);
    image->headers_size = get32(optional + 60);
    image->subsystem = get16(optional + 68);
    image->dll_characteristics = get16(optional + 70);
    uint32_t directories = get32(optional + 108);
    if (directories > (size - OPTIONAL_SIZE) / 8)
        return PE_MALFORMED;
    read_directories(optional, directories, image);
    if (image->subsystem < PE_APPLICATION || image->subsystem > PE_RUNTIME_DRIVER)
        return PE_UNSUPPORTED;
    if (image->image_size == 0 || image->image_size > MAXIMUM_IMAGE_SIZE ||
        image->headers_size > image->image_size || image->headers_size > image->file_size ||
        image->entry >= image->image_size || image->section_alignment == 0 ||
        (image->section_alignment & (image->section_alignment - 1)) != 0 ||
        image->section_alignment > MAXIMUM_IMAGE_SIZE)
        return PE_MALFORMED;
    if (image->reloc_size && !fits(image->reloc_address, image->reloc_size, image->image_size))
        return PE_MALFORMED;
    return PE_OK;
}

/* The COFF header, with an optional header of PE32+'s size behind it; 0: there is none. */
static size_t find_coff(const uint8_t *bytes, size_t size)
{
    if (size < DOS_SIZE || get16(bytes) != DOS_MAGIC)
        return 0;
    size_t coff = get32(bytes + DOS_SIZE - 4);
    if (!fits(coff, COFF_SIZE + OPTIONAL_SIZE, size) || get32(bytes + coff) != PE_MAGIC)
        return 0;
    return coff;
}

uint32_t pe_claimed_size(const void *start, size_t length)
{
    const uint8_t *bytes = start;
    size_t coff = find_coff(bytes, length);
    return coff ? get32(bytes + coff + COFF_SIZE + IMAGE_SIZE_AT) : 0;
}

enum pe_result pe_parse(const void *file, size_t size, struct pe_image *ret)
{
    const uint8_t *bytes = file;
    struct pe_image image = { .file = bytes, .file_size = size };
    size_t coff = find_coff(bytes, size);
    if (coff == 0 || get16(bytes + coff + 4) != MACHINE_X64)
        return PE_UNSUPPORTED;
    image.sections = get16(bytes + coff + 6);
    size_t optional_size = get16(bytes + coff + 20);
    image.relocs_stripped = get16(bytes + coff + 22) & RELOCS_STRIPPED;
    size_t optional = coff + COFF_SIZE;
    if (optional_size < OPTIONAL_SIZE || !fits(optional, optional_size, size) ||
        image.sections > MAXIMUM_SECTIONS)
        return PE_MALFORMED;
    enum pe_result result = parse_optional(bytes + optional, optional_size, &image);
    if (result != PE_OK)
        return result;
    image.section_table = optional + optional_size;
    if (!fits(image.section_table, (size_t)image.sections * SECTION_SIZE, size) ||
        !sections_valid(&image))
        return PE_MALFORMED;
    *ret = image;
    return PE_OK;
}

/* How far the sections that hold `at` fill the image; `at` itself: none does. */
static uint32_t filled_until(const struct pe_image *image, uint32_t at)
{
    uint32_t end = at;
    for (unsigned i = 0; i < image->sections; i++) {
        struct section section = read_section(image, i);
        uint32_t length = loaded_size(&section);
        if (section.address <= at && section.address + length > end)
            end = section.address + length;
    }
    return end;
}

/* Where the first section behind `at` begins to fill the image again. */
static uint32_t filled_from(const struct pe_image *image, uint32_t at)
{
    uint32_t start = image->image_size;
    for (unsigned i = 0; i < image->sections; i++) {
        struct section section = read_section(image, i);
        if (loaded_size(&section) && section.address > at && section.address < start)
            start = section.address;
    }
    return start;
}

/* Zeros for what the file does not provide; a kernel has many megabytes that it does. */
static void clear_gaps(const struct pe_image *image, uint8_t *memory)
{
    for (uint32_t at = image->headers_size; at < image->image_size;) {
        uint32_t end = filled_until(image, at);
        if (end == at) {
            end = filled_from(image, at);
            memset(memory + at, 0, end - at);
        }
        at = end;
    }
}

/* The section table is read while the image is made: it must lie in what stays as it is. */
bool pe_loads_in_place(const struct pe_image *image, uint64_t room)
{
    if (image->image_size > room ||
        !fits(image->section_table, (size_t)image->sections * SECTION_SIZE, image->headers_size))
        return false;
    for (unsigned i = 0; i < image->sections; i++) {
        struct section section = read_section(image, i);
        if (loaded_size(&section) && section.raw_offset != section.address)
            return false;
    }
    return true;
}

void pe_load(const struct pe_image *image, void *base)
{
    uint8_t *memory = base;
    clear_gaps(image, memory);
    if (memory == image->file)
        return;
    memcpy(memory, image->file, image->headers_size);
    for (unsigned i = 0; i < image->sections; i++) {
        struct section section = read_section(image, i);
        uint32_t length = loaded_size(&section);
        if (length)
            memcpy(memory + section.address, image->file + section.raw_offset, length);
    }
}

struct pe_section pe_section_at(const struct pe_image *image, unsigned index)
{
    struct section section = read_section(image, index);
    uint32_t length = loaded_size(&section);
    return (struct pe_section){ .address = section.address,
                                .size =
                                    section.virtual_size > length ? section.virtual_size : length,
                                .code = section.characteristics & SECTION_EXECUTE };
}

/* Bytes of a relocation (PE/COFF 5.6.2); 0: of a kind that no x64 image has. */
static unsigned width_of(unsigned kind)
{
    return kind == RELOC_DIR64 ? 8 : kind == RELOC_HIGHLOW ? 4 : 0;
}

enum pe_result pe_each_fixup(const struct pe_image *image, void *base, pe_fixup *fixup,
                             void *context)
{
    uint8_t *memory = base;
    size_t at = image->reloc_address, end = at + image->reloc_size;
    while (image->reloc_size && end - at >= 8) {
        uint32_t page = get32(memory + at), block = get32(memory + at + 4);
        if (block == 0)
            break; /* padding of the section */
        if (block < 8 || block > end - at)
            return PE_MALFORMED;
        for (size_t i = 8; i + 2 <= block; i += 2) {
            uint16_t entry = get16(memory + at + i);
            size_t offset = (size_t)page + (entry & 0xFFF);
            unsigned width = width_of(entry >> 12);
            if (entry >> 12 == RELOC_ABSOLUTE)
                continue;
            if (width == 0 || !fits(offset, width, image->image_size))
                return PE_MALFORMED;
            fixup(context, memory + offset, width);
        }
        at += block;
    }
    return PE_OK;
}

static void add_delta(void *context, uint8_t *at, unsigned width)
{
    uint64_t value = width == 8 ? get64(at) : get32(at);
    value += *(const uint64_t *)context;
    memcpy(at, &value, width);
}

enum pe_result pe_relocate(const struct pe_image *image, void *base, uint64_t address)
{
    uint64_t delta = address - image->preferred_base;
    if (delta == 0)
        return PE_OK;
    if (image->relocs_stripped)
        return PE_UNSUPPORTED;
    return pe_each_fixup(image, base, add_delta, &delta);
}
