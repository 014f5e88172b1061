/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's partition tables: GPT with its backup, MBR with a chain of logical partitions,
 * El Torito catalogs; good ones, then damaged and lying ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/storage/partition.h"

#define DISK_SIZE 0x200000u

static uint8_t bytes[DISK_SIZE];
static uint64_t disk_bytes = DISK_SIZE; /* what the disk has, whatever it says */
static unsigned reads, second_read;     /* number of the read that gets other data; 0: none */
static struct partition found[PARTITIONS_MAXIMUM];

uint32_t crc32(uint32_t seed, const void *data, size_t length);
uint32_t crc32(uint32_t seed, const void *data, size_t length)
{
    const uint8_t *at = data;
    uint32_t crc = ~seed;
    for (size_t i = 0; i < length; i++) {
        crc ^= at[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static bool disk_read(void *unused, uint64_t offset, void *data, size_t length)
{
    (void)unused;
    if (offset > disk_bytes || length > disk_bytes - offset)
        return false;
    memcpy(data, bytes + offset, length);
    if (++reads == second_read)
        ((uint8_t *)data)[length / 2] ^= 0x10;
    return true;
}

static struct partition_disk disk(uint32_t block_size)
{
    reads = 0;
    return (struct partition_disk){ disk_read, NULL, block_size, DISK_SIZE / block_size };
}

static size_t gpt(uint32_t block_size)
{
    struct partition_disk d = disk(block_size);
    return partition_gpt(&d, found);
}

static size_t mbr(void)
{
    struct partition_disk d = disk(512);
    return partition_mbr(&d, found);
}

static size_t el_torito(uint32_t block_size)
{
    struct partition_disk d = disk(block_size);
    return partition_el_torito(&d, found);
}

static void put(uint8_t *at, uint64_t value, unsigned width)
{
    memcpy(at, &value, width);
}

static void put_mbr(uint64_t record, unsigned index, uint8_t type, uint32_t start, uint32_t length)
{
    uint8_t *block = bytes + record * 512;
    put(block + 510, 0xAA55, 2);
    block[446 + index * 16 + 4] = type;
    put(block + 446 + index * 16 + 8, start, 4);
    put(block + 446 + index * 16 + 12, length, 4);
}

static void seal_header(uint32_t size, uint64_t place, uint64_t array, uint32_t count,
                        uint32_t entry)
{
    uint8_t *header = bytes + place * size;
    memset(header, 0, size);
    memcpy(header, "EFI PART", 8);
    put(header + 8, 0x10000, 4);
    put(header + 12, 92, 4);
    put(header + 24, place, 8);
    put(header + 72, array, 8);
    put(header + 80, count, 4);
    put(header + 84, entry, 4);
    put(header + 88, crc32(0, bytes + array * size, (size_t)count * entry), 4);
    put(header + 16, crc32(0, header, 92), 4);
}

/* Three entries, the second beyond the disk. */
static void make_gpt(uint32_t size, uint32_t count, uint32_t entry)
{
    uint64_t blocks = DISK_SIZE / size, length = (count * entry + size - 1) / size;
    const uint64_t bounds[3][2] = { { 100, 199 }, { 200, blocks }, { 300, 300 } };
    memset(bytes, 0, sizeof(bytes));
    put_mbr(0, 0, 0xEE, 1, 0xFFFFFFFF);
    uint8_t *array = bytes + 2ul * size;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *at = array + 2ul * i * entry;
        memset(at, 0x11, 16);
        memset(at + 16, 0x20 + (int)i, 16);
        put(at + 32, bounds[i][0], 8);
        put(at + 40, bounds[i][1], 8);
    }
    memcpy(bytes + (blocks - 1 - length) * size, array, (size_t)count * entry);
    seal_header(size, 1, 2, count, entry);
    seal_header(size, blocks - 1, blocks - 1 - length, count, entry);
}

static void check_gpt(uint32_t size, uint32_t count, uint32_t entry)
{
    uint64_t length = (count * entry + size - 1) / size;
    make_gpt(size, count, entry);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(gpt(size), 2);
        assert_int_equal(found[0].start, 100);
        assert_int_equal(found[0].blocks, 100);
        assert_int_equal(found[0].number, 1);
        assert_int_equal(found[0].kind, PARTITION_GPT);
        assert_int_equal(found[1].number, 5);
        assert_int_equal(found[1].blocks, 1);
        assert_int_equal(found[1].signature[0], 0x22);
        bytes[size + 40] = 0xFF; /* the primary is broken: the backup counts */
    }
    bytes[DISK_SIZE - size - length * size] ^= 1; /* its array too */
    assert_int_equal(gpt(size), 0);
}

static void gpt_partitions(void **state)
{
    (void)state;
    check_gpt(512, 128, 128);
    check_gpt(4096, 128, 128);
    check_gpt(512, 16, 512);
    check_gpt(512, 1024, 128);
    check_gpt(512, 8, 136); /* entries that lie across blocks */
}

static void gpt_needs_its_mbr(void **state)
{
    (void)state;
    make_gpt(512, 128, 128);
    bytes[446 + 4] = 0x83;
    assert_int_equal(gpt(512), 0);
}

/* The array that was checked is the array that is used. */
static void gpt_changes_under_the_reader(void **state)
{
    (void)state;
    for (second_read = 1; second_read < 200; second_read++) {
        make_gpt(512, 128, 128);
        bytes[DISK_SIZE - 512] ^= 1; /* no backup */
        assert_int_equal(gpt(512), second_read <= 2 || second_read > 130 ? 2 : 0);
    }
    second_read = 0;
}

static void mbr_partitions(void **state)
{
    (void)state;
    memset(bytes, 0, sizeof(bytes));
    put(bytes + 440, 0x12345678, 4);
    put_mbr(0, 1, 0xEF, 63, 500);
    put_mbr(0, 2, 0x83, 4000, 97);
    assert_int_equal(mbr(), 1); /* one reaches beyond the disk */
    assert_int_equal(found[0].start, 63);
    assert_int_equal(found[0].number, 2);
    assert_int_equal(found[0].kind, PARTITION_MBR);
    assert_int_equal(found[0].signature[0], 0x78);
    bytes[446] = 0x33; /* code, not a table */
    assert_int_equal(mbr(), 0);
}

static void logical_partitions(void **state)
{
    (void)state;
    memset(bytes, 0, sizeof(bytes));
    put(bytes + 440, 0x12345678, 4);
    put_mbr(0, 0, 0x83, 63, 37);
    put_mbr(0, 1, 0x05, 100, 1000);
    put_mbr(100, 0, 0xEF, 10, 90);
    put_mbr(100, 1, 0x05, 500, 200);
    put_mbr(600, 0, 0x83, 10, 490);
    put_mbr(600, 1, 0x05, 200, 300);
    put_mbr(300, 0, 0x0C, 20, 80);
    assert_int_equal(mbr(), 5);
    static const struct partition expected[5] = {
        { 63, 37, 1, PARTITION_MBR, 0, { 0x78 } }, { 100, 1000, 2, PARTITION_MBR, 0, { 0x78 } },
        { 110, 90, 1, PARTITION_MBR, 2, { 0 } },   { 610, 490, 2, PARTITION_MBR, 2, { 0 } },
        { 320, 80, 3, PARTITION_MBR, 2, { 0 } },
    };
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(found[i].start, expected[i].start);
        assert_int_equal(found[i].blocks, expected[i].blocks);
        assert_int_equal(found[i].number, expected[i].number);
        assert_int_equal(found[i].inside, expected[i].inside);
        assert_int_equal(found[i].signature[0], expected[i].signature[0]);
    }
    put_mbr(600, 0, 0x83, 10, 491); /* beyond the extended partition */
    assert_int_equal(mbr(), 4);
    put_mbr(300, 1, 0x05, 500, 200); /* a loop: each only once */
    assert_int_equal(mbr(), 4);
    put_mbr(300, 1, 0x05, 1000, 200);
    assert_int_equal(mbr(), 4);
}

/* --- El Torito --- */

static uint8_t *sector(unsigned number)
{
    return bytes + number * 2048ul;
}

static void put_boot_entry(unsigned index, uint8_t id, uint8_t media, uint16_t count,
                           uint32_t start)
{
    uint8_t *at = sector(20) + index * 32ul;
    at[0] = id;
    at[1] = media;
    put(at + 6, count, 2);
    put(at + 8, start, 4);
}

static void put_header(unsigned index, uint8_t id, uint16_t count)
{
    uint8_t *at = sector(20) + index * 32ul;
    at[0] = id;
    at[1] = 0xEF;
    put(at + 2, count, 2);
}

static void make_disc(void)
{
    memset(bytes, 0, sizeof(bytes));
    for (unsigned i = 0; i < 3; i++) {
        memcpy(sector(16 + i) + 1, "CD001", 5);
        sector(16 + i)[0] = (uint8_t[]){ 1, 0, 255 }[i];
    }
    put(sector(16) + 80, 900, 4);
    memcpy(sector(17) + 7, "EL TORITO SPECIFICATION", 23);
    put(sector(17) + 71, 20, 4);
    uint8_t *catalog = sector(20);
    catalog[0] = 1;
    catalog[30] = 0x55;
    catalog[31] = 0xAA;
    put(catalog + 28, 0x10000 - 0xAA55 - 1, 2);
    put_boot_entry(1, 0x88, 0, 4, 100);
    put_header(2, 0x90, 2);
    put_boot_entry(3, 0x88, 0, 0, 200);
    put_boot_entry(4, 0x44, 0, 0, 0);
    put_boot_entry(5, 0x00, 0, 8, 300);
    put_header(6, 0x91, 2);
    put_boot_entry(7, 0x88, 2, 1, 300);
    put_boot_entry(8, 0x88, 0, 0xFFFF, 1000);
    put_boot_entry(9, 0x88, 0, 4, 500); /* beyond the last section */
}

static void boot_catalogs(void **state)
{
    (void)state;
    static const struct {
        uint32_t number, start, sectors; /* of 2048 bytes */
    } expected[] = { { 0, 100, 4 }, { 1, 200, 700 }, { 2, 300, 720 }, { 3, 1000, 24 } };
    for (uint32_t size = 512; size <= 2048; size *= 2) {
        make_disc();
        assert_int_equal(el_torito(size), 4);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(found[i].kind, PARTITION_CD);
            assert_int_equal(found[i].number, expected[i].number);
            assert_int_equal(found[i].start, expected[i].start * (2048 / size));
            assert_int_equal(found[i].blocks, expected[i].sectors * (2048 / size));
        }
    }
    assert_int_equal(el_torito(4096), 0);
}

static void damaged_catalogs(void **state)
{
    (void)state;
    make_disc();
    sector(20)[4] = 1; /* the sum */
    assert_int_equal(el_torito(2048), 0);
    make_disc();
    put(sector(17) + 71, 0xFFFFFFFF, 4); /* nowhere */
    assert_int_equal(el_torito(2048), 0);
    make_disc();
    put_header(2, 0x90, 0xFFFF);
    assert_true(el_torito(2048) <= 5);
    make_disc();
    for (unsigned i = 16; i < 1000; i++) /* no end of the descriptors */
        memcpy(sector(i), sector(17), 2048);
    assert_int_equal(el_torito(2048), 0);
    make_disc();
    disk_bytes = 20 * 2048; /* shorter than it says */
    assert_int_equal(el_torito(2048), 0);
    disk_bytes = DISK_SIZE;
}

/* --- damage at random --- */

static uint32_t random_number(void)
{
    static uint32_t value = 99;
    value = value * 1664525 + 1013904223;
    return value >> 8;
}

static void check_inside(size_t count, uint64_t blocks)
{
    assert_true(count <= PARTITIONS_MAXIMUM);
    for (size_t i = 0; i < count; i++)
        assert_true(found[i].blocks > 0 && found[i].start < blocks &&
                    found[i].blocks <= blocks - found[i].start && found[i].inside <= i);
}

static void damaged_tables(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        make_gpt(512, 128, 128);
        uint8_t *header = bytes + 512;
        header[random_number() % 92] = (uint8_t)random_number();
        put(header + 16, 0, 4);
        put(header + 16, crc32(0, header, 92), 4);
        check_inside(gpt(512), DISK_SIZE / 512);
        put_mbr(0, 1, 0x05, 100, 1000);
        put_mbr(100, 0, 0xEF, 10, 90);
        put_mbr(100, 1, 0x05, 500, 200);
        for (unsigned i = 0; i < 4; i++)
            bytes[(i % 2 ? 100 * 512 : 0) + 446 + random_number() % 66] =
                (uint8_t)random_number();
        check_inside(mbr(), DISK_SIZE / 512);
        make_disc();
        for (unsigned i = 0; i < 8; i++)
            sector(20)[32 + random_number() % 320] = (uint8_t)random_number();
        check_inside(el_torito(2048), DISK_SIZE / 2048);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt_partitions),     cmocka_unit_test(gpt_needs_its_mbr),
        cmocka_unit_test(mbr_partitions),     cmocka_unit_test(gpt_changes_under_the_reader),
        cmocka_unit_test(logical_partitions), cmocka_unit_test(boot_catalogs),
        cmocka_unit_test(damaged_catalogs),   cmocka_unit_test(damaged_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
