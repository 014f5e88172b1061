/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's HMAC_DRBG against OpenSSL's, which is fed the same entropy: instantiation with and
 * without personalization, requests of all lengths with and without additional input, reseeding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "firmware/lib/hmac_drbg.h"

enum { ENTROPY = 48, NONCE = 16, EXTRA_MAXIMUM = 100, OUTPUT_MAXIMUM = 300, STRENGTH = 256 };

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random();
}

struct oracle {
    EVP_RAND_CTX *parent, *drbg;
    uint8_t entropy[ENTROPY], nonce[NONCE];
};

/* What the parent hands out next. */
static void feed(struct oracle *o, size_t nonce)
{
    unsigned strength = STRENGTH;
    fill(o->entropy, sizeof(o->entropy));
    fill(o->nonce, sizeof(o->nonce));
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_ENTROPY, o->entropy, ENTROPY),
        OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_NONCE, o->nonce, nonce),
        OSSL_PARAM_construct_uint(OSSL_RAND_PARAM_STRENGTH, &strength),
        OSSL_PARAM_construct_end(),
    };
    assert_int_equal(EVP_RAND_CTX_set_params(o->parent, parameters), 1);
}

static void open_oracle(struct oracle *o, const uint8_t *personal, size_t size)
{
    EVP_RAND *test = EVP_RAND_fetch(NULL, "TEST-RAND", NULL);
    EVP_RAND *hmac = EVP_RAND_fetch(NULL, "HMAC-DRBG", NULL);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_MAC, (char[]){ "HMAC" }, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
        OSSL_PARAM_construct_end(),
    };
    assert_non_null(test);
    assert_non_null(hmac);
    o->parent = EVP_RAND_CTX_new(test, NULL);
    o->drbg = EVP_RAND_CTX_new(hmac, o->parent);
    feed(o, NONCE);
    assert_int_equal(EVP_RAND_instantiate(o->parent, STRENGTH, 0, NULL, 0, NULL), 1);
    assert_int_equal(EVP_RAND_instantiate(o->drbg, STRENGTH, 0, personal, size, parameters), 1);
    EVP_RAND_free(test);
    EVP_RAND_free(hmac);
}

static void close_oracle(struct oracle *o)
{
    EVP_RAND_CTX_free(o->drbg);
    EVP_RAND_CTX_free(o->parent);
}

static void one_generator(struct oracle *o)
{
    uint8_t seed[ENTROPY + NONCE + EXTRA_MAXIMUM], extra[EXTRA_MAXIMUM];
    uint8_t ours[OUTPUT_MAXIMUM], theirs[OUTPUT_MAXIMUM];
    struct hmac_drbg drbg;
    size_t extra_size = random() % 2 ? (size_t)random() % EXTRA_MAXIMUM : 0;
    fill(extra, sizeof(extra));
    open_oracle(o, extra, extra_size);
    memcpy(seed, o->entropy, ENTROPY);
    memcpy(seed + ENTROPY, o->nonce, NONCE);
    memcpy(seed + ENTROPY + NONCE, extra, extra_size);
    hmac_drbg_start(&drbg, seed, ENTROPY + NONCE + extra_size);
    for (unsigned i = 0; i < 8; i++) {
        size_t size = 1 + (size_t)random() % OUTPUT_MAXIMUM;
        extra_size = random() % 2 ? (size_t)random() % EXTRA_MAXIMUM : 0;
        fill(extra, sizeof(extra));
        if (i % 3 == 2) {
            feed(o, 0);
            assert_int_equal(EVP_RAND_reseed(o->drbg, 0, NULL, 0, extra, extra_size), 1);
            memcpy(seed, o->entropy, ENTROPY);
            memcpy(seed + ENTROPY, extra, extra_size);
            hmac_drbg_reseed(&drbg, seed, ENTROPY + extra_size);
        }
        assert_int_equal(EVP_RAND_generate(o->drbg, theirs, size, STRENGTH, 0, extra, extra_size),
                         1);
        hmac_drbg_generate(&drbg, extra, extra_size, ours, size);
        assert_memory_equal(ours, theirs, size);
    }
    close_oracle(o);
}

static void as_openssl(void **state)
{
    (void)state;
    srandom(1);
    for (unsigned i = 0; i < 200; i++) {
        struct oracle oracle = { .parent = NULL };
        one_generator(&oracle);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(as_openssl) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
