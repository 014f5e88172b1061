/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The chip's randomness. Deterministic mode: SHA-256 in counter mode over a state seeded by the
 * chip secret that absorbs every command, so that equal histories give equal nonces and keys.
 */
#include <openssl/rand.h>
#include <string.h>

#include "machine/chip/internal.h"

static void hash2(const void *a, size_t a_length, const void *b, size_t b_length, uint8_t out[32])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL) ||
        !EVP_DigestUpdate(context, a, a_length) || !EVP_DigestUpdate(context, b, b_length) ||
        !EVP_DigestFinal_ex(context, out, NULL))
        OPENSSL_die("SHA-256 failed", __FILE_NAME__, __LINE__);
    EVP_MD_CTX_free(context);
}

void chip_random_absorb(struct chip *chip, const void *data, size_t length)
{
    if (!chip->config.deterministic)
        return;
    hash2(chip->random_state, sizeof(chip->random_state), data, length, chip->random_state);
}

void chip_random(struct chip *chip, void *data, size_t length)
{
    uint8_t *out = data, block[32];
    if (!chip->config.deterministic) {
        if (RAND_bytes(data, (int)length) != 1)
            OPENSSL_die("no random source", __FILE_NAME__, __LINE__);
        return;
    }
    while (length) {
        size_t piece = length < sizeof(block) ? length : sizeof(block);
        chip->random_counter++;
        hash2(chip->random_state, sizeof(chip->random_state), &chip->random_counter,
              sizeof(chip->random_counter), block);
        memcpy(out, block, piece);
        out += piece;
        length -= piece;
    }
    OPENSSL_cleanse(block, sizeof(block));
}
