/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's parser of the measured hash table, with a table as QEMU writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/boot/hashes.h"

#define TABLE_SIZE 168u
#define ENTRY_SIZE 50u

static const uint8_t guids[4][16] = {
    { 0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c, 0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd,
      0x21 },
    { 0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c, 0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab,
      0x2a },
    { 0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b, 0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78,
      0x1d },
    { 0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42, 0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04,
      0x5b },
};

static void make(uint8_t area[1024])
{
    memset(area, 0, 1024);
    memcpy(area, guids[0], 16);
    area[16] = TABLE_SIZE;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *entry = area + 18 + i * ENTRY_SIZE;
        memcpy(entry, guids[i + 1], 16);
        entry[16] = ENTRY_SIZE;
        memset(entry + 18, 0x10 + (int)i, 32);
    }
}

static void reads_a_table(void **state)
{
    (void)state;
    uint8_t area[1024];
    struct hash_table table;
    make(area);
    assert_int_equal(hashes_parse(area, sizeof(area), &table), HASHES_PRESENT);
    assert_true(table.present[HASHED_COMMAND_LINE] && table.present[HASHED_INITRD] &&
                table.present[HASHED_KERNEL]);
    assert_int_equal(table.hash[HASHED_COMMAND_LINE][31], 0x10);
    assert_int_equal(table.hash[HASHED_INITRD][0], 0x11);
    assert_int_equal(table.hash[HASHED_KERNEL][31], 0x12);
}

static void absent_unless_named(void **state)
{
    (void)state;
    uint8_t area[1024] = { 0 };
    struct hash_table table;
    assert_int_equal(hashes_parse(area, sizeof(area), &table), HASHES_ABSENT);
    memset(area, 0x5A, sizeof(area));
    assert_int_equal(hashes_parse(area, sizeof(area), &table), HASHES_ABSENT);
    make(area);
    area[15] ^= 1;
    assert_int_equal(hashes_parse(area, sizeof(area), &table), HASHES_ABSENT);
}

static enum hashes_state with(size_t at, uint8_t value)
{
    uint8_t area[1024];
    struct hash_table table;
    make(area);
    area[at] = value;
    return hashes_parse(area, sizeof(area), &table);
}

static void strict(void **state)
{
    (void)state;
    assert_int_equal(with(16, 17), HASHES_MALFORMED);
    assert_int_equal(with(17, 0xFF), HASHES_MALFORMED);
    assert_int_equal(with(16, TABLE_SIZE - 1), HASHES_MALFORMED);
    assert_int_equal(with(16, TABLE_SIZE + 1), HASHES_MALFORMED);
    assert_int_equal(with(18 + 16, 0), HASHES_MALFORMED);
    assert_int_equal(with(18 + 16, ENTRY_SIZE - 1), HASHES_MALFORMED);
    assert_int_equal(with(18 + 17, 1), HASHES_MALFORMED);

    uint8_t area[1024];
    struct hash_table table;
    make(area);
    memcpy(area + 18, guids[3], 16); /* the kernel twice */
    assert_int_equal(hashes_parse(area, sizeof(area), &table), HASHES_MALFORMED);
    make(area);
    area[18] ^= 1; /* an unknown blob */
    assert_int_equal(hashes_parse(area, sizeof(area), &table), HASHES_PRESENT);
    assert_false(table.present[HASHED_COMMAND_LINE]);
    assert_true(table.present[HASHED_KERNEL]);
}

static void survives_damage(void **state)
{
    (void)state;
    uint8_t area[1024];
    struct hash_table table;
    for (size_t at = 0; at < 200; at++)
        for (unsigned value = 0; value < 256; value++)
            (void)with(at, (uint8_t)value);
    make(area);
    for (size_t size = 0; size < TABLE_SIZE; size++) {
        uint8_t *copy = malloc(size ? size : 1);
        memcpy(copy, area, size);
        assert_int_not_equal(hashes_parse(copy, size, &table), HASHES_PRESENT);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(reads_a_table),
                                        cmocka_unit_test(absent_unless_named),
                                        cmocka_unit_test(strict),
                                        cmocka_unit_test(survives_damage) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
