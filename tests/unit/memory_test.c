/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The memory encryption engine seen from outside: views, conversions, the listener, ROM, and the
 * cipher against an independent block-by-block computation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "machine/memory/memory.h"

#define RAM_BASE 0x100000u
#define RAM_SIZE 0x40000u
#define ROM_BASE 0x80000000u

static const uint8_t seed[32] = {1, 2, 3, 4, 5};
static const uint8_t key_a[16] = "0123456789abcdef";
static const uint8_t key_b[16] = "fedcba9876543210";

static int setup(void **state)
{
    struct memory *memory = memory_create(seed);
    assert_non_null(memory);
    assert_int_equal(memory_add_ram(memory, RAM_BASE, RAM_SIZE), 0);
    memory_set_key(memory, 1, key_a);
    memory_set_key(memory, 2, key_b);
    *state = memory;
    return 0;
}

static int teardown(void **state)
{
    memory_destroy(*state);
    return 0;
}

/* XEX of one block by the book: docs/memory-encryption.md. */
static void reference_encrypt(const uint8_t *key, uint64_t gpa, const uint8_t in[16],
                              uint8_t out[16])
{
    uint8_t tweak[16] = {0}, block[16];
    for (unsigned bit = 4; bit < 52; bit++) {
        uint8_t message[33], digest[32];
        if (!(gpa >> bit & 1))
            continue;
        memcpy(message, seed, 32);
        message[32] = (uint8_t)bit;
        SHA256(message, sizeof(message), digest);
        for (unsigned i = 0; i < 16; i++)
            tweak[i] ^= digest[i];
    }
    for (unsigned i = 0; i < 16; i++)
        block[i] = in[i] ^ tweak[i];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int length = 0;
    EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), NULL, key, NULL);
    EVP_EncryptUpdate(context, out, &length, block, 16);
    EVP_CIPHER_CTX_free(context);
    for (unsigned i = 0; i < 16; i++)
        out[i] ^= tweak[i];
}

static void matches_reference(void **state)
{
    struct memory *memory = *state;
    uint8_t plain[2 * MEMORY_PAGE_SIZE], raw[2 * MEMORY_PAGE_SIZE], expected[16];
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)(i * 7 + i / 256);
    uint64_t gpa = RAM_BASE + 0x5000;
    assert_int_equal(memory_write(memory, gpa, plain, sizeof(plain), 1), 0);
    assert_int_equal(memory_read(memory, gpa, raw, sizeof(raw), MEMORY_RAW), 0);
    for (size_t at = 0; at < sizeof(plain); at += 16) {
        reference_encrypt(key_a, gpa + at, plain + at, expected);
        assert_memory_equal(raw + at, expected, 16);
    }
}

static void views_round_trip(void **state)
{
    struct memory *memory = *state;
    uint8_t text[100], back[100], other[100];
    memset(text, 'x', sizeof(text));
    uint64_t gpa = RAM_BASE + MEMORY_PAGE_SIZE - 50; /* crosses a page */
    assert_int_equal(memory_write(memory, gpa, text, sizeof(text), 1), 0);
    assert_int_equal(memory_read(memory, gpa, other, sizeof(other), 2), 0);
    assert_memory_not_equal(other, text, sizeof(text));
    assert_int_equal(memory_read(memory, gpa, other, sizeof(other), MEMORY_RAW), 0);
    assert_memory_not_equal(other, text, sizeof(text));
    assert_int_equal(memory_read(memory, gpa, back, sizeof(back), 1), 0);
    assert_memory_equal(back, text, sizeof(text));
}

static void address_and_key_matter(void **state)
{
    struct memory *memory = *state;
    uint8_t zero[32] = {0}, first[32], second[16], under_b[16];
    assert_int_equal(memory_write(memory, RAM_BASE, zero, 32, 1), 0);
    assert_int_equal(memory_write(memory, RAM_BASE + 0x1000, zero, 16, 1), 0);
    assert_int_equal(memory_read(memory, RAM_BASE, first, 32, MEMORY_RAW), 0);
    assert_int_equal(memory_read(memory, RAM_BASE + 0x1000, second, 16, MEMORY_RAW), 0);
    assert_memory_not_equal(first, first + 16, 16);
    assert_memory_not_equal(first, second, 16);
    assert_int_equal(memory_write(memory, RAM_BASE, zero, 16, 2), 0);
    assert_int_equal(memory_read(memory, RAM_BASE, under_b, 16, MEMORY_RAW), 0);
    assert_memory_not_equal(first, under_b, 16);
}

static void raw_write_corrupts_one_block(void **state)
{
    struct memory *memory = *state;
    uint8_t text[48], back[48], one = 0x5A;
    memset(text, 'y', sizeof(text));
    assert_int_equal(memory_write(memory, RAM_BASE, text, sizeof(text), 1), 0);
    assert_int_equal(memory_write(memory, RAM_BASE + 20, &one, 1, MEMORY_RAW), 0);
    assert_int_equal(memory_read(memory, RAM_BASE, back, sizeof(back), 1), 0);
    assert_memory_equal(back, text, 16);
    assert_memory_equal(back + 32, text, 16);
    unsigned changed = 0;
    for (unsigned i = 16; i < 32; i++)
        changed += back[i] != 'y';
    assert_true(changed > 8); /* 16 random bytes: fewer has a chance below 2^-50 */
}

static void encrypts_in_place(void **state)
{
    struct memory *memory = *state;
    uint8_t text[MEMORY_PAGE_SIZE + 32], back[sizeof(text)], raw[sizeof(text)];
    memset(text, 'z', sizeof(text));
    uint64_t gpa = RAM_BASE + 0x2000;
    assert_int_equal(memory_write(memory, gpa, text, sizeof(text), MEMORY_RAW), 0);
    assert_int_equal(memory_encrypt_in_place(memory, gpa, sizeof(text), 1), 0);
    assert_int_equal(memory_read(memory, gpa, raw, sizeof(raw), MEMORY_RAW), 0);
    for (size_t at = 0; at < sizeof(text); at += 16) {
        uint8_t expected[16];
        reference_encrypt(key_a, gpa + at, text + at, expected);
        assert_memory_equal(raw + at, expected, 16);
    }
    assert_int_equal(memory_read(memory, gpa, back, sizeof(back), 1), 0);
    assert_memory_equal(back, text, sizeof(text));
    assert_int_equal(memory_encrypt_in_place(memory, gpa + 8, 16, 1), -1);
    assert_int_equal(memory_encrypt_in_place(memory, gpa, 16, 3), -1); /* no key */
}

/* What is stored where no region is: by the same cipher, from any block of a page on. */
static void host_memory_by_its_address(void **state)
{
    struct memory *memory = *state;
    const uint64_t address = 0x0008000300000FC0; /* into the next page */
    uint8_t text[160], data[160];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 7);
    memcpy(data, text, sizeof(data));
    assert_int_equal(memory_crypt_host(memory, 1, true, address, data, sizeof(data)), 0);
    for (size_t at = 0; at < sizeof(text); at += 16) {
        uint8_t expected[16];
        reference_encrypt(key_a, address + at, text + at, expected);
        assert_memory_equal(data + at, expected, 16);
    }
    assert_int_equal(memory_crypt_host(memory, 1, false, address, data, sizeof(data)), 0);
    assert_memory_equal(data, text, sizeof(text));
    assert_int_equal(memory_crypt_host(memory, 1, true, address + 8, data, 16), -1);
    assert_int_equal(memory_crypt_host(memory, 1, true, address, data, 24), -1);
    assert_int_equal(memory_crypt_host(memory, 3, true, address, data, 16), -1); /* no key */
    assert_int_equal(memory_crypt_host(memory, MEMORY_RAW, true, address, data, 16), -1);
    assert_memory_equal(data, text, sizeof(text));
}

static void wiped_key_leaves_ciphertext(void **state)
{
    struct memory *memory = *state;
    uint8_t text[16] = "secret text 1234", before[16], after[16];
    assert_int_equal(memory_write(memory, RAM_BASE, text, 16, 1), 0);
    reference_encrypt(key_a, RAM_BASE, text, before);
    memory_set_key(memory, 1, NULL);
    assert_int_equal(memory_read(memory, RAM_BASE, after, 16, MEMORY_RAW), 0);
    assert_memory_equal(before, after, 16);
    assert_int_equal(memory_read(memory, RAM_BASE, after, 16, 1), -1);
    assert_null(memory_page(memory, RAM_BASE, 1));
    memory_set_key(memory, 1, key_a);
    assert_int_equal(memory_read(memory, RAM_BASE, after, 16, 1), 0);
    assert_memory_equal(after, text, 16);
}

static void count_notice(void *context, uint64_t gpa)
{
    unsigned *count = context;
    assert_int_equal(gpa, RAM_BASE);
    ++*count;
}

static void listener_hears_view_and_code(void **state)
{
    struct memory *memory = *state;
    unsigned count = 0;
    uint8_t byte = 0;
    memory_set_listener(memory, count_notice, &count);
    assert_non_null(memory_page(memory, RAM_BASE, 1)); /* nobody held it before */
    assert_int_equal(count, 0);
    assert_non_null(memory_page(memory, RAM_BASE, MEMORY_RAW));
    assert_int_equal(count, 1);
    assert_int_equal(memory_write(memory, RAM_BASE, &byte, 1, MEMORY_RAW), 0);
    assert_int_equal(count, 1); /* same view, data only */
    memory_mark_code(memory, RAM_BASE, true);
    assert_true(memory_has_code(memory, RAM_BASE + 5));
    assert_int_equal(memory_write(memory, RAM_BASE, &byte, 1, MEMORY_RAW), 0);
    assert_int_equal(count, 2);
    memory_mark_code(memory, RAM_BASE, false);
    assert_int_equal(memory_write(memory, RAM_BASE, &byte, 1, MEMORY_RAW), 0);
    assert_int_equal(count, 2);
}

static void rom_and_ranges(void **state)
{
    struct memory *memory = *state;
    static uint8_t image[2 * MEMORY_PAGE_SIZE];
    uint8_t back = 0;
    uint64_t gpa = 0, size = 0;
    image[5] = 7;
    assert_int_equal(memory_add_rom(memory, ROM_BASE, sizeof(image), image), 0);
    assert_int_equal(memory_add_rom(memory, ROM_BASE + 0x1000, 0x1000, image), -1);
    assert_int_equal(memory_add_ram(memory, RAM_BASE + 1, 0x1000), -1);
    assert_int_equal(memory_page_kind(memory, ROM_BASE), MEMORY_ROM);
    assert_int_equal(memory_page_kind(memory, RAM_BASE), MEMORY_RAM);
    assert_int_equal(memory_page_kind(memory, RAM_BASE - 1), MEMORY_NONE);
    assert_int_equal(memory_page_kind(memory, RAM_BASE + RAM_SIZE), MEMORY_NONE);
    memory_rom_readable(memory, ROM_BASE, sizeof(image), false);
    assert_int_equal(memory_page_kind(memory, ROM_BASE), MEMORY_NONE);
    assert_null(memory_page(memory, ROM_BASE, MEMORY_RAW));
    assert_int_equal(memory_read(memory, ROM_BASE + 5, &back, 1, MEMORY_RAW), 0);
    assert_int_equal(back, 7);
    memory_rom_readable(memory, ROM_BASE, sizeof(image), true);
    assert_non_null(memory_page(memory, ROM_BASE, MEMORY_RAW));
    assert_int_equal(memory_read(memory, RAM_BASE + RAM_SIZE - 1, &gpa, 2, MEMORY_RAW), -1);
    assert_true(memory_ram_range(memory, 0, &gpa, &size));
    assert_int_equal(gpa, RAM_BASE);
    assert_int_equal(size, RAM_SIZE);
    assert_false(memory_ram_range(memory, 1, &gpa, &size));
}

static void statistics_count(void **state)
{
    struct memory *memory = *state;
    struct memory_statistics s;
    uint8_t byte = 1;
    memory_write(memory, RAM_BASE, &byte, 1, 1);
    memory_write(memory, RAM_BASE + 0x1000, &byte, 1, MEMORY_RAW);
    memory_get_statistics(memory, &s);
    assert_int_equal(s.private_pages, 1);
    assert_int_equal(s.shared_pages, 1);
    assert_int_equal(s.conversions, 1);
    assert_int_equal(s.encrypted_bytes, MEMORY_PAGE_SIZE);
    memory_read(memory, RAM_BASE, &byte, 1, MEMORY_RAW);
    memory_get_statistics(memory, &s);
    assert_int_equal(s.private_pages, 0);
    assert_int_equal(s.shared_pages, 2);
}

static void *notified(void *context, uint64_t gpa)
{
    (*(unsigned *)context)++;
    return NULL;
}

static void count_page(void *context, uint64_t gpa)
{
    notified(context, gpa);
}

/* RAM and ROM at the same addresses, as below 1 MiB of a PC. */
static void shadow_routes_reads_and_writes(void **state)
{
    uint8_t rom[0x2000], byte;
    uint64_t gpa, size;
    unsigned notices = 0;
    struct memory *memory = memory_create(seed);
    memset(rom, 0xB1, sizeof(rom));
    assert_int_equal(memory_add_shadow(memory, 0xC0000, 0x4000, rom, sizeof(rom)), 0);
    assert_int_equal(memory_add_shadow(memory, 0xD0000, 0x4000, rom, sizeof(rom)), -1);
    assert_int_equal(memory_add_ram(memory, 0xC3000, 0x1000), -1);
    memory_set_listener(memory, count_page, &notices);
    assert_int_equal(memory_page_kind(memory, 0xC0000), MEMORY_NONE);
    assert_int_equal(memory_page_kind(memory, 0xC2000), MEMORY_ROM);
    assert_false(memory_ram_range(memory, 0, &gpa, &size));
    assert_int_equal(memory_read(memory, 0xC2000, &byte, 1, MEMORY_RAW), 0);
    assert_int_equal(byte, 0xB1);

    /* Writes alone: reads are still the ROM's. */
    memory_route(memory, 0xC1000, 0x2000, MEMORY_ROUTE_WRITES);
    assert_int_equal(notices, 2);
    memory_write_shadow(memory, 0xC1FFF, "ab", 2);
    memory_write_shadow(memory, 0xC0000, "lost", 4);
    assert_int_equal(memory_page_kind(memory, 0xC1000), MEMORY_NONE);
    memory_read(memory, 0xC2000, &byte, 1, MEMORY_RAW);
    assert_int_equal(byte, 0xB1);

    /* Both: RAM, with what was written. */
    memory_route(memory, 0xC0000, 0x4000, MEMORY_ROUTE_READS | MEMORY_ROUTE_WRITES);
    assert_int_equal(notices, 6);
    memory_route(memory, 0xC0000, 0x4000, MEMORY_ROUTE_READS | MEMORY_ROUTE_WRITES);
    assert_int_equal(notices, 6);
    assert_true(memory_ram_range(memory, 0, &gpa, &size));
    memory_read(memory, 0xC1FFF, &byte, 1, MEMORY_RAW);
    assert_int_equal(byte, 'a');
    memory_read(memory, 0xC2000, &byte, 1, MEMORY_RAW);
    assert_int_equal(byte, 'b');
    memory_read(memory, 0xC0000, &byte, 1, MEMORY_RAW);
    assert_int_equal(byte, 0);

    /* Reads alone: RAM that is protected, as a ROM is. */
    memory_route(memory, 0xC0000, 0x4000, MEMORY_ROUTE_READS);
    assert_int_equal(memory_page_kind(memory, 0xC2000), MEMORY_ROM);
    memory_write_shadow(memory, 0xC2000, "c", 1);
    memory_read(memory, 0xC2000, &byte, 1, MEMORY_RAW);
    assert_int_equal(byte, 'b');
    memory_route(memory, 0xC0000, 0x4000, MEMORY_ROUTE_ROM);
    memory_read(memory, 0xC2000, &byte, 1, MEMORY_RAW);
    assert_int_equal(byte, 0xB1);
    memory_route(memory, 0xBF000, 0x8000, MEMORY_ROUTE_READS); /* outside: nothing happens */
    assert_int_equal(memory_page_kind(memory, 0xC0000), MEMORY_NONE);
    memory_destroy(memory);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(matches_reference),
        TEST(views_round_trip),
        TEST(address_and_key_matter),
        TEST(raw_write_corrupts_one_block),
        TEST(encrypts_in_place),
        TEST(host_memory_by_its_address),
        TEST(wiped_key_leaves_ciphertext),
        TEST(listener_hears_view_and_code),
        TEST(rom_and_ranges),
        TEST(statistics_count),
        cmocka_unit_test(shadow_routes_reads_and_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
