/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SSE and SSE2 moves: between XMM registers, memory, general registers and MMX registers.
 */
#include "machine/cpu/simd.h"

__m128i sse_load_slow(struct cpu *cpu, const struct insn *i, uint64_t address)
{
    union xmm value;
    mmu_load128_slow(cpu, i, address, &value);
    return from_xmm(value);
}

void sse_store_slow(struct cpu *cpu, const struct insn *i, uint64_t address, __m128i value)
{
    mmu_store128_slow(cpu, i, address, &value);
}

void op_movaps_load_r(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    cpu->fpu.xmm[i->reg] = cpu->fpu.xmm[i->rm];
    NEXT(cpu, i);
}

void op_movaps_load_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    xmm_set(cpu, i->reg, sse_load_aligned(cpu, i));
    NEXT(cpu, i);
}

void op_movaps_store_r(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    cpu->fpu.xmm[i->rm] = cpu->fpu.xmm[i->reg];
    NEXT(cpu, i);
}

void op_movaps_store_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    sse_store_aligned(cpu, i, xmm_get(cpu, i->reg));
    NEXT(cpu, i);
}

void op_movups_load_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    xmm_set(cpu, i->reg, sse_load_any(cpu, i));
    NEXT(cpu, i);
}

void op_movups_store_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    sse_store_any(cpu, i, xmm_get(cpu, i->reg));
    NEXT(cpu, i);
}

/* Non-temporal stores are plain stores: nothing here reorders or caches. */
void op_movnt_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    sse_store_aligned(cpu, i, xmm_get(cpu, i->reg));
    NEXT(cpu, i);
}

void op_movnti_32m(struct cpu *cpu, const struct insn *i)
{
    store32(cpu, i, insn_address(cpu, i, 4, true), (uint32_t)cpu->gpr[i->reg]);
    NEXT(cpu, i);
}

void op_movnti_64m(struct cpu *cpu, const struct insn *i)
{
    store64(cpu, i, insn_address(cpu, i, 8, true), cpu->gpr[i->reg]);
    NEXT(cpu, i);
}

void op_movntq_m(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    store64(cpu, i, insn_address(cpu, i, 8, true), mmx_get(cpu, i->reg));
    mmx_transition(cpu);
    NEXT(cpu, i);
}

/* Scalar moves: a load clears the rest of the register, a register move keeps it. */
#define DEFINE_SCALAR_MOVE(name, bits, member)                                                     \
    void op_##name##_load_r(struct cpu *cpu, const struct insn *i)                                 \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        cpu->fpu.xmm[i->reg].member[0] = cpu->fpu.xmm[i->rm].member[0];                            \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_load_m(struct cpu *cpu, const struct insn *i)                                 \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        xmm_set(cpu, i->reg, sse_load_##bits(cpu, i));                                             \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_store_r(struct cpu *cpu, const struct insn *i)                                \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        cpu->fpu.xmm[i->rm].member[0] = cpu->fpu.xmm[i->reg].member[0];                            \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_store_m(struct cpu *cpu, const struct insn *i)                                \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        uint64_t address = insn_address(cpu, i, bits / 8, true);                                   \
        store##bits(cpu, i, address, cpu->fpu.xmm[i->reg].member[0]);                              \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_SCALAR_MOVE(movss, 32, u32)
DEFINE_SCALAR_MOVE(movsd, 64, u64)

/* MOVQ: the register form clears the upper half too. */
void op_movq_load_r(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    xmm_set(cpu, i->reg, _mm_move_epi64(xmm_get(cpu, i->rm)));
    NEXT(cpu, i);
}

void op_movq_load_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    xmm_set(cpu, i->reg, sse_load_64(cpu, i));
    NEXT(cpu, i);
}

void op_movq_store_r(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    xmm_set(cpu, i->rm, _mm_move_epi64(xmm_get(cpu, i->reg)));
    NEXT(cpu, i);
}

void op_movq_store_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    store64(cpu, i, insn_address(cpu, i, 8, true), cpu->fpu.xmm[i->reg].u64[0]);
    NEXT(cpu, i);
}

/* One half of a register: also MOVLPD and MOVHPD. */
void op_movlps_load_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    cpu->fpu.xmm[i->reg].u64[0] = load64(cpu, i, insn_address(cpu, i, 8, false));
    NEXT(cpu, i);
}

void op_movlps_store_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    store64(cpu, i, insn_address(cpu, i, 8, true), cpu->fpu.xmm[i->reg].u64[0]);
    NEXT(cpu, i);
}

void op_movhps_load_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    cpu->fpu.xmm[i->reg].u64[1] = load64(cpu, i, insn_address(cpu, i, 8, false));
    NEXT(cpu, i);
}

void op_movhps_store_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    store64(cpu, i, insn_address(cpu, i, 8, true), cpu->fpu.xmm[i->reg].u64[1]);
    NEXT(cpu, i);
}

void op_movhlps(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    cpu->fpu.xmm[i->reg].u64[0] = cpu->fpu.xmm[i->rm].u64[1];
    NEXT(cpu, i);
}

void op_movlhps(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    cpu->fpu.xmm[i->reg].u64[1] = cpu->fpu.xmm[i->rm].u64[0];
    NEXT(cpu, i);
}

void op_movmskps(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    const union xmm *b = &cpu->fpu.xmm[i->rm];
    cpu->gpr[i->reg] = (b->u32[0] >> 31) | (b->u32[1] >> 31) << 1 | (b->u32[2] >> 31) << 2 |
                       (b->u32[3] >> 31) << 3;
    NEXT(cpu, i);
}

void op_movmskpd(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    const union xmm *b = &cpu->fpu.xmm[i->rm];
    cpu->gpr[i->reg] = (b->u64[0] >> 63) | (b->u64[1] >> 63) << 1;
    NEXT(cpu, i);
}

void op_pmovmskb(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    cpu->gpr[i->reg] = (uint32_t)_mm_movemask_epi8(xmm_get(cpu, i->rm));
    NEXT(cpu, i);
}

/* MOVD and MOVQ with general registers and memory. */
#define DEFINE_MOVD(bits)                                                                          \
    void op_movd_load_##bits##r(struct cpu *cpu, const struct insn *i)                             \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        cpu->fpu.xmm[i->reg] = (union xmm){.u64 = {(uint##bits##_t)cpu->gpr[i->rm]}};              \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_movd_load_##bits##m(struct cpu *cpu, const struct insn *i)                             \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        xmm_set(cpu, i->reg, sse_load_##bits(cpu, i));                                             \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_movd_store_##bits##r(struct cpu *cpu, const struct insn *i)                            \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        cpu->gpr[i->rm] = cpu->fpu.xmm[i->reg].u##bits[0];                                         \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_movd_store_##bits##m(struct cpu *cpu, const struct insn *i)                            \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        uint64_t address = insn_address(cpu, i, bits / 8, true);                                   \
        store##bits(cpu, i, address, cpu->fpu.xmm[i->reg].u##bits[0]);                             \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_MOVD(32)
DEFINE_MOVD(64)

void op_movq2dq(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    mmx_check(cpu, i);
    mmx_transition(cpu);
    cpu->fpu.xmm[i->reg] = (union xmm){.u64 = {mmx_get(cpu, i->rm)}};
    NEXT(cpu, i);
}

void op_movdq2q(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    mmx_check(cpu, i);
    mmx_transition(cpu);
    mmx_set(cpu, i->reg, cpu->fpu.xmm[i->rm].u64[0]);
    NEXT(cpu, i);
}

/*
 * MASKMOVQ and MASKMOVDQU: the bytes whose mask has bit 7 go to seg:[rDI]. All bytes that will be
 * written are checked before the first is.
 */
static void masked_store(struct cpu *cpu, const struct insn *i, const uint8_t *data,
                         const uint8_t *mask, unsigned size)
{
    uint64_t offset = cpu->gpr[RDI];

    if (i->flags & INSN_ADDR16)
        offset &= 0xFFFF;
    else if (i->flags2 & INSN_ADDR32)
        offset &= 0xFFFFFFFF;
    uint64_t address = segment_address(cpu, i, i->seg, offset, size, true);
    /* Alignment checks, when on, are of quadwords: the MMU would see single bytes. */
    if (cpu->tlb == cpu->tlb_banks[TLB_CHECKED] && (address & 7))
        cpu_raise_error(cpu, i, VECTOR_AC, 0);
    for (unsigned k = 0; k < size; k++)
        if (mask[k] & 0x80)
            mmu_probe_write(cpu, i, address + k, 1);
    for (unsigned k = 0; k < size; k++)
        if (mask[k] & 0x80)
            store8(cpu, i, address + k, data[k]);
}

void op_maskmovdqu(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    masked_store(cpu, i, cpu->fpu.xmm[i->reg].u8, cpu->fpu.xmm[i->rm].u8, 16);
    NEXT(cpu, i);
}

void op_maskmovq(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    uint64_t data = mmx_get(cpu, i->reg), mask = mmx_get(cpu, i->rm);
    uint8_t data_bytes[8], mask_bytes[8];
    memcpy(data_bytes, &data, sizeof(data_bytes));
    memcpy(mask_bytes, &mask, sizeof(mask_bytes));
    /* Processors make the transition here even if the store faults. */
    mmx_transition(cpu);
    masked_store(cpu, i, data_bytes, mask_bytes, 8);
    NEXT(cpu, i);
}
