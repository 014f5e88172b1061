/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Starts a multiboot or PVH kernel without firmware: its segments, the module, the command line and
 * the structure that describes them go to memory, processor 0 to its entry point.
 *
 * Multiboot 0.6.96, 3.2 and 3.3; PVH: Xen's hvm_start_info, version 1.
 */
#include "machine/hypervisor/guest.h"

#include <stdio.h>
#include <string.h>

#define MULTIBOOT_LOADED 0x2BADB002u
#define PVH_MAGIC        0x336EC578u

/* What the loader adds lies high in low memory, where no kernel is linked. */
#define INFO      0x90000u
#define INFO_END  0x97000u
#define MAP       (INFO + 0x100)
#define MODULES   (INFO + 0x400)
#define NAME      (INFO + 0x500)
#define LINE      (INFO + 0x600)
#define LINE_ROOM (INFO_END - LINE)

#define LOW_END   0x9FC00u /* above it: EBDA */
#define HIGH_BASE 0x100000u

enum { RANGE_RAM = 1, RANGE_RESERVED = 2, RANGE_ACPI = 3 };

struct range {
    uint64_t base, size;
    uint32_t type;
};

#define RANGES 6

static const char loader_name[] = "Privet";

struct direct {
    struct guest *guest;
    struct boot_image image;
    struct board_direct board;
    uint64_t module; /* address; 0: none */
};

static void put(uint8_t *bytes, uint64_t value, unsigned size)
{
    for (unsigned n = 0; n < size; n++)
        bytes[n] = (uint8_t)(value >> (8 * n));
}

static bool fail(char *error, size_t size, const char *fact)
{
    snprintf(error, size, "kernel: %s", fact);
    return false;
}

/* --- memory --------------------------------------------------------------------------------- */

static unsigned memory_map(const struct direct *direct, struct range ranges[RANGES])
{
    const struct board_direct *board = &direct->board;
    const struct range all[RANGES] = {
        {0, LOW_END, RANGE_RAM},
        {LOW_END, 0xA0000 - LOW_END, RANGE_RESERVED},
        {0xE0000, 0x20000, RANGE_RESERVED},
        {HIGH_BASE, board->tables - HIGH_BASE, RANGE_RAM},
        {board->tables, board->tables_size, RANGE_ACPI},
        {1ull << 32, board->ram_high, RANGE_RAM},
    };
    memcpy(ranges, all, sizeof(all));
    return board->ram_high ? RANGES : RANGES - 1;
}

/* [gpa, gpa + size) is RAM that nothing else of the boot needs. */
static bool is_free(const struct direct *direct, uint64_t gpa, uint64_t size)
{
    if (gpa < INFO_END && gpa + size > INFO)
        return false;
    if (gpa + size <= LOW_END)
        return true;
    return gpa >= HIGH_BASE && gpa + size <= direct->board.tables;
}

static bool write_zeros(struct memory *memory, uint64_t gpa, uint64_t size)
{
    static const uint8_t zeros[65536];
    while (size) {
        size_t piece = size < sizeof(zeros) ? size : sizeof(zeros);
        if (memory_write(memory, gpa, zeros, piece, MEMORY_RAW) != 0)
            return false;
        gpa += piece;
        size -= piece;
    }
    return true;
}

static bool load_segments(struct direct *direct, char *error, size_t error_size)
{
    struct memory *memory = direct->guest->memory;
    const uint8_t *file = direct->guest->config.image.data;
    for (unsigned n = 0; n < direct->image.count; n++) {
        const struct boot_image_segment *s = &direct->image.segment[n];
        if (!is_free(direct, s->gpa, s->memory_size)) {
            snprintf(error, error_size,
                     "kernel: its segment at 0x%llx to 0x%llx is not in free memory; "
                     "give more --memory",
                     (unsigned long long)s->gpa, (unsigned long long)(s->gpa + s->memory_size));
            return false;
        }
        if (memory_write(memory, s->gpa, file + s->offset, s->file_size, MEMORY_RAW) != 0 ||
            !write_zeros(memory, s->gpa + s->file_size, s->memory_size - s->file_size))
            return fail(error, error_size, "cannot write its segments");
    }
    return true;
}

/* Behind the kernel, on a page. */
static bool load_module(struct direct *direct, char *error, size_t error_size)
{
    const struct board_blob *module = &direct->guest->config.image_module;
    uint64_t end = HIGH_BASE;
    for (unsigned n = 0; n < direct->image.count; n++) {
        const struct boot_image_segment *s = &direct->image.segment[n];
        if (s->gpa + s->memory_size > end)
            end = s->gpa + s->memory_size;
    }
    if (!module->data)
        return true;
    direct->module = (end + 0xFFF) & ~0xFFFull;
    if (!is_free(direct, direct->module, module->size) ||
        memory_write(direct->guest->memory, direct->module, module->data, module->size,
                     MEMORY_RAW) != 0)
        return fail(error, error_size, "no room for the initrd behind it; give more --memory");
    return true;
}

/* --- what the kernel is told ---------------------------------------------------------------- */

static void add_multiboot_map(const struct direct *direct, uint8_t *info)
{
    struct range ranges[RANGES];
    unsigned count = memory_map(direct, ranges);
    for (unsigned n = 0; n < count; n++) {
        uint8_t *entry = info + (MAP - INFO) + n * 24;
        put(entry, 20, 4); /* of what follows */
        put(entry + 4, ranges[n].base, 8);
        put(entry + 12, ranges[n].size, 8);
        put(entry + 20, ranges[n].type, 4);
    }
    put(info + 44, count * 24, 4);
    put(info + 48, MAP, 4);
}

/* Flags: memory sizes, command line, modules, memory map, loader's name. */
static void describe_multiboot(const struct direct *direct, uint8_t *info)
{
    const struct guest_config *config = &direct->guest->config;
    put(info, 0x1 | 0x4 | 0x8 | 0x40 | 0x200, 4);
    put(info + 4, LOW_END / 1024, 4);
    put(info + 8, (direct->board.tables - HIGH_BASE) / 1024, 4);
    put(info + 16, LINE, 4);
    put(info + 20, direct->module ? 1 : 0, 4);
    put(info + 24, MODULES, 4);
    put(info + 64, NAME, 4);
    add_multiboot_map(direct, info);
    put(info + (MODULES - INFO), direct->module, 4);
    put(info + (MODULES - INFO) + 4, direct->module + config->image_module.size, 4);
    memcpy(info + (NAME - INFO), loader_name, sizeof(loader_name));
}

static void describe_pvh(const struct direct *direct, uint8_t *info)
{
    struct range ranges[RANGES];
    unsigned count = memory_map(direct, ranges);
    put(info, PVH_MAGIC, 4);
    put(info + 4, 1, 4); /* version */
    put(info + 12, direct->module ? 1 : 0, 4);
    put(info + 16, direct->module ? MODULES : 0, 8);
    put(info + 24, LINE, 8);
    put(info + 32, direct->board.rsdp, 8);
    put(info + 40, MAP, 8);
    put(info + 48, count, 4);
    for (unsigned n = 0; n < count; n++) {
        uint8_t *entry = info + (MAP - INFO) + n * 24;
        put(entry, ranges[n].base, 8);
        put(entry + 8, ranges[n].size, 8);
        put(entry + 16, ranges[n].type, 4);
    }
    put(info + (MODULES - INFO), direct->module, 8);
    put(info + (MODULES - INFO) + 8, direct->guest->config.image_module.size, 8);
}

static bool write_info(const struct direct *direct, char *error, size_t error_size)
{
    static uint8_t info[INFO_END - INFO];
    const char *line = direct->guest->config.image_command_line;
    const char *text = line ? line : "";
    if (strlen(text) >= LINE_ROOM)
        return fail(error, error_size, "the command line is longer than 26 KiB");
    memset(info, 0, sizeof(info));
    if (direct->image.kind == BOOT_IMAGE_MULTIBOOT)
        describe_multiboot(direct, info);
    else
        describe_pvh(direct, info);
    memcpy(info + (LINE - INFO), text, strlen(text));
    if (memory_write(direct->guest->memory, INFO, info, sizeof(info), MEMORY_RAW) != 0)
        return fail(error, error_size, "cannot write the boot information");
    return true;
}

bool guest_start_image(struct guest *guest, char *error, size_t error_size)
{
    struct direct direct = {.guest = guest};
    const struct board_blob *file = &guest->config.image;
    if (!file->data)
        return true;
    const char *wrong = boot_image_parse(file->data, file->size, &direct.image);
    if (wrong)
        return fail(error, error_size, wrong);
    if (!board_prepare_direct(guest->board, &direct.board))
        return fail(error, error_size, "no room for the ACPI tables");
    if (!load_segments(&direct, error, error_size) || !load_module(&direct, error, error_size) ||
        !write_info(&direct, error, error_size))
        return false;
    uint32_t magic = direct.image.kind == BOOT_IMAGE_MULTIBOOT ? MULTIBOOT_LOADED : 0;
    cpu_enter_flat32(guest->cpus[0], direct.image.entry, magic, INFO);
    return true;
}
