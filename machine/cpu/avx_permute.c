/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * AVX and AVX2 operations that have no SSE counterpart: broadcasts, blends by a register,
 * permutations, shifts by vector, masked moves, gathers.
 */
#include "machine/cpu/avx.h"

#include "machine/cpu/mode.h"

union elements {
    struct ymm halves;
    uint8_t u8[32];
    uint16_t u16[16];
    uint32_t u32[8];
    uint64_t u64[4];
};

INLINE union elements vector_get(const struct cpu *cpu, unsigned number)
{
    return (union elements){.halves = ymm_get(cpu, number)};
}

INLINE union elements vector_operand(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    return (union elements){.halves = ymm_operand(cpu, i, memory, wide)};
}

INLINE void vector_set(struct cpu *cpu, const struct insn *i, const union elements *value,
                       bool wide)
{
    ymm_set(cpu, i->reg, value->halves, wide);
}

/* --- broadcasts and halves ------------------------------------------------------------------*/

#define DEFINE_BROADCAST(bits)                                                                     \
    INLINE void broadcast##bits(struct cpu *cpu, const struct insn *i, bool memory, bool wide)     \
    {                                                                                              \
        union elements result;                                                                     \
        uint##bits##_t value = memory ? load##bits(cpu, i, insn_address(cpu, i, bits / 8, false))  \
                                      : cpu->fpu.xmm[i->rm].u##bits[0];                            \
        for (unsigned k = 0; k < 256 / bits; k++)                                                  \
            result.u##bits[k] = value;                                                             \
        vector_set(cpu, i, &result, wide);                                                         \
    }                                                                                              \
    DEFINE_HANDLERS(broadcast##bits)
DEFINE_BROADCAST(8)
DEFINE_BROADCAST(16)
DEFINE_BROADCAST(32)
DEFINE_BROADCAST(64)

INLINE void broadcast128(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    __m128i value = ymm_operand(cpu, i, memory, false).low;
    ymm_set(cpu, i->reg, (struct ymm){value, value}, true);
}
DEFINE_HANDLERS(broadcast128)

INLINE void insert128(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm result = ymm_get(cpu, insn_vvvv(i));
    __m128i value = ymm_operand(cpu, i, memory, false).low;
    if (i->imm & 1)
        result.high = value;
    else
        result.low = value;
    ymm_set(cpu, i->reg, result, true);
}
DEFINE_HANDLERS(insert128)

INLINE void extract128(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm value = ymm_get(cpu, i->reg);
    value.low = i->imm & 1 ? value.high : value.low;
    if (memory)
        store_memory(cpu, i, value, false);
    else
        ymm_set(cpu, i->rm, value, false);
}
DEFINE_HANDLERS(extract128)

INLINE __m128i choose_half(struct ymm a, struct ymm b, unsigned control)
{
    if (control & 8)
        return _mm_setzero_si128();
    struct ymm from = control & 2 ? b : a;
    return control & 1 ? from.high : from.low;
}

INLINE void permute128(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm a = ymm_get(cpu, insn_vvvv(i)), b = ymm_operand(cpu, i, memory, true);
    struct ymm result = {choose_half(a, b, immediate(i)), choose_half(a, b, immediate(i) >> 4)};
    ymm_set(cpu, i->reg, result, true);
}
DEFINE_HANDLERS(permute128)

/* --- permutations ---------------------------------------------------------------------------*/

/* VPERMD, VPERMPS: indexes in vvvv. */
INLINE void permute32(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    union elements index = vector_get(cpu, insn_vvvv(i)), result;
    union elements b = vector_operand(cpu, i, memory, true);
    for (unsigned k = 0; k < 8; k++)
        result.u32[k] = b.u32[index.u32[k] & 7];
    vector_set(cpu, i, &result, true);
}
DEFINE_HANDLERS(permute32)

INLINE void permute64(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    union elements b = vector_operand(cpu, i, memory, true), result;
    for (unsigned k = 0; k < 4; k++)
        result.u64[k] = b.u64[i->imm >> 2 * k & 3];
    vector_set(cpu, i, &result, true);
}
DEFINE_HANDLERS(permute64)

INLINE void permilps(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    union elements a = vector_get(cpu, insn_vvvv(i)), result;
    union elements b = vector_operand(cpu, i, memory, wide);
    for (unsigned k = 0; k < 8; k++)
        result.u32[k] = a.u32[(k & 4) + (b.u32[k] & 3)];
    vector_set(cpu, i, &result, wide);
}
DEFINE_HANDLERS(permilps)

INLINE void permilpd(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    union elements a = vector_get(cpu, insn_vvvv(i)), result;
    union elements b = vector_operand(cpu, i, memory, wide);
    for (unsigned k = 0; k < 4; k++)
        result.u64[k] = a.u64[(k & 2) + (b.u64[k] >> 1 & 1)];
    vector_set(cpu, i, &result, wide);
}
DEFINE_HANDLERS(permilpd)

INLINE void permilps_imm(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    union elements b = vector_operand(cpu, i, memory, wide), result;
    for (unsigned k = 0; k < 8; k++)
        result.u32[k] = b.u32[(k & 4) + (i->imm >> 2 * (k & 3) & 3)];
    vector_set(cpu, i, &result, wide);
}
DEFINE_HANDLERS(permilps_imm)

INLINE void permilpd_imm(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    union elements b = vector_operand(cpu, i, memory, wide), result;
    for (unsigned k = 0; k < 4; k++)
        result.u64[k] = b.u64[(k & 2) + (i->imm >> k & 1)];
    vector_set(cpu, i, &result, wide);
}
DEFINE_HANDLERS(permilpd_imm)

/* --- blends ---------------------------------------------------------------------------------*/

/* The mask is the sign bits of the register in imm8[7:4]. */
#define DEFINE_BLENDV(name, bits)                                                                  \
    INLINE void name(struct cpu *cpu, const struct insn *i, bool memory, bool wide)                \
    {                                                                                              \
        union elements result = vector_get(cpu, insn_vvvv(i));                                     \
        union elements b = vector_operand(cpu, i, memory, wide);                                   \
        union elements mask = vector_get(cpu, i->imm >> 4 & (cpu->mode & MODE_64 ? 15 : 7));       \
        for (unsigned k = 0; k < 256 / bits; k++)                                                  \
            if (mask.u##bits[k] >> (bits - 1))                                                     \
                result.u##bits[k] = b.u##bits[k];                                                  \
        vector_set(cpu, i, &result, wide);                                                         \
    }                                                                                              \
    DEFINE_HANDLERS(name)
DEFINE_BLENDV(pblendvb, 8)
DEFINE_BLENDV(blendvps, 32)
DEFINE_BLENDV(blendvpd, 64)

INLINE void blendd(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    union elements result = vector_get(cpu, insn_vvvv(i));
    union elements b = vector_operand(cpu, i, memory, wide);
    for (unsigned k = 0; k < 8; k++)
        if (i->imm >> k & 1)
            result.u32[k] = b.u32[k];
    vector_set(cpu, i, &result, wide);
}
DEFINE_HANDLERS(blendd)

/* --- shifts by vector: counts from the width on give zero, or the sign -----------------------*/

#define DEFINE_SHIFT(name, bits, expression)                                                       \
    INLINE void name(struct cpu *cpu, const struct insn *i, bool memory, bool wide)                \
    {                                                                                              \
        union elements result = vector_get(cpu, insn_vvvv(i));                                     \
        union elements b = vector_operand(cpu, i, memory, wide);                                   \
        for (unsigned k = 0; k < 256 / bits; k++) {                                                \
            uint##bits##_t value = result.u##bits[k], count = b.u##bits[k];                        \
            result.u##bits[k] = expression;                                                        \
        }                                                                                          \
        vector_set(cpu, i, &result, wide);                                                         \
    }                                                                                              \
    DEFINE_HANDLERS(name)
DEFINE_SHIFT(sllvd, 32, count < 32 ? value << count : 0)
DEFINE_SHIFT(sllvq, 64, count < 64 ? value << count : 0)
DEFINE_SHIFT(srlvd, 32, count < 32 ? value >> count : 0)
DEFINE_SHIFT(srlvq, 64, count < 64 ? value >> count : 0)
DEFINE_SHIFT(sravd, 32, (uint32_t)((int32_t)value >> (count < 32 ? count : 31)))

/* --- masked moves: an element that the mask leaves out is not accessed, and cannot fault -----*/

#define DEFINE_MASKED(bits)                                                                        \
    INLINE void mask_load##bits(struct cpu *cpu, const struct insn *i, bool memory, bool wide)     \
    {                                                                                              \
        union elements mask = vector_get(cpu, insn_vvvv(i)), result = {.u64 = {0}};                \
        uint64_t at = insn_address(cpu, i, 1, false);                                              \
        for (unsigned k = 0; k < (wide ? 256u : 128u) / bits; k++)                                 \
            if (mask.u##bits[k] >> (bits - 1))                                                     \
                result.u##bits[k] = load##bits(cpu, i, at + k * (bits / 8));                       \
        vector_set(cpu, i, &result, wide);                                                         \
    }                                                                                              \
    DEFINE_HANDLERS(mask_load##bits)                                                               \
    INLINE void mask_store##bits(struct cpu *cpu, const struct insn *i, bool memory, bool wide)    \
    {                                                                                              \
        union elements mask = vector_get(cpu, insn_vvvv(i)), value = vector_get(cpu, i->reg);      \
        uint64_t at = insn_address(cpu, i, 1, true);                                               \
        unsigned count = (wide ? 256u : 128u) / bits;                                              \
        for (unsigned k = 0; k < count; k++)                                                       \
            if (mask.u##bits[k] >> (bits - 1))                                                     \
                mmu_probe_write(cpu, i, at + k * (bits / 8), bits / 8);                            \
        for (unsigned k = 0; k < count; k++)                                                       \
            if (mask.u##bits[k] >> (bits - 1))                                                     \
                store##bits(cpu, i, at + k * (bits / 8), value.u##bits[k]);                        \
    }                                                                                              \
    DEFINE_HANDLERS(mask_store##bits)
DEFINE_MASKED(32)
DEFINE_MASKED(64)

/* --- gathers --------------------------------------------------------------------------------*/

/* While elements are missing, bits beyond the last one stay. */
INLINE void set_part(struct cpu *cpu, unsigned number, struct ymm value, bool upper)
{
    xmm_set(cpu, number, value.low);
    if (upper)
        cpu->fpu.ymm_high[number] = to_xmm(value.high);
}

/*
 * The index register is a vector (the decoder has put its number where that of a general register
 * is), the mask is vvvv. An element that was loaded clears its part of the mask, so that the
 * instruction goes on behind a fault; in the end the mask is zero: APM 4, VGATHER.
 */
#define DEFINE_GATHER(name, index_bits, bits)                                                      \
    INLINE void name(struct cpu *cpu, const struct insn *i, bool memory, bool wide)                \
    {                                                                                              \
        unsigned larger = index_bits > bits ? index_bits : bits;                                   \
        unsigned count = (wide ? 256u : 128u) / larger, number = insn_vvvv(i);                     \
        union elements index = vector_get(cpu, i->index), mask = vector_get(cpu, number);          \
        union elements result = vector_get(cpu, i->reg);                                           \
        if (i->index == i->reg || i->index == number || i->reg == number)                          \
            cpu_raise(cpu, i, VECTOR_UD);                                                          \
        struct insn one = *i;                                                                      \
        one.index = REG_ZERO;                                                                      \
        bool upper = count * bits > 128;                                                           \
        for (unsigned k = 0; k < count; k++) {                                                     \
            int64_t offset = (int##index_bits##_t)index.u##index_bits[k];                          \
            if (mask.u##bits[k] >> (bits - 1)) {                                                   \
                uint64_t at = avx_gather_address(cpu, &one, i, offset, bits / 8);                  \
                result.u##bits[k] = load##bits(cpu, i, at);                                        \
            }                                                                                      \
            mask.u##bits[k] = 0;                                                                   \
            set_part(cpu, i->reg, result.halves, upper);                                           \
            set_part(cpu, number, mask.halves, upper);                                             \
        }                                                                                          \
        for (unsigned k = count; k < 256 / bits; k++)                                              \
            result.u##bits[k] = 0;                                                                 \
        ymm_set(cpu, i->reg, result.halves, upper);                                                \
        ymm_set(cpu, number, (struct ymm){_mm_setzero_si128(), _mm_setzero_si128()}, false);       \
    }                                                                                              \
    DEFINE_HANDLERS(name)

/* Address of one element: the base as the instruction has it, plus the scaled index. */
static uint64_t avx_gather_address(struct cpu *cpu, const struct insn *one, const struct insn *i,
                                   int64_t offset, unsigned size)
{
    uint64_t effective = insn_effective_address(cpu, one) + ((uint64_t)offset << i->scale);
    if (i->flags2 & INSN_ADDR32)
        effective = (uint32_t)effective;
    if (i->flags & INSN_SLOW_EA)
        return segment_address(cpu, i, i->seg, effective, size, false);
    return effective + cpu->seg[i->seg].base;
}
DEFINE_GATHER(gather_dd, 32, 32)
DEFINE_GATHER(gather_dq, 32, 64)
DEFINE_GATHER(gather_qd, 64, 32)
DEFINE_GATHER(gather_qq, 64, 64)
