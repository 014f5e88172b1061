/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Multiboot and PVH files: see boot_image.h. Every offset is checked against the file's size. */
#include "machine/hypervisor/boot_image.h"

#include <stdbool.h>
#include <string.h>

#define FOUR_GIB (1ull << 32)

/* Multiboot 3.1: the header is within 8 KiB, on a multiple of 4. */
#define MULTIBOOT_SEARCH  8192u
#define MULTIBOOT_MAGIC   0x1BADB002u
#define MULTIBOOT_KNOWN   0x00000007u /* page-aligned modules, memory map, video mode */
#define MULTIBOOT_DEMANDS 0x0000FFFFu
#define MULTIBOOT_ADDRESS 0x00010000u

enum { ELF_CLASS = 4, ELF_DATA = 5, ELF_TYPE = 16, ELF_MACHINE = 18 };
enum { PT_LOAD = 1, PT_NOTE = 4 };

#define NOTE_PHYS32_ENTRY 18u

struct file {
    const uint8_t *data;
    size_t size;
};

static uint64_t number(const struct file *file, uint64_t offset, unsigned size)
{
    uint64_t value = 0;
    for (unsigned n = 0; n < size; n++)
        value |= (uint64_t)file->data[offset + n] << (8 * n);
    return value;
}

static bool has(const struct file *file, uint64_t offset, uint64_t size)
{
    return offset <= file->size && size <= file->size - offset;
}

/* --- segments ------------------------------------------------------------------------------- */

static const char *add_segment(struct boot_image *image, const struct file *file,
                               const struct boot_image_segment *segment)
{
    if (!segment->memory_size)
        return NULL;
    if (segment->file_size > segment->memory_size)
        return "a segment is larger in the file than in memory";
    if (!has(file, segment->offset, segment->file_size))
        return "a segment reaches beyond the file's end";
    if (segment->gpa > FOUR_GIB || segment->memory_size > FOUR_GIB - segment->gpa)
        return "a segment reaches beyond 4 GiB";
    if (image->count == BOOT_IMAGE_SEGMENTS)
        return "more than 32 segments";
    image->segment[image->count++] = *segment;
    return NULL;
}

static const char *set_entry(struct boot_image *image, uint64_t entry)
{
    for (unsigned n = 0; n < image->count; n++) {
        const struct boot_image_segment *s = &image->segment[n];
        if (entry < s->gpa || entry - s->gpa >= s->memory_size)
            continue;
        image->entry = (uint32_t)entry;
        return NULL;
    }
    return "the entry point is outside of every segment";
}

/* --- ELF ------------------------------------------------------------------------------------ */

/* Where the two classes keep the fields of interest. */
struct elf_layout {
    unsigned header, word;                        /* sizes */
    unsigned entry, table, entry_size, count;     /* in the header */
    unsigned record;                              /* size of a program header */
    unsigned offset, address, physical, in_file, in_memory, alignment;
};

static const struct elf_layout elf32 = {52, 4, 24, 28, 42, 44, 32, 4, 8, 12, 16, 20, 28};
static const struct elf_layout elf64 = {64, 8, 24, 32, 54, 56, 56, 8, 16, 24, 32, 40, 48};

struct elf {
    struct file file;
    const struct elf_layout *layout;
    uint64_t table, entry_size;
    unsigned count;
};

static bool is_elf(const struct file *file)
{
    return file->size >= 20 && memcmp(file->data, "\177ELF", 4) == 0;
}

static const char *open_elf(const struct file *file, struct elf *ret)
{
    uint64_t class = file->data[ELF_CLASS], machine = number(file, ELF_MACHINE, 2);
    *ret = (struct elf){.file = *file, .layout = class == 2 ? &elf64 : &elf32};
    if (class != 1 && class != 2)
        return "an ELF file of unknown class";
    if (file->data[ELF_DATA] != 1 || (machine != 3 && machine != 62))
        return "an ELF file for another processor";
    if (number(file, ELF_TYPE, 2) != 2)
        return "an ELF file, but no executable";
    if (!has(file, 0, ret->layout->header))
        return "the ELF header is cut short";
    ret->table = number(file, ret->layout->table, ret->layout->word);
    ret->entry_size = number(file, ret->layout->entry_size, 2);
    ret->count = (unsigned)number(file, ret->layout->count, 2);
    if (ret->entry_size < ret->layout->record ||
        !has(file, ret->table, ret->count * ret->entry_size))
        return "the ELF program headers reach beyond the file's end";
    return NULL;
}

static uint64_t elf_field(const struct elf *elf, unsigned index, unsigned offset)
{
    return number(&elf->file, elf->table + index * elf->entry_size + offset, elf->layout->word);
}

static uint64_t elf_type(const struct elf *elf, unsigned index)
{
    return number(&elf->file, elf->table + index * elf->entry_size, 4);
}

static const char *load_elf(const struct elf *elf, struct boot_image *ret)
{
    const char *wrong = NULL;
    for (unsigned n = 0; n < elf->count && !wrong; n++) {
        if (elf_type(elf, n) != PT_LOAD)
            continue;
        wrong = add_segment(ret, &elf->file,
                            &(struct boot_image_segment){
                                .gpa = elf_field(elf, n, elf->layout->physical),
                                .memory_size = elf_field(elf, n, elf->layout->in_memory),
                                .offset = elf_field(elf, n, elf->layout->offset),
                                .file_size = elf_field(elf, n, elf->layout->in_file)});
    }
    return wrong;
}

/* The header's entry is a linked address: as physical as its segment's. */
static uint64_t physical_entry(const struct elf *elf)
{
    uint64_t entry = number(&elf->file, elf->layout->entry, elf->layout->word);
    for (unsigned n = 0; n < elf->count; n++) {
        uint64_t address = elf_field(elf, n, elf->layout->address);
        if (elf_type(elf, n) == PT_LOAD && entry >= address &&
            entry - address < elf_field(elf, n, elf->layout->in_memory))
            return entry - address + elf_field(elf, n, elf->layout->physical);
    }
    return entry;
}

/* --- PVH ------------------------------------------------------------------------------------ */

/* A note: sizes of name and content, type, then both, each padded. True: it is ours. */
static bool read_note(const struct file *file, uint64_t *offset, uint64_t end, uint64_t alignment,
                      uint64_t *ret_entry)
{
    uint64_t at = *offset;
    uint64_t name = number(file, at, 4), content = number(file, at + 4, 4);
    uint64_t type = number(file, at + 8, 4);
    uint64_t name_room = (name + alignment - 1) & ~(alignment - 1);
    at += 12;
    *offset = end;
    if (name_room > end - at || content > end - at - name_room)
        return false;
    *offset = at + name_room + content;
    if (type == NOTE_PHYS32_ENTRY && name == 4 && memcmp(file->data + at, "Xen", 4) == 0 &&
        (content == 4 || content == 8)) {
        *ret_entry = number(file, at + name_room, (unsigned)content);
        return true;
    }
    uint64_t padding = (alignment - *offset % alignment) % alignment;
    *offset = padding > end - *offset ? end : *offset + padding;
    return false;
}

static bool find_pvh_entry(const struct elf *elf, uint64_t *ret)
{
    for (unsigned n = 0; n < elf->count; n++) {
        uint64_t at = elf_field(elf, n, elf->layout->offset);
        uint64_t size = elf_field(elf, n, elf->layout->in_file);
        uint64_t alignment = elf_field(elf, n, elf->layout->alignment) == 8 ? 8 : 4;
        if (elf_type(elf, n) != PT_NOTE || !has(&elf->file, at, size))
            continue;
        uint64_t end = at + size;
        while (end - at >= 12) {
            if (read_note(&elf->file, &at, end, alignment, ret))
                return true;
        }
    }
    return false;
}

/* --- multiboot ------------------------------------------------------------------------------ */

static bool find_multiboot(const struct file *file, uint64_t *ret)
{
    for (uint64_t at = 0; at < MULTIBOOT_SEARCH && has(file, at, 12); at += 4) {
        uint64_t sum = number(file, at, 4) + number(file, at + 4, 4) + number(file, at + 8, 4);
        if (number(file, at, 4) == MULTIBOOT_MAGIC && !(sum & 0xFFFFFFFF)) {
            *ret = at;
            return true;
        }
    }
    return false;
}

/* Multiboot 3.1.3: header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr. */
static const char *load_by_header(const struct file *file, uint64_t header, struct boot_image *ret)
{
    if (!has(file, header, 32))
        return "the multiboot header is cut short";
    uint64_t linked = number(file, header + 12, 4), load = number(file, header + 16, 4);
    uint64_t load_end = number(file, header + 20, 4), bss_end = number(file, header + 24, 4);
    if (load > linked || linked - load > header)
        return "the multiboot header's addresses do not fit its place in the file";
    uint64_t offset = header - (linked - load);
    uint64_t size = load_end ? load_end - load : file->size - offset;
    if (load_end && load_end < load)
        return "the multiboot header's addresses end before they begin";
    uint64_t memory = bss_end > load && bss_end - load > size ? bss_end - load : size;
    const char *wrong = add_segment(
        ret, file,
        &(struct boot_image_segment){
            .gpa = load, .memory_size = memory, .offset = offset, .file_size = size});
    return wrong ? wrong : set_entry(ret, number(file, header + 28, 4));
}

static const char *load_multiboot(const struct file *file, uint64_t header, struct boot_image *ret)
{
    uint64_t flags = number(file, header + 4, 4);
    struct elf elf;
    if (flags & MULTIBOOT_DEMANDS & ~(uint64_t)MULTIBOOT_KNOWN)
        return "the multiboot header demands a feature that does not exist";
    if (flags & MULTIBOOT_ADDRESS)
        return load_by_header(file, header, ret);
    if (!is_elf(file))
        return "a multiboot image that is neither ELF nor has load addresses";
    const char *wrong = open_elf(file, &elf);
    if (!wrong)
        wrong = load_elf(&elf, ret);
    return wrong ? wrong : set_entry(ret, physical_entry(&elf));
}

/* --- both ----------------------------------------------------------------------------------- */

enum boot_image_kind boot_image_recognise(const uint8_t *data, size_t size)
{
    struct file file = {data, size};
    uint64_t header;
    if (size >= 0x206 && memcmp(data + 0x202, "HdrS", 4) == 0)
        return BOOT_IMAGE_OTHER;
    if (find_multiboot(&file, &header))
        return BOOT_IMAGE_MULTIBOOT;
    return is_elf(&file) ? BOOT_IMAGE_PVH : BOOT_IMAGE_OTHER;
}

const char *boot_image_parse(const uint8_t *data, size_t size, struct boot_image *ret)
{
    struct file file = {data, size};
    struct elf elf;
    uint64_t at = 0;
    *ret = (struct boot_image){.kind = boot_image_recognise(data, size)};
    if (ret->kind == BOOT_IMAGE_OTHER)
        return "neither a multiboot image nor ELF";
    if (ret->kind == BOOT_IMAGE_MULTIBOOT) {
        find_multiboot(&file, &at);
        return load_multiboot(&file, at, ret);
    }
    const char *wrong = open_elf(&file, &elf);
    if (!wrong && !find_pvh_entry(&elf, &at))
        wrong = "an ELF file without multiboot header or PVH note";
    if (!wrong)
        wrong = load_elf(&elf, ret);
    return wrong ? wrong : set_entry(ret, at);
}
