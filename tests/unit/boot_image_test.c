/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Multiboot and PVH files: what is recognised, where it goes, and everything that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/hypervisor/boot_image.h"

#define SIZE 0x400u

static uint8_t file[SIZE];

static void put(size_t at, uint64_t value, unsigned size)
{
    for (unsigned n = 0; n < size; n++)
        file[at + n] = (uint8_t)(value >> (8 * n));
}

static void put_multiboot(size_t at, uint32_t flags)
{
    put(at, 0x1BADB002, 4);
    put(at + 4, flags, 4);
    put(at + 8, 0u - 0x1BADB002u - flags, 4);
}

/* One segment at 1 MiB (linked 2 GiB higher) of 0x100 bytes from offset 0x200, 0x1000 in memory. */
static void make_elf64(void)
{
    memset(file, 0, sizeof(file));
    memcpy(file, "\177ELF\2\1\1", 7);
    put(16, 2, 2);
    put(18, 62, 2);
    put(24, 0x80100010, 8);
    put(32, 64, 8);
    put(54, 56, 2);
    put(56, 2, 2);
    put(64, 1, 4);
    put(72, 0x200, 8);
    put(80, 0x80100000, 8);
    put(88, 0x100000, 8);
    put(96, 0x100, 8);
    put(104, 0x1000, 8);
}

static void make_elf32(void)
{
    memset(file, 0, sizeof(file));
    memcpy(file, "\177ELF\1\1\1", 7);
    put(16, 2, 2);
    put(18, 3, 2);
    put(24, 0x100010, 4);
    put(28, 52, 4);
    put(42, 32, 2);
    put(44, 1, 2);
    put(52, 1, 4);
    put(56, 0x200, 4);
    put(60, 0x100000, 4);
    put(64, 0x100000, 4);
    put(68, 0x100, 4);
    put(72, 0x1000, 4);
}

/* The second program header: a note segment with a foreign note and ours. */
static void add_note(unsigned content)
{
    put(120, 4, 4);
    put(128, 0x300, 8);
    put(152, 0x14 + 12 + 4 + content, 8);
    put(168, 4, 8);
    put(0x300, 4, 4);
    put(0x304, 1, 4); /* padded to 4 */
    put(0x308, 1, 4);
    memcpy(file + 0x30C, "GNU", 4);
    put(0x314, 4, 4);
    put(0x318, content, 4);
    put(0x31C, 18, 4);
    memcpy(file + 0x320, "Xen", 4);
    put(0x324, 0x100040, content);
}

static const char *parse(struct boot_image *image)
{
    return boot_image_parse(file, SIZE, image);
}

static void check_segment(const struct boot_image *image)
{
    assert_int_equal(image->count, 1);
    assert_int_equal(image->segment[0].gpa, 0x100000);
    assert_int_equal(image->segment[0].offset, 0x200);
    assert_int_equal(image->segment[0].file_size, 0x100);
    assert_int_equal(image->segment[0].memory_size, 0x1000);
}

static void multiboot_elf(void **state)
{
    struct boot_image image;
    make_elf64();
    put_multiboot(0x200, 3);
    assert_null(parse(&image));
    assert_int_equal(image.kind, BOOT_IMAGE_MULTIBOOT);
    assert_int_equal(image.entry, 0x100010); /* linked address made physical */
    check_segment(&image);
    make_elf32();
    put_multiboot(0x204, 0);
    assert_null(parse(&image));
    assert_int_equal(image.entry, 0x100010);
    check_segment(&image);
}

static void multiboot_addresses(void **state)
{
    struct boot_image image;
    memset(file, 0, sizeof(file));
    put_multiboot(0x40, 0x10000);
    put(0x4C, 0x200020, 4); /* header: 0x20 behind the load address */
    put(0x50, 0x200000, 4);
    put(0x54, 0x200080, 4);
    put(0x58, 0x200200, 4);
    put(0x5C, 0x200004, 4);
    assert_null(parse(&image));
    assert_int_equal(image.segment[0].gpa, 0x200000);
    assert_int_equal(image.segment[0].offset, 0x20);
    assert_int_equal(image.segment[0].file_size, 0x80);
    assert_int_equal(image.segment[0].memory_size, 0x200);
    assert_int_equal(image.entry, 0x200004);
    put(0x54, 0, 4); /* to the file's end */
    put(0x58, 0, 4);
    assert_null(parse(&image));
    assert_int_equal(image.segment[0].file_size, SIZE - 0x20);
    put(0x50, 0x200021, 4);
    assert_non_null(parse(&image)); /* behind the header */
    put(0x50, 0x1FFF00, 4);
    assert_non_null(parse(&image)); /* before the file's start */
    put(0x50, 0x200000, 4);
    put(0x54, 0x300000, 4);
    assert_non_null(parse(&image)); /* beyond the file's end */
    put(0x54, 0x1FFFFF, 4);
    assert_non_null(parse(&image)); /* ends before it begins */
    put(0x54, 0, 4);
    put(0x5C, 0x100000, 4);
    assert_non_null(parse(&image)); /* entry */
    put_multiboot(0x40, 0x10008);
    assert_non_null(parse(&image)); /* unknown demand */
}

static void pvh(void **state)
{
    struct boot_image image;
    for (unsigned content = 4; content <= 8; content += 4) {
        make_elf64();
        add_note(content);
        assert_null(parse(&image));
        assert_int_equal(image.kind, BOOT_IMAGE_PVH);
        assert_int_equal(image.entry, 0x100040);
        check_segment(&image);
    }
    put_multiboot(0x100, 0); /* both: multiboot wins */
    assert_null(parse(&image));
    assert_int_equal(image.kind, BOOT_IMAGE_MULTIBOOT);
}

static void refused_notes(void **state)
{
    struct boot_image image;
    make_elf64();
    add_note(4);
    put(152, 11, 8); /* no room for a note */
    assert_non_null(parse(&image));
    put(152, UINT64_MAX, 8);
    assert_non_null(parse(&image));
    put(152, 0x2C, 8);
    put(0x304, UINT32_MAX, 4); /* the foreign note swallows all */
    assert_non_null(parse(&image));
    put(0x304, 1, 4);
    put(0x300, UINT32_MAX, 4);
    assert_non_null(parse(&image));
    make_elf64();
    add_note(4);
    put(0x324, 0x102000, 4); /* entry outside */
    assert_non_null(parse(&image));
}

/* A field of the good file that makes it bad. */
static void refused_elf(void **state)
{
    static const struct {
        size_t at;
        unsigned size;
        uint64_t value;
    } wrong[] = {
        {4, 1, 3},           {5, 1, 2},      {16, 2, 3},       {18, 2, 40},
        {32, 8, SIZE},       {32, 8, ~0ull}, {54, 2, 55},      {56, 2, 0xFFFF},
        {72, 8, 0x301},      {72, 8, ~0ull}, {88, 8, 1ull << 32}, {88, 8, ~0ull},
        {96, 8, 0x1001},     {96, 8, ~0ull}, {104, 8, 1ull << 33}, {104, 8, ~0ull},
        {104, 8, 0},         {24, 8, 0x80200000}, {64, 4, 2},
    };
    for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
        struct boot_image image;
        make_elf64();
        put_multiboot(0x200, 0);
        assert_null(parse(&image));
        put(wrong[n].at, wrong[n].value, wrong[n].size);
        if (!parse(&image))
            fail_msg("case %zu is accepted", n);
    }
}

static void other_files(void **state)
{
    struct boot_image image;
    memset(file, 0, sizeof(file));
    assert_int_equal(boot_image_recognise(file, SIZE), BOOT_IMAGE_OTHER);
    assert_int_equal(boot_image_recognise(file, 0), BOOT_IMAGE_OTHER);
    put_multiboot(0, 0);
    assert_non_null(parse(&image)); /* neither ELF nor addresses */
    memcpy(file + 0x202, "HdrS", 4);
    assert_int_equal(boot_image_recognise(file, SIZE), BOOT_IMAGE_OTHER);
    make_elf64();
    assert_non_null(parse(&image)); /* neither header nor note */
    for (size_t size = 0; size < 0x200; size++)
        assert_non_null(boot_image_parse(file, size, &image));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multiboot_elf), cmocka_unit_test(multiboot_addresses),
        cmocka_unit_test(pvh),           cmocka_unit_test(refused_notes),
        cmocka_unit_test(refused_elf),   cmocka_unit_test(other_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
