/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Integer and logical operations on XMM registers, MMX operations of the same names, and shifts.
 */
#include "machine/cpu/flags.h"
#include "machine/cpu/simd.h"

#define DEFINE_VECTOR(name, code, operands, memory, feature)                                       \
    HOST_VECTOR2(name)                                                                             \
    void op_##name##_r(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        xmm_set(cpu, i->reg, host_##name(xmm_get(cpu, i->reg), xmm_get(cpu, i->rm)));              \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        __m128i b = sse_load_##memory(cpu, i);                                                     \
        xmm_set(cpu, i->reg, host_##name(xmm_get(cpu, i->reg), b));                                \
        NEXT(cpu, i);                                                                              \
    }
SSE_VECTOR_LIST(DEFINE_VECTOR)

#define DEFINE_CRYPTO(name, code, operands, memory, feature)                                       \
    void op_##name##_r(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        xmm_set(cpu, i->reg, crypto_##name(xmm_get(cpu, i->reg), xmm_get(cpu, i->rm)));            \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        __m128i b = sse_load_##memory(cpu, i);                                                     \
        xmm_set(cpu, i->reg, crypto_##name(xmm_get(cpu, i->reg), b));                              \
        NEXT(cpu, i);                                                                              \
    }
SSE_CRYPTO_LIST(DEFINE_CRYPTO)

/* How the XMM instruction is made to give the MMX result in its low half. */
typedef __m128i host_function(__m128i a, __m128i b);

static inline uint64_t mmx_by_lane(host_function *fn, uint64_t a, uint64_t b)
{
    return mmx_scalar(fn(mmx_vector(a), mmx_vector(b)));
}

static inline uint64_t mmx_by_join(host_function *fn, uint64_t a, uint64_t b)
{
    __m128i both = _mm_unpacklo_epi64(mmx_vector(a), mmx_vector(b));
    return mmx_scalar(fn(both, both));
}

static inline uint64_t mmx_by_high(host_function *fn, uint64_t a, uint64_t b)
{
    return mmx_scalar(fn(_mm_slli_si128(mmx_vector(a), 4), _mm_slli_si128(mmx_vector(b), 4)));
}

static inline uint64_t mmx_by_bytes(host_function *fn, uint64_t a, uint64_t b)
{
    return mmx_scalar(fn(mmx_vector(a), mmx_vector(b & 0x8787878787878787)));
}

#define DEFINE_BOTH(name, opcode, how, memory, mmx_feature, xmm_feature)                           \
    DEFINE_VECTOR(name, , , aligned, )                                                             \
    void op_mmx_##name##_r(struct cpu *cpu, const struct insn *i)                                  \
    {                                                                                              \
        mmx_check(cpu, i);                                                                         \
        mmx_transition(cpu);                                                                       \
        uint64_t a = mmx_get(cpu, i->reg), b = mmx_get(cpu, i->rm);                                \
        mmx_set(cpu, i->reg, mmx_by_##how(host_##name, a, b));                                     \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_mmx_##name##_m(struct cpu *cpu, const struct insn *i)                                  \
    {                                                                                              \
        mmx_check(cpu, i);                                                                         \
        uint64_t b = load##memory(cpu, i, insn_address(cpu, i, memory / 8, false));                \
        mmx_transition(cpu);                                                                       \
        mmx_set(cpu, i->reg, mmx_by_##how(host_##name, mmx_get(cpu, i->reg), b));                  \
        NEXT(cpu, i);                                                                              \
    }
SIMD_BOTH_LIST(DEFINE_BOTH)

#define DEFINE_SHIFT(name, opcode, immediate, extension)                                           \
    DEFINE_BOTH(name, , lane, 64, , )                                                              \
    void op_##name##_i(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        __m128i count = _mm_cvtsi32_si128((uint8_t)i->imm);                                        \
        xmm_set(cpu, i->rm, host_##name(xmm_get(cpu, i->rm), count));                              \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_mmx_##name##_i(struct cpu *cpu, const struct insn *i)                                  \
    {                                                                                              \
        mmx_check(cpu, i);                                                                         \
        mmx_transition(cpu);                                                                       \
        uint64_t a = mmx_get(cpu, i->rm);                                                          \
        mmx_set(cpu, i->rm, mmx_by_lane(host_##name, a, (uint8_t)i->imm));                         \
        NEXT(cpu, i);                                                                              \
    }
SIMD_SHIFT_LIST(DEFINE_SHIFT)

/* Byte shifts of the whole register; a count above 15 clears it. */
void op_psrldq_i(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    uint8_t bytes[32] = {0};
    unsigned count = (uint8_t)i->imm > 16 ? 16 : (uint8_t)i->imm;
    memcpy(bytes, cpu->fpu.xmm[i->rm].u8, 16);
    memcpy(cpu->fpu.xmm[i->rm].u8, bytes + count, 16);
    NEXT(cpu, i);
}

void op_pslldq_i(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    uint8_t bytes[32] = {0};
    unsigned count = (uint8_t)i->imm > 16 ? 16 : (uint8_t)i->imm;
    memcpy(bytes + 16, cpu->fpu.xmm[i->rm].u8, 16);
    memcpy(cpu->fpu.xmm[i->rm].u8, bytes + 16 - count, 16);
    NEXT(cpu, i);
}

/* PTEST: ZF from the AND, CF from the AND NOT; the others are cleared. */
static void do_ptest(struct cpu *cpu, const struct insn *i, union xmm b)
{
    const union xmm *a = &cpu->fpu.xmm[i->reg];
    uint32_t flags = 0;

    if (!((a->u64[0] & b.u64[0]) | (a->u64[1] & b.u64[1])))
        flags |= EFLAGS_ZF;
    if (!((~a->u64[0] & b.u64[0]) | (~a->u64[1] & b.u64[1])))
        flags |= EFLAGS_CF;
    flags_set_arithmetic(cpu, flags);
}

void op_ptest_r(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    do_ptest(cpu, i, cpu->fpu.xmm[i->rm]);
    NEXT(cpu, i);
}

void op_ptest_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    do_ptest(cpu, i, to_xmm(sse_load_aligned(cpu, i)));
    NEXT(cpu, i);
}

/* Variable blends: the mask is the sign bits of XMM0's elements. */
#define DEFINE_BLENDV(name, member, count, sign)                                                   \
    static void do_##name(struct cpu *cpu, const struct insn *i, union xmm b)                      \
    {                                                                                              \
        union xmm mask = cpu->fpu.xmm[0];                                                          \
        for (unsigned k = 0; k < (count); k++)                                                     \
            if (mask.member[k] >> (sign))                                                          \
                cpu->fpu.xmm[i->reg].member[k] = b.member[k];                                      \
    }                                                                                              \
    void op_##name##_r(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        do_##name(cpu, i, cpu->fpu.xmm[i->rm]);                                                    \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        do_##name(cpu, i, to_xmm(sse_load_aligned(cpu, i)));                                       \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_BLENDV(pblendvb, u8, 16, 7)
DEFINE_BLENDV(blendvps, u32, 4, 31)
DEFINE_BLENDV(blendvpd, u64, 2, 63)

/* SHA256RNDS2: XMM0 is an implicit third operand. */
static void do_sha256rnds2(struct cpu *cpu, const struct insn *i, __m128i b)
{
    xmm_set(cpu, i->reg, crypto_sha256rnds2(xmm_get(cpu, i->reg), b, xmm_get(cpu, 0)));
}

void op_sha256rnds2_r(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    do_sha256rnds2(cpu, i, xmm_get(cpu, i->rm));
    NEXT(cpu, i);
}

void op_sha256rnds2_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    do_sha256rnds2(cpu, i, sse_load_any(cpu, i));
    NEXT(cpu, i);
}
