/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * AES-128-XEX as SEV's memory controllers of Zen 2 and later do it, as far as it is public:
 * C = AES_K(m ^ T(p)) ^ T(p), where T(p) is the XOR of one random constant for each set bit of the
 * physical address from bit 4 up (Wilke et al., "SEVurity", IEEE S&P 2020).
 *
 * The constants of bits 4 to 11 give 256 in-page tweaks, computed once; the other bits give one
 * value per page. OpenSSL runs over whole pages at a time.
 */
#include "machine/memory/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "machine/memory/memory.h"

#define BLOCK       16u
#define PAGE_BLOCKS (MEMORY_PAGE_SIZE / BLOCK)
#define FIRST_BIT   4
#define PAGE_BIT    12
#define LAST_BIT    51

struct key {
    EVP_CIPHER_CTX *encrypt, *decrypt; /* NULL: no key */
};

struct tweak {
    uint64_t part[2];
};

struct engine {
    struct tweak constant[LAST_BIT + 1];
    struct tweak in_page[PAGE_BLOCKS];
    struct key keys[MEMORY_MAX_ASID + 1];
};

static void derive_constants(struct engine *engine, const uint8_t seed[32])
{
    for (unsigned bit = FIRST_BIT; bit <= LAST_BIT; bit++) {
        uint8_t message[33], digest[EVP_MAX_MD_SIZE];
        memcpy(message, seed, 32);
        message[32] = (uint8_t)bit;
        if (EVP_Digest(message, sizeof(message), digest, NULL, EVP_sha256(), NULL) != 1)
            abort();
        memcpy(&engine->constant[bit], digest, BLOCK);
        OPENSSL_cleanse(message, sizeof(message));
    }
}

static struct tweak tweak_of_bits(const struct engine *engine, uint64_t address, unsigned first,
                                  unsigned end)
{
    struct tweak sum = {{0, 0}};
    for (unsigned bit = first; bit < end; bit++) {
        if (address >> bit & 1) {
            sum.part[0] ^= engine->constant[bit].part[0];
            sum.part[1] ^= engine->constant[bit].part[1];
        }
    }
    return sum;
}

struct engine *engine_create(const uint8_t seed[32])
{
    struct engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        return NULL;
    derive_constants(engine, seed);
    for (unsigned block = 0; block < PAGE_BLOCKS; block++)
        engine->in_page[block] = tweak_of_bits(engine, block * BLOCK, FIRST_BIT, PAGE_BIT);
    return engine;
}

static void wipe_key(struct key *key)
{
    EVP_CIPHER_CTX_free(key->encrypt); /* cleanses the key schedule; NULL is fine */
    EVP_CIPHER_CTX_free(key->decrypt);
    key->encrypt = key->decrypt = NULL;
}

void engine_destroy(struct engine *engine)
{
    if (!engine)
        return;
    for (unsigned asid = 0; asid <= MEMORY_MAX_ASID; asid++)
        wipe_key(&engine->keys[asid]);
    OPENSSL_cleanse(engine, sizeof(*engine));
    free(engine);
}

static EVP_CIPHER_CTX *cipher_context(const uint8_t *key, int encrypt)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!context || EVP_CipherInit_ex(context, EVP_aes_128_ecb(), NULL, key, NULL, encrypt) != 1 ||
        EVP_CIPHER_CTX_set_padding(context, 0) != 1) {
        fprintf(stderr, "privet: OpenSSL cannot set up AES-128\n");
        abort();
    }
    return context;
}

void engine_set_key(struct engine *engine, unsigned asid, const uint8_t *key)
{
    struct key *slot = &engine->keys[asid];
    wipe_key(slot);
    if (key) {
        slot->encrypt = cipher_context(key, 1);
        slot->decrypt = cipher_context(key, 0);
    }
}

bool engine_has_key(const struct engine *engine, unsigned asid)
{
    return asid <= MEMORY_MAX_ASID && engine->keys[asid].encrypt;
}

static void apply_tweaks(const struct engine *engine, struct tweak page, unsigned first_block,
                         uint8_t *data, size_t length)
{
    const struct tweak *tweak = &engine->in_page[first_block];
    for (size_t at = 0; at < length; at += BLOCK, tweak++) {
        uint64_t block[2];
        memcpy(block, data + at, BLOCK);
        block[0] ^= tweak->part[0] ^ page.part[0];
        block[1] ^= tweak->part[1] ^ page.part[1];
        memcpy(data + at, block, BLOCK);
    }
}

void engine_crypt(struct engine *engine, unsigned asid, bool encrypt, uint64_t gpa, uint8_t *data,
                  size_t length)
{
    EVP_CIPHER_CTX *context = encrypt ? engine->keys[asid].encrypt : engine->keys[asid].decrypt;
    struct tweak page = tweak_of_bits(engine, gpa, PAGE_BIT, LAST_BIT + 1);
    unsigned first_block = (unsigned)(gpa % MEMORY_PAGE_SIZE / BLOCK);
    int written = 0;

    apply_tweaks(engine, page, first_block, data, length);
    if (EVP_CipherUpdate(context, data, &written, data, (int)length) != 1 ||
        (size_t)written != length)
        abort();
    apply_tweaks(engine, page, first_block, data, length);
}
