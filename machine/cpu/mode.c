/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What follows from the control registers, CS and CPL: the decode mode key and the TLB bank. Also
 * the rule for EFLAGS images.
 */
#include "machine/cpu/mode.h"

#include "machine/cpu/system.h"

static bool is_flat(const struct segment *s, bool code)
{
    uint16_t need = SEG_P | (code ? TYPE_CODE | TYPE_READABLE : TYPE_WRITABLE);
    uint16_t never = code ? 0 : TYPE_CODE | TYPE_EXPAND_DOWN;
    return s->base == 0 && s->limit == 0xFFFFFFFF && (s->attributes & need) == need &&
           !(s->attributes & never);
}

static uint32_t fpu_bits(const struct cpu *cpu)
{
    uint32_t mode = 0;
    if (cpu->cr0 & CR0_EM)
        mode |= MODE_FPU_EM;
    else if (cpu->cr4 & CR4_OSFXSR)
        mode |= MODE_SSE;
    if (cpu->cr4 & CR4_OSXSAVE && !(~cpu->xcr0 & (XCR0_SSE | XCR0_YMM)))
        mode |= MODE_AVX;
    if (cpu->cr0 & CR0_TS)
        mode |= MODE_FPU_TS;
    if (cpu->cr0 & CR0_MP)
        mode |= MODE_FPU_MP;
    return mode;
}

static uint32_t segment_bits(const struct cpu *cpu)
{
    uint32_t mode = 0;
    if (cpu->efer & EFER_LMA && cpu->seg[CS].attributes & SEG_L)
        return MODE_64;
    if (cpu->seg[CS].attributes & SEG_DB)
        mode |= MODE_CODE32;
    if (cpu->seg[SS].attributes & SEG_DB)
        mode |= MODE_STACK32;
    if (cpu_protected(cpu) && is_flat(&cpu->seg[CS], true) && is_flat(&cpu->seg[DS], false) &&
        is_flat(&cpu->seg[ES], false) && is_flat(&cpu->seg[SS], false))
        mode |= MODE_FLAT;
    return mode;
}

static enum tlb_bank bank_in_force(const struct cpu *cpu)
{
    if (cpu->cpl == 3)
        return cpu->cr0 & CR0_AM && cpu->eflags & EFLAGS_AC ? TLB_CHECKED : TLB_USER;
    return cpu->cr4 & CR4_SMAP && cpu->eflags & EFLAGS_AC ? TLB_SUPERVISOR_AC : TLB_SUPERVISOR;
}

void cpu_update_bank(struct cpu *cpu)
{
    cpu->tlb = cpu->tlb_banks[bank_in_force(cpu)];
}

void cpu_update_mode(struct cpu *cpu)
{
    uint32_t mode = segment_bits(cpu) | fpu_bits(cpu);
    if (cpu_protected(cpu))
        mode |= MODE_PROTECTED;
    if (cpu->cpl == 3)
        mode |= MODE_USER;
    if (cpu->eflags & EFLAGS_TF)
        mode |= MODE_STEP;
    cpu->mode = mode;
    cpu_update_bank(cpu);
    if (mode & MODE_64 && cpu->tlb_alias)
        mmu_flush(cpu);
}

void cpu_set_code(struct cpu *cpu, const struct segment *cs, unsigned cpl)
{
    cpu->seg[CS] = *cs;
    cpu->cpl = (uint8_t)cpl;
    cpu_update_mode(cpu);
}

void cpu_load_flags(struct cpu *cpu, uint32_t image, unsigned size, unsigned cpl)
{
    uint32_t mask = EFLAGS_ARITHMETIC | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | EFLAGS_AC | EFLAGS_ID;
    if (cpl == 0)
        mask |= EFLAGS_IOPL;
    if (cpl <= cpu_iopl(cpu) || cpu_real_mode(cpu))
        mask |= EFLAGS_IF;
    if (size == 2)
        mask &= 0xFFFF;
    flags_set(cpu, (flags_get(cpu) & ~mask) | (image & mask));
}
