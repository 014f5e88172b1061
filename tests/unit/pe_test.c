/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's PE32+ loader against images made here, whole and damaged at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/uefi/memory.h"
#include "firmware/uefi/pe.h"
#include "firmware/uefi/runtime_images.h"

#define FILE_SIZE  0x600u
#define IMAGE_SIZE 0x4000u
#define PE         0x80u
#define OPTIONAL   (PE + 24)
#define SECTIONS   (OPTIONAL + 112 + 6 * 8)
#define BASE       0x10000000ull

static void put(uint8_t *at, uint64_t value, unsigned width)
{
    memcpy(at, &value, width);
}

static uint64_t pointer_at(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static void section(uint8_t *file, unsigned index, uint32_t address, uint32_t virtual_size,
                    uint32_t raw, uint32_t raw_size)
{
    uint8_t *at = file + SECTIONS + index * 40;
    put(at + 8, virtual_size, 4);
    put(at + 12, address, 4);
    put(at + 16, raw_size, 4);
    put(at + 20, raw, 4);
}

/* Text with two pointers, data larger in memory than in the file, relocations for the pointers. */
static void make(uint8_t *file)
{
    memset(file, 0, FILE_SIZE);
    memcpy(file, "MZ", 2);
    put(file + 0x3C, PE, 4);
    memcpy(file + PE, "PE\0\0", 4);
    put(file + PE + 4, 0x8664, 2);
    put(file + PE + 6, 3, 2);
    put(file + PE + 20, 112 + 6 * 8, 2);
    put(file + OPTIONAL, 0x20B, 2);
    put(file + OPTIONAL + 16, 0x1010, 4);
    put(file + OPTIONAL + 24, BASE, 8);
    put(file + OPTIONAL + 32, 0x1000, 4);
    put(file + OPTIONAL + 56, IMAGE_SIZE, 4);
    put(file + OPTIONAL + 60, 0x200, 4);
    put(file + OPTIONAL + 68, 10, 2);
    put(file + OPTIONAL + 108, 6, 4);
    put(file + OPTIONAL + 112 + 5 * 8, 0x3000, 4);
    put(file + OPTIONAL + 112 + 5 * 8 + 4, 16, 4);
    section(file, 0, 0x1000, 0x100, 0x200, 0x200);
    section(file, 1, 0x2000, 0x800, 0x400, 0x100);
    section(file, 2, 0x3000, 0x10, 0x500, 0x100);
    put(file + 0x200, BASE + 0x2000, 8);
    put(file + 0x210, 0x1234, 4);
    memset(file + 0x400, 0xAA, 0x100);
    put(file + 0x500, 0x1000, 4);
    put(file + 0x504, 16, 4);
    put(file + 0x508, 0xA000, 2);
    put(file + 0x50A, 0x3010, 2);
    put(file + 0x50C, 0, 2);
}

static void loads_and_relocates(void **state)
{
    (void)state;
    uint8_t file[FILE_SIZE];
    make(file);
    struct pe_image image;
    assert_int_equal(pe_parse(file, sizeof(file), &image), PE_OK);
    assert_int_equal(image.entry, 0x1010);
    uint8_t *memory = malloc(image.image_size);
    memset(memory, 0x55, image.image_size);
    pe_load(&image, memory);
    assert_int_equal(memory[0x20FF], 0xAA);
    assert_int_equal(memory[0x2100], 0);
    assert_int_equal(memory[0x3FFF], 0);
    assert_int_equal(pe_relocate(&image, memory, BASE + 0x500000), PE_OK);
    uint64_t wide;
    uint32_t narrow;
    memcpy(&wide, memory + 0x1000, 8);
    memcpy(&narrow, memory + 0x1010, 4);
    assert_int_equal(wide, BASE + 0x502000);
    assert_int_equal(narrow, 0x501234);
    free(memory);
}

/* Sections in any order, overlapping, empty: the same as zeros everywhere and then the copies. */
static void zeros_between_sections(void **state)
{
    static const struct {
        uint32_t address, virtual_size, raw, raw_size;
    } rows[] = { { 0x3000, 0x1000, 0x200, 0x100 },
                 { 0x1000, 0x80, 0x300, 0x80 },
                 { 0x1040, 0, 0x380, 0x80 } };
    (void)state;
    uint8_t file[FILE_SIZE], expected[IMAGE_SIZE] = { 0 }, memory[IMAGE_SIZE];
    struct pe_image image;
    make(file);
    memset(file + 0x200, 0xAA, 0x400);
    for (unsigned i = 0; i < 3; i++) {
        section(file, i, rows[i].address, rows[i].virtual_size, rows[i].raw, rows[i].raw_size);
        memcpy(expected + rows[i].address, file + rows[i].raw, rows[i].raw_size);
    }
    memcpy(expected, file, 0x200); /* with the sections' headers */
    assert_int_equal(pe_parse(file, sizeof(file), &image), PE_OK);
    memset(memory, 0x55, sizeof(memory));
    pe_load(&image, memory);
    assert_memory_equal(memory, expected, sizeof(expected));
}

/* Sections where the file has them; the last is larger in memory and lies behind a gap. */
static void lay_flat(uint8_t *file)
{
    make(file);
    section(file, 0, 0x200, 0x100, 0x200, 0x100);
    section(file, 1, 0x400, 0x100, 0x400, 0x100);
    section(file, 2, 0x500, 0x2000, 0x500, 0x100);
    put(file + OPTIONAL + 16, 0x210, 4);
    put(file + OPTIONAL + 112 + 5 * 8, 0x500, 4);
    put(file + 0x500, 0, 4);
    put(file + 0x508, 0xA200, 2);
    put(file + 0x50A, 0x3210, 2);
    memset(file + 0x300, 0x77, 0x100); /* of no section: zeros in memory */
}

static void becomes_its_image(void **state)
{
    (void)state;
    static uint8_t place[IMAGE_SIZE], copy[IMAGE_SIZE];
    struct pe_image image;
    lay_flat(copy);
    assert_int_equal(pe_claimed_size(copy, 0x200), IMAGE_SIZE);
    memset(place, 0x55, sizeof(place));
    memcpy(place, copy, FILE_SIZE);
    assert_int_equal(pe_parse(place, FILE_SIZE, &image), PE_OK);
    assert_true(pe_loads_in_place(&image, IMAGE_SIZE));
    assert_false(pe_loads_in_place(&image, IMAGE_SIZE - 1));
    uint8_t file[FILE_SIZE];
    memcpy(file, copy, FILE_SIZE);
    image.file = file;
    pe_load(&image, copy);
    assert_int_equal(pe_relocate(&image, copy, BASE + 0x1000), PE_OK);
    image.file = place;
    pe_load(&image, place);
    assert_int_equal(pe_relocate(&image, place, BASE + 0x1000), PE_OK);
    assert_memory_equal(place, copy, IMAGE_SIZE);
    assert_int_equal(place[0x300], 0);
    assert_int_equal(place[IMAGE_SIZE - 1], 0);
    assert_int_equal(pointer_at(place + 0x200), BASE + 0x3000);
}

static bool flat_with(unsigned at, uint64_t value, unsigned width)
{
    uint8_t file[FILE_SIZE];
    struct pe_image image;
    lay_flat(file);
    put(file + at, value, width);
    assert_int_equal(pe_parse(file, sizeof(file), &image), PE_OK);
    return pe_loads_in_place(&image, IMAGE_SIZE);
}

/* A section elsewhere, and a section table that is no part of the headers' copy. */
static void stays_a_file(void **state)
{
    (void)state;
    assert_true(flat_with(SECTIONS + 12, 0x200, 4));
    assert_false(flat_with(SECTIONS + 12, 0x1000, 4));
    assert_false(flat_with(SECTIONS + 40 + 20, 0x480, 4));
    assert_true(flat_with(OPTIONAL + 60, SECTIONS + 3 * 40, 4));
    assert_false(flat_with(OPTIONAL + 60, SECTIONS + 3 * 40 - 1, 4));
    uint8_t file[FILE_SIZE];
    lay_flat(file);
    assert_int_equal(pe_claimed_size(file, OPTIONAL + 111), 0);
    assert_int_equal(pe_claimed_size(file, 63), 0);
    put(file + PE, 0, 4);
    assert_int_equal(pe_claimed_size(file, sizeof(file)), 0);
}

static void refuses(unsigned at, uint64_t value, unsigned width, enum pe_result expected)
{
    uint8_t file[FILE_SIZE];
    struct pe_image image;
    make(file);
    put(file + at, value, width);
    assert_int_equal(pe_parse(file, sizeof(file), &image), expected);
}

static void names_what_is_wrong(void **state)
{
    (void)state;
    refuses(0, 0, 2, PE_UNSUPPORTED);
    refuses(0x3C, 0xFFFFFFF0, 4, PE_UNSUPPORTED);
    refuses(PE + 4, 0x14C, 2, PE_UNSUPPORTED);
    refuses(OPTIONAL, 0x10B, 2, PE_UNSUPPORTED);
    refuses(OPTIONAL + 68, 3, 2, PE_UNSUPPORTED);
    refuses(PE + 6, 97, 2, PE_MALFORMED);
    refuses(PE + 20, 100, 2, PE_MALFORMED);
    refuses(OPTIONAL + 16, IMAGE_SIZE, 4, PE_MALFORMED);
    refuses(OPTIONAL + 32, 3, 4, PE_MALFORMED);
    refuses(OPTIONAL + 56, 0xFFFFFFFF, 4, PE_MALFORMED);
    refuses(OPTIONAL + 60, FILE_SIZE + 1, 4, PE_MALFORMED);
    refuses(OPTIONAL + 108, 7, 4, PE_MALFORMED);
    refuses(OPTIONAL + 112 + 44, 0x2000, 4, PE_MALFORMED);
    refuses(SECTIONS + 12, 0xFFFFF000, 4, PE_MALFORMED);
    refuses(SECTIONS + 20, 0x501, 4, PE_MALFORMED);
    refuses(SECTIONS + 8, 0xFFFFFFFF, 4, PE_MALFORMED);
}

static enum pe_result relocate_with(unsigned at, uint64_t value, unsigned width)
{
    uint8_t file[FILE_SIZE];
    struct pe_image image;
    make(file);
    put(file + at, value, width);
    assert_int_equal(pe_parse(file, sizeof(file), &image), PE_OK);
    uint8_t *memory = malloc(image.image_size);
    pe_load(&image, memory);
    enum pe_result result = pe_relocate(&image, memory, 0x200000);
    free(memory);
    return result;
}

static void checks_relocations(void **state)
{
    (void)state;
    assert_int_equal(relocate_with(0x500, IMAGE_SIZE, 4), PE_MALFORMED);
    assert_int_equal(relocate_with(0x504, 4, 4), PE_MALFORMED);
    assert_int_equal(relocate_with(0x504, 0x1000, 4), PE_MALFORMED);
    assert_int_equal(relocate_with(0x504, 0, 4), PE_OK);
    assert_int_equal(relocate_with(0x508, 0x5000, 2), PE_MALFORMED);
    assert_int_equal(relocate_with(PE + 22, 1, 2), PE_UNSUPPORTED);
    assert_int_equal(relocate_with(OPTIONAL + 112 + 44, 0, 4), PE_OK);
}

/* Every byte in turn becomes 0, 0x7F, 0xFF; every length is tried. The sanitizers judge. */
static void survives_damage(void **state)
{
    (void)state;
    static const uint8_t values[] = { 0, 0x7F, 0x80, 0xFF };
    for (size_t at = 0; at < FILE_SIZE * sizeof(values); at++) {
        uint8_t *file = malloc(FILE_SIZE);
        struct pe_image image;
        make(file);
        file[at / sizeof(values)] = values[at % sizeof(values)];
        if (pe_parse(file, FILE_SIZE, &image) == PE_OK && image.image_size < 0x1000000) {
            uint8_t *memory = malloc(image.image_size);
            pe_load(&image, memory);
            (void)pe_relocate(&image, memory, 0x200000);
            free(memory);
        }
        free(file);
    }
    for (size_t size = 0; size < FILE_SIZE; size++) {
        uint8_t whole[FILE_SIZE];
        struct pe_image image;
        make(whole);
        uint8_t *file = malloc(size ? size : 1);
        memcpy(file, whole, size);
        bool whole_sections = size >= 0x510;
        assert_int_equal(pe_parse(file, size, &image) == PE_OK, whole_sections);
        free(file);
    }
}

void *pool_allocate(enum memory_type type, size_t size)
{
    assert_int_equal(type, MEMORY_RUNTIME_DATA); /* it is used after ExitBootServices */
    return malloc(size);
}

void pool_free(void *data)
{
    free(data);
}

static uint64_t mapped; /* what `move` moves, 0x4000 bytes */

static bool move(uint64_t *address)
{
    bool inside = *address - mapped < IMAGE_SIZE;
    *address += inside ? 0x7000000000 : 0;
    return inside;
}

/* A runtime driver's pointers move, but for those that it has converted by itself. */
static void moves_runtime_images(void **state)
{
    (void)state;
    uint8_t file[FILE_SIZE];
    struct pe_image image;
    make(file);
    put(file + 0x508, 0xA000, 2);
    put(file + 0x50A, 0xA008, 2);
    put(file + 0x208, BASE + 0x2008, 8);
    put(file + SECTIONS + 36, 0x60000020, 4); /* code */
    assert_int_equal(pe_parse(file, sizeof(file), &image), PE_OK);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *memory = aligned_alloc(4096, IMAGE_SIZE);
        uint64_t base = (uintptr_t)memory, address, length;
        bool code;
        pe_load(&image, memory);
        assert_int_equal(pe_relocate(&image, memory, base), PE_OK);
        assert_true(runtime_image_add(&image, base));
        memset(file + 0x210, 0, 4); /* the file is no longer needed */
        assert_true(runtime_image_next(base - 1, &address, &length));
        assert_true(address == base && length == IMAGE_SIZE);
        assert_true(runtime_image_piece(base, 0, &address, &length, &code));
        assert_true(address == base + 0x1000 && length == 0x1000 && code);
        assert_true(runtime_image_piece(base, 1, &address, &length, &code));
        assert_true(address == base + 0x2000 && !code);
        assert_false(runtime_image_piece(base, 3, &address, &length, &code));
        put(memory + 0x1008, 0x123456789, 8);
        mapped = i == 0 ? base : base + IMAGE_SIZE; /* the second image is not mapped */
        runtime_images_relocate(move);
        assert_int_equal(pointer_at(memory + 0x1000), base + 0x2000 + (i == 0 ? 0x7000000000 : 0));
        assert_int_equal(pointer_at(memory + 0x1008), 0x123456789);
        runtime_image_remove(base);
        assert_false(runtime_image_piece(base, 0, &address, &length, &code));
        free(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(loads_and_relocates),
                                        cmocka_unit_test(zeros_between_sections),
                                        cmocka_unit_test(becomes_its_image),
                                        cmocka_unit_test(stays_a_file),
                                        cmocka_unit_test(names_what_is_wrong),
                                        cmocka_unit_test(checks_relocations),
                                        cmocka_unit_test(survives_damage),
                                        cmocka_unit_test(moves_runtime_images) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
