/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VCMPPS and its kin: 32 predicates (APM 4, table in VCMPPD), made of the eight that SSE has. Bit 4
 * of the predicate turns signalling of quiet NaNs round, bit 3 gives the opposite answer where an
 * operand is a NaN, or the reverse order.
 */
#include "machine/cpu/avx.h"

enum { EQ, LT, LE, UNORD, NEQ, NLT, NLE, ORD };

typedef __m128i compare_function(__m128i a, __m128i b);

#define DEFINE_TABLE(name)                                                                         \
    HOST_VECTOR_IMM(name, 0)                                                                       \
    HOST_VECTOR_IMM(name, 1)                                                                       \
    HOST_VECTOR_IMM(name, 2)                                                                       \
    HOST_VECTOR_IMM(name, 3)                                                                       \
    HOST_VECTOR_IMM(name, 4)                                                                       \
    HOST_VECTOR_IMM(name, 5)                                                                       \
    HOST_VECTOR_IMM(name, 6)                                                                       \
    HOST_VECTOR_IMM(name, 7)                                                                       \
    static compare_function *const name##_table[8] = {                                             \
        host_##name##_0, host_##name##_1, host_##name##_2, host_##name##_3,                        \
        host_##name##_4, host_##name##_5, host_##name##_6, host_##name##_7,                        \
    };
DEFINE_TABLE(cmpps)
DEFINE_TABLE(cmppd)
DEFINE_TABLE(cmpss)
DEFINE_TABLE(cmpsd)

/* LT and LE without a signal for quiet NaNs: unordered elements are replaced first. */
static __m128i quiet(compare_function *const *table, unsigned predicate, __m128i a, __m128i b)
{
    __m128i unordered = table[UNORD](a, b);
    a = _mm_andnot_si128(unordered, a);
    b = _mm_andnot_si128(unordered, b);
    return _mm_andnot_si128(unordered, table[predicate](a, b));
}

/* Predicates 0 to 15; those from 8 on: EQ_UQ NGE NGT FALSE NEQ_OQ GE GT TRUE. */
static __m128i ordinary(compare_function *const *table, unsigned predicate, __m128i a, __m128i b)
{
    __m128i ones = _mm_set1_epi32(-1);
    switch (predicate) {
    case 8:
        return _mm_or_si128(table[EQ](a, b), table[UNORD](a, b));
    case 9:
        return table[NLE](b, a);
    case 10:
        return table[NLT](b, a);
    case 11:
        return _mm_andnot_si128(ones, table[UNORD](a, b));
    case 12:
        return _mm_and_si128(table[NEQ](a, b), table[ORD](a, b));
    case 13:
        return table[LE](b, a);
    case 14:
        return table[LT](b, a);
    case 15:
        return _mm_or_si128(ones, table[UNORD](a, b));
    default:
        return table[predicate](a, b);
    }
}

/* Predicates 16 to 31: what signals becomes quiet, and the other way round. */
static __m128i turned(compare_function *const *table, unsigned predicate, __m128i a, __m128i b)
{
    __m128i ones = _mm_set1_epi32(-1);
    switch (predicate) {
    case LT:
    case LE:
        return quiet(table, predicate, a, b);
    case NLT:
    case NLE:
        return _mm_xor_si128(ones, quiet(table, predicate - 4, a, b));
    case 9:
        return _mm_xor_si128(ones, quiet(table, LE, b, a));
    case 10:
        return _mm_xor_si128(ones, quiet(table, LT, b, a));
    case 13:
        return quiet(table, LE, b, a);
    case 14:
        return quiet(table, LT, b, a);
    default:
        (void)table[LT](a, b); /* for its signal */
        return ordinary(table, predicate, a, b);
    }
}

static __m128i compare(compare_function *const *table, unsigned predicate, __m128i a, __m128i b)
{
    return predicate & 16 ? turned(table, predicate & 15, a, b)
                          : ordinary(table, predicate, a, b);
}

INLINE void packed(struct cpu *cpu, const struct insn *i, compare_function *const *table,
                   bool memory, bool wide)
{
    struct ymm a = ymm_get(cpu, insn_vvvv(i)), b = ymm_operand(cpu, i, memory, wide);
    unsigned predicate = immediate(i) & 31;
    bool plain = sse_float_plain(cpu);
    if (!plain)
        sse_float_begin(cpu);
    a.low = compare(table, predicate, a.low, b.low);
    if (wide)
        a.high = compare(table, predicate, a.high, b.high);
    if (!plain)
        sse_float_end(cpu, i);
    ymm_set(cpu, i->reg, a, wide);
}

INLINE void cmpps(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    packed(cpu, i, cmpps_table, memory, wide);
}
DEFINE_HANDLERS(cmpps)

INLINE void cmppd(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    packed(cpu, i, cmppd_table, memory, wide);
}
DEFINE_HANDLERS(cmppd)

/* The rest of the register comes from vvvv. */
INLINE void one(struct cpu *cpu, const struct insn *i, compare_function *const *table,
                __m128i b, bool is_double)
{
    union xmm a = cpu->fpu.xmm[insn_vvvv(i)], result;
    bool plain = sse_float_plain(cpu);
    if (!plain)
        sse_float_begin(cpu);
    result = to_xmm(compare(table, immediate(i) & 31, from_xmm(a), b));
    if (!plain)
        sse_float_end(cpu, i);
    if (is_double)
        a.u64[0] = result.u64[0];
    else
        a.u32[0] = result.u32[0];
    ymm_set(cpu, i->reg, (struct ymm){from_xmm(a), from_xmm(a)}, false);
}

INLINE void cmpss(struct cpu *cpu, const struct insn *i, bool memory)
{
    one(cpu, i, cmpss_table, memory ? sse_load_32(cpu, i) : xmm_get(cpu, i->rm), false);
}
DEFINE_SCALAR(cmpss)

INLINE void cmpsd(struct cpu *cpu, const struct insn *i, bool memory)
{
    one(cpu, i, cmpsd_table, memory ? sse_load_64(cpu, i) : xmm_get(cpu, i->rm), true);
}
DEFINE_SCALAR(cmpsd)
