/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Model-specific registers (APM 2 appendix A), by table. What is not listed raises #GP(0), as
 * hardware and KVM do: guests probe with exception handlers in place.
 */
#include <stddef.h>

#include "machine/cpu/operations.h"
#include "machine/cpu/system.h"

#define MSR_TSC           0x10u
#define MSR_APIC_BASE     0x1Bu
#define MSR_TSC_DEADLINE  0x6E0u
#define MSR_X2APIC_FIRST  0x800u
#define MSR_X2APIC_LAST   0x8FFu
#define MSR_EFER          0xC0000080u
#define MSR_FS_BASE       0xC0000100u
#define MSR_GS_BASE       0xC0000101u
#define MSR_SEV_STATUS    0xC0010131u
#define PATCH_LEVEL       0x0A0011D5u
#define EFER_WRITABLE     (EFER_SCE | EFER_LME | EFER_NXE)

enum msr_kind {
    MSR_VALUE,     /* any value */
    MSR_MASK,      /* bits outside `limit` raise #GP */
    MSR_IGNORE,    /* reads `limit`, writes are ignored */
    MSR_CONSTANT,  /* reads `limit`, writes raise #GP */
    MSR_CANONICAL, /* must be canonical */
    MSR_TYPES,     /* eight memory types: PAT and fixed MTRRs */
};

struct msr_row {
    uint32_t number;
    uint32_t count; /* consecutive numbers, 8 bytes each in struct cpu */
    enum msr_kind kind;
    uint64_t limit;
    size_t offset;
};

#define FIELD(member) offsetof(struct cpu, member)

static const struct msr_row rows[] = {
    {0x8B, 1, MSR_CONSTANT, PATCH_LEVEL, 0},
    {0xFE, 1, MSR_CONSTANT, 0x508, 0}, /* MTRRcap: 8 variable ranges, fixed ranges, WC */
    {0x174, 1, MSR_MASK, 0xFFFFFFFF, FIELD(sysenter_cs)},
    {0x175, 1, MSR_CANONICAL, 0, FIELD(sysenter_esp)},
    {0x176, 1, MSR_CANONICAL, 0, FIELD(sysenter_eip)},
    {0x179, 1, MSR_CONSTANT, 0, 0}, /* MCG_CAP: no machine-check banks */
    {0x17A, 1, MSR_IGNORE, 0, 0},   /* MCG_STATUS */
    {0x1D9, 1, MSR_MASK, 0, FIELD(debug_control)},
    {0x200, 16, MSR_VALUE, 0, FIELD(mtrr_variable)},
    {0x250, 1, MSR_TYPES, 0, FIELD(mtrr_fixed[0])},
    {0x258, 2, MSR_TYPES, 0, FIELD(mtrr_fixed[1])},
    {0x268, 8, MSR_TYPES, 0, FIELD(mtrr_fixed[3])},
    {0x277, 1, MSR_TYPES, 0, FIELD(pat)},
    {0x2FF, 1, MSR_MASK, 0xCFF, FIELD(mtrr_default)},
    {0xC0000081, 1, MSR_VALUE, 0, FIELD(star)},
    {0xC0000082, 1, MSR_CANONICAL, 0, FIELD(lstar)},
    {0xC0000083, 1, MSR_CANONICAL, 0, FIELD(cstar)},
    {0xC0000084, 1, MSR_MASK, 0xFFFFFFFF, FIELD(sfmask)},
    {MSR_FS_BASE, 1, MSR_CANONICAL, 0, FIELD(seg[FS].base)},
    {MSR_GS_BASE, 1, MSR_CANONICAL, 0, FIELD(seg[GS].base)},
    {0xC0000102, 1, MSR_CANONICAL, 0, FIELD(kernel_gs_base)},
    {0xC0000103, 1, MSR_MASK, 0xFFFFFFFF, FIELD(tsc_aux)},
    {0xC0010010, 1, MSR_MASK, 0x7C0000, FIELD(syscfg)}, /* the MTRR and TOM2 bits */
    {0xC0010015, 1, MSR_VALUE, 0, FIELD(hwcr)},
    {0xC001001F, 1, MSR_IGNORE, 0, 0}, /* NB_CFG */
    {0xC0011029, 1, MSR_VALUE, 0, FIELD(decode_config)},
};

static bool owned_by_apic(uint32_t msr)
{
    return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE ||
           (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST);
}

static const struct msr_row *find_row(uint32_t msr)
{
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        if (msr - rows[n].number < rows[n].count)
            return &rows[n];
    }
    return NULL;
}

static uint64_t *row_field(struct cpu *cpu, const struct msr_row *row, uint32_t msr)
{
    return (uint64_t *)(void *)((char *)cpu + row->offset) + (msr - row->number);
}

/* UC WC - - WT WP WB UC-: types 2, 3 and above 7 do not exist. UC- is for the PAT alone. */
static bool memory_types_valid(uint64_t value, bool is_pat)
{
    for (unsigned n = 0; n < 8; n++) {
        unsigned type = value >> (8 * n) & 0xFF;
        if (type > 7 || type == 2 || type == 3 || (type == 7 && !is_pat))
            return false;
    }
    return true;
}

/* Fixed MTRRs: SYSCFG.MtrrFixDramModEn shows RdMem and WrMem in bits 4:3 of each byte. */
static uint64_t without_dram_bits(uint64_t value)
{
    return value & ~0x1818181818181818ull;
}

static bool write_efer(struct cpu *cpu, uint64_t value)
{
    uint64_t changed = (value ^ cpu->efer) & EFER_WRITABLE;
    if (value & ~(uint64_t)(EFER_WRITABLE | EFER_LMA) || (changed & EFER_LME && cpu->cr0 & CR0_PG))
        return false;
    cpu->efer ^= changed;
    if (changed & EFER_NXE) {
        mmu_flush(cpu);
        mmu_flushed(cpu, CPU_FLUSH_ALL, 0, 0);
    }
    return true;
}

bool msr_read(struct cpu *cpu, uint32_t msr, uint64_t *value)
{
    if (owned_by_apic(msr))
        return cpu->io.apic_msr_read(cpu->io.context, msr, value);
    switch (msr) {
    case MSR_TSC:
        *value = cpu->io.tsc_read(cpu->io.context) + cpu->tsc_offset;
        return true;
    case MSR_EFER:
        *value = cpu->efer;
        return true;
    case MSR_SEV_STATUS:
        *value = cpu->config.sev == CPU_SEV_ON;
        return true;
    }
    const struct msr_row *row = find_row(msr);
    if (!row)
        return false;
    bool fixed_value = row->kind == MSR_IGNORE || row->kind == MSR_CONSTANT;
    *value = fixed_value ? row->limit : *row_field(cpu, row, msr);
    return true;
}

static bool value_valid(const struct msr_row *row, uint64_t value)
{
    switch (row->kind) {
    case MSR_VALUE:
    case MSR_IGNORE:
        return true;
    case MSR_MASK:
        return !(value & ~row->limit);
    case MSR_CANONICAL:
        return is_canonical(value);
    case MSR_TYPES:
        return row->offset == FIELD(pat) ? memory_types_valid(value, true)
                                         : memory_types_valid(without_dram_bits(value), false);
    default:
        return false;
    }
}

bool msr_write(struct cpu *cpu, uint32_t msr, uint64_t value)
{
    if (owned_by_apic(msr))
        return cpu->io.apic_msr_write(cpu->io.context, msr, value);
    if (msr == MSR_TSC) {
        cpu->tsc_offset = value - cpu->io.tsc_read(cpu->io.context);
        return true;
    }
    if (msr == MSR_EFER)
        return write_efer(cpu, value);
    const struct msr_row *row = find_row(msr);
    if (!row || !value_valid(row, value))
        return false;
    if (row->kind != MSR_IGNORE)
        *row_field(cpu, row, msr) = value;
    return true;
}

void op_rdmsr(struct cpu *cpu, const struct insn *i)
{
    uint64_t value = 0;
    require_cpl0(cpu, i);
    cpu->current = i;
    if (!msr_read(cpu, (uint32_t)cpu->gpr[RCX], &value))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    cpu->gpr[RAX] = (uint32_t)value;
    cpu->gpr[RDX] = value >> 32;
    NEXT(cpu, i);
}

void op_wrmsr(struct cpu *cpu, const struct insn *i)
{
    require_cpl0(cpu, i);
    cpu->current = i;
    if (!msr_write(cpu, (uint32_t)cpu->gpr[RCX], (uint32_t)cpu->gpr[RAX] | cpu->gpr[RDX] << 32))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    leave_block(cpu, i, insn_return_rip(cpu, i));
}
