/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Faults and their delivery (APM 2 8): interrupt vector table, protected-mode gates, long mode with
 * IST, privilege changes, virtual-8086 mode, double and triple faults.
 *
 * A delivery changes no register before its last memory access succeeded, so a fault on the way
 * simply starts over with another vector.
 */
#include <stdio.h>

#include "machine/cpu/system.h"
#include "machine/cpu/trace.h"

struct event {
    unsigned vector;
    enum event_kind kind;
    bool has_error;
    bool checks_gate; /* INT n, INT3, INTO: the gate's DPL counts */
    uint32_t error;
    uint64_t rip;            /* to return to */
    const struct insn *insn; /* NULL between instructions */
};

struct gate {
    unsigned type, dpl, ist;
    bool present;
    uint16_t selector;
    uint64_t offset;
};

/* --- raising -------------------------------------------------------------------------------- */

static bool is_contributory(unsigned vector)
{
    return vector == VECTOR_DE || (vector >= VECTOR_TS && vector <= VECTOR_GP) ||
           vector == VECTOR_VC; /* APM 2 15.35.5 */
}

static _Noreturn void stop(struct cpu *cpu, enum cpu_stop why)
{
    cpu->stop = why;
    longjmp(cpu->fault_exit, FAULT_STOP);
}

/* Replaces the fault by #DF if it came while another was delivered: APM 2 table 8-3. */
static void combine_faults(struct cpu *cpu)
{
    unsigned first = cpu->fault.delivering_vector, second = cpu->fault.vector;
    if (!cpu->fault.delivering)
        return;
    cpu->fault.delivering = false;
    if (first == VECTOR_DF) {
        snprintf(cpu->error, sizeof(cpu->error),
                 "triple fault: vector %u while entering the double fault handler", second);
        stop(cpu, CPU_STOP_SHUTDOWN);
    }
    if ((is_contributory(first) && is_contributory(second)) ||
        (first == VECTOR_PF && (is_contributory(second) || second == VECTOR_PF))) {
        cpu->fault.vector = VECTOR_DF;
        cpu->fault.error = 0;
        cpu->fault.has_error = true;
    }
}

/*
 * KVM intercepts #DB and #AC (a guest could raise them without end), which is #VC for a SEV-ES guest;
 * but not ICEBP, which no intercept of #DB sees: APM 2 table 15-7.
 */
static void intercept_exception(const struct cpu *cpu, unsigned *vector, bool *has_error,
                                uint32_t *error)
{
    if (cpu->config.sev != CPU_SEV_ES || (*vector != VECTOR_DB && *vector != VECTOR_AC))
        return;
    *error = SEV_EXIT_EXCEPTION(*vector);
    *has_error = true;
    *vector = VECTOR_VC;
}

static _Noreturn void raise(struct cpu *cpu, const struct insn *i, unsigned vector, bool has_error,
                            uint32_t error)
{
    if (i && i == cpu->lane) {
        cpu->gpr[REG_ZERO] = 0; /* it may hold an operand */
        i = cpu->lane_of;
        cpu->lane = NULL;
    }
    if (i)
        cpu->rip = wrap_rip(cpu, insn_rip(cpu, i));
    cpu->current = i;
    intercept_exception(cpu, &vector, &has_error, &error);
    cpu->fault.vector = vector;
    cpu->fault.has_error = has_error;
    cpu->fault.error = error;
    cpu->fault.external = false;
    combine_faults(cpu);
    longjmp(cpu->fault_exit, FAULT_EXCEPTION);
}

_Noreturn void cpu_raise(struct cpu *cpu, const struct insn *i, unsigned vector)
{
    raise(cpu, i, vector, false, 0);
}

_Noreturn void cpu_raise_error(struct cpu *cpu, const struct insn *i, unsigned vector,
                               uint32_t error)
{
    raise(cpu, i, vector, true, error);
}

void cpu_intercept(struct cpu *cpu, const struct insn *i, enum sev_exit exit)
{
    if (cpu->config.sev != CPU_SEV_ES)
        return;
    cpu_observe_intercept(cpu, i, exit);
    cpu_raise_error(cpu, i, VECTOR_VC, exit);
}

_Noreturn void cpu_shut_down(struct cpu *cpu, const struct insn *i, const char *why)
{
    snprintf(cpu->error, sizeof(cpu->error), "%s", why);
    cpu->current = i;
    stop(cpu, CPU_STOP_SHUTDOWN);
}

_Noreturn void cpu_unimplemented(struct cpu *cpu, const struct insn *i, const char *what)
{
    uint64_t rip = i ? insn_rip(cpu, i) : cpu->rip;
    uint64_t linear = cpu_64bit(cpu) ? rip : (uint32_t)(cpu->seg[CS].base + rip);
    char bytes[15 * 3 + 1] = "";
    for (unsigned n = 0; n < 15; n++) {
        uint8_t byte;
        if (!cpu_peek(cpu, linear + n, &byte, 1))
            break;
        snprintf(bytes + 3 * n, 4, " %02x", byte);
    }
    snprintf(cpu->error, sizeof(cpu->error), "%s at %04x:%llx in %s code, bytes%s", what,
             cpu->seg[CS].selector, (unsigned long long)rip,
             cpu_64bit(cpu)                         ? "64-bit"
             : cpu->seg[CS].attributes & SEG_DB     ? "32-bit"
             : cpu_protected(cpu)                   ? "16-bit"
                                                    : "real-mode",
             bytes);
    cpu->current = i;
    stop(cpu, CPU_STOP_UNIMPLEMENTED);
}

/* --- stacks --------------------------------------------------------------------------------- */

static uint64_t stack_mask(const struct cpu *cpu, const struct segment *ss)
{
    if (cpu_64bit(cpu))
        return UINT64_MAX;
    return ss->attributes & SEG_DB ? 0xFFFFFFFF : 0xFFFF;
}

struct stack stack_current(struct cpu *cpu, const struct insn *i)
{
    return (struct stack){.cpu = cpu,
                          .insn = i,
                          .ss = cpu->seg[SS],
                          .sp = cpu->gpr[RSP],
                          .mask = stack_mask(cpu, &cpu->seg[SS]),
                          .cpl = cpu->cpl,
                          .check_limit = !cpu_64bit(cpu)};
}

static uint64_t stack_linear(const struct stack *stack, uint64_t offset, unsigned size)
{
    const struct segment *ss = &stack->ss;
    if (!stack->check_limit)
        return offset;
    if (!segment_contains(ss, (uint32_t)offset, size))
        raise_selector(stack->cpu, stack->insn, VECTOR_SS, stack->is_new ? ss->selector : 0);
    return (uint32_t)(ss->base + offset);
}

void stack_push(struct stack *stack, unsigned size, uint64_t value)
{
    uint64_t offset = (stack->sp - size) & stack->mask;
    uint64_t linear = stack_linear(stack, offset, size);
    if (stack->mask == UINT64_MAX && !is_canonical(linear))
        cpu_raise_error(stack->cpu, stack->insn, VECTOR_SS, stack->cpu->fault.external);
    if (stack->cpl == 3)
        mmu_store_slow(stack->cpu, stack->insn, linear, size, value);
    else
        mmu_store_system(stack->cpu, stack->insn, linear, size, value);
    stack->sp = (stack->sp & ~stack->mask) | offset;
}

uint64_t stack_pop(struct stack *stack, unsigned size)
{
    uint64_t offset = stack->sp & stack->mask;
    uint64_t value =
        mmu_load_slow(stack->cpu, stack->insn, stack_linear(stack, offset, size), size);
    stack->sp = (stack->sp & ~stack->mask) | ((offset + size) & stack->mask);
    return value;
}

void stack_commit(const struct stack *stack)
{
    stack->cpu->gpr[RSP] = stack->mask == 0xFFFFFFFF ? (uint32_t)stack->sp : stack->sp;
}

static uint64_t load_tss(struct cpu *cpu, const struct insn *i, unsigned offset, unsigned size)
{
    if (offset + size - 1 > cpu->tr.limit)
        raise_selector(cpu, i, VECTOR_TS, cpu->tr.selector);
    return mmu_load_system(cpu, i, cpu->tr.base + offset, size);
}

struct stack stack_of_tss(struct cpu *cpu, const struct insn *i, unsigned cpl)
{
    struct stack stack = {.cpu = cpu, .insn = i, .mask = UINT64_MAX, .cpl = cpl};
    unsigned selector;
    if (cpu_long_mode(cpu)) {
        stack.sp = load_tss(cpu, i, 4 + 8 * cpl, 8);
        stack.ss = (struct segment){.selector = (uint16_t)cpl};
        return stack;
    }
    if ((cpu->tr.attributes & SEG_TYPE) == TYPE_TSS32_BUSY) {
        stack.sp = load_tss(cpu, i, 4 + 8 * cpl, 4);
        selector = (unsigned)load_tss(cpu, i, 8 + 8 * cpl, 2);
    } else {
        stack.sp = load_tss(cpu, i, 2 + 4 * cpl, 2);
        selector = (unsigned)load_tss(cpu, i, 4 + 4 * cpl, 2);
    }
    stack.ss = segment_check_stack(cpu, i, selector, cpl, VECTOR_TS);
    stack.mask = stack.ss.attributes & SEG_DB ? 0xFFFFFFFF : 0xFFFF;
    stack.check_limit = true;
    stack.is_new = true;
    return stack;
}

/* --- delivery ------------------------------------------------------------------------------- */

static uint32_t flags_image(const struct cpu *cpu, const struct event *event)
{
    uint32_t image = flags_get(cpu);
    /* Faults save RF set, so that the instruction is not caught twice by a breakpoint. */
    if (event->kind == EVENT_EXCEPTION && event->vector != VECTOR_DB &&
        event->vector != VECTOR_BP && event->vector != VECTOR_OF)
        image |= EFLAGS_RF;
    return image;
}

/* Error code that names an IDT entry. */
static _Noreturn void raise_idt(struct cpu *cpu, const struct event *event, unsigned vector)
{
    cpu_raise_error(cpu, event->insn, vector,
                    event->vector << 3 | 2u | cpu->fault.external);
}

static void deliver_real(struct cpu *cpu, const struct event *event)
{
    struct stack stack = stack_current(cpu, event->insn);
    if (event->vector * 4 + 3 > cpu->idtr.limit)
        raise_idt(cpu, event, VECTOR_GP);
    uint32_t target = (uint32_t)mmu_load_system(cpu, event->insn,
                                                cpu->idtr.base + event->vector * 4, 4);
    stack_push(&stack, 2, flags_get(cpu));
    stack_push(&stack, 2, cpu->seg[CS].selector);
    stack_push(&stack, 2, event->rip);
    stack_commit(&stack);
    cpu->eflags &= ~(EFLAGS_IF | EFLAGS_TF | EFLAGS_RF | EFLAGS_AC);
    segment_set_real(cpu, CS, target >> 16);
    cpu->rip = target & 0xFFFF;
}

static struct gate read_gate(struct cpu *cpu, const struct event *event)
{
    unsigned size = cpu_long_mode(cpu) ? 16 : 8;
    uint64_t address = cpu->idtr.base + event->vector * size;
    if (event->vector * size + size - 1 > cpu->idtr.limit)
        raise_idt(cpu, event, VECTOR_GP);
    uint64_t low = mmu_load_system(cpu, event->insn, address, 8);
    struct gate gate = {
        .type = low >> 40 & 15,
        .dpl = low >> 45 & 3,
        .ist = low >> 32 & 7,
        .present = low >> 47 & 1,
        .selector = (uint16_t)(low >> 16),
        .offset = (low & 0xFFFF) | (low >> 32 & 0xFFFF0000),
    };
    bool is_system = !(low >> 44 & 1);
    if (size == 16)
        gate.offset |= mmu_load_system(cpu, event->insn, address + 8, 8) << 32;
    else if (gate.type == TYPE_INTERRUPT16 || gate.type == TYPE_TRAP16)
        gate.offset &= 0xFFFF;
    bool known = gate.type == TYPE_INTERRUPT32 || gate.type == TYPE_TRAP32 ||
                 (size == 8 && gate.type >= TYPE_TASK_GATE && gate.type <= TYPE_TRAP16);
    if (!is_system || !known || (event->checks_gate && gate.dpl < cpu->cpl))
        raise_idt(cpu, event, VECTOR_GP);
    if (!gate.present)
        raise_idt(cpu, event, VECTOR_NP);
    return gate;
}

static void enter_task_gate(struct cpu *cpu, const struct event *event, const struct gate *gate)
{
    struct descriptor d;
    if (gate->selector & 4 || selector_is_null(gate->selector) ||
        !descriptor_read(cpu, event->insn, gate->selector, &d) || !descriptor_is_system(&d) ||
        (descriptor_type(&d) != TYPE_TSS16 && descriptor_type(&d) != TYPE_TSS32))
        raise_selector(cpu, event->insn, VECTOR_GP, gate->selector);
    if (!descriptor_present(&d))
        raise_selector(cpu, event->insn, VECTOR_NP, gate->selector);
    task_switch(cpu, event->insn, &d, TASK_CALL, event->rip, event->has_error, event->error);
}

/* The handler's code segment, and the level it runs at. */
static struct segment check_handler(struct cpu *cpu, const struct event *event,
                                    const struct gate *gate, unsigned *ret_cpl)
{
    struct descriptor d = descriptor_require(cpu, event->insn, gate->selector, VECTOR_GP);
    unsigned dpl = descriptor_dpl(&d);
    bool conforming = descriptor_is_conforming(&d);
    bool is_long = d.high & 1u << 21, is_default32 = d.high & 1u << 22;
    if (!descriptor_is_code(&d) || dpl > cpu->cpl ||
        (cpu_long_mode(cpu) && (!is_long || is_default32)) ||
        (cpu_v86(cpu) && (conforming || dpl != 0)))
        raise_selector(cpu, event->insn, VECTOR_GP, gate->selector);
    if (!descriptor_present(&d))
        raise_selector(cpu, event->insn, VECTOR_NP, gate->selector);
    descriptor_set_type_bit(cpu, event->insn, &d, TYPE_ACCESSED);
    *ret_cpl = conforming ? cpu->cpl : dpl;
    struct segment cs = descriptor_unpack(&d);
    cs.selector = (uint16_t)((gate->selector & ~3u) | *ret_cpl);
    return cs;
}

static struct stack choose_stack(struct cpu *cpu, const struct event *event,
                                 const struct gate *gate, unsigned cpl)
{
    struct stack stack;
    if (cpu_long_mode(cpu) && gate->ist) {
        stack = (struct stack){.cpu = cpu, .insn = event->insn, .mask = UINT64_MAX, .cpl = cpl};
        stack.sp = load_tss(cpu, event->insn, 0x24 + 8 * (gate->ist - 1), 8);
    } else if (cpl != cpu->cpl) {
        stack = stack_of_tss(cpu, event->insn, cpl);
    } else {
        stack = stack_current(cpu, event->insn);
        if (cpu_long_mode(cpu)) { /* also from compatibility mode */
            stack.mask = UINT64_MAX;
            stack.check_limit = false;
        }
    }
    if (cpu_long_mode(cpu))
        stack.sp &= ~15ull;
    return stack;
}

static void push_frame(struct cpu *cpu, struct stack *stack, const struct event *event,
                       unsigned size, bool with_stack)
{
    static const uint8_t v86_segments[] = {GS, FS, DS, ES};
    if (cpu_v86(cpu)) {
        for (unsigned n = 0; n < sizeof(v86_segments); n++)
            stack_push(stack, size, cpu->seg[v86_segments[n]].selector);
    }
    if (with_stack) {
        stack_push(stack, size, cpu->seg[SS].selector);
        stack_push(stack, size, cpu->gpr[RSP]);
    }
    stack_push(stack, size, flags_image(cpu, event));
    stack_push(stack, size, cpu->seg[CS].selector);
    stack_push(stack, size, event->rip);
    if (event->has_error)
        stack_push(stack, size, event->error);
}

static unsigned gate_frame_size(const struct cpu *cpu, const struct gate *gate)
{
    if (cpu_long_mode(cpu))
        return 8;
    return gate->type == TYPE_INTERRUPT32 || gate->type == TYPE_TRAP32 ? 4 : 2;
}

static void leave_v86(struct cpu *cpu)
{
    static const uint8_t segments[] = {GS, FS, DS, ES};
    if (!cpu_v86(cpu))
        return;
    for (unsigned n = 0; n < sizeof(segments); n++)
        cpu->seg[segments[n]] = (struct segment){0};
}

static void deliver_protected(struct cpu *cpu, const struct event *event)
{
    struct gate gate = read_gate(cpu, event);
    unsigned cpl;
    if (gate.type == TYPE_TASK_GATE) {
        enter_task_gate(cpu, event, &gate);
        return;
    }
    struct segment cs = check_handler(cpu, event, &gate, &cpl);
    bool inner = cpl != cpu->cpl;
    struct stack stack = choose_stack(cpu, event, &gate, cpl);
    if (cpu_long_mode(cpu) ? !is_canonical(gate.offset)
                           : !segment_contains(&cs, (uint32_t)gate.offset, 1))
        cpu_raise_error(cpu, event->insn, VECTOR_GP, cpu->fault.external);
    push_frame(cpu, &stack, event, gate_frame_size(cpu, &gate), inner || cpu_long_mode(cpu));

    leave_v86(cpu);
    if (inner) /* in long mode a null selector with the new level: APM 2 8.9.3 */
        cpu->seg[SS] = stack.ss;
    cpu->eflags &= ~(EFLAGS_TF | EFLAGS_VM | EFLAGS_RF | EFLAGS_NT);
    if (gate.type == TYPE_INTERRUPT16 || gate.type == TYPE_INTERRUPT32)
        cpu->eflags &= ~EFLAGS_IF;
    stack_commit(&stack);
    cpu->rip = gate.offset;
    cpu_set_code(cpu, &cs, cpl);
}

static void tell(struct cpu *cpu, const struct event *event)
{
    static const enum cpu_event_kind kinds[] = {
        [EVENT_EXCEPTION] = CPU_EVENT_EXCEPTION,
        [EVENT_INTERRUPT] = CPU_EVENT_INTERRUPT,
        [EVENT_NMI] = CPU_EVENT_NMI,
        [EVENT_SOFTWARE] = CPU_EVENT_SOFTWARE,
    };
    const struct cpu_event told = {
        .kind = kinds[event->kind],
        .vector = event->vector,
        .has_error = event->has_error,
        .error = event->error,
        .cs = cpu->seg[CS].selector,
        .rip = event->rip,
        .cr2 = cpu->cr2,
        .instructions = cpu_instructions(cpu),
    };
    trace_event(cpu, &told);
}

static void deliver(struct cpu *cpu, const struct event *event)
{
    tell(cpu, event);
    cpu->fault.delivering = true;
    cpu->fault.delivering_vector =
        event->kind == EVENT_EXCEPTION ? event->vector : (unsigned)VECTOR_NMI;
    cpu->fault.external = event->kind != EVENT_SOFTWARE;
    if (cpu_real_mode(cpu)) {
        deliver_real(cpu, event);
        cpu_update_mode(cpu);
    } else {
        deliver_protected(cpu, event);
    }
    if (event->vector == VECTOR_DB && event->kind == EVENT_EXCEPTION)
        cpu->dr[7] &= ~(uint64_t)DR7_GD; /* so that the handler may use them: APM 2 13.1.1.4 */
    cpu->watch.stepping = false;
    cpu->fault.delivering = false;
    cpu->fault.external = false;
    cpu->interrupt_shadow = false;
    cpu->debug_shadow = false;
    cpu->halted = false;
    if (event->kind == EVENT_NMI)
        cpu->nmi_blocked = true;
}

void cpu_deliver(struct cpu *cpu, unsigned vector, enum event_kind kind, bool has_error,
                 uint32_t error)
{
    if (kind == EVENT_EXCEPTION)
        intercept_exception(cpu, &vector, &has_error, &error);
    struct event event = {.vector = vector,
                          .kind = kind,
                          .has_error = has_error,
                          .checks_gate = kind == EVENT_SOFTWARE,
                          .error = error,
                          .rip = cpu->rip};
    deliver(cpu, &event);
}

void cpu_deliver_fault(struct cpu *cpu)
{
    cpu_deliver(cpu, cpu->fault.vector, EVENT_EXCEPTION, cpu->fault.has_error, cpu->fault.error);
}

void deliver_software(struct cpu *cpu, const struct insn *i, unsigned vector, bool is_int_n)
{
    struct event event = {.vector = vector,
                          .kind = EVENT_SOFTWARE,
                          .checks_gate = vector != VECTOR_DB || is_int_n,
                          .rip = insn_return_rip(cpu, i),
                          .insn = i};
    if (is_int_n && cpu_v86(cpu) && cpu_iopl(cpu) < 3)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    cpu->current = i;
    deliver(cpu, &event);
    leave_block(cpu, i, cpu->rip);
}
