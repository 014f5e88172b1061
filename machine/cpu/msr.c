/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Model-specific registers (APM 2 appendix A), by table. What is not listed raises #GP(0), as
 * hardware and KVM do: guests probe with exception handlers in place.
 */
#include <stddef.h>

#include "machine/cpu/form.h"
#include "machine/cpu/operations.h"
#include "machine/cpu/system.h"
#include "machine/cpu/trace.h"

#define MSR_TSC           0x10u
#define MSR_APIC_BASE     0x1Bu
#define MSR_TSC_DEADLINE  0x6E0u
#define MSR_X2APIC_FIRST  0x800u
#define MSR_X2APIC_LAST   0x8FFu
#define MSR_EFER          0xC0000080u
#define MSR_FS_BASE       0xC0000100u
#define MSR_GS_BASE       0xC0000101u
#define MSR_TSC_AUX       0xC0000103u
#define MSR_SYSCFG        0xC0010010u
#define PATCH_LEVEL       0x0A0011D5u
#define MSR_TSC_ADJUST    0x3Bu
#define APIC_BASE_X2APIC  (1u << 10)
#define MSR_XSS           0xDA0u

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
    {MSR_XSS, 1, MSR_MASK, 0, FIELD(xss)}, /* no supervisor state */
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
    {MSR_TSC_AUX, 1, MSR_MASK, 0xFFFFFFFF, FIELD(tsc_aux)},
    {0xC0010000, 8, MSR_IGNORE, 0, 0}, /* performance counters that never count: as KVM has it */
    {0xC0010015, 1, MSR_VALUE, 0, FIELD(hwcr)},
    {0xC001001F, 1, MSR_IGNORE, 0, 0}, /* NB_CFG */
    {0xC0011029, 1, MSR_VALUE, 0, FIELD(decode_config)},
};

static bool owned_by_apic(uint32_t msr)
{
    return msr == MSR_APIC_BASE || (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST);
}

/* MSRs that come with a feature and do not exist without it. */
static bool exists(const struct cpu *cpu, uint32_t msr)
{
    static const struct {
        uint32_t msr;
        enum cpu_feature feature;
    } table[] = {
        {MSR_TSC_ADJUST, FEATURE_TSC_ADJUST},
        {MSR_TSC_DEADLINE, FEATURE_TSC_DEADLINE},
        {MSR_XSS, FEATURE_XSAVES},
        {MSR_TSC_AUX, FEATURE_RDTSCP},
    };
    for (size_t k = 0; k < sizeof(table) / sizeof(table[0]); k++) {
        if (table[k].msr == msr)
            return cpu_has_feature(cpu, table[k].feature);
    }
    return true;
}

/*
 * The APIC's timer counts without the offset that the guest gave its time stamp counter: a deadline
 * is converted on the way. 0 disarms; a deadline before the counter's start has passed.
 */
static bool deadline_read(struct cpu *cpu, uint64_t *value)
{
    if (!cpu->io.apic_msr_read(cpu->io.context, MSR_TSC_DEADLINE, value))
        return false;
    if (*value)
        *value += cpu->tsc_offset;
    return true;
}

static bool deadline_write(struct cpu *cpu, uint64_t value)
{
    if (value && cpu->tsc_offset) {
        value -= cpu->tsc_offset;
        if ((int64_t)value <= 0)
            value = 1;
    }
    return cpu->io.apic_msr_write(cpu->io.context, MSR_TSC_DEADLINE, value);
}

/* An armed deadline keeps its value and so moves in time with the counter. */
static void set_tsc_offset(struct cpu *cpu, uint64_t offset)
{
    uint64_t deadline = 0;
    bool armed = exists(cpu, MSR_TSC_DEADLINE) && deadline_read(cpu, &deadline) && deadline;
    cpu->tsc_offset = offset;
    if (armed)
        deadline_write(cpu, deadline);
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

bool msr_pat_is_valid(uint64_t value)
{
    return memory_types_valid(value, true);
}

/* Fixed MTRRs: SYSCFG.MtrrFixDramModEn shows RdMem and WrMem in bits 4:3 of each byte. */
static uint64_t without_dram_bits(uint64_t value)
{
    return value & ~0x1818181818181818ull;
}

uint64_t msr_efer_writable(const struct cpu *cpu)
{
    return EFER_LME | (cpu->config.sev == CPU_SEV_ES ? EFER_SVME : 0u) |
           (cpu_has_feature(cpu, FEATURE_SYSCALL) ? EFER_SCE : 0u) |
           (cpu_has_feature(cpu, FEATURE_NX) ? EFER_NXE : 0u) |
           (cpu_has_feature(cpu, FEATURE_FXSR_OPT) ? EFER_FFXSR : 0u);
}

void cpu_set_syscfg(struct cpu *cpu, uint64_t value)
{
    bool works = cpu_sev_is_guest(cpu->config.sev) || value & SYSCFG_MEM_ENCRYPT;
    cpu->syscfg = value;
    cpu->c_mask = works ? 1ull << cpu->config.c_bit : 0;
}

/* The MTRR and TOM2 bits, and with SME the one for encryption. */
static bool write_syscfg(struct cpu *cpu, uint64_t value)
{
    uint64_t known = 0x7C0000 | (cpu->config.sev == CPU_SEV_SME ? SYSCFG_MEM_ENCRYPT : 0u);
    if (value & ~known)
        return false;
    bool changed = (value ^ cpu->syscfg) & SYSCFG_MEM_ENCRYPT;
    cpu_set_syscfg(cpu, value);
    if (changed) {
        mmu_flush(cpu);
        mmu_flushed(cpu, CPU_FLUSH_ALL, 0, 0);
    }
    return true;
}

/* VMRUN refuses a save area without SVME (APM 2 15.5.1), and nobody but the guest can change it. */
static void keep_svme(struct cpu *cpu, uint64_t value)
{
    if (cpu->config.sev == CPU_SEV_ES && !(value & EFER_SVME))
        cpu_shut_down(cpu, cpu->current,
                      "the SEV-ES guest cleared EFER.SVME: VMRUN fails from here on (VMEXIT_INVALID)");
}

static bool write_efer(struct cpu *cpu, uint64_t value)
{
    uint64_t writable = msr_efer_writable(cpu), changed = (value ^ cpu->efer) & writable;
    if (value & ~(writable | EFER_LMA) || (changed & EFER_LME && cpu->cr0 & CR0_PG))
        return false;
    keep_svme(cpu, value);
    cpu->efer ^= changed;
    if (changed & EFER_NXE) {
        mmu_flush(cpu);
        mmu_flushed(cpu, CPU_FLUSH_ALL, 0, 0);
    }
    return true;
}

static uint64_t sev_status(const struct cpu *cpu)
{
    if (!cpu_sev_is_guest(cpu->config.sev))
        return 0;
    return SEV_STATUS_SEV | (cpu->config.sev == CPU_SEV_ES ? SEV_STATUS_ES : 0u);
}

/*
 * What KVM does not intercept in a SEV-ES guest, and what no hypervisor can: GHCB and SEV_STATUS
 * (APM 2 15.35.4).
 */
bool cpu_msr_intercepted(uint32_t msr)
{
    static const uint32_t passed[] = {0x174, 0x175, 0x176, 0x1D9, 0x277, MSR_XSS, MSR_EFER,
                                      0xC0000081, 0xC0000082, 0xC0000083, 0xC0000084, MSR_FS_BASE,
                                      MSR_GS_BASE, 0xC0000102, MSR_TSC_AUX, SEV_MSR_GHCB,
                                      SEV_MSR_STATUS};
    for (size_t k = 0; k < sizeof(passed) / sizeof(passed[0]); k++) {
        if (passed[k] == msr)
            return false;
    }
    return true;
}

static void intercept_msr(struct cpu *cpu, const struct insn *i)
{
    if (cpu_msr_intercepted((uint32_t)cpu->gpr[RCX]))
        cpu_intercept(cpu, i, SEV_EXIT_MSR);
}

bool cpu_msr_read(struct cpu *cpu, uint32_t msr, uint64_t *value)
{
    if (!exists(cpu, msr))
        return false;
    if (owned_by_apic(msr))
        return cpu->io.apic_msr_read(cpu->io.context, msr, value);
    switch (msr) {
    case MSR_TSC:
        *value = cpu->io.tsc_read(cpu->io.context) + cpu->tsc_offset;
        return true;
    case MSR_TSC_ADJUST:
        *value = cpu->tsc_offset;
        return true;
    case MSR_TSC_DEADLINE:
        return deadline_read(cpu, value);
    case MSR_EFER:
        *value = cpu->efer;
        return true;
    case MSR_SYSCFG:
        *value = cpu->syscfg;
        return true;
    case SEV_MSR_STATUS:
        *value = sev_status(cpu);
        return true;
    case SEV_MSR_GHCB:
        *value = cpu->ghcb;
        return cpu->config.sev == CPU_SEV_ES;
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
        return row->offset == FIELD(pat) ? msr_pat_is_valid(value)
                                         : memory_types_valid(without_dram_bits(value), false);
    default:
        return false;
    }
}

bool cpu_msr_write(struct cpu *cpu, uint32_t msr, uint64_t value)
{
    if (!exists(cpu, msr) || (msr == MSR_APIC_BASE && value & APIC_BASE_X2APIC &&
                              !cpu_has_feature(cpu, FEATURE_X2APIC)))
        return false;
    if (owned_by_apic(msr))
        return cpu->io.apic_msr_write(cpu->io.context, msr, value);
    switch (msr) {
    case MSR_TSC:
        set_tsc_offset(cpu, value - cpu->io.tsc_read(cpu->io.context));
        return true;
    case MSR_TSC_ADJUST:
        set_tsc_offset(cpu, value);
        return true;
    case MSR_TSC_DEADLINE:
        return deadline_write(cpu, value);
    case MSR_EFER:
        return write_efer(cpu, value);
    case MSR_SYSCFG:
        return write_syscfg(cpu, value);
    case SEV_MSR_GHCB:
        cpu->ghcb = value;
        return cpu->config.sev == CPU_SEV_ES;
    }
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
    intercept_msr(cpu, i);
    cpu->current = i;
    bool known = cpu_msr_read(cpu, (uint32_t)cpu->gpr[RCX], &value);
    if (traces_msr(cpu))
        trace_msr(cpu, i, value, false, !known);
    if (!known)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    cpu->gpr[RAX] = (uint32_t)value;
    cpu->gpr[RDX] = value >> 32;
    NEXT(cpu, i);
}

void op_wrmsr(struct cpu *cpu, const struct insn *i)
{
    require_cpl0(cpu, i);
    intercept_msr(cpu, i);
    cpu->current = i;
    uint64_t value = (uint32_t)cpu->gpr[RAX] | cpu->gpr[RDX] << 32;
    bool taken = cpu_msr_write(cpu, (uint32_t)cpu->gpr[RCX], value);
    if (traces_msr(cpu))
        trace_msr(cpu, i, value, true, !taken);
    if (!taken)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    leave_block(cpu, i, insn_return_rip(cpu, i));
}
