/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* SHA-256 (FIPS 180-4): streaming and the portable compression function. */
#include "firmware/lib/sha256.h"

#include <stdbool.h>
#include <string.h>

const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t value, unsigned count)
{
    return value >> count | value << (32 - count);
}

static void expand(uint32_t schedule[64], const uint8_t *data)
{
    for (unsigned i = 0; i < 16; i++)
        schedule[i] = (uint32_t)data[4 * i] << 24 | (uint32_t)data[4 * i + 1] << 16 |
                      (uint32_t)data[4 * i + 2] << 8 | data[4 * i + 3];
    for (unsigned i = 16; i < 64; i++) {
        uint32_t a = schedule[i - 15], b = schedule[i - 2];
        schedule[i] = schedule[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + schedule[i - 7] +
                      (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
}

void sha256_blocks_portable(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    for (; blocks > 0; blocks--, data += SHA256_BLOCK) {
        uint32_t schedule[64], v[8];
        expand(schedule, data);
        memcpy(v, state, sizeof(v));
        for (unsigned i = 0; i < 64; i++) {
            uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
            uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
            uint32_t t1 = v[7] + s1 + choice + sha256_constants[i] + schedule[i];
            uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
            uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            memmove(v + 1, v, 7 * sizeof(v[0]));
            v[4] += t1;
            v[0] = t1 + t2;
        }
        for (unsigned i = 0; i < 8; i++)
            state[i] += v[i];
    }
}

static void cpuid(uint32_t leaf, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(0));
}

static bool have_extensions(void)
{
    uint32_t r[4];
    cpuid(0, r);
    if (r[0] < 7)
        return false;
    cpuid(1, r);
    bool sse41 = r[2] & 1u << 19, ssse3 = r[2] & 1u << 9;
    cpuid(7, r);
    return sse41 && ssse3 && (r[1] & 1u << 29);
}

static void blocks(uint32_t state[8], const uint8_t *data, size_t count)
{
    static int8_t extensions = -1;
    if (extensions < 0)
        extensions = have_extensions();
    if (extensions)
        sha256_blocks_ni(state, data, count);
    else
        sha256_blocks_portable(state, data, count);
}

void sha256_start(struct sha256 *hash)
{
    static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memcpy(hash->state, start, sizeof(start));
    hash->length = 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    size_t held = hash->length % SHA256_BLOCK;
    hash->length += length;
    if (held) {
        size_t piece = SHA256_BLOCK - held < length ? SHA256_BLOCK - held : length;
        memcpy(hash->block + held, bytes, piece);
        bytes += piece;
        length -= piece;
        if (held + piece < SHA256_BLOCK)
            return;
        blocks(hash->state, hash->block, 1);
    }
    if (length >= SHA256_BLOCK)
        blocks(hash->state, bytes, length / SHA256_BLOCK);
    bytes += length - length % SHA256_BLOCK;
    if (length % SHA256_BLOCK)
        memcpy(hash->block, bytes, length % SHA256_BLOCK);
}

void sha256_end(struct sha256 *hash, uint8_t ret_digest[SHA256_SIZE])
{
    uint8_t tail[2 * SHA256_BLOCK] = { 0 };
    size_t held = hash->length % SHA256_BLOCK;
    size_t total = held < SHA256_BLOCK - 8 ? SHA256_BLOCK : 2 * SHA256_BLOCK;
    memcpy(tail, hash->block, held);
    tail[held] = 0x80;
    uint64_t bits = hash->length * 8;
    for (unsigned i = 0; i < 8; i++)
        tail[total - 1 - i] = (uint8_t)(bits >> (8 * i));
    blocks(hash->state, tail, total / SHA256_BLOCK);
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        ret_digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}
