/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the vector operations share: availability checks, operands, exact floating point; private to
 * machine/cpu. The operations of the lists in simd_lists.h and of the tables in forms_simd.c.
 */
#ifndef PRIVET_MACHINE_CPU_SIMD_H
#define PRIVET_MACHINE_CPU_SIMD_H

#include "machine/cpu/form.h"
#include "machine/cpu/hostfp.h"
#include "machine/cpu/mmu.h"
#include "machine/cpu/simd_lists.h"
#include "machine/cpu/x87.h"

/* sse_float.c: raises #UD or #NM: APM 2 table 8-5. */
_Noreturn void sse_unavailable(struct cpu *cpu, const struct insn *i);

/* Every operation on XMM registers begins with this. */
static inline void sse_check(struct cpu *cpu, const struct insn *i)
{
    if (__builtin_expect((cpu->cr0 & (CR0_EM | CR0_TS)) | (~cpu->cr4 & CR4_OSFXSR), 0))
        sse_unavailable(cpu, i);
}

static inline __m128i xmm_get(const struct cpu *cpu, unsigned number)
{
    return _mm_loadu_si128((const __m128i *)(const void *)&cpu->fpu.xmm[number]);
}

static inline void xmm_set(struct cpu *cpu, unsigned number, __m128i value)
{
    _mm_storeu_si128((__m128i *)(void *)&cpu->fpu.xmm[number], value);
}

static inline __m128i from_xmm(union xmm value)
{
    __m128i vector;
    memcpy(&vector, &value, sizeof(vector));
    return vector;
}

static inline union xmm to_xmm(__m128i vector)
{
    union xmm value;
    memcpy(&value, &vector, sizeof(value));
    return value;
}

/*
 * 16 bytes of memory as a vector: load128 and store128 of mmu.h, without the way through a union
 * in memory that compilers make of them. The slow halves are in sse_move.c.
 */
__m128i sse_load_slow(struct cpu *cpu, const struct insn *i, uint64_t address);
void sse_store_slow(struct cpu *cpu, const struct insn *i, uint64_t address, __m128i value);

static inline __m128i sse_load_at(struct cpu *cpu, const struct insn *i, uint64_t address)
{
    const struct tlb_entry *entry = mmu_entry(cpu, address);
    if (__builtin_expect(entry->read == MMU_TAG(address, 16), 1))
        return _mm_loadu_si128((const __m128i *)(uintptr_t)(address + entry->addend));
    return sse_load_slow(cpu, i, address);
}

static inline void sse_store_at(struct cpu *cpu, const struct insn *i, uint64_t address,
                                __m128i value)
{
    const struct tlb_entry *entry = mmu_entry(cpu, address);
    if (__builtin_expect(entry->write == MMU_TAG(address, 16), 1))
        _mm_storeu_si128((__m128i *)(uintptr_t)(address + entry->addend), value);
    else
        sse_store_slow(cpu, i, address, value);
}

/* The memory operand, zero-extended: 16 bytes aligned (#GP(0) if not), any alignment, and parts. */
static inline __m128i sse_load_aligned(struct cpu *cpu, const struct insn *i)
{
    uint64_t address = insn_address(cpu, i, 16, false);
    if (__builtin_expect(address & 15, 0))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    return sse_load_at(cpu, i, address);
}

static inline __m128i sse_load_any(struct cpu *cpu, const struct insn *i)
{
    return sse_load_at(cpu, i, insn_address(cpu, i, 16, false));
}

static inline __m128i sse_load_64(struct cpu *cpu, const struct insn *i)
{
    return _mm_cvtsi64_si128((int64_t)load64(cpu, i, insn_address(cpu, i, 8, false)));
}

static inline __m128i sse_load_32(struct cpu *cpu, const struct insn *i)
{
    return _mm_cvtsi32_si128((int32_t)load32(cpu, i, insn_address(cpu, i, 4, false)));
}

static inline __m128i sse_load_16(struct cpu *cpu, const struct insn *i)
{
    return _mm_cvtsi32_si128(load16(cpu, i, insn_address(cpu, i, 2, false)));
}

static inline void sse_store_aligned(struct cpu *cpu, const struct insn *i, __m128i value)
{
    uint64_t address = insn_address(cpu, i, 16, true);
    if (__builtin_expect(address & 15, 0))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    sse_store_at(cpu, i, address, value);
}

static inline void sse_store_any(struct cpu *cpu, const struct insn *i, __m128i value)
{
    sse_store_at(cpu, i, insn_address(cpu, i, 16, true), value);
}

/*
 * Floating point. With the default control bits the host's MXCSR is already right and gathers the
 * flags: the instruction runs alone. Otherwise sse_float_begin loads the guest's control bits, and
 * sse_float_end merges the flags and raises #XF (#UD without CR4.OSXMMEXCPT) before anything is
 * written.
 */
static inline bool sse_float_plain(const struct cpu *cpu)
{
    return (cpu->fpu.mxcsr & (MXCSR_VALID & ~MXCSR_FLAGS)) == MXCSR_DEFAULT;
}
void sse_float_begin(struct cpu *cpu);
void sse_float_end(struct cpu *cpu, const struct insn *i);

/* Assigns the value of an expression that can neither overflow nor underflow. */
#define SSE_EXACT(cpu, i, result, expression)                                                      \
    do {                                                                                           \
        if (__builtin_expect(sse_float_plain(cpu), 1)) {                                           \
            (result) = (expression);                                                               \
        } else {                                                                                   \
            sse_float_begin(cpu);                                                                  \
            (result) = (expression);                                                               \
            sse_float_end((cpu), (i));                                                             \
        }                                                                                          \
    } while (0)

/* MMX: the x87 registers' mantissas. The transition makes them all valid: APM 1 5.10. */
static inline void mmx_check(struct cpu *cpu, const struct insn *i)
{
    if (__builtin_expect((cpu->cr0 & (CR0_EM | CR0_TS)) | (cpu->fpu.status & FSW_ES), 0))
        mmx_check_slow(cpu, i);
}

static inline void mmx_transition(struct cpu *cpu)
{
    cpu->fpu.status &= (uint16_t)~FSW_TOP;
    cpu->fpu.valid = 0xFF;
}

static inline uint64_t mmx_get(const struct cpu *cpu, unsigned number)
{
    return cpu->fpu.st[number & 7].mantissa;
}

static inline void mmx_set(struct cpu *cpu, unsigned number, uint64_t value)
{
    cpu->fpu.st[number & 7].mantissa = value;
    cpu->fpu.st[number & 7].exponent = 0xFFFF;
}

static inline __m128i mmx_vector(uint64_t value)
{
    return _mm_cvtsi64_si128((int64_t)value);
}

static inline uint64_t mmx_scalar(__m128i value)
{
    return (uint64_t)_mm_cvtsi128_si64(value);
}

/* sse_crypto.c: dst = a OP b; with immediate 0; with the low immediate bits; with round keys. */
#define DECLARE_CRYPTO(name, ...) __m128i crypto_##name(__m128i a, __m128i b);
SSE_CRYPTO_LIST(DECLARE_CRYPTO)
__m128i crypto_aeskeygenassist_0(__m128i a, __m128i b);
__m128i crypto_pclmulqdq_0(__m128i a, __m128i b);
__m128i crypto_sha1rnds4(__m128i a, __m128i b, unsigned which);
__m128i crypto_sha256rnds2(__m128i a, __m128i b, __m128i round_keys);

/* Prototypes of every operation that the tables name. */
#define DECLARE_RM(name, ...)                                                                      \
    operation op_##name##_r, op_##name##_m;
#define DECLARE_BOTH(name, ...)                                                                    \
    operation op_##name##_r, op_##name##_m, op_mmx_##name##_r, op_mmx_##name##_m;
#define DECLARE_ONE(name) operation op_##name;
SSE_FLOAT_LIST(DECLARE_RM)
SSE_COMPARE_LIST(DECLARE_RM)
SSE_VECTOR_LIST(DECLARE_RM)
SSE_CRYPTO_LIST(DECLARE_RM)
SSE_IMMEDIATE_LIST(DECLARE_RM)
SIMD_BOTH_LIST(DECLARE_BOTH)
SIMD_SHIFT_LIST(DECLARE_BOTH)
SIMD_OPERATION_LIST(DECLARE_ONE)

#endif
