/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Where the firmware's random numbers come from (firmware/uefi/entropy.c), with processor, host and
 * DRBG played here: what goes into each seed, and that no failing source is taken for a good one. The
 * tests build on each other: there is one DRBG, as in the firmware.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/time.h"
#include "firmware/lib/hmac_drbg.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/entropy.h"

enum { WORDS = 16, HOST_BYTES = 64 }; /* of a seed */

/* --- the processor and the host --- */

enum answer { GOOD, EMPTY, ZEROS, ONES, REPEATED, SOME_ZEROS, SOME_ONES };
static bool has_rdrand, has_rdseed, encrypted, host_fails;
static enum answer rdseed_answer, rdrand_answer;
static uint64_t counter, clock;
static unsigned rdseeds, rdrands, host_reads;

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    return (struct cpuid){ .eax = 7,
                           .ebx = leaf == 7 && has_rdseed ? 1u << 18 : 0,
                           .ecx = leaf == 1 && has_rdrand ? 1u << 30 : 0 };
}

static bool answer(enum answer how, uint64_t *ret)
{
    bool odd = ++counter % 2;
    *ret = how == ZEROS || (how == SOME_ZEROS && odd)  ? 0
           : how == ONES || (how == SOME_ONES && odd) ? UINT64_MAX
           : how == REPEATED                          ? 0x1234
                                                      : counter;
    return how != EMPTY;
}

bool cpu_rdseed(uint64_t *ret)
{
    assert_true(has_rdseed);
    rdseeds++;
    return answer(rdseed_answer, ret);
}

bool cpu_rdrand(uint64_t *ret)
{
    assert_true(has_rdrand);
    rdrands++;
    return answer(rdrand_answer, ret);
}

uint64_t cpu_tsc(void)
{
    return ++clock;
}

uint64_t time_now_100ns(void)
{
    return clock;
}

bool sev_active(void)
{
    return encrypted;
}

static bool read_host(uint8_t *bytes, size_t size)
{
    assert_int_equal(size, HOST_BYTES);
    host_reads++;
    memset(bytes, 0xA5, size);
    return !host_fails;
}

/* --- the DRBG --- */

static unsigned starts, reseeds, generated;
static uint8_t seed[1024];
static size_t seed_size;

static void take(const void *data, size_t size)
{
    assert_true(size <= sizeof(seed));
    memcpy(seed, data, size);
    seed_size = size;
}

void hmac_drbg_start(struct hmac_drbg *drbg, const void *data, size_t size)
{
    (void)drbg;
    starts++;
    take(data, size);
}

void hmac_drbg_reseed(struct hmac_drbg *drbg, const void *data, size_t size)
{
    (void)drbg;
    assert_int_equal(starts, 1);
    reseeds++;
    take(data, size);
}

void hmac_drbg_generate(struct hmac_drbg *drbg, const void *additional, size_t additional_size,
                        uint8_t *random, size_t size)
{
    (void)drbg;
    (void)additional;
    assert_int_equal(additional_size, 0);
    assert_int_equal(starts, 1);
    assert_true(size <= HMAC_DRBG_REQUEST_MAXIMUM);
    memset(random, 0x77, size);
    generated++;
}

/* The processor's words from `first` on, all of them, are in the last seed. */
static bool seed_has_words(uint64_t first)
{
    for (uint64_t i = 0; i < WORDS; i++) {
        uint64_t word = first + i;
        bool found = false;
        for (size_t at = 0; at + 8 <= seed_size; at++)
            found |= memcmp(seed + at, &word, 8) == 0;
        if (!found)
            return false;
    }
    return true;
}

static bool seed_has_host(void)
{
    uint8_t bytes[HOST_BYTES];
    memset(bytes, 0xA5, sizeof(bytes));
    for (size_t at = 0; at + sizeof(bytes) <= seed_size; at++)
        if (memcmp(seed + at, bytes, sizeof(bytes)) == 0)
            return true;
    return false;
}

/* --- the tests --- */

static uint8_t buffer[0x30000];

static void no_source(void **state)
{
    (void)state;
    entropy_init();
    assert_false(entropy_available());
    assert_false(entropy_fill(buffer, 8, false));
    assert_false(entropy_fill(buffer, 8, true));
    has_rdrand = true;
    for (rdrand_answer = EMPTY; rdrand_answer <= REPEATED; rdrand_answer++) {
        entropy_init();
        assert_false(entropy_available());
    }
    rdrand_answer = GOOD;
    has_rdrand = false;
    entropy_init();
}

/* In a SEV guest the host may not be the source; elsewhere it may, each time anew. */
static void only_the_host(void **state)
{
    (void)state;
    encrypted = true;
    assert_false(entropy_add_host(read_host));
    assert_false(entropy_available());
    encrypted = false;
    host_fails = true;
    assert_false(entropy_add_host(read_host));
    assert_false(entropy_available());
    host_fails = false;
    assert_true(entropy_fill(buffer, 8, false));
    assert_true(entropy_available());
    assert_true(seed_has_host());
    unsigned before = host_reads;
    assert_true(entropy_fill(buffer, 100, true)); /* 32, 32, 32, 4 */
    assert_int_equal(host_reads - before, 4);
    host_fails = true;
    assert_false(entropy_fill(buffer, 8, false));
    assert_false(entropy_fill(buffer, 8, true));
    host_fails = false;
}

/* 1024 bits of it in each seed, RDSEED before RDRAND; the host's bytes come on top, once. */
static void the_processor(void **state)
{
    (void)state;
    has_rdrand = has_rdseed = true;
    uint64_t first = counter + 1;
    unsigned before = host_reads, not_used = rdrands;
    entropy_init();
    assert_true(seed_has_words(first));
    assert_false(seed_has_host());
    assert_int_equal(rdrands, not_used);
    assert_false(entropy_add_host(read_host)); /* not needed */
    assert_true(seed_has_host());
    assert_int_equal(host_reads - before, 1);
    first = counter + 1;
    generated = 0;
    assert_true(entropy_fill(buffer, sizeof(buffer), false));
    assert_true(seed_has_words(first));
    assert_int_equal(generated, 3); /* HMAC_DRBG_REQUEST_MAXIMUM each */
    unsigned seeds = reseeds;
    assert_true(entropy_fill(buffer, 65, true));
    assert_int_equal(reseeds - seeds, 3);
    assert_int_equal(host_reads - before, 1);
}

static void failures_are_failures(void **state)
{
    (void)state;
    for (enum answer how = EMPTY; how <= REPEATED; how++) {
        unsigned used = rdrands, seeds = reseeds;
        rdseed_answer = how;
        assert_true(entropy_fill(buffer, 8, false)); /* RDRAND helps out */
        assert_true(rdrands - used >= WORDS - 1);    /* a repeated word is good once */
        assert_int_equal(reseeds - seeds, 1);
        rdrand_answer = how;
        memset(buffer, 0, 8);
        assert_false(entropy_fill(buffer, 8, false));
        assert_false(entropy_fill(buffer, 8, true));
        assert_int_equal(buffer[0], 0);
        assert_int_equal(reseeds - seeds, 1);
        rdseed_answer = rdrand_answer = GOOD;
        assert_true(entropy_fill(buffer, 8, false)); /* and works again */
    }
}

static void bad_words_are_left_out(void **state)
{
    (void)state;
    for (rdseed_answer = SOME_ZEROS; rdseed_answer <= SOME_ONES; rdseed_answer++) {
        uint64_t words[WORDS];
        unsigned used = rdrands;
        assert_true(entropy_fill(buffer, 8, false));
        assert_int_equal(rdrands, used);
        memcpy(words, seed, sizeof(words)); /* they come first */
        for (unsigned i = 0; i < WORDS; i++)
            assert_true(words[i] != 0 && words[i] != UINT64_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_source),
        cmocka_unit_test(only_the_host),
        cmocka_unit_test(the_processor),
        cmocka_unit_test(failures_are_failures),
        cmocka_unit_test(bad_words_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
