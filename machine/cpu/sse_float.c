/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SSE floating point: arithmetic, compares, conversions, rounding, dot products, and the MXCSR
 * exceptions. The work is done by the host's instruction of the same name: see hostfp.h.
 */
#include "machine/cpu/flags.h"
#include "machine/cpu/simd.h"

#define FLAG_IE 0x01u
#define FLAG_DE 0x02u
#define FLAG_ZE 0x04u
#define FLAG_UE 0x10u
#define FLAG_PE 0x20u

void sse_unavailable(struct cpu *cpu, const struct insn *i)
{
    if ((cpu->cr0 & CR0_EM) || !(cpu->cr4 & CR4_OSFXSR))
        cpu_raise(cpu, i, VECTOR_UD);
    cpu_raise(cpu, i, VECTOR_NM);
}

void sse_float_begin(struct cpu *cpu)
{
    hostfp_collect(cpu);
    uint32_t control = (cpu->fpu.mxcsr & ~MXCSR_FLAGS) | MXCSR_MASKS;
    /* Flushing to zero is the masked response to underflow only: APM 1 4.2.2. */
    if (!(cpu->fpu.mxcsr & FLAG_UE << 7))
        control &= ~MXCSR_FTZ;
    hostfp_set_mxcsr(control);
}

void sse_float_end(struct cpu *cpu, const struct insn *i, bool tiny)
{
    uint32_t flags = hostfp_get_mxcsr() & MXCSR_FLAGS;
    uint32_t unmasked = ~(cpu->fpu.mxcsr >> 7) & MXCSR_FLAGS;

    hostfp_set_mxcsr(MXCSR_DEFAULT);
    /*
     * PE beside an unmasked OE or UE is that of the masked response, which may be inexact where
     * the unmasked one is not: the one inexact thing here.
     */
    if (tiny && (unmasked & FLAG_UE))
        flags |= FLAG_UE;
    /* Found before the computation: the computation does not take place. */
    if (flags & unmasked & (FLAG_IE | FLAG_DE | FLAG_ZE))
        flags &= FLAG_IE | FLAG_DE | FLAG_ZE;
    cpu->fpu.mxcsr |= flags;
    if (flags & unmasked)
        cpu_raise(cpu, i, cpu->cr4 & CR4_OSXMMEXCPT ? VECTOR_XF : VECTOR_UD);
}

/*
 * The way with other control bits than the default ones is apart, so that the common one needs no
 * stack frame.
 */
#define DEFINE_FLOAT(name, code, operands, memory, tiny, feature)                                  \
    HOST_VECTOR2(name)                                                                             \
    static __attribute__((noinline)) void slow_##name(struct cpu *cpu, const struct insn *i,       \
                                                      __m128i b)                                   \
    {                                                                                              \
        sse_float_begin(cpu);                                                                      \
        __m128i a = host_##name(xmm_get(cpu, i->reg), b);                                          \
        sse_float_end(cpu, i, tiny(a));                                                            \
        xmm_set(cpu, i->reg, a);                                                                   \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_r(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        __m128i b = xmm_get(cpu, i->rm);                                                           \
        if (__builtin_expect(!sse_float_plain(cpu), 0))                                            \
            return slow_##name(cpu, i, b);                                                         \
        xmm_set(cpu, i->reg, host_##name(xmm_get(cpu, i->reg), b));                                \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        __m128i b = sse_load_##memory(cpu, i);                                                     \
        if (__builtin_expect(!sse_float_plain(cpu), 0))                                            \
            return slow_##name(cpu, i, b);                                                         \
        xmm_set(cpu, i->reg, host_##name(xmm_get(cpu, i->reg), b));                                \
        NEXT(cpu, i);                                                                              \
    }
SSE_FLOAT_LIST(DEFINE_FLOAT)

#define DEFINE_COMPARE(name, code, operands, memory, feature)                                      \
    HOST_COMPARE(name)                                                                             \
    void op_##name##_r(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        uint32_t flags;                                                                            \
        SSE_EXACT(cpu, i, false, flags, host_##name(xmm_get(cpu, i->reg), xmm_get(cpu, i->rm)));   \
        flags_set_arithmetic(cpu, flags &EFLAGS_ARITHMETIC);                                       \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        uint32_t flags;                                                                            \
        __m128i b = sse_load_##memory(cpu, i);                                                     \
        SSE_EXACT(cpu, i, false, flags, host_##name(xmm_get(cpu, i->reg), b));                     \
        flags_set_arithmetic(cpu, flags &EFLAGS_ARITHMETIC);                                       \
        NEXT(cpu, i);                                                                              \
    }
SSE_COMPARE_LIST(DEFINE_COMPARE)

/* CMPccPS and its kin: the predicate is imm8[2:0]. */
typedef __m128i host_function(__m128i a, __m128i b);

#define DEFINE_PREDICATED(name, memory)                                                            \
    HOST_VECTOR_IMM(name, 0)                                                                       \
    HOST_VECTOR_IMM(name, 1)                                                                       \
    HOST_VECTOR_IMM(name, 2)                                                                       \
    HOST_VECTOR_IMM(name, 3)                                                                       \
    HOST_VECTOR_IMM(name, 4)                                                                       \
    HOST_VECTOR_IMM(name, 5)                                                                       \
    HOST_VECTOR_IMM(name, 6)                                                                       \
    HOST_VECTOR_IMM(name, 7)                                                                       \
    static host_function *const name##_table[8] = {                                                \
        host_##name##_0, host_##name##_1, host_##name##_2, host_##name##_3,                        \
        host_##name##_4, host_##name##_5, host_##name##_6, host_##name##_7,                        \
    };                                                                                             \
    static void do_##name(struct cpu *cpu, const struct insn *i, __m128i b)                        \
    {                                                                                              \
        __m128i a = xmm_get(cpu, i->reg);                                                          \
        SSE_EXACT(cpu, i, false, a, name##_table[i->imm & 7](a, b));                               \
        xmm_set(cpu, i->reg, a);                                                                   \
    }                                                                                              \
    void op_##name##_r(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        do_##name(cpu, i, xmm_get(cpu, i->rm));                                                    \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        do_##name(cpu, i, sse_load_##memory(cpu, i));                                              \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_PREDICATED(cmpps, aligned)
DEFINE_PREDICATED(cmppd, aligned)
DEFINE_PREDICATED(cmpss, 32)
DEFINE_PREDICATED(cmpsd, 64)

/*
 * ROUNDPS and its kin. The host function rounds as MXCSR says (imm8 4) or does so without the
 * precision exception (12): a rounding mode in imm8[1:0] is put into MXCSR for the moment.
 */
static void round_with(struct cpu *cpu, const struct insn *i, __m128i b, host_function *const fn[2])
{
    __m128i a = xmm_get(cpu, i->reg);
    bool quiet = i->imm & 8;

    if ((i->imm & 4) && sse_float_plain(cpu)) {
        xmm_set(cpu, i->reg, fn[quiet](a, b));
        return;
    }
    sse_float_begin(cpu);
    if (!(i->imm & 4))
        hostfp_set_mxcsr((hostfp_get_mxcsr() & ~0x6000u) | (uint32_t)(i->imm & 3) << 13);
    a = fn[quiet](a, b);
    sse_float_end(cpu, i, false);
    xmm_set(cpu, i->reg, a);
}

#define DEFINE_ROUND(name, memory)                                                                 \
    HOST_VECTOR_IMM(name, 4)                                                                       \
    HOST_VECTOR_IMM(name, 12)                                                                      \
    static host_function *const name##_table[2] = {host_##name##_4, host_##name##_12};             \
    void op_##name##_r(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        round_with(cpu, i, xmm_get(cpu, i->rm), name##_table);                                     \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        round_with(cpu, i, sse_load_##memory(cpu, i), name##_table);                               \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_ROUND(roundps, aligned)
DEFINE_ROUND(roundpd, aligned)
DEFINE_ROUND(roundss, 32)
DEFINE_ROUND(roundsd, 64)

/*
 * Dot products: products of the elements that imm8[7:4] selects (zero for the others), summed in
 * pairs, stored where imm8[3:0] says. Each step has its exceptions.
 */
static __m128i dot_step(struct cpu *cpu, const struct insn *i, host_function *fn, __m128i a,
                        __m128i b, bool is_double)
{
    __m128i result;
    SSE_EXACT(cpu, i, is_double ? tiny_pd(result) : tiny_ps(result), result, fn(a, b));
    return result;
}

static void do_dpps(struct cpu *cpu, const struct insn *i, __m128i b)
{
    unsigned imm = (unsigned)i->imm;
    __m128i select = _mm_setr_epi32(-(int)(imm >> 4 & 1), -(int)(imm >> 5 & 1),
                                    -(int)(imm >> 6 & 1), -(int)(imm >> 7 & 1));
    __m128i keep = _mm_setr_epi32(-(int)(imm & 1), -(int)(imm >> 1 & 1), -(int)(imm >> 2 & 1),
                                  -(int)(imm >> 3 & 1));
    __m128i a = _mm_and_si128(xmm_get(cpu, i->reg), select);
    __m128i product = dot_step(cpu, i, host_mulps, a, _mm_and_si128(b, select), false);
    /* (p0 + p1), (p2 + p3), then their sum; lanes outside these sums hold zero: no exceptions. */
    __m128i even = _mm_and_si128(product, _mm_setr_epi32(-1, 0, -1, 0));
    __m128i odd = _mm_and_si128(_mm_srli_si128(product, 4), _mm_setr_epi32(-1, 0, -1, 0));
    __m128i pairs = dot_step(cpu, i, host_addps, even, odd, false);
    __m128i low = _mm_cvtsi32_si128(_mm_cvtsi128_si32(pairs));
    __m128i high = _mm_srli_si128(pairs, 8);
    __m128i sum = dot_step(cpu, i, host_addps, low, high, false);
    xmm_set(cpu, i->reg, _mm_and_si128(_mm_shuffle_epi32(sum, 0), keep));
}

static void do_dppd(struct cpu *cpu, const struct insn *i, __m128i b)
{
    int64_t imm = (int64_t)i->imm;
    __m128i select = _mm_set_epi64x(-(imm >> 5 & 1), -(imm >> 4 & 1));
    __m128i keep = _mm_set_epi64x(-(imm >> 1 & 1), -(imm & 1));
    __m128i a = _mm_and_si128(xmm_get(cpu, i->reg), select);
    __m128i product = dot_step(cpu, i, host_mulpd, a, _mm_and_si128(b, select), true);
    __m128i low = _mm_cvtsi64_si128(_mm_cvtsi128_si64(product));
    __m128i sum = dot_step(cpu, i, host_addpd, low, _mm_srli_si128(product, 8), true);
    xmm_set(cpu, i->reg, _mm_and_si128(_mm_unpacklo_epi64(sum, sum), keep));
}

#define DEFINE_DOT(name)                                                                           \
    void op_##name##_r(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        do_##name(cpu, i, xmm_get(cpu, i->rm));                                                    \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        do_##name(cpu, i, sse_load_aligned(cpu, i));                                               \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_DOT(dpps)
DEFINE_DOT(dppd)
