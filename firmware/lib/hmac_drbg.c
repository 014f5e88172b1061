/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* HMAC_DRBG (SP 800-90A 10.1.2) over HMAC (FIPS 198-1). */
#include "firmware/lib/hmac_drbg.h"

#include <string.h>

/* SHA-256 of the key, combined with `pad` and filled up to a block. */
static void start_padded(struct sha256 *hash, const uint8_t key[SHA256_SIZE], uint8_t pad)
{
    uint8_t block[SHA256_BLOCK];
    memset(block, pad, sizeof(block));
    for (size_t i = 0; i < SHA256_SIZE; i++)
        block[i] ^= key[i];
    sha256_start(hash);
    sha256_add(hash, block, sizeof(block));
}

static void hmac_start(struct sha256 *hash, const struct hmac_drbg *drbg)
{
    start_padded(hash, drbg->key, 0x36);
    sha256_add(hash, drbg->value, sizeof(drbg->value));
}

/* `result` may be the key. */
static void hmac_end(struct sha256 *hash, const struct hmac_drbg *drbg, uint8_t result[SHA256_SIZE])
{
    uint8_t inner[SHA256_SIZE];
    sha256_end(hash, inner);
    start_padded(hash, drbg->key, 0x5C);
    sha256_add(hash, inner, sizeof(inner));
    sha256_end(hash, result);
}

static void next_value(struct hmac_drbg *drbg)
{
    struct sha256 hash;
    hmac_start(&hash, drbg);
    hmac_end(&hash, drbg, drbg->value);
}

/* 10.1.2.2 */
static void update(struct hmac_drbg *drbg, const void *data, size_t size)
{
    for (uint8_t round = 0; round < (size ? 2 : 1); round++) {
        struct sha256 hash;
        hmac_start(&hash, drbg);
        sha256_add(&hash, &round, 1);
        sha256_add(&hash, data, size);
        hmac_end(&hash, drbg, drbg->key);
        next_value(drbg);
    }
}

void hmac_drbg_start(struct hmac_drbg *drbg, const void *seed, size_t size)
{
    memset(drbg->key, 0x00, sizeof(drbg->key));
    memset(drbg->value, 0x01, sizeof(drbg->value));
    update(drbg, seed, size);
}

void hmac_drbg_reseed(struct hmac_drbg *drbg, const void *seed, size_t size)
{
    update(drbg, seed, size);
}

void hmac_drbg_generate(struct hmac_drbg *drbg, const void *additional, size_t additional_size,
                        uint8_t *random, size_t size)
{
    if (additional_size)
        update(drbg, additional, additional_size);
    while (size > 0) {
        size_t piece = size < SHA256_SIZE ? size : SHA256_SIZE;
        next_value(drbg);
        memcpy(random, drbg->value, piece);
        random += piece;
        size -= piece;
    }
    update(drbg, additional, additional_size);
}
