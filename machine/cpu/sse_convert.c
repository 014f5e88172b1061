/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SSE conversions between floating point and general registers or MMX registers.
 */
#include "machine/cpu/simd.h"

#define DEFINE_FROM_INTEGER(name, bits, mnemonic)                                                  \
    HOST_FROM_GPR(name##_##bits, mnemonic, uint##bits##_t)                                         \
    static void do_##name##_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t value)    \
    {                                                                                              \
        __m128i a = xmm_get(cpu, i->reg);                                                          \
        SSE_EXACT(cpu, i, a, host_##name##_##bits(a, value));                               \
        xmm_set(cpu, i->reg, a);                                                                   \
    }                                                                                              \
    void op_##name##_##bits##r(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        do_##name##_##bits(cpu, i, (uint##bits##_t)cpu->gpr[i->rm]);                               \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_##bits##m(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        uint64_t address = insn_address(cpu, i, bits / 8, false);                                  \
        do_##name##_##bits(cpu, i, load##bits(cpu, i, address));                                   \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_FROM_INTEGER(cvtsi2ss, 32, "cvtsi2ssl")
DEFINE_FROM_INTEGER(cvtsi2ss, 64, "cvtsi2ssq")
DEFINE_FROM_INTEGER(cvtsi2sd, 32, "cvtsi2sdl")
DEFINE_FROM_INTEGER(cvtsi2sd, 64, "cvtsi2sdq")

#define DEFINE_TO_INTEGER(name, bits, memory)                                                      \
    HOST_TO_GPR(name##_##bits, #name, uint##bits##_t)                                              \
    static void do_##name##_##bits(struct cpu *cpu, const struct insn *i, __m128i b)               \
    {                                                                                              \
        uint64_t result;                                                                           \
        SSE_EXACT(cpu, i, result, host_##name##_##bits(b));                                 \
        cpu->gpr[i->reg] = result;                                                                 \
    }                                                                                              \
    void op_##name##_##bits##r(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        do_##name##_##bits(cpu, i, xmm_get(cpu, i->rm));                                           \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_##bits##m(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        do_##name##_##bits(cpu, i, sse_load_##memory(cpu, i));                                     \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_TO_INTEGER(cvtss2si, 32, 32)
DEFINE_TO_INTEGER(cvtss2si, 64, 32)
DEFINE_TO_INTEGER(cvttss2si, 32, 32)
DEFINE_TO_INTEGER(cvttss2si, 64, 32)
DEFINE_TO_INTEGER(cvtsd2si, 32, 64)
DEFINE_TO_INTEGER(cvtsd2si, 64, 64)
DEFINE_TO_INTEGER(cvttsd2si, 32, 64)
DEFINE_TO_INTEGER(cvttsd2si, 64, 64)

/*
 * With MMX registers: the XMM instruction on a vector whose other half is zero, which raises
 * nothing. The availability checks of both units apply; with a source in memory these are no MMX
 * instructions at all. The transition to MMX happens even if an exception follows.
 */
HOST_VECTOR2(cvtdq2ps)
HOST_VECTOR2(cvtdq2pd)
HOST_VECTOR2(cvtps2dq)
HOST_VECTOR2(cvttps2dq)
HOST_VECTOR2(cvtpd2dq)
HOST_VECTOR2(cvttpd2dq)

static void do_cvtpi2ps(struct cpu *cpu, const struct insn *i, __m128i b)
{
    __m128i a;
    SSE_EXACT(cpu, i, a, host_cvtdq2ps(b, b));
    cpu->fpu.xmm[i->reg].u64[0] = mmx_scalar(a);
}

void op_cvtpi2ps_r(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    mmx_check(cpu, i);
    mmx_transition(cpu);
    do_cvtpi2ps(cpu, i, mmx_vector(mmx_get(cpu, i->rm)));
    NEXT(cpu, i);
}

void op_cvtpi2ps_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    do_cvtpi2ps(cpu, i, sse_load_64(cpu, i));
    NEXT(cpu, i);
}

/* Always exact: no exceptions. */
void op_cvtpi2pd_r(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    mmx_check(cpu, i);
    mmx_transition(cpu);
    __m128i b = mmx_vector(mmx_get(cpu, i->rm));
    xmm_set(cpu, i->reg, host_cvtdq2pd(b, b));
    NEXT(cpu, i);
}

void op_cvtpi2pd_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    __m128i b = sse_load_64(cpu, i);
    xmm_set(cpu, i->reg, host_cvtdq2pd(b, b));
    NEXT(cpu, i);
}

#define DEFINE_TO_MMX(name, worker, memory, half)                                                  \
    static void do_##name(struct cpu *cpu, const struct insn *i, __m128i b)                        \
    {                                                                                              \
        __m128i a;                                                                                 \
        mmx_transition(cpu);                                                                       \
        SSE_EXACT(cpu, i, a, host_##worker(b, b));                                          \
        mmx_set(cpu, i->reg, mmx_scalar(a));                                                       \
    }                                                                                              \
    void op_##name##_r(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        mmx_check(cpu, i);                                                                         \
        do_##name(cpu, i, half(xmm_get(cpu, i->rm)));                                              \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        mmx_check(cpu, i);                                                                         \
        do_##name(cpu, i, sse_load_##memory(cpu, i));                                              \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_TO_MMX(cvtps2pi, cvtps2dq, 64, _mm_move_epi64)
DEFINE_TO_MMX(cvttps2pi, cvttps2dq, 64, _mm_move_epi64)
DEFINE_TO_MMX(cvtpd2pi, cvtpd2dq, aligned, )
DEFINE_TO_MMX(cvttpd2pi, cvttpd2dq, aligned, )
