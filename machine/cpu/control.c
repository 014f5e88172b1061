/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Control, debug and table registers (APM 2 3.1, 13.1, 4.6) and the instructions that move them.
 */
#include "machine/cpu/form.h"
#include "machine/cpu/operations.h"
#include "machine/cpu/system.h"
#include "machine/cpu/walk.h"

#define CR0_KNOWN                                                                                  \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD |     \
     CR0_PG)

static _Noreturn void general_protection(struct cpu *cpu, const struct insn *i)
{
    cpu_raise_error(cpu, i, VECTOR_GP, 0);
}

/* --- CR0, CR3, CR4 -------------------------------------------------------------------------- */

static bool uses_pdptes(const struct cpu *cpu, uint64_t cr0, uint64_t cr4)
{
    return cr0 & CR0_PG && cr4 & CR4_PAE && !(cpu->efer & EFER_LME);
}

/* Long mode begins and ends with paging: APM 2 14.6. */
static void check_paging_change(struct cpu *cpu, const struct insn *i, uint64_t cr0)
{
    bool on = cr0 & CR0_PG && !(cpu->cr0 & CR0_PG);
    bool off = !(cr0 & CR0_PG) && cpu->cr0 & CR0_PG;
    if (off && (cpu_64bit(cpu) || cpu->cr4 & CR4_PCIDE))
        general_protection(cpu, i);
    if (on && cpu->efer & EFER_LME &&
        (!(cpu->cr4 & CR4_PAE) || cpu->seg[CS].attributes & SEG_L))
        general_protection(cpu, i);
}

/* CR4 bits that this processor has: APM 2 3.1.3. */
uint64_t cpu_known_cr4(const struct cpu *cpu)
{
    static const struct {
        uint32_t bit;
        enum cpu_feature feature;
    } bits[] = {
        {CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE, FEATURE_BASE},
        {CR4_OSFXSR, FEATURE_FXSR},     {CR4_OSXMMEXCPT, FEATURE_SSE}, {CR4_UMIP, FEATURE_UMIP},
        {CR4_FSGSBASE, FEATURE_FSGSBASE}, {CR4_PCIDE, FEATURE_PCID}, {CR4_OSXSAVE, FEATURE_XSAVE},
        {CR4_SMEP, FEATURE_SMEP},       {CR4_SMAP, FEATURE_SMAP},
    };
    uint64_t known = 0;
    for (size_t k = 0; k < sizeof(bits) / sizeof(bits[0]); k++) {
        if (cpu_has_feature(cpu, bits[k].feature))
            known |= bits[k].bit;
    }
    return known;
}

static void write_cr0(struct cpu *cpu, const struct insn *i, uint64_t value)
{
    if (value >> 32 || (value & CR0_PG && !(value & CR0_PE)) ||
        (value & CR0_NW && !(value & CR0_CD)))
        general_protection(cpu, i);
    value = (value & CR0_KNOWN) | CR0_ET;
    check_paging_change(cpu, i, value);
    uint64_t changed = value ^ cpu->cr0;
    if (uses_pdptes(cpu, value, cpu->cr4) && changed & CR0_PG && !walk_load_pdptes(cpu, cpu->cr3))
        general_protection(cpu, i);
    cpu->cr0 = value;
    if (changed & CR0_PG && cpu->efer & EFER_LME)
        cpu->efer = value & CR0_PG ? cpu->efer | EFER_LMA : cpu->efer & ~(uint64_t)EFER_LMA;
    if (changed & (CR0_PG | CR0_PE | CR0_WP))
        mmu_flush(cpu);
    if (changed & CR0_PG) /* the others need no flush by the manual: APM 2 5.5.3 */
        mmu_flushed(cpu, CPU_FLUSH_ALL, 0, 0);
}

static void write_cr3(struct cpu *cpu, const struct insn *i, uint64_t value)
{
    if (!cpu_64bit(cpu))
        value = (uint32_t)value;
    uint64_t written = value;
    /* With PCIDs, bit 63 allows to keep the translations of the new one: APM 2 5.5.1. */
    if (cpu->cr4 & CR4_PCIDE)
        value &= ~(1ull << 63);
    if (value & ~(cpu->physical_mask | cpu->c_mask))
        general_protection(cpu, i);
    if (uses_pdptes(cpu, cpu->cr0, cpu->cr4) && !walk_load_pdptes(cpu, value))
        general_protection(cpu, i);
    cpu->cr3 = value;
    mmu_flush(cpu);
    mmu_flushed(cpu, CPU_FLUSH_CR3, written, mmu_pcid(cpu));
}

static void write_cr4(struct cpu *cpu, const struct insn *i, uint64_t value)
{
    uint64_t changed = value ^ cpu->cr4;
    if (value & ~cpu_known_cr4(cpu) || (cpu_long_mode(cpu) && !(value & CR4_PAE)))
        general_protection(cpu, i);
    if (changed & value & CR4_PCIDE && (!cpu_long_mode(cpu) || cpu->cr3 & 0xFFF))
        general_protection(cpu, i);
    if (uses_pdptes(cpu, cpu->cr0, value) && changed & (CR4_PAE | CR4_PGE | CR4_PSE) &&
        !walk_load_pdptes(cpu, cpu->cr3))
        general_protection(cpu, i);
    cpu->cr4 = value;
    if (changed & CR4_DE)
        breakpoints_update(cpu);
    if (changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_PCIDE | CR4_SMEP | CR4_SMAP)) {
        mmu_flush(cpu);
        mmu_flushed(cpu, CPU_FLUSH_ALL, 0, 0);
    }
}

void op_mov_from_cr(struct cpu *cpu, const struct insn *i)
{
    uint64_t value;
    require_cpl0(cpu, i);
    switch (i->reg) {
    case 0:
        value = cpu->cr0;
        break;
    case 2:
        value = cpu->cr2;
        break;
    case 3:
        value = cpu->cr3;
        break;
    case 4:
        value = cpu->cr4;
        break;
    case 8:
        cpu->current = i;
        value = cpu->io.cr8_read(cpu->io.context);
        break;
    default:
        cpu_raise(cpu, i, VECTOR_UD);
    }
    cpu->gpr[i->rm] = cpu_64bit(cpu) ? value : (uint32_t)value;
    NEXT(cpu, i);
}

static void write_cr8(struct cpu *cpu, const struct insn *i, uint64_t value)
{
    if (value > 15)
        general_protection(cpu, i);
    cpu->current = i;
    cpu->io.cr8_write(cpu->io.context, (uint8_t)value);
}

void op_mov_to_cr(struct cpu *cpu, const struct insn *i)
{
    uint64_t value = cpu->gpr[i->rm];
    require_cpl0(cpu, i);
    if (!cpu_64bit(cpu))
        value = (uint32_t)value;
    switch (i->reg) {
    case 0:
        write_cr0(cpu, i, value);
        break;
    case 2:
        cpu->cr2 = value;
        break;
    case 3:
        write_cr3(cpu, i, value);
        break;
    case 4:
        write_cr4(cpu, i, value);
        break;
    case 8:
        write_cr8(cpu, i, value);
        break;
    default:
        cpu_raise(cpu, i, VECTOR_UD);
    }
    uint64_t rip = insn_return_rip(cpu, i);
    cpu_update_mode(cpu);
    leave_block(cpu, i, rip);
}

void op_clts(struct cpu *cpu, const struct insn *i)
{
    require_cpl0(cpu, i);
    cpu->cr0 &= ~(uint64_t)CR0_TS;
    cpu_update_mode(cpu);
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

/* APM 3, LMSW: PE MP EM TS; PE can be set and not cleared. */
static void load_machine_status(struct cpu *cpu, const struct insn *i, uint16_t value)
{
    uint64_t mask = CR0_MP | CR0_EM | CR0_TS;
    write_cr0(cpu, i, (cpu->cr0 & ~mask) | (value & (mask | CR0_PE)));
    cpu_update_mode(cpu);
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

void op_lmsw_r(struct cpu *cpu, const struct insn *i)
{
    require_cpl0(cpu, i);
    load_machine_status(cpu, i, (uint16_t)cpu->gpr[i->rm]);
}

void op_lmsw_m(struct cpu *cpu, const struct insn *i)
{
    require_cpl0(cpu, i);
    load_machine_status(cpu, i, load16(cpu, i, insn_address(cpu, i, 2, false)));
}

/* --- debug registers ------------------------------------------------------------------------ */

/* DR4 and DR5 are other names of DR6 and DR7 unless CR4.DE is set: APM 2 13.1.1. */
static unsigned debug_register(struct cpu *cpu, const struct insn *i)
{
    unsigned number = i->reg;
    if (number > 7 || ((number == 4 || number == 5) && cpu->cr4 & CR4_DE))
        cpu_raise(cpu, i, VECTOR_UD);
    require_cpl0(cpu, i);
    if (cpu->dr[7] & DR7_GD)
        breakpoints_fault(cpu, i, DR6_BD);
    return number == 4 || number == 5 ? number + 2 : number;
}

void op_mov_from_dr(struct cpu *cpu, const struct insn *i)
{
    unsigned number = debug_register(cpu, i);
    if (number == 7)
        cpu_intercept(cpu, i, SEV_EXIT_DR7_READ);
    uint64_t value = cpu->dr[number];
    cpu->gpr[i->rm] = cpu_64bit(cpu) ? value : (uint32_t)value;
    NEXT(cpu, i);
}

void op_mov_to_dr(struct cpu *cpu, const struct insn *i)
{
    unsigned number = debug_register(cpu, i);
    uint64_t value = cpu->gpr[i->rm];
    if (!cpu_64bit(cpu))
        value = (uint32_t)value;
    if (number >= 6 && value >> 32)
        general_protection(cpu, i);
    if (number == 7)
        cpu_intercept(cpu, i, SEV_EXIT_DR7_WRITE);
    if (number == 6)
        value = (value & 0xE00F) | 0xFFFF0FF0;
    if (number == 7) {
        value = (value & 0xFFFF23FF) | 0x400;
    }
    cpu->dr[number] = value;
    breakpoints_update(cpu);
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

/* --- descriptor-table registers ------------------------------------------------------------- */

/* SGDT, SIDT, SLDT, STR and SMSW are for CPL 0 alone when CR4.UMIP is set. */
static void check_umip(struct cpu *cpu, const struct insn *i)
{
    if (cpu->cr4 & CR4_UMIP && cpu->cpl)
        general_protection(cpu, i);
}

static void load_table(struct cpu *cpu, const struct insn *i, struct table_register *table)
{
    bool wide = cpu_64bit(cpu);
    require_cpl0(cpu, i);
    uint64_t address = insn_address(cpu, i, wide ? 10 : 6, false);
    uint16_t limit = load16(cpu, i, address);
    uint64_t base = wide ? load64(cpu, i, address + 2) : load32(cpu, i, address + 2);
    if (!wide && i->flags & INSN_OP16)
        base &= 0xFFFFFF;
    if (!is_canonical(base))
        general_protection(cpu, i);
    *table = (struct table_register){.base = base, .limit = limit};
}

static void store_table(struct cpu *cpu, const struct insn *i, const struct table_register *table)
{
    bool wide = cpu_64bit(cpu);
    check_umip(cpu, i);
    uint64_t address = insn_address(cpu, i, wide ? 10 : 6, true);
    mmu_probe_write(cpu, i, address, wide ? 10 : 6);
    store16(cpu, i, address, table->limit);
    if (wide)
        store64(cpu, i, address + 2, table->base);
    else
        store32(cpu, i, address + 2, (uint32_t)table->base);
}

void op_lgdt(struct cpu *cpu, const struct insn *i)
{
    load_table(cpu, i, &cpu->gdtr);
    NEXT(cpu, i);
}

void op_lidt(struct cpu *cpu, const struct insn *i)
{
    load_table(cpu, i, &cpu->idtr);
    NEXT(cpu, i);
}

void op_sgdt(struct cpu *cpu, const struct insn *i)
{
    store_table(cpu, i, &cpu->gdtr);
    NEXT(cpu, i);
}

void op_sidt(struct cpu *cpu, const struct insn *i)
{
    store_table(cpu, i, &cpu->idtr);
    NEXT(cpu, i);
}

/* --- LDTR, TR ------------------------------------------------------------------------------- */

static void require_protected(struct cpu *cpu, const struct insn *i)
{
    if (!cpu_protected(cpu))
        cpu_raise(cpu, i, VECTOR_UD);
}

/* Both need a GDT selector; in long mode their descriptor takes two entries. */
static struct descriptor require_system(struct cpu *cpu, const struct insn *i, unsigned selector)
{
    if (selector & 4 ||
        (cpu_long_mode(cpu) && (selector & 0xFFF8u) + 15 > cpu->gdtr.limit))
        raise_selector(cpu, i, VECTOR_GP, selector);
    struct descriptor d = descriptor_require(cpu, i, selector, VECTOR_GP);
    if (!descriptor_is_system(&d))
        raise_selector(cpu, i, VECTOR_GP, selector);
    return d;
}

static struct segment unpack_system(struct cpu *cpu, const struct insn *i, struct descriptor *d)
{
    if (!descriptor_present(d))
        raise_selector(cpu, i, VECTOR_NP, d->selector);
    struct segment segment = descriptor_unpack(d);
    segment.base = descriptor_system_base(cpu, i, d);
    return segment;
}

static void load_ldt(struct cpu *cpu, const struct insn *i, unsigned selector)
{
    require_protected(cpu, i);
    require_cpl0(cpu, i);
    if (selector_is_null(selector)) {
        cpu->ldtr = (struct segment){.selector = (uint16_t)selector};
        return;
    }
    struct descriptor d = require_system(cpu, i, selector);
    if (descriptor_type(&d) != TYPE_LDT)
        raise_selector(cpu, i, VECTOR_GP, selector);
    cpu->ldtr = unpack_system(cpu, i, &d);
}

static void load_task(struct cpu *cpu, const struct insn *i, unsigned selector)
{
    require_protected(cpu, i);
    require_cpl0(cpu, i);
    if (selector_is_null(selector))
        general_protection(cpu, i);
    struct descriptor d = require_system(cpu, i, selector);
    if (descriptor_type(&d) != TYPE_TSS32 &&
        (descriptor_type(&d) != TYPE_TSS16 || cpu_long_mode(cpu)))
        raise_selector(cpu, i, VECTOR_GP, selector);
    struct segment tr = unpack_system(cpu, i, &d);
    descriptor_set_type_bit(cpu, i, &d, TYPE_BUSY);
    tr.attributes |= TYPE_BUSY;
    cpu->tr = tr;
}

void op_lldt_r(struct cpu *cpu, const struct insn *i)
{
    load_ldt(cpu, i, cpu->gpr[i->rm] & 0xFFFF);
    NEXT(cpu, i);
}

void op_lldt_m(struct cpu *cpu, const struct insn *i)
{
    require_protected(cpu, i);
    load_ldt(cpu, i, load16(cpu, i, insn_address(cpu, i, 2, false)));
    NEXT(cpu, i);
}

void op_ltr_r(struct cpu *cpu, const struct insn *i)
{
    load_task(cpu, i, cpu->gpr[i->rm] & 0xFFFF);
    NEXT(cpu, i);
}

void op_ltr_m(struct cpu *cpu, const struct insn *i)
{
    require_protected(cpu, i);
    load_task(cpu, i, load16(cpu, i, insn_address(cpu, i, 2, false)));
    NEXT(cpu, i);
}

static void set_register(struct cpu *cpu, const struct insn *i, uint64_t value)
{
    uint64_t *gpr = &cpu->gpr[i->rm];
    if (i->flags & INSN_OP64)
        *gpr = value;
    else if (i->flags & INSN_OP16)
        *gpr = (*gpr & ~0xFFFFull) | (uint16_t)value;
    else
        *gpr = (uint32_t)value;
}

/* name##_r and name##_m: a 16-bit value to a register of any size, or to 16 bits of memory. */
#define DEFINE_STORE(name, check, value)                                                           \
    void name##_r(struct cpu *cpu, const struct insn *i)                                           \
    {                                                                                              \
        check;                                                                                     \
        set_register(cpu, i, value);                                                               \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void name##_m(struct cpu *cpu, const struct insn *i)                                           \
    {                                                                                              \
        check;                                                                                     \
        store16(cpu, i, insn_address(cpu, i, 2, true), (uint16_t)(value));                         \
        NEXT(cpu, i);                                                                              \
    }

static void check_segment(struct cpu *cpu, const struct insn *i)
{
    if (i->reg > GS)
        cpu_raise(cpu, i, VECTOR_UD);
}

#define PROTECTED_AND_UMIP (require_protected(cpu, i), check_umip(cpu, i))

DEFINE_STORE(op_smsw, check_umip(cpu, i), cpu->cr0)
DEFINE_STORE(op_sldt, PROTECTED_AND_UMIP, cpu->ldtr.selector)
DEFINE_STORE(op_str, PROTECTED_AND_UMIP, cpu->tr.selector)
DEFINE_STORE(op_mov_from_seg, check_segment(cpu, i), cpu->seg[i->reg].selector)
