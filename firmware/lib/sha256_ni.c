/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SHA-256 by the SHA extensions (APM 3, SHA256RNDS2 and SHA256MSG1/2). The only code of the
 * firmware that uses vector registers; four words of the schedule per vector.
 */
#include <immintrin.h>

#include "firmware/lib/sha256.h"

/* Next four words of the schedule from the last sixteen, w[0] the oldest. */
static inline __m128i next_words(const __m128i w[4])
{
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[0], w[1]), _mm_alignr_epi8(w[3], w[2], 4));
    return _mm_sha256msg2_epu32(sum, w[3]);
}

static inline void four_rounds(__m128i *abef, __m128i *cdgh, __m128i words, unsigned round)
{
    const __m128i *constants = (const __m128i *)(const void *)(sha256_constants + round);
    __m128i sum = _mm_add_epi32(words, _mm_loadu_si128(constants));
    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

void sha256_blocks_ni(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
    /* abcd efgh -> abef cdgh, highest word first, as the instruction wants it */
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xB1);
    __m128i efgh =
        _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1B);
    __m128i abef = _mm_alignr_epi8(abcd, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, abcd, 0xF0);

    for (; blocks > 0; blocks--, data += SHA256_BLOCK) {
        __m128i w[4], old_abef = abef, old_cdgh = cdgh;
#pragma GCC unroll 4
        for (unsigned i = 0; i < 4; i++) {
            const __m128i *at = (const __m128i *)(const void *)(data + 16 * i);
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128(at), swap);
        }
#pragma GCC unroll 16 /* the schedule stays in registers, and its unused end goes */
        for (unsigned round = 0; round < 64; round += 4) {
            four_rounds(&abef, &cdgh, w[0], round);
            __m128i next = next_words(w);
            w[0] = w[1];
            w[1] = w[2];
            w[2] = w[3];
            w[3] = next;
        }
        abef = _mm_add_epi32(abef, old_abef);
        cdgh = _mm_add_epi32(cdgh, old_cdgh);
    }

    __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}
