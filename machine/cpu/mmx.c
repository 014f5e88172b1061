/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * MMX operations that are not XMM operations on half a register (those are in sse_integer.c).
 */
#include "machine/cpu/simd.h"

void mmx_check_slow(struct cpu *cpu, const struct insn *i)
{
    if (cpu->cr0 & CR0_EM)
        cpu_raise(cpu, i, VECTOR_UD);
    if (cpu->cr0 & CR0_TS)
        cpu_raise(cpu, i, VECTOR_NM);
    x87_pending(cpu, i);
}

/* All registers empty: APM 5 EMMS. */
void op_emms(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    mmx_transition(cpu);
    cpu->fpu.valid = 0;
    NEXT(cpu, i);
}

#define DEFINE_MMX_MOVD(bits)                                                                      \
    void op_mmx_movd_load_##bits##r(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        mmx_check(cpu, i);                                                                         \
        mmx_transition(cpu);                                                                       \
        mmx_set(cpu, i->reg, (uint##bits##_t)cpu->gpr[i->rm]);                                     \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_mmx_movd_load_##bits##m(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        mmx_check(cpu, i);                                                                         \
        uint64_t value = load##bits(cpu, i, insn_address(cpu, i, bits / 8, false));                \
        mmx_transition(cpu);                                                                       \
        mmx_set(cpu, i->reg, value);                                                               \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_mmx_movd_store_##bits##r(struct cpu *cpu, const struct insn *i)                        \
    {                                                                                              \
        mmx_check(cpu, i);                                                                         \
        mmx_transition(cpu);                                                                       \
        cpu->gpr[i->rm] = (uint##bits##_t)mmx_get(cpu, i->reg);                                    \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_mmx_movd_store_##bits##m(struct cpu *cpu, const struct insn *i)                        \
    {                                                                                              \
        mmx_check(cpu, i);                                                                         \
        uint64_t address = insn_address(cpu, i, bits / 8, true);                                   \
        store##bits(cpu, i, address, (uint##bits##_t)mmx_get(cpu, i->reg));                        \
        mmx_transition(cpu);                                                                       \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_MMX_MOVD(32)
DEFINE_MMX_MOVD(64)

void op_mmx_movq_load_r(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    mmx_transition(cpu);
    mmx_set(cpu, i->reg, mmx_get(cpu, i->rm));
    NEXT(cpu, i);
}

void op_mmx_movq_load_m(struct cpu *cpu, const struct insn *i)
{
    return op_mmx_movd_load_64m(cpu, i);
}

void op_mmx_movq_store_r(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    mmx_transition(cpu);
    mmx_set(cpu, i->rm, mmx_get(cpu, i->reg));
    NEXT(cpu, i);
}

void op_mmx_movq_store_m(struct cpu *cpu, const struct insn *i)
{
    return op_mmx_movd_store_64m(cpu, i);
}

void op_mmx_pmovmskb(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    mmx_transition(cpu);
    cpu->gpr[i->reg] = (uint32_t)_mm_movemask_epi8(mmx_vector(mmx_get(cpu, i->rm)));
    NEXT(cpu, i);
}

static uint64_t pshufw(uint64_t b, unsigned imm)
{
    uint64_t result = 0;

    for (unsigned k = 0; k < 4; k++)
        result |= (b >> 16 * (imm >> 2 * k & 3) & 0xFFFF) << 16 * k;
    return result;
}

static uint64_t palignr(uint64_t a, uint64_t b, unsigned imm)
{
    uint8_t bytes[24] = {0};
    uint64_t result;

    memcpy(bytes, &b, 8);
    memcpy(bytes + 8, &a, 8);
    memcpy(&result, bytes + (imm > 16 ? 16 : imm), 8);
    return result;
}

static uint64_t pinsrw(uint64_t a, uint64_t value, unsigned imm)
{
    unsigned shift = 16 * (imm & 3);
    return (a & ~(0xFFFFull << shift)) | (value & 0xFFFF) << shift;
}

void op_mmx_pshufw_r(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    mmx_transition(cpu);
    mmx_set(cpu, i->reg, pshufw(mmx_get(cpu, i->rm), (uint8_t)i->imm));
    NEXT(cpu, i);
}

void op_mmx_pshufw_m(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    uint64_t b = load64(cpu, i, insn_address(cpu, i, 8, false));
    mmx_transition(cpu);
    mmx_set(cpu, i->reg, pshufw(b, (uint8_t)i->imm));
    NEXT(cpu, i);
}

void op_mmx_palignr_r(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    mmx_transition(cpu);
    uint64_t a = mmx_get(cpu, i->reg), b = mmx_get(cpu, i->rm);
    mmx_set(cpu, i->reg, palignr(a, b, (uint8_t)i->imm));
    NEXT(cpu, i);
}

void op_mmx_palignr_m(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    uint64_t b = load64(cpu, i, insn_address(cpu, i, 8, false));
    mmx_transition(cpu);
    mmx_set(cpu, i->reg, palignr(mmx_get(cpu, i->reg), b, (uint8_t)i->imm));
    NEXT(cpu, i);
}

void op_mmx_pinsrw_r(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    mmx_transition(cpu);
    mmx_set(cpu, i->reg, pinsrw(mmx_get(cpu, i->reg), cpu->gpr[i->rm], (uint8_t)i->imm));
    NEXT(cpu, i);
}

void op_mmx_pinsrw_m(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    uint64_t value = load16(cpu, i, insn_address(cpu, i, 2, false));
    mmx_transition(cpu);
    mmx_set(cpu, i->reg, pinsrw(mmx_get(cpu, i->reg), value, (uint8_t)i->imm));
    NEXT(cpu, i);
}

void op_mmx_pextrw_r(struct cpu *cpu, const struct insn *i)
{
    mmx_check(cpu, i);
    mmx_transition(cpu);
    cpu->gpr[i->reg] = mmx_get(cpu, i->rm) >> 16 * (i->imm & 3) & 0xFFFF;
    NEXT(cpu, i);
}
