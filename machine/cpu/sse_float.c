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
#define FLAG_OE 0x08u
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

static uint32_t take_flags(void)
{
    uint32_t flags = hostfp_get_mxcsr() & MXCSR_FLAGS;
    hostfp_set_mxcsr(MXCSR_DEFAULT);
    return flags;
}

static void merge_flags(struct cpu *cpu, const struct insn *i, uint32_t flags)
{
    uint32_t unmasked = ~(cpu->fpu.mxcsr >> 7) & MXCSR_FLAGS;

    /* Found before the computation: the computation does not take place. */
    if (flags & unmasked & (FLAG_IE | FLAG_DE | FLAG_ZE))
        flags &= FLAG_IE | FLAG_DE | FLAG_ZE;
    cpu->fpu.mxcsr |= flags;
    if (flags & unmasked)
        cpu_raise(cpu, i, cpu->cr4 & CR4_OSXMMEXCPT ? VECTOR_XF : VECTOR_UD);
}

void sse_float_end(struct cpu *cpu, const struct insn *i)
{
    merge_flags(cpu, i, take_flags());
}

/*
 * Overflow and underflow. The host computes the masked response; two things differ when OE or UE
 * is unmasked (APM 1 4.10.1): UE is raised by every tiny result, exact ones too, and PE tells of
 * the rounding to full precision with unbounded exponent. The latter is found with the x87, whose
 * precision control rounds like that. A range says which operation each element is.
 */
enum element_kind { KIND_NONE, KIND_ADD, KIND_SUB, KIND_MUL, KIND_DIV, KIND_CONVERT };

struct range {
    enum element_kind kind[2]; /* of even and odd elements */
    bool is_double;            /* type of the operands */
    bool horizontal;           /* elements work on neighbours: HADDPS */
    unsigned count;
};

#define DEFINE_RANGES(name, even, odd, horizontal)                                                 \
    static const struct range name##_ps = {{even, odd}, false, horizontal, 4};                     \
    static const struct range name##_pd = {{even, odd}, true, horizontal, 2};
#define DEFINE_SCALAR_RANGES(name, kind)                                                           \
    static const struct range name##_ss = {{kind, kind}, false, false, 1};                         \
    static const struct range name##_sd = {{kind, kind}, true, false, 1};
DEFINE_RANGES(none, KIND_NONE, KIND_NONE, false)
DEFINE_SCALAR_RANGES(none, KIND_NONE)
DEFINE_RANGES(add, KIND_ADD, KIND_ADD, false)
DEFINE_SCALAR_RANGES(add, KIND_ADD)
DEFINE_RANGES(sub, KIND_SUB, KIND_SUB, false)
DEFINE_SCALAR_RANGES(sub, KIND_SUB)
DEFINE_RANGES(mul, KIND_MUL, KIND_MUL, false)
DEFINE_SCALAR_RANGES(mul, KIND_MUL)
DEFINE_RANGES(div, KIND_DIV, KIND_DIV, false)
DEFINE_SCALAR_RANGES(div, KIND_DIV)
DEFINE_RANGES(hadd, KIND_ADD, KIND_ADD, true)
DEFINE_RANGES(hsub, KIND_SUB, KIND_SUB, true)
DEFINE_RANGES(addsub, KIND_SUB, KIND_ADD, false)
static const struct range convert_pd = {{KIND_CONVERT, KIND_CONVERT}, true, false, 2};
static const struct range convert_sd = {{KIND_CONVERT, KIND_CONVERT}, true, false, 1};

HOST_X87_LOAD(load_single, "flds", uint32_t)
HOST_X87_LOAD(load_double, "fldl", uint64_t)
HOST_X87_BINARY(fadd)
HOST_X87_BINARY(fsub)
HOST_X87_BINARY(fmul)
HOST_X87_BINARY(fdiv)

static bool is_tiny(uint64_t bits, bool is_double)
{
    uint64_t magnitude = is_double ? bits << 1 : bits << 33;
    return magnitude && !(magnitude >> (is_double ? 53 : 56));
}

/* Element n as a register; denormals are zero if the guest wants that. */
static struct x87_register extend(union xmm value, unsigned n, bool is_double, bool daz)
{
    uint64_t bits = is_double ? value.u64[n] : value.u32[n];
    struct x87_register result = {0};

    if (daz && is_tiny(bits, is_double))
        bits &= is_double ? 1ull << 63 : 1ull << 31;
    if (is_double)
        host_load_double(FCW_INITIAL, &result, bits);
    else
        host_load_single(FCW_INITIAL, &result, (uint32_t)bits);
    return result;
}

static bool element_inexact(const struct cpu *cpu, const struct range *range, unsigned n,
                            union xmm a, union xmm b)
{
    static const struct x87_register one = {1ull << 63, 0x3FFF};
    bool daz = cpu->fpu.mxcsr & MXCSR_DAZ, wide = range->is_double;
    enum element_kind kind = range->kind[n & 1];
    unsigned half = range->count / 2, left = n;

    if (range->horizontal) {
        a = n < half ? a : b;
        b = a;
        left = n % half * 2;
    }
    struct x87_register x = extend(kind == KIND_CONVERT ? b : a, left, wide, daz);
    struct x87_register y = extend(b, range->horizontal ? left + 1 : n, wide, daz);
    uint16_t precision = wide && kind != KIND_CONVERT ? 0x0200 : 0;
    uint16_t control = (uint16_t)(0x007F | precision | (cpu->fpu.mxcsr >> 13 & 3) << 10);

    switch (kind) {
    case KIND_ADD:
        return host_fadd(control, &x, &y) & FLAG_PE;
    case KIND_SUB:
        return host_fsub(control, &x, &y) & FLAG_PE;
    case KIND_MUL:
        return host_fmul(control, &x, &y) & FLAG_PE;
    case KIND_DIV:
        return host_fdiv(control, &x, &y) & FLAG_PE;
    case KIND_CONVERT:
        return host_fmul(control, &x, &one) & FLAG_PE;
    default:
        return false;
    }
}

static bool any_tiny(const struct range *range, union xmm result)
{
    bool wide = range->is_double && range->kind[0] != KIND_CONVERT;

    for (unsigned n = 0; n < range->count && range->kind[0] != KIND_NONE; n++)
        if (is_tiny(wide ? result.u64[n] : result.u32[n], wide))
            return true;
    return false;
}

static __attribute__((noinline)) void range_end(struct cpu *cpu, const struct insn *i,
                                                const struct range *range, __m128i a, __m128i b,
                                                __m128i result)
{
    uint32_t flags = take_flags(), unmasked = ~(cpu->fpu.mxcsr >> 7) & MXCSR_FLAGS;
    const uint32_t both = FLAG_OE | FLAG_UE;

    if ((unmasked & FLAG_UE) && any_tiny(range, to_xmm(result)))
        flags |= FLAG_UE;
    if ((flags & unmasked & both) && !(flags & ~unmasked & both)) {
        flags &= ~FLAG_PE;
        for (unsigned n = 0; n < range->count; n++)
            if (element_inexact(cpu, range, n, to_xmm(a), to_xmm(b)))
                flags |= FLAG_PE;
    }
    merge_flags(cpu, i, flags);
}

/*
 * The way with other control bits than the default ones is apart, so that the common one needs no
 * stack frame.
 */
#define DEFINE_FLOAT(name, code, operands, memory, range, feature)                                 \
    HOST_VECTOR2(name)                                                                             \
    static __attribute__((noinline)) void slow_##name(struct cpu *cpu, const struct insn *i,       \
                                                      __m128i b)                                   \
    {                                                                                              \
        sse_float_begin(cpu);                                                                      \
        __m128i a = xmm_get(cpu, i->reg);                                                          \
        __m128i result = host_##name(a, b);                                                        \
        range_end(cpu, i, &range, a, b, result);                                                   \
        xmm_set(cpu, i->reg, result);                                                              \
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
        SSE_EXACT(cpu, i, flags, host_##name(xmm_get(cpu, i->reg), xmm_get(cpu, i->rm)));   \
        flags_set_arithmetic(cpu, flags &EFLAGS_ARITHMETIC);                                       \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        uint32_t flags;                                                                            \
        __m128i b = sse_load_##memory(cpu, i);                                                     \
        SSE_EXACT(cpu, i, flags, host_##name(xmm_get(cpu, i->reg), b));                     \
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
        SSE_EXACT(cpu, i, a, name##_table[i->imm & 7](a, b));                               \
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
    sse_float_end(cpu, i);
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
static __m128i dot_step(struct cpu *cpu, const struct insn *i, host_function *fn,
                        const struct range *range, __m128i a, __m128i b)
{
    if (__builtin_expect(sse_float_plain(cpu), 1))
        return fn(a, b);
    sse_float_begin(cpu);
    __m128i result = fn(a, b);
    range_end(cpu, i, range, a, b, result);
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
    __m128i product = dot_step(cpu, i, host_mulps, &mul_ps, a, _mm_and_si128(b, select));
    /* (p0 + p1), (p2 + p3), then their sum; lanes outside these sums hold zero: no exceptions. */
    __m128i even = _mm_and_si128(product, _mm_setr_epi32(-1, 0, -1, 0));
    __m128i odd = _mm_and_si128(_mm_srli_si128(product, 4), _mm_setr_epi32(-1, 0, -1, 0));
    __m128i pairs = dot_step(cpu, i, host_addps, &add_ps, even, odd);
    __m128i low = _mm_cvtsi32_si128(_mm_cvtsi128_si32(pairs));
    __m128i high = _mm_srli_si128(pairs, 8);
    __m128i sum = dot_step(cpu, i, host_addps, &add_ps, low, high);
    xmm_set(cpu, i->reg, _mm_and_si128(_mm_shuffle_epi32(sum, 0), keep));
}

static void do_dppd(struct cpu *cpu, const struct insn *i, __m128i b)
{
    int64_t imm = (int64_t)i->imm;
    __m128i select = _mm_set_epi64x(-(imm >> 5 & 1), -(imm >> 4 & 1));
    __m128i keep = _mm_set_epi64x(-(imm >> 1 & 1), -(imm & 1));
    __m128i a = _mm_and_si128(xmm_get(cpu, i->reg), select);
    __m128i product = dot_step(cpu, i, host_mulpd, &mul_pd, a, _mm_and_si128(b, select));
    __m128i low = _mm_cvtsi64_si128(_mm_cvtsi128_si64(product));
    __m128i sum = dot_step(cpu, i, host_addpd, &add_pd, low, _mm_srli_si128(product, 8));
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
