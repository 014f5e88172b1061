/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * AVX and AVX2: how an instruction on YMM registers is made of one on XMM registers; private to
 * machine/cpu.
 *
 * Most VEX forms are an SSE instruction with a third operand, done once or twice. Their row names
 * the SSE operation in fn[0][0], a slot that no VEX form can reach, and one of the handlers below
 * in the others. A handler copies operands to scratch registers, runs the SSE operation there as an
 * instruction of its own ("lane"), half by half, and writes the destination when nothing can fault
 * any more. Memory is accessed by the handler, never by a lane.
 */
#ifndef PRIVET_MACHINE_CPU_AVX_H
#define PRIVET_MACHINE_CPU_AVX_H

#include "machine/cpu/simd.h"

#define INLINE static inline __attribute__((always_inline))

struct ymm {
    __m128i low, high;
};

static inline struct ymm ymm_get(const struct cpu *cpu, unsigned number)
{
    return (struct ymm){xmm_get(cpu, number), from_xmm(cpu->fpu.ymm_high[number])};
}

/* `wide` clear: the upper half becomes zero, as every VEX instruction of 128 bits has it. */
static inline void ymm_set(struct cpu *cpu, unsigned number, struct ymm value, bool wide)
{
    xmm_set(cpu, number, value.low);
    cpu->fpu.ymm_high[number] = to_xmm(wide ? value.high : _mm_setzero_si128());
}

/* The E operand, memory at any alignment; the upper half is zero if not `wide`. */
static inline struct ymm ymm_operand(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    if (!memory)
        return ymm_get(cpu, i->rm);
    uint64_t at = insn_address(cpu, i, wide ? 32 : 16, false);
    struct ymm value = {sse_load_at(cpu, i, at), _mm_setzero_si128()};
    if (wide)
        value.high = sse_load_at(cpu, i, at + 16);
    return value;
}

/* avx.c: the SSE operation `fn` on two vectors: a = a OP b, with the immediate. */
__m128i avx_lane(struct cpu *cpu, const struct insn *i, operation *fn, __m128i a, __m128i b,
                 unsigned imm);

/* Each name stands for four handlers: 128 and 256 bits, register and memory. */
#define AVX_HANDLERS(X)                                                                            \
    X(three) X(two) X(shift) X(shift_imm) X(widen2) X(widen4) X(widen8) X(narrow) X(three_split4)  \
    X(three_split2) X(mpsadbw) X(duplicate) X(cmpps) X(cmppd) X(blendvps) X(blendvpd)              \
    X(pblendvb) X(load) X(load_aligned) X(store) X(store_aligned) X(broadcast8) X(broadcast16)     \
    X(broadcast32) X(broadcast64) X(permilps) X(permilpd) X(permilps_imm) X(permilpd_imm)          \
    X(test) X(testps) X(testpd) X(blendd) X(sllvd) X(sllvq) X(srlvd) X(srlvq) X(sravd)             \
    X(mask_load32) X(mask_load64) X(mask_store32) X(mask_store64) X(movmskps) X(movmskpd)          \
    X(movmskb) X(zero) X(broadcast128) X(insert128) X(extract128) X(permute128) X(permute32)       \
    X(permute64) X(gather_dd) X(gather_dq) X(gather_qd) X(gather_qq)
#define DECLARE_HANDLERS(name)                                                                     \
    operation op_avx_##name##_128r, op_avx_##name##_128m, op_avx_##name##_256r,                    \
        op_avx_##name##_256m;
AVX_HANDLERS(DECLARE_HANDLERS)
/* avx_integer.c: by the names of the SSE operations. */
#define DECLARE_INTEGER(name, ...) DECLARE_HANDLERS(name)
SIMD_BOTH_LIST_3(DECLARE_INTEGER)

/* Scalars and the like, of one length. */
#define AVX_SCALARS(X)                                                                             \
    X(scalar32) X(scalar64) X(from_gpr32) X(from_gpr64) X(insertb) X(insertw) X(insertd)           \
    X(insertq) X(insertps) X(movss) X(movsd) X(low64) X(high64) X(movd32) X(movd64) X(movq)        \
    X(string) X(cmpss) X(cmpsd) X(store_q)
#define DECLARE_SCALARS(name) operation op_avx_##name##_r, op_avx_##name##_m;
AVX_SCALARS(DECLARE_SCALARS)

/* CR0.EM and CR4.OSFXSR are for legacy SSE alone; the decoder has looked at XCR0: APM 4 2.6. */
static inline void avx_check(struct cpu *cpu, const struct insn *i)
{
    if (__builtin_expect(cpu->cr0 & CR0_TS, 0))
        cpu_raise(cpu, i, VECTOR_NM);
}

/* name(cpu, i, memory, wide) in its four shapes. */
#define DEFINE_HANDLERS(name)                                                                      \
    void op_avx_##name##_128r(struct cpu *cpu, const struct insn *i)                               \
    {                                                                                              \
        avx_check(cpu, i);                                                                         \
        name(cpu, i, false, false);                                                                \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_avx_##name##_128m(struct cpu *cpu, const struct insn *i)                               \
    {                                                                                              \
        avx_check(cpu, i);                                                                         \
        name(cpu, i, true, false);                                                                 \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_avx_##name##_256r(struct cpu *cpu, const struct insn *i)                               \
    {                                                                                              \
        avx_check(cpu, i);                                                                         \
        name(cpu, i, false, true);                                                                 \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_avx_##name##_256m(struct cpu *cpu, const struct insn *i)                               \
    {                                                                                              \
        avx_check(cpu, i);                                                                         \
        name(cpu, i, true, true);                                                                  \
        NEXT(cpu, i);                                                                              \
    }
#define DEFINE_SCALAR(name)                                                                        \
    void op_avx_##name##_r(struct cpu *cpu, const struct insn *i)                                  \
    {                                                                                              \
        avx_check(cpu, i);                                                                         \
        name(cpu, i, false);                                                                       \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_avx_##name##_m(struct cpu *cpu, const struct insn *i)                                  \
    {                                                                                              \
        avx_check(cpu, i);                                                                         \
        name(cpu, i, true);                                                                        \
        NEXT(cpu, i);                                                                              \
    }

INLINE unsigned immediate(const struct insn *i)
{
    return (unsigned)i->imm & 0xFF;
}

/* To memory at any alignment; nothing is written if a part cannot be. */
INLINE void store_memory(struct cpu *cpu, const struct insn *i, struct ymm value, bool wide)
{
    uint64_t at = insn_address(cpu, i, wide ? 32 : 16, true);
    if (wide)
        mmu_probe_write(cpu, i, at, 32);
    sse_store_at(cpu, i, at, value.low);
    if (wide)
        sse_store_at(cpu, i, at + 16, value.high);
}

#endif
