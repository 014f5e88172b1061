/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's FAT reader: volumes of all three widths made here, with a
 * fragmented file and long names, then damaged at random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/storage/fat.h"

#define SECTOR    512u
#define FILE_SIZE 5000u

struct image {
    uint8_t *bytes;
    size_t size;
    unsigned bits;
    uint32_t reserved, fat_sectors, root_entries, clusters;
};

static void put(uint8_t *at, uint64_t value, unsigned width)
{
    memcpy(at, &value, width);
}

static void set_fat(struct image *image, uint32_t cluster, uint32_t value)
{
    uint8_t *fat = image->bytes + image->reserved * SECTOR;
    if (image->bits == 32) {
        put(fat + cluster * 4, value & 0x0FFFFFFF, 4);
    } else if (image->bits == 16) {
        put(fat + cluster * 2, value, 2);
    } else {
        uint8_t *at = fat + cluster * 3 / 2;
        uint16_t old = (uint16_t)(at[0] | at[1] << 8);
        uint16_t new = cluster & 1 ? (uint16_t)((old & 0xF) | (value & 0xFFF) << 4)
                                   : (uint16_t)((old & 0xF000) | (value & 0xFFF));
        put(at, new, 2);
    }
}

static uint8_t *cluster_at(struct image *image, uint32_t cluster)
{
    uint32_t data = image->reserved + image->fat_sectors + image->root_entries * 32 / SECTOR;
    return image->bytes + (data + cluster - 2) * SECTOR;
}

static void put_entry(uint8_t *at, const char *name, uint8_t attributes, uint32_t first,
                      uint32_t size)
{
    memcpy(at, name, 11);
    at[11] = attributes;
    put(at + 20, first >> 16, 2);
    put(at + 26, first & 0xFFFF, 2);
    put(at + 28, size, 4);
}

static uint8_t *put_long(uint8_t *at, const char *name, const char *alias)
{
    static const uint8_t places[13] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
    unsigned pieces = (unsigned)(strlen(name) + 12) / 13;
    uint8_t sum = 0;
    for (unsigned i = 0; i < 11; i++)
        sum = (uint8_t)((uint8_t)(sum << 7 | sum >> 1) + (uint8_t)alias[i]);
    for (unsigned piece = pieces; piece > 0; piece--, at += 32) {
        at[0] = (uint8_t)(piece | (piece == pieces ? 0x40 : 0));
        at[11] = 0x0F;
        at[13] = sum;
        for (unsigned i = 0; i < 13; i++) {
            size_t index = (piece - 1) * 13 + i;
            put(at + places[i],
                index < strlen(name)    ? (uint8_t)name[index]
                : index == strlen(name) ? 0
                                        : 0xFFFF,
                2);
        }
    }
    return at;
}

static struct image make(unsigned bits)
{
    struct image image = { .bits = bits,
                           .reserved = bits == 32 ? 32 : 1,
                           .root_entries = bits == 32 ? 0 : 64,
                           .clusters = bits == 12   ? 200
                                       : bits == 16 ? 5000
                                                    : 66000 };
    image.fat_sectors = ((image.clusters + 2) * bits / 8 + SECTOR) / SECTOR;
    uint32_t total =
        image.reserved + image.fat_sectors + image.root_entries * 32 / SECTOR + image.clusters;
    image.size = (size_t)total * SECTOR;
    image.bytes = calloc(1, image.size);
    uint8_t *boot = image.bytes;
    put(boot + 11, SECTOR, 2);
    boot[13] = 1;
    put(boot + 14, image.reserved, 2);
    boot[16] = 1;
    put(boot + 17, image.root_entries, 2);
    put(boot + 32, total, 4);
    put(boot + (bits == 32 ? 36 : 22), image.fat_sectors, bits == 32 ? 4 : 2);
    put(boot + 44, 2, bits == 32 ? 4 : 0);
    put(boot + 510, 0xAA55, 2);
    uint8_t *root =
        bits == 32 ? cluster_at(&image, 2) : boot + (image.reserved + image.fat_sectors) * SECTOR;
    set_fat(&image, 2, 0x0FFFFFFF);
    put_entry(root, "VOLUME     ", FAT_VOLUME_LABEL, 0, 0);
    put_entry(root + 32, "EFI        ", FAT_DIRECTORY, 3, 0);
    root[64] = 0xE5;
    put_entry(put_long(root + 96, "a long name.config", "ALONGN~1CON"), "ALONGN~1CON", 0x20, 20,
              FILE_SIZE);
    set_fat(&image, 3, 0x0FFFFFFF);
    put_entry(cluster_at(&image, 3), ".          ", FAT_DIRECTORY, 3, 0);
    put_entry(cluster_at(&image, 3) + 32, "..         ", FAT_DIRECTORY, 0, 0);
    put_entry(cluster_at(&image, 3) + 64, "EMPTY   TXT", 0x20, 0, 0);
    /* The file: pieces of three neighbours, then a jump, back and forth. */
    uint32_t at = 20, left = FILE_SIZE, written = 0;
    for (unsigned i = 0; left > 0; i++) {
        uint32_t piece = left < SECTOR ? left : SECTOR;
        for (uint32_t k = 0; k < piece; k++)
            cluster_at(&image, at)[k] = (uint8_t)((written + k) * 31 >> 3);
        left -= piece;
        written += piece;
        uint32_t next = i % 3 == 2 ? (i % 2 ? at + 40 : at - 15) : at + 1;
        set_fat(&image, at, left ? next : 0x0FFFFFFF);
        at = next;
    }
    return image;
}

static bool disk_read(void *disk, uint64_t offset, void *data, size_t length)
{
    const struct image *image = disk;
    if (offset > image->size || length > image->size - offset)
        return false;
    memcpy(data, image->bytes + offset, length);
    return true;
}

static bool find(const struct fat_volume *volume, struct fat_file directory, const char *name,
                 struct fat_entry *ret)
{
    uint16_t wide[64];
    for (size_t i = 0; i <= strlen(name); i++)
        wide[i] = (uint8_t)name[i];
    return fat_find(volume, &directory, wide, strlen(name), ret) == FAT_OK;
}

static void reads(unsigned bits)
{
    struct image image = make(bits);
    struct fat_volume volume;
    struct fat_file root;
    struct fat_entry entry;
    assert_true(fat_mount(disk_read, &image, image.size, &volume));
    assert_int_equal(volume.bits, bits);
    fat_root(&volume, &root);
    assert_false(find(&volume, root, "volume", &entry));
    assert_false(find(&volume, root, "a long name", &entry));
    assert_true(find(&volume, root, "A Long Name.CONFIG", &entry));
    assert_int_equal(entry.file.size, FILE_SIZE);
    static const size_t pieces[] = { 1, 7, 511, 512, 513, 1024, FILE_SIZE };
    for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
        uint8_t *data = malloc(FILE_SIZE);
        for (uint32_t at = 0; at < FILE_SIZE; at += (uint32_t)pieces[p]) {
            size_t length = FILE_SIZE - at < pieces[p] ? FILE_SIZE - at : pieces[p];
            assert_true(fat_read(&volume, &entry.file, at, data + at, length));
        }
        for (uint32_t i = 0; i < FILE_SIZE; i++)
            assert_int_equal(data[i], (uint8_t)(i * 31 >> 3));
        assert_false(fat_read(&volume, &entry.file, 1, data, FILE_SIZE));
        free(data);
    }
    assert_true(find(&volume, root, "efi", &entry));
    assert_true(entry.file.attributes & FAT_DIRECTORY);
    struct fat_entry inner;
    assert_true(find(&volume, entry.file, "empty.txt", &inner));
    assert_int_equal(inner.file.size, 0);
    assert_true(find(&volume, entry.file, "..", &inner));
    assert_true(find(&volume, inner.file, "EFI", &inner));
    free(image.bytes);
}

static void reads_all_widths(void **state)
{
    (void)state;
    reads(12);
    reads(16);
    reads(32);
}

static uint32_t random_number(void)
{
    static uint32_t value = 99;
    value = value * 1664525 + 1013904223;
    return value >> 8;
}

/* Walks everything there is, two levels deep, and reads each file. */
static void walk(const struct fat_volume *volume, struct fat_file directory, unsigned depth)
{
    struct fat_entry entry;
    uint32_t position = 0;
    uint8_t data[600];
    unsigned seen = 0;
    while (seen++ < 200 && fat_next(volume, &directory, &position, &entry) == FAT_OK) {
        if (depth > 0 && (entry.file.attributes & FAT_DIRECTORY))
            walk(volume, entry.file, depth - 1);
        size_t length = entry.file.size < sizeof(data) ? entry.file.size : sizeof(data);
        (void)fat_read(volume, &entry.file, 0, data, length);
        (void)fat_read(volume, &entry.file, (uint32_t)(entry.file.size - length), data, length);
    }
}

static void survives_damage(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 600; round++) {
        struct image image = make(round % 2 ? 12 : 16);
        struct fat_volume volume;
        for (unsigned i = 0; i < 1 + round % 20; i++) {
            uint32_t where = random_number() % (round % 3 ? 4096 : 64);
            image.bytes[where] = (uint8_t)random_number();
        }
        if (fat_mount(disk_read, &image, image.size, &volume)) {
            struct fat_file root;
            fat_root(&volume, &root);
            walk(&volume, root, 2);
        }
        free(image.bytes);
    }
}

static void circular_directory_ends(void **state)
{
    (void)state;
    struct image image = make(32);
    struct fat_volume volume;
    struct fat_file root;
    struct fat_entry entry;
    uint32_t position = 0, entries = 0;
    memset(cluster_at(&image, 2), 'A', SECTOR);
    for (unsigned i = 0; i < SECTOR; i += 32)
        cluster_at(&image, 2)[i + 11] = 0x20;
    set_fat(&image, 2, 2);
    assert_true(fat_mount(disk_read, &image, image.size, &volume));
    fat_root(&volume, &root);
    while (fat_next(&volume, &root, &position, &entry) == FAT_OK)
        entries++;
    assert_int_equal(entries, 65536);
    free(image.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(reads_all_widths),
                                        cmocka_unit_test(survives_damage),
                                        cmocka_unit_test(circular_directory_ends) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
