/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Instructions on segment registers and selectors: MOV, PUSH, POP, LAR, LSL, VERR, VERW, ARPL.
 */
#include "machine/cpu/operations.h"
#include "machine/cpu/system.h"

/* --- MOV to a segment register -------------------------------------------------------------- */

static void check_destination(struct cpu *cpu, const struct insn *i)
{
    if (i->reg > GS || i->reg == CS)
        cpu_raise(cpu, i, VECTOR_UD);
}

static void load_and_leave(struct cpu *cpu, const struct insn *i, unsigned segment,
                           unsigned selector)
{
    segment_load(cpu, i, segment, selector);
    if (segment == SS) /* nothing comes between this and the load of SP: APM 3, MOV */
        cpu->interrupt_shadow = cpu->debug_shadow = true;
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

void op_mov_to_seg_r(struct cpu *cpu, const struct insn *i)
{
    check_destination(cpu, i);
    load_and_leave(cpu, i, i->reg, cpu->gpr[i->rm] & 0xFFFF);
}

void op_mov_to_seg_m(struct cpu *cpu, const struct insn *i)
{
    check_destination(cpu, i);
    load_and_leave(cpu, i, i->reg, load16(cpu, i, insn_address(cpu, i, 2, false)));
}

/* --- PUSH and POP --------------------------------------------------------------------------- */

static void push_segment(struct cpu *cpu, const struct insn *i, unsigned segment)
{
    struct stack stack = stack_current(cpu, i);
    stack_push(&stack, insn_operand_size(i), cpu->seg[segment].selector);
    stack_commit(&stack);
    NEXT(cpu, i);
}

static void pop_segment(struct cpu *cpu, const struct insn *i, unsigned segment)
{
    struct stack stack = stack_current(cpu, i);
    unsigned selector = stack_pop(&stack, insn_operand_size(i)) & 0xFFFF;
    uint64_t old_sp = cpu->gpr[RSP];
    /* POP SS: the pointer moves by the old stack size, before the load can fault on the new one. */
    segment_load(cpu, i, segment, selector);
    cpu->gpr[RSP] = old_sp;
    stack_commit(&stack);
    if (segment == SS)
        cpu->interrupt_shadow = cpu->debug_shadow = true;
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

#define DEFINE(name, segment)                                                                      \
    void op_push_##name(struct cpu *cpu, const struct insn *i)                                     \
    {                                                                                              \
        push_segment(cpu, i, segment);                                                             \
    }
#define DEFINE_BOTH(name, segment)                                                                 \
    DEFINE(name, segment)                                                                          \
    void op_pop_##name(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        pop_segment(cpu, i, segment);                                                              \
    }
DEFINE(cs, CS)
DEFINE_BOTH(es, ES)
DEFINE_BOTH(ss, SS)
DEFINE_BOTH(ds, DS)
DEFINE_BOTH(fs, FS)
DEFINE_BOTH(gs, GS)
#undef DEFINE
#undef DEFINE_BOTH

/* --- looking at selectors ------------------------------------------------------------------- */

static void set_zf(struct cpu *cpu, bool value)
{
    uint32_t flags = flags_arithmetic(cpu) & ~EFLAGS_ZF;
    flags_set_arithmetic(cpu, value ? flags | EFLAGS_ZF : flags);
}

static unsigned source_selector(struct cpu *cpu, const struct insn *i)
{
    if (!cpu_protected(cpu))
        cpu_raise(cpu, i, VECTOR_UD);
    if (!(i->flags & INSN_MEM))
        return cpu->gpr[i->rm] & 0xFFFF;
    return load16(cpu, i, insn_address(cpu, i, 2, false));
}

/* The descriptor, if CPL and RPL may see it. */
static bool visible_descriptor(struct cpu *cpu, const struct insn *i, unsigned selector,
                               struct descriptor *ret)
{
    if (selector_is_null(selector) || !descriptor_read(cpu, i, selector, ret))
        return false;
    unsigned dpl = descriptor_dpl(ret);
    return descriptor_is_conforming(ret) || (dpl >= cpu->cpl && dpl >= (selector & 3));
}

/* System types that LAR and LSL accept, as bit masks over the type: APM 3. */
#define LAR_LEGACY 0x1A3Eu /* TSS, LDT, call and task gates of both sizes */
#define LAR_LONG   0x1A04u
#define LSL_LEGACY 0x0A0Eu /* TSS and LDT */
#define LSL_LONG   0x0A04u

static bool system_type_allowed(const struct cpu *cpu, const struct descriptor *d, uint32_t legacy,
                                uint32_t long_mode)
{
    uint32_t allowed = cpu_long_mode(cpu) ? long_mode : legacy;
    return !descriptor_is_system(d) || allowed >> descriptor_type(d) & 1;
}

static void set_result(struct cpu *cpu, const struct insn *i, uint32_t value)
{
    uint64_t *gpr = &cpu->gpr[i->reg];
    *gpr = i->flags & INSN_OP16 ? (*gpr & ~0xFFFFull) | (uint16_t)value : value;
}

static void load_access_rights(struct cpu *cpu, const struct insn *i)
{
    struct descriptor d;
    unsigned selector = source_selector(cpu, i);
    bool ok = visible_descriptor(cpu, i, selector, &d) &&
              system_type_allowed(cpu, &d, LAR_LEGACY, LAR_LONG);
    if (ok)
        set_result(cpu, i, d.high & 0x00FFFF00);
    set_zf(cpu, ok);
}

static void load_limit(struct cpu *cpu, const struct insn *i)
{
    struct descriptor d;
    unsigned selector = source_selector(cpu, i);
    bool ok = visible_descriptor(cpu, i, selector, &d) &&
              system_type_allowed(cpu, &d, LSL_LEGACY, LSL_LONG);
    if (ok)
        set_result(cpu, i, descriptor_unpack(&d).limit);
    set_zf(cpu, ok);
}

static void verify_read(struct cpu *cpu, const struct insn *i)
{
    struct descriptor d;
    unsigned selector = source_selector(cpu, i);
    set_zf(cpu, visible_descriptor(cpu, i, selector, &d) && !descriptor_is_system(&d) &&
                    (!descriptor_is_code(&d) || descriptor_type(&d) & TYPE_READABLE));
}

static void verify_write(struct cpu *cpu, const struct insn *i)
{
    struct descriptor d;
    unsigned selector = source_selector(cpu, i);
    set_zf(cpu, visible_descriptor(cpu, i, selector, &d) && !descriptor_is_system(&d) &&
                    !descriptor_is_code(&d) && descriptor_type(&d) & TYPE_WRITABLE);
}

#define DEFINE(name, work)                                                                         \
    void name##_r(struct cpu *cpu, const struct insn *i)                                           \
    {                                                                                              \
        work(cpu, i);                                                                              \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void name##_m(struct cpu *cpu, const struct insn *i)                                           \
    {                                                                                              \
        work(cpu, i);                                                                              \
        NEXT(cpu, i);                                                                              \
    }
DEFINE(op_lar, load_access_rights)
DEFINE(op_lsl, load_limit)
DEFINE(op_verr, verify_read)
DEFINE(op_verw, verify_write)
#undef DEFINE

/* ARPL: raises the RPL of the destination to that of the source. */
void op_arpl_r(struct cpu *cpu, const struct insn *i)
{
    unsigned selector = source_selector(cpu, i), rpl = cpu->gpr[i->reg] & 3;
    bool raise_rpl = (selector & 3) < rpl;
    if (raise_rpl)
        cpu->gpr[i->rm] = (cpu->gpr[i->rm] & ~3ull) | rpl;
    set_zf(cpu, raise_rpl);
    NEXT(cpu, i);
}

void op_arpl_m(struct cpu *cpu, const struct insn *i)
{
    if (!cpu_protected(cpu))
        cpu_raise(cpu, i, VECTOR_UD);
    uint64_t address = insn_address(cpu, i, 2, true);
    unsigned selector = load16(cpu, i, address), rpl = cpu->gpr[i->reg] & 3;
    bool raise_rpl = (selector & 3) < rpl;
    if (raise_rpl)
        store16(cpu, i, address, (uint16_t)((selector & ~3u) | rpl));
    set_zf(cpu, raise_rpl);
    NEXT(cpu, i);
}
