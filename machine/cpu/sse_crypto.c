/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * AES, PCLMULQDQ and SHA (APM 4): by the host's instruction where the host has it, by plain C
 * elsewhere. Both give the same, so a guest sees one processor on every host.
 */
#include "machine/cpu/simd.h"

/* --- AES: FIPS 197; byte k of a vector is row k % 4 of column k / 4 ----------------------- */

static uint8_t substitute[256], substitute_back[256];

static uint8_t times_x(uint8_t value)
{
    return (uint8_t)(value << 1 ^ (value >> 7) * 0x1B);
}

static uint8_t multiply(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    for (; b; b >>= 1, a = times_x(a))
        product ^= b & 1 ? a : 0;
    return product;
}

/* The S-box: the inverse in GF(2^8), then an affine map (FIPS 197 5.1.1). */
static void build_tables(void)
{
    uint8_t inverse[256] = {0};
    if (substitute[0])
        return;
    for (unsigned a = 1; a < 256; a++) {
        for (unsigned b = 1; b < 256 && !inverse[a]; b++) {
            if (multiply((uint8_t)a, (uint8_t)b) == 1)
                inverse[a] = (uint8_t)b;
        }
    }
    for (unsigned a = 0; a < 256; a++) {
        unsigned value = inverse[a] * 0x101u; /* shifts of it rotate the byte */
        uint8_t result =
            (uint8_t)(value ^ value >> 4 ^ value >> 5 ^ value >> 6 ^ value >> 7 ^ 0x63);
        substitute[a] = result;
        substitute_back[result] = (uint8_t)a;
    }
}

/* SubBytes and ShiftRows; row r moves by r columns, to the left when encrypting. */
static union xmm substitute_and_shift(union xmm state, const uint8_t *table, unsigned direction)
{
    union xmm result;
    build_tables();
    for (unsigned column = 0; column < 4; column++) {
        for (unsigned row = 0; row < 4; row++) {
            unsigned from = (column + direction * row) % 4;
            result.u8[4 * column + row] = table[state.u8[4 * from + row]];
        }
    }
    return result;
}

/* MixColumns with the first row of its circulant matrix. */
static union xmm mix_columns(union xmm state, const uint8_t factors[4])
{
    union xmm result;
    for (unsigned k = 0; k < 16; k++) {
        uint8_t sum = 0;
        for (unsigned n = 0; n < 4; n++)
            sum ^= multiply(state.u8[(k & ~3u) + (k + n) % 4], factors[n]);
        result.u8[k] = sum;
    }
    return result;
}

static const uint8_t mix[4] = {2, 3, 1, 1}, mix_back[4] = {14, 11, 13, 9};

static union xmm add_key(union xmm state, union xmm key)
{
    state.u64[0] ^= key.u64[0];
    state.u64[1] ^= key.u64[1];
    return state;
}

static union xmm portable_aesenc(union xmm a, union xmm b)
{
    return add_key(mix_columns(substitute_and_shift(a, substitute, 1), mix), b);
}

static union xmm portable_aesenclast(union xmm a, union xmm b)
{
    return add_key(substitute_and_shift(a, substitute, 1), b);
}

static union xmm portable_aesdec(union xmm a, union xmm b)
{
    return add_key(mix_columns(substitute_and_shift(a, substitute_back, 3), mix_back), b);
}

static union xmm portable_aesdeclast(union xmm a, union xmm b)
{
    return add_key(substitute_and_shift(a, substitute_back, 3), b);
}

static union xmm portable_aesimc(union xmm a, union xmm b)
{
    return mix_columns(b, mix_back);
}

static uint32_t substitute_word(uint32_t word)
{
    return (uint32_t)substitute[word & 0xFF] | (uint32_t)substitute[word >> 8 & 0xFF] << 8 |
           (uint32_t)substitute[word >> 16 & 0xFF] << 16 | (uint32_t)substitute[word >> 24] << 24;
}

static inline uint32_t rotate_left(uint32_t value, unsigned count)
{
    return value << count | value >> (32 - count);
}

/* With round constant 0: the caller adds it. */
static union xmm portable_aeskeygenassist_0(union xmm a, union xmm b)
{
    build_tables();
    uint32_t one = substitute_word(b.u32[1]), three = substitute_word(b.u32[3]);
    return (union xmm){.u32 = {one, rotate_left(one, 24), three, rotate_left(three, 24)}};
}

/* --- PCLMULQDQ of the low halves ---------------------------------------------------------- */

static union xmm portable_pclmulqdq_0(union xmm a, union xmm b)
{
    uint64_t low = 0, high = 0;
    for (unsigned k = 0; k < 64; k++) {
        if (!(b.u64[0] >> k & 1))
            continue;
        low ^= a.u64[0] << k;
        high ^= k ? a.u64[0] >> (64 - k) : 0;
    }
    return (union xmm){.u64 = {low, high}};
}

/* --- SHA-1 and SHA-256: FIPS 180-4; element 3 of a vector is the first word --------------- */

static union xmm portable_sha1nexte(union xmm a, union xmm b)
{
    b.u32[3] += rotate_left(a.u32[3], 30);
    return b;
}

static union xmm portable_sha1msg1(union xmm a, union xmm b)
{
    return (union xmm){.u32 = {b.u32[2] ^ a.u32[0], b.u32[3] ^ a.u32[1], a.u32[0] ^ a.u32[2],
                               a.u32[1] ^ a.u32[3]}};
}

static union xmm portable_sha1msg2(union xmm a, union xmm b)
{
    uint32_t w16 = rotate_left(a.u32[3] ^ b.u32[2], 1);
    return (union xmm){.u32 = {rotate_left(a.u32[0] ^ w16, 1), rotate_left(a.u32[1] ^ b.u32[0], 1),
                               rotate_left(a.u32[2] ^ b.u32[1], 1), w16}};
}

static uint32_t sha1_function(unsigned which, uint32_t b, uint32_t c, uint32_t d)
{
    if (which == 0)
        return (b & c) ^ (~b & d);
    return which == 2 ? (b & c) ^ (b & d) ^ (c & d) : b ^ c ^ d;
}

static union xmm sha1_rounds(union xmm state, union xmm words, unsigned which)
{
    static const uint32_t constants[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    uint32_t a = state.u32[3], b = state.u32[2], c = state.u32[1], d = state.u32[0], e = 0;
    for (unsigned k = 0; k < 4; k++) {
        uint32_t next = sha1_function(which, b, c, d) + rotate_left(a, 5) + words.u32[3 - k] + e +
                        constants[which];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = next;
    }
    return (union xmm){.u32 = {d, c, b, a}};
}

static uint32_t rotate_right(uint32_t value, unsigned count)
{
    return rotate_left(value, 32 - count);
}

static uint32_t small_sigma0(uint32_t w)
{
    return rotate_right(w, 7) ^ rotate_right(w, 18) ^ w >> 3;
}

static uint32_t small_sigma1(uint32_t w)
{
    return rotate_right(w, 17) ^ rotate_right(w, 19) ^ w >> 10;
}

static union xmm portable_sha256msg1(union xmm a, union xmm b)
{
    return (union xmm){.u32 = {a.u32[0] + small_sigma0(a.u32[1]), a.u32[1] + small_sigma0(a.u32[2]),
                               a.u32[2] + small_sigma0(a.u32[3]),
                               a.u32[3] + small_sigma0(b.u32[0])}};
}

static union xmm portable_sha256msg2(union xmm a, union xmm b)
{
    uint32_t w16 = a.u32[0] + small_sigma1(b.u32[2]), w17 = a.u32[1] + small_sigma1(b.u32[3]);
    return (union xmm){.u32 = {w16, w17, a.u32[2] + small_sigma1(w16),
                               a.u32[3] + small_sigma1(w17)}};
}

static union xmm sha256_rounds(union xmm cdgh, union xmm abef, union xmm keys)
{
    uint32_t a = abef.u32[3], b = abef.u32[2], c = cdgh.u32[3], d = cdgh.u32[2];
    uint32_t e = abef.u32[1], f = abef.u32[0], g = cdgh.u32[1], h = cdgh.u32[0];
    for (unsigned k = 0; k < 2; k++) {
        uint32_t one = h + keys.u32[k] + ((e & f) ^ (~e & g)) +
                       (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25));
        uint32_t two = ((a & b) ^ (a & c) ^ (b & c)) +
                       (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22));
        h = g;
        g = f;
        f = e;
        e = d + one;
        d = c;
        c = b;
        b = a;
        a = one + two;
    }
    return (union xmm){.u32 = {f, e, b, a}};
}

/* --- the choice --------------------------------------------------------------------------- */

#define CHOOSE(name, feature)                                                                      \
    __m128i crypto_##name(__m128i a, __m128i b)                                                    \
    {                                                                                              \
        if (__builtin_expect(hostfp_native(feature), 1))                                           \
            return host_##name(a, b);                                                              \
        return from_xmm(portable_##name(to_xmm(a), to_xmm(b)));                                    \
    }
#define CHOOSE_VECTOR(name, code, operands, memory, feature)                                       \
    HOST_VECTOR2(name)                                                                             \
    CHOOSE(name, feature)
SSE_CRYPTO_LIST(CHOOSE_VECTOR)

HOST_VECTOR_IMM(aeskeygenassist, 0)
CHOOSE(aeskeygenassist_0, FEATURE_AES)
HOST_VECTOR_IMM(pclmulqdq, 0)
CHOOSE(pclmulqdq_0, FEATURE_PCLMULQDQ)

HOST_VECTOR_IMM(sha1rnds4, 0)
HOST_VECTOR_IMM(sha1rnds4, 1)
HOST_VECTOR_IMM(sha1rnds4, 2)
HOST_VECTOR_IMM(sha1rnds4, 3)

__m128i crypto_sha1rnds4(__m128i a, __m128i b, unsigned which)
{
    typedef __m128i host_function(__m128i, __m128i);
    static host_function *const table[4] = {host_sha1rnds4_0, host_sha1rnds4_1, host_sha1rnds4_2,
                                            host_sha1rnds4_3};
    if (hostfp_native(FEATURE_SHA))
        return table[which & 3](a, b);
    return from_xmm(sha1_rounds(to_xmm(a), to_xmm(b), which & 3));
}

__m128i crypto_sha256rnds2(__m128i a, __m128i b, __m128i round_keys)
{
    register __m128i keys __asm__("xmm0") = round_keys;
    if (!hostfp_native(FEATURE_SHA))
        return from_xmm(sha256_rounds(to_xmm(a), to_xmm(b), to_xmm(round_keys)));
    __asm__ volatile("sha256rnds2 %%xmm0, %1, %0" : "+x"(a) : "x"(b), "x"(keys));
    return a;
}
