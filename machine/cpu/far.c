/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Far transfers (APM 2 4.8 and 4.9, APM 3): JMP, CALL and RET far, call gates, task gates, IRET in
 * all modes, software interrupts, SYSCALL, SYSRET, SYSENTER, SYSEXIT.
 */
#include "machine/cpu/operations.h"
#include "machine/cpu/system.h"

/* --- targets -------------------------------------------------------------------------------- */

static bool is_64bit_code(const struct cpu *cpu, const struct descriptor *d)
{
    return cpu_long_mode(cpu) && d->high & 1u << 21;
}

static void check_target(struct cpu *cpu, const struct insn *i, const struct descriptor *d,
                         uint64_t offset)
{
    struct segment cs = descriptor_unpack(d);
    if (is_64bit_code(cpu, d) ? !is_canonical(offset) : offset > cs.limit)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
}

/* Checks common to every code descriptor that is about to be loaded: type, L and D, presence. */
static void check_code(struct cpu *cpu, const struct insn *i, struct descriptor *d, bool allowed)
{
    bool is_long = d->high & 1u << 21, is_default32 = d->high & 1u << 22;
    if (!descriptor_is_code(d) || !allowed || (cpu_long_mode(cpu) && is_long && is_default32))
        raise_selector(cpu, i, VECTOR_GP, d->selector);
    if (!descriptor_present(d))
        raise_selector(cpu, i, VECTOR_NP, d->selector);
}

static struct segment code_segment(struct cpu *cpu, const struct insn *i, struct descriptor *d,
                                   unsigned cpl)
{
    descriptor_set_type_bit(cpu, i, d, TYPE_ACCESSED);
    struct segment cs = descriptor_unpack(d);
    cs.selector = (uint16_t)((cs.selector & ~3u) | cpl);
    return cs;
}

/* JMP and CALL straight to a code segment do not change the privilege. */
static bool may_enter_direct(const struct cpu *cpu, const struct descriptor *d)
{
    if (descriptor_is_conforming(d))
        return descriptor_dpl(d) <= cpu->cpl;
    return (d->selector & 3u) <= cpu->cpl && descriptor_dpl(d) == cpu->cpl;
}

struct call_gate {
    uint16_t selector;
    uint64_t offset;
    unsigned parameters, size;
};

static bool is_call_gate(const struct cpu *cpu, const struct descriptor *d)
{
    return descriptor_type(d) == TYPE_CALL32 ||
           (descriptor_type(d) == TYPE_CALL16 && !cpu_long_mode(cpu));
}

static struct call_gate read_call_gate(struct cpu *cpu, const struct insn *i,
                                       const struct descriptor *d)
{
    struct call_gate gate = {.selector = (uint16_t)(d->low >> 16),
                             .offset = (d->low & 0xFFFF) | (d->high & 0xFFFF0000),
                             .parameters = d->high & 31,
                             .size = descriptor_type(d) == TYPE_CALL16 ? 2 : 4};
    if (descriptor_dpl(d) < cpu->cpl || descriptor_dpl(d) < (d->selector & 3u))
        raise_selector(cpu, i, VECTOR_GP, d->selector);
    if (!descriptor_present(d))
        raise_selector(cpu, i, VECTOR_NP, d->selector);
    if (gate.size == 2)
        gate.offset &= 0xFFFF;
    if (cpu_long_mode(cpu)) {
        uint64_t upper = mmu_load_system(cpu, i, d->address + 8, 8);
        if (upper >> 40 & 0x1F)
            raise_selector(cpu, i, VECTOR_GP, d->selector);
        gate.offset |= upper << 32;
        gate.parameters = 0;
        gate.size = 8;
    }
    return gate;
}

/* The code segment behind a call gate: in long mode it must be 64-bit code. */
static struct descriptor gate_target(struct cpu *cpu, const struct insn *i,
                                     const struct call_gate *gate)
{
    struct descriptor d = descriptor_require(cpu, i, gate->selector, VECTOR_GP);
    check_code(cpu, i, &d,
               descriptor_dpl(&d) <= cpu->cpl && (!cpu_long_mode(cpu) || is_64bit_code(cpu, &d)));
    check_target(cpu, i, &d, gate->offset);
    return d;
}

/* A task gate or a TSS as the target of JMP or CALL. */
static void enter_task(struct cpu *cpu, const struct insn *i, struct descriptor *d,
                       enum task_reason reason)
{
    if (cpu_long_mode(cpu) || descriptor_dpl(d) < cpu->cpl ||
        descriptor_dpl(d) < (d->selector & 3u))
        raise_selector(cpu, i, VECTOR_GP, d->selector);
    if (!descriptor_present(d))
        raise_selector(cpu, i, VECTOR_NP, d->selector);
    if (descriptor_type(d) == TYPE_TASK_GATE) {
        unsigned selector = d->low >> 16;
        if (selector & 4)
            raise_selector(cpu, i, VECTOR_GP, selector);
        *d = descriptor_require(cpu, i, selector, VECTOR_GP);
        if (!descriptor_present(d))
            raise_selector(cpu, i, VECTOR_NP, selector);
    }
    if (!descriptor_is_system(d) ||
        (descriptor_type(d) != TYPE_TSS16 && descriptor_type(d) != TYPE_TSS32))
        raise_selector(cpu, i, VECTOR_GP, d->selector);
    task_switch(cpu, i, d, reason, insn_return_rip(cpu, i), false, 0);
    leave_block(cpu, i, cpu->rip);
}

static void enter_real(struct cpu *cpu, const struct insn *i, unsigned selector, uint64_t offset)
{
    segment_set_real(cpu, CS, selector);
    cpu_update_mode(cpu);
    leave_block(cpu, i, offset);
}

static void check_real_target(struct cpu *cpu, const struct insn *i, uint64_t offset)
{
    if (offset > cpu->seg[CS].limit)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
}

/* --- JMP far -------------------------------------------------------------------------------- */

static void jump_far(struct cpu *cpu, const struct insn *i, unsigned selector, uint64_t offset)
{
    if (!cpu_protected(cpu)) {
        check_real_target(cpu, i, offset);
        enter_real(cpu, i, selector, offset);
        return;
    }
    struct descriptor d = descriptor_require(cpu, i, selector, VECTOR_GP);
    if (descriptor_is_system(&d) && !is_call_gate(cpu, &d)) {
        enter_task(cpu, i, &d, TASK_JUMP);
        return;
    }
    if (descriptor_is_system(&d)) {
        struct call_gate gate = read_call_gate(cpu, i, &d);
        d = gate_target(cpu, i, &gate);
        offset = gate.offset;
        if (!descriptor_is_conforming(&d) && descriptor_dpl(&d) != cpu->cpl)
            raise_selector(cpu, i, VECTOR_GP, gate.selector);
    } else {
        check_code(cpu, i, &d, may_enter_direct(cpu, &d));
        check_target(cpu, i, &d, offset);
    }
    struct segment cs = code_segment(cpu, i, &d, cpu->cpl);
    cpu_set_code(cpu, &cs, cpu->cpl);
    leave_block(cpu, i, offset);
}

/* --- CALL far ------------------------------------------------------------------------------- */

static void call_gate(struct cpu *cpu, const struct insn *i, const struct descriptor *entry)
{
    struct call_gate gate = read_call_gate(cpu, i, entry);
    struct descriptor d = gate_target(cpu, i, &gate);
    bool inner = !descriptor_is_conforming(&d) && descriptor_dpl(&d) < cpu->cpl;
    unsigned cpl = inner ? descriptor_dpl(&d) : cpu->cpl;
    struct stack old = stack_current(cpu, i), stack = old;
    uint64_t parameters[31];

    if (inner) {
        stack = stack_of_tss(cpu, i, cpl);
        for (unsigned n = 0; n < gate.parameters; n++)
            parameters[n] = stack_pop(&old, gate.size);
        stack_push(&stack, gate.size, cpu->seg[SS].selector);
        stack_push(&stack, gate.size, cpu->gpr[RSP]);
        for (unsigned n = gate.parameters; n > 0; n--)
            stack_push(&stack, gate.size, parameters[n - 1]);
    } else if (cpu_long_mode(cpu)) {
        stack.mask = UINT64_MAX;
        stack.check_limit = false;
    }
    stack_push(&stack, gate.size, cpu->seg[CS].selector);
    stack_push(&stack, gate.size, insn_return_rip(cpu, i));
    struct segment cs = code_segment(cpu, i, &d, cpl);
    if (inner)
        cpu->seg[SS] = stack.ss;
    stack_commit(&stack);
    cpu_set_code(cpu, &cs, cpl);
    leave_block(cpu, i, gate.offset);
}

static void call_far(struct cpu *cpu, const struct insn *i, unsigned selector, uint64_t offset,
                     unsigned size)
{
    struct stack stack = stack_current(cpu, i);
    if (!cpu_protected(cpu)) {
        check_real_target(cpu, i, offset);
        stack_push(&stack, size, cpu->seg[CS].selector);
        stack_push(&stack, size, insn_return_rip(cpu, i));
        stack_commit(&stack);
        enter_real(cpu, i, selector, offset);
        return;
    }
    struct descriptor d = descriptor_require(cpu, i, selector, VECTOR_GP);
    if (descriptor_is_system(&d)) {
        if (is_call_gate(cpu, &d))
            call_gate(cpu, i, &d);
        else
            enter_task(cpu, i, &d, TASK_CALL);
        return;
    }
    check_code(cpu, i, &d, may_enter_direct(cpu, &d));
    check_target(cpu, i, &d, offset);
    stack_push(&stack, size, cpu->seg[CS].selector);
    stack_push(&stack, size, insn_return_rip(cpu, i));
    struct segment cs = code_segment(cpu, i, &d, cpu->cpl);
    stack_commit(&stack);
    cpu_set_code(cpu, &cs, cpu->cpl);
    leave_block(cpu, i, offset);
}

void op_jmp_far_imm(struct cpu *cpu, const struct insn *i)
{
    jump_far(cpu, i, i->imm >> 32 & 0xFFFF, (uint32_t)i->imm);
}

void op_call_far_imm(struct cpu *cpu, const struct insn *i)
{
    call_far(cpu, i, i->imm >> 32 & 0xFFFF, (uint32_t)i->imm, insn_operand_size(i));
}

static uint64_t load_far_pointer(struct cpu *cpu, const struct insn *i, unsigned *ret_selector)
{
    unsigned size = insn_operand_size(i);
    uint64_t address = insn_address(cpu, i, size + 2, false);
    uint64_t offset = size == 8 ? load64(cpu, i, address)
                      : size == 4 ? load32(cpu, i, address)
                                  : load16(cpu, i, address);
    *ret_selector = load16(cpu, i, address + size);
    return offset;
}

void op_jmp_far_mem(struct cpu *cpu, const struct insn *i)
{
    unsigned selector;
    uint64_t offset = load_far_pointer(cpu, i, &selector);
    jump_far(cpu, i, selector, offset);
}

void op_call_far_mem(struct cpu *cpu, const struct insn *i)
{
    unsigned selector;
    uint64_t offset = load_far_pointer(cpu, i, &selector);
    call_far(cpu, i, selector, offset, insn_operand_size(i));
}

static void load_full_pointer(struct cpu *cpu, const struct insn *i, unsigned segment)
{
    unsigned selector;
    uint64_t offset = load_far_pointer(cpu, i, &selector);
    segment_load(cpu, i, segment, selector);
    if (i->flags & INSN_OP64)
        cpu->gpr[i->reg] = offset;
    else if (i->flags & INSN_OP16)
        cpu->gpr[i->reg] = (cpu->gpr[i->reg] & ~0xFFFFull) | (uint16_t)offset;
    else
        cpu->gpr[i->reg] = (uint32_t)offset;
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

void op_les(struct cpu *cpu, const struct insn *i)
{
    load_full_pointer(cpu, i, ES);
}

void op_lds(struct cpu *cpu, const struct insn *i)
{
    load_full_pointer(cpu, i, DS);
}

void op_lss(struct cpu *cpu, const struct insn *i)
{
    load_full_pointer(cpu, i, SS);
}

void op_lfs(struct cpu *cpu, const struct insn *i)
{
    load_full_pointer(cpu, i, FS);
}

void op_lgs(struct cpu *cpu, const struct insn *i)
{
    load_full_pointer(cpu, i, GS);
}

/* --- returns -------------------------------------------------------------------------------- */

/* The code segment that RET or IRET goes back to. */
static struct descriptor return_target(struct cpu *cpu, const struct insn *i, unsigned selector,
                                       uint64_t offset)
{
    struct descriptor d = descriptor_require(cpu, i, selector, VECTOR_GP);
    unsigned rpl = selector & 3, dpl = descriptor_dpl(&d);
    check_code(cpu, i, &d,
               rpl >= cpu->cpl && (descriptor_is_conforming(&d) ? dpl <= rpl : dpl == rpl));
    check_target(cpu, i, &d, offset);
    return d;
}

/* SS of the outer level; null is fine for 64-bit code above CPL 3: APM 2 4.5.3. */
static struct segment return_stack(struct cpu *cpu, const struct insn *i, unsigned selector,
                                   unsigned cpl, bool to_64bit)
{
    if (selector_is_null(selector)) {
        if (!to_64bit || cpl == 3 || (selector & 3) != cpl)
            cpu_raise_error(cpu, i, VECTOR_GP, 0);
        return (struct segment){.selector = (uint16_t)selector};
    }
    return segment_check_stack(cpu, i, selector, cpl, VECTOR_GP);
}

static void set_outer_stack(struct cpu *cpu, const struct segment *ss, uint64_t sp, bool to_64bit)
{
    cpu->seg[SS] = *ss;
    if (to_64bit)
        cpu->gpr[RSP] = sp;
    else if (ss->attributes & SEG_DB)
        cpu->gpr[RSP] = (uint32_t)sp;
    else
        cpu->gpr[RSP] = (cpu->gpr[RSP] & ~0xFFFFull) | (uint16_t)sp;
}

static void add_to_stack(struct stack *stack, uint64_t bytes)
{
    stack->sp = (stack->sp & ~stack->mask) | ((stack->sp + bytes) & stack->mask);
}

static void return_far(struct cpu *cpu, const struct insn *i, uint64_t release)
{
    unsigned size = insn_operand_size(i);
    struct stack stack = stack_current(cpu, i);
    uint64_t offset = stack_pop(&stack, size);
    unsigned selector = stack_pop(&stack, size) & 0xFFFF;
    add_to_stack(&stack, release);
    if (!cpu_protected(cpu)) {
        check_real_target(cpu, i, offset);
        stack_commit(&stack);
        enter_real(cpu, i, selector, offset);
        return;
    }
    struct descriptor d = return_target(cpu, i, selector, offset);
    unsigned cpl = selector & 3;
    if (cpl == cpu->cpl) {
        struct segment same = code_segment(cpu, i, &d, cpl);
        stack_commit(&stack);
        cpu_set_code(cpu, &same, cpl);
        leave_block(cpu, i, offset);
        return;
    }
    uint64_t sp = stack_pop(&stack, size);
    unsigned ss_selector = stack_pop(&stack, size) & 0xFFFF;
    bool to_64bit = is_64bit_code(cpu, &d);
    struct segment ss = return_stack(cpu, i, ss_selector, cpl, to_64bit);
    struct segment cs = code_segment(cpu, i, &d, cpl);
    set_outer_stack(cpu, &ss, sp + release, to_64bit);
    segment_drop_privileged(cpu, cpl);
    cpu_set_code(cpu, &cs, cpl);
    leave_block(cpu, i, offset);
}

void op_ret_far(struct cpu *cpu, const struct insn *i)
{
    return_far(cpu, i, 0);
}

void op_ret_far_imm(struct cpu *cpu, const struct insn *i)
{
    return_far(cpu, i, i->imm & 0xFFFF);
}

/* --- IRET ----------------------------------------------------------------------------------- */

/* `flags` as they were on the stack: IRET alone can set RF, from an image of 32 bits or more. */
static void finish_iret(struct cpu *cpu, const struct insn *i, uint64_t rip, uint32_t flags)
{
    if (cpu->config.sev != CPU_SEV_ES) /* whose hypervisor does not see IRET: cpu_nmi_complete */
        cpu->nmi_blocked = false;
    cpu->eflags |= flags & EFLAGS_RF;
    cpu_update_mode(cpu);
    cpu_observe_return(cpu, rip);
    leave_block(cpu, i, rip);
}

static void iret_real(struct cpu *cpu, const struct insn *i, unsigned size)
{
    struct stack stack = stack_current(cpu, i);
    uint64_t offset = stack_pop(&stack, size);
    unsigned selector = stack_pop(&stack, size) & 0xFFFF;
    uint32_t flags = (uint32_t)stack_pop(&stack, size);
    if (cpu_v86(cpu) && cpu_iopl(cpu) < 3)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    check_real_target(cpu, i, offset);
    stack_commit(&stack);
    cpu_load_flags(cpu, flags, size, cpu_v86(cpu) ? 3 : 0);
    segment_set_real(cpu, CS, selector);
    finish_iret(cpu, i, offset, size == 2 ? 0 : flags);
}

static void iret_to_v86(struct cpu *cpu, const struct insn *i, struct stack *stack,
                        uint64_t offset, unsigned cs, uint32_t flags)
{
    static const uint8_t order[] = {ES, DS, FS, GS};
    uint16_t selectors[4];
    uint32_t sp = (uint32_t)stack_pop(stack, 4);
    unsigned ss = stack_pop(stack, 4) & 0xFFFF;
    for (unsigned n = 0; n < 4; n++)
        selectors[n] = (uint16_t)stack_pop(stack, 4);
    flags_set(cpu, (flags & 0x3E7FD5) | EFLAGS_VM);
    for (unsigned n = 0; n < 4; n++)
        segment_set_real(cpu, order[n], selectors[n]);
    segment_set_real(cpu, SS, ss);
    segment_set_real(cpu, CS, cs);
    cpu->gpr[RSP] = sp;
    cpu->cpl = 3;
    finish_iret(cpu, i, (uint16_t)offset, flags);
}

static void iret_task(struct cpu *cpu, const struct insn *i)
{
    struct descriptor d;
    if (cpu_long_mode(cpu))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    unsigned selector = (unsigned)mmu_load_system(cpu, i, cpu->tr.base, 2);
    if (selector & 4 || selector_is_null(selector) || !descriptor_read(cpu, i, selector, &d) ||
        !descriptor_is_system(&d) ||
        (descriptor_type(&d) != TYPE_TSS16_BUSY && descriptor_type(&d) != TYPE_TSS32_BUSY))
        raise_selector(cpu, i, VECTOR_TS, selector);
    if (!descriptor_present(&d))
        raise_selector(cpu, i, VECTOR_NP, selector);
    task_switch(cpu, i, &d, TASK_RETURN, insn_return_rip(cpu, i), false, 0);
    finish_iret(cpu, i, cpu->rip, cpu->eflags);
}

static void iret_protected(struct cpu *cpu, const struct insn *i, unsigned size)
{
    struct stack stack = stack_current(cpu, i);
    uint64_t offset = stack_pop(&stack, size);
    unsigned selector = stack_pop(&stack, size) & 0xFFFF;
    uint32_t flags = (uint32_t)stack_pop(&stack, size);
    unsigned old_cpl = cpu->cpl, cpl = selector & 3;

    if (flags & EFLAGS_VM && size == 4 && !cpu_long_mode(cpu) && cpu->cpl == 0) {
        iret_to_v86(cpu, i, &stack, offset, selector, flags);
        return;
    }
    struct descriptor d = return_target(cpu, i, selector, offset);
    bool to_64bit = is_64bit_code(cpu, &d);
    if (cpl == cpu->cpl && !cpu_64bit(cpu)) {
        struct segment same = code_segment(cpu, i, &d, cpl);
        stack_commit(&stack);
        cpu_load_flags(cpu, flags, size, old_cpl);
        cpu_set_code(cpu, &same, cpl);
        finish_iret(cpu, i, offset, size == 2 ? 0 : flags);
        return;
    }
    uint64_t sp = stack_pop(&stack, size);
    unsigned ss_selector = stack_pop(&stack, size) & 0xFFFF;
    struct segment ss = return_stack(cpu, i, ss_selector, cpl, to_64bit);
    struct segment cs = code_segment(cpu, i, &d, cpl);
    set_outer_stack(cpu, &ss, sp, to_64bit);
    if (cpl != cpu->cpl)
        segment_drop_privileged(cpu, cpl);
    cpu_load_flags(cpu, flags, size, old_cpl);
    cpu_set_code(cpu, &cs, cpl);
    finish_iret(cpu, i, offset, size == 2 ? 0 : flags);
}

void op_iret(struct cpu *cpu, const struct insn *i)
{
    unsigned size = insn_operand_size(i);
    if (!cpu_protected(cpu))
        iret_real(cpu, i, size);
    else if (cpu->eflags & EFLAGS_NT)
        iret_task(cpu, i);
    else
        iret_protected(cpu, i, size);
}

/* --- software interrupts -------------------------------------------------------------------- */

void op_int(struct cpu *cpu, const struct insn *i)
{
    deliver_software(cpu, i, i->imm & 0xFF, true);
}

void op_int3(struct cpu *cpu, const struct insn *i)
{
    deliver_software(cpu, i, VECTOR_BP, false);
}

void op_int1(struct cpu *cpu, const struct insn *i)
{
    breakpoints_join(cpu);
    deliver_software(cpu, i, VECTOR_DB, false);
}

void op_into(struct cpu *cpu, const struct insn *i)
{
    if (flags_get(cpu) & EFLAGS_OF)
        deliver_software(cpu, i, VECTOR_OF, false);
    else
        leave_block(cpu, i, insn_return_rip(cpu, i));
}

/* --- fast system calls: APM 2 6.1 ----------------------------------------------------------- */

static struct segment fixed_segment(unsigned selector, uint16_t attributes)
{
    return (struct segment){
        .limit = 0xFFFFFFFF, .selector = (uint16_t)selector, .attributes = attributes};
}

#define CODE_ATTRIBUTES(dpl, extra) ((uint16_t)(0x89B | (dpl) << 5 | (extra)))
#define DATA_ATTRIBUTES(dpl)        ((uint16_t)(0xC93 | (dpl) << 5))

void op_syscall(struct cpu *cpu, const struct insn *i)
{
    if (!(cpu->efer & EFER_SCE))
        cpu_raise(cpu, i, VECTOR_UD);
    uint64_t rip = insn_return_rip(cpu, i);
    unsigned selector = cpu->star >> 32 & 0xFFFC;
    struct segment cs = fixed_segment(selector, CODE_ATTRIBUTES(0, SEG_DB));
    uint64_t target = (uint32_t)cpu->star;

    cpu->gpr[RCX] = rip;
    if (cpu_long_mode(cpu)) {
        uint32_t flags = flags_get(cpu) & ~EFLAGS_RF;
        target = cpu_64bit(cpu) ? cpu->lstar : cpu->cstar;
        cs.attributes = CODE_ATTRIBUTES(0, SEG_L);
        cpu->gpr[R11] = flags;
        flags_set(cpu, flags & ~(uint32_t)cpu->sfmask);
        cpu->watch.stepping &= !!(cpu->eflags & EFLAGS_TF); /* the handler's word counts */
    } else {
        cpu->gpr[RCX] = (uint32_t)rip;
        cpu->eflags &= ~(EFLAGS_VM | EFLAGS_IF | EFLAGS_RF);
    }
    cpu->seg[SS] = fixed_segment((selector + 8) & 0xFFFF, DATA_ATTRIBUTES(0));
    cpu_set_code(cpu, &cs, 0);
    leave_block(cpu, i, target);
}

void op_sysret(struct cpu *cpu, const struct insn *i)
{
    if (!(cpu->efer & EFER_SCE))
        cpu_raise(cpu, i, VECTOR_UD);
    if (!cpu_protected(cpu) || cpu->cpl)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    unsigned base = cpu->star >> 48 & 0xFFFC;
    bool to_64bit = i->flags & INSN_OP64;
    struct segment cs = fixed_segment((base + (to_64bit ? 16 : 0)) | 3,
                                      CODE_ATTRIBUTES(3, to_64bit ? SEG_L : SEG_DB));
    uint64_t target = to_64bit ? cpu->gpr[RCX] : (uint32_t)cpu->gpr[RCX];

    if (cpu_long_mode(cpu))
        flags_set(cpu, (cpu->gpr[R11] & 0x3C7FD5) | 2);
    else
        cpu->eflags |= EFLAGS_IF;
    /* AMD loads the selector of SS alone and leaves its attributes; DPL 3 is what counts. */
    cpu->seg[SS] = fixed_segment((base + 8) | 3, DATA_ATTRIBUTES(3));
    cpu_set_code(cpu, &cs, 3);
    if (cpu->eflags & EFLAGS_TF) /* unlike IRET: before the first instruction at CPL 3 */
        cpu->watch.trap |= DR6_BS;
    leave_block(cpu, i, target);
}

/* AMD: legacy mode only, #UD in long mode. */
void op_sysenter(struct cpu *cpu, const struct insn *i)
{
    if (cpu_long_mode(cpu))
        cpu_raise(cpu, i, VECTOR_UD);
    if (!cpu_protected(cpu) || selector_is_null((unsigned)cpu->sysenter_cs & 0xFFFF))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    unsigned selector = (unsigned)cpu->sysenter_cs & 0xFFFC;
    struct segment cs = fixed_segment(selector, CODE_ATTRIBUTES(0, SEG_DB));
    cpu->eflags &= ~(EFLAGS_VM | EFLAGS_IF | EFLAGS_RF);
    cpu->seg[SS] = fixed_segment((selector + 8) & 0xFFFF, DATA_ATTRIBUTES(0));
    cpu->gpr[RSP] = (uint32_t)cpu->sysenter_esp;
    cpu_set_code(cpu, &cs, 0);
    leave_block(cpu, i, (uint32_t)cpu->sysenter_eip);
}

void op_sysexit(struct cpu *cpu, const struct insn *i)
{
    if (cpu_long_mode(cpu))
        cpu_raise(cpu, i, VECTOR_UD);
    if (!cpu_protected(cpu) || cpu->cpl || selector_is_null((unsigned)cpu->sysenter_cs & 0xFFFF))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    unsigned selector = (unsigned)cpu->sysenter_cs & 0xFFFC;
    struct segment cs = fixed_segment((selector + 16) | 3, CODE_ATTRIBUTES(3, SEG_DB));
    cpu->seg[SS] = fixed_segment((selector + 24) | 3, DATA_ATTRIBUTES(3));
    cpu->gpr[RSP] = (uint32_t)cpu->gpr[RCX];
    cpu_set_code(cpu, &cs, 3);
    leave_block(cpu, i, (uint32_t)cpu->gpr[RDX]);
}
