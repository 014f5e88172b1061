/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's SHA-256 against OpenSSL: all short lengths, odd pieces, both implementations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "firmware/lib/sha256.h"

#define BIG 100000u

static uint8_t data[BIG];

static void fill(void)
{
    uint32_t value = 1;
    for (size_t i = 0; i < BIG; i++) {
        value = value * 1664525 + 1013904223;
        data[i] = (uint8_t)(value >> 24);
    }
}

static void check(size_t length, size_t piece)
{
    struct sha256 hash;
    uint8_t ours[SHA256_SIZE], theirs[SHA256_DIGEST_LENGTH];
    sha256_start(&hash);
    for (size_t at = 0; at < length; at += piece)
        sha256_add(&hash, data + at, length - at < piece ? length - at : piece);
    sha256_end(&hash, ours);
    SHA256(data, length, theirs);
    assert_memory_equal(ours, theirs, sizeof(ours));
}

static void equals_openssl(void **state)
{
    (void)state;
    fill();
    for (size_t length = 0; length < 300; length++) {
        check(length, 300);
        check(length, 1);
        check(length, 63);
        check(length, 65);
    }
    check(BIG, BIG);
    check(BIG, 4096);
    check(BIG, 4097);
}

static void implementations_agree(void **state)
{
    (void)state;
    if (!__builtin_cpu_supports("sse4.1"))
        skip();
    uint32_t r[4];
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(7), "c"(0));
    if (!(r[1] & 1u << 29))
        skip();
    struct sha256 a, b;
    sha256_start(&a);
    sha256_start(&b);
    for (size_t count = 1; count < 20; count++) {
        sha256_blocks_portable(a.state, data + count, count);
        sha256_blocks_ni(b.state, data + count, count);
        assert_memory_equal(a.state, b.state, sizeof(a.state));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(equals_openssl),
                                        cmocka_unit_test(implementations_agree) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
