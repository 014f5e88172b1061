/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The run loop: events between blocks (APM 2 8.5), faults, ways from block to block.
 *
 * cpu->deadline is the earlier of what cpu_run was given and a short slice, so that the loop is
 * reached regularly; it is 0 when something needs attention. A delivered fault counts as one
 * instruction: a guest that only faults reaches its deadline, too.
 */
#include "machine/cpu/block.h"
#include "machine/cpu/flags.h"
#include "machine/cpu/hostfp.h"
#include "machine/cpu/mmu.h"
#include "machine/cpu/trace.h"

#define SLICE 8192u

/* Offsets that the code segment allows: limit, or canonical form in 64-bit mode. */
static bool code_offset_fits(const struct cpu *cpu, uint64_t rip)
{
    if (cpu->mode & MODE_64)
        return (uint64_t)((int64_t)(rip << 16) >> 16) == rip;
    return rip <= cpu->seg[CS].limit;
}

/* RIP after sequential execution: as wrap_rip. */
static uint64_t code_wrap(const struct cpu *cpu, uint64_t rip)
{
    return cpu->mode & MODE_64 ? rip : (uint32_t)rip;
}

void leave_block(struct cpu *cpu, const struct insn *i, uint64_t rip)
{
    if (rip != insn_next_rip(cpu, i))
        trace_branch(cpu, i, rip);
    cpu->instructions += (uint64_t)(i + 1 - cpu->block->insn);
    cpu->rip = rip;
    cpu->block = NULL;
}

void restart_later(struct cpu *cpu, const struct insn *i)
{
    cpu->instructions += (uint64_t)(i - cpu->block->insn);
    cpu->rip = code_wrap(cpu, insn_rip(cpu, i));
    cpu->block = NULL;
}

/* Linear address of an instruction at `rip`. */
static uint64_t code_linear(const struct cpu *cpu, uint64_t rip)
{
    return cpu->mode & MODE_64 ? rip : (uint32_t)(rip + cpu->seg[CS].base);
}

void repeat_later(struct cpu *cpu, const struct insn *i)
{
    restart_later(cpu, i);
    breakpoints_interrupted(cpu, code_linear(cpu, cpu->rip));
}

void run_check_breakpoint(struct cpu *cpu, const struct insn *i)
{
    operation *checked = cpu->block->checked;
    breakpoints_execute(cpu, i, code_linear(cpu, insn_rip(cpu, i)));
    return checked(cpu, i);
}

void run_stale(struct cpu *cpu, const struct insn *i)
{
    restart_later(cpu, i);
}

void run_undefined(struct cpu *cpu, const struct insn *i)
{
    cpu_raise(cpu, i, VECTOR_UD);
}

void run_too_long(struct cpu *cpu, const struct insn *i)
{
    cpu_raise_error(cpu, i, VECTOR_GP, 0);
}

static inline void enter(struct cpu *cpu, struct block *block)
{
    cpu->block = block;
    cpu->gpr[REG_RIP] = cpu->rip;
    EXECUTE(cpu, block->insn);
}

/* Counts the block that ended at i and settles cpu->rip; false: back to the run loop. */
static bool leave_towards(struct cpu *cpu, const struct insn *i, uint64_t rip)
{
    cpu->instructions += (uint64_t)(i + 1 - cpu->block->insn);
    cpu->rip = rip;
    cpu->block = NULL;
    return cpu->instructions < cpu->deadline;
}

/* The way to `rip` through the jump cache, or as far as the run loop. */
static inline struct block *go_to(struct cpu *cpu, const struct insn *i, uint64_t rip)
{
    struct block_cache *cache = cpu->blocks;
    struct jump_entry *entry = blocks_jump_entry(cache, rip);
    struct block *to = NULL;
    trace_branch(cpu, i, rip);
    if (__builtin_expect(entry->rip == rip && entry->key == blocks_jump_key(cpu, cache), 1))
        to = entry->block;
    else if (!code_offset_fits(cpu, rip))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    if (!leave_towards(cpu, i, rip))
        return NULL;
    return to ? to : blocks_find(cpu);
}

void branch_unlinked(struct cpu *cpu, const struct insn *i, unsigned which, uint64_t rip)
{
    struct block *from = cpu->block;
    uint64_t generation = cpu->blocks->generation;
    bool same_page = !((cpu->gpr[REG_RIP] ^ rip) & ~PAGE_OFFSET);
    struct block *to = go_to(cpu, i, rip);
    if (!to)
        return;
    if (same_page && cpu->blocks->generation == generation)
        blocks_link(from, which, to);
    return enter(cpu, to);
}

void branch_to(struct cpu *cpu, const struct insn *i, uint64_t rip)
{
    struct block *to = go_to(cpu, i, rip);
    if (to)
        return enter(cpu, to);
}

void run_continue(struct cpu *cpu, const struct insn *i)
{
    uint64_t rip = code_wrap(cpu, insn_rip(cpu, i));
    /* Misfit is a fault of the next instruction, not of the last: the run loop raises it. */
    if (!code_offset_fits(cpu, rip)) {
        leave_towards(cpu, i - 1, rip);
        return;
    }
    return branch_link(cpu, i - 1, 1, rip);
}

static struct block *find_for_loop(struct cpu *cpu)
{
    struct jump_entry *entry = blocks_jump_entry(cpu->blocks, cpu->rip);
    /* A far transfer may have changed the base: blocks_find looks, the entry does not. */
    if ((cpu->mode & MODE_64) && entry->rip == cpu->rip &&
        entry->key == blocks_jump_key(cpu, cpu->blocks) && !entry->block->dead)
        return entry->block;
    if (!code_offset_fits(cpu, cpu->rip)) {
        cpu->current = NULL;
        cpu_raise_error(cpu, NULL, VECTOR_GP, 0);
    }
    return blocks_find(cpu);
}

static void execute(struct cpu *cpu, struct block *block)
{
#ifdef CPU_NO_CHAIN
    const struct insn *i;
    cpu->next = NULL;
    enter(cpu, block);
    while ((i = cpu->next)) {
        cpu->next = NULL;
        i->fn(cpu, i);
    }
#else
    enter(cpu, block);
#endif
    cpu->block = NULL;
}

/*
 * One instruction: for the interrupt shadow and for EFLAGS.TF (APM 2 13.1.4). A fault of the fetch
 * leaves the stepping mode behind: settle() puts that right.
 */
static void step(struct cpu *cpu)
{
    uint32_t mode = cpu->mode;
    cpu->watch.stepping = cpu->eflags & EFLAGS_TF;
    cpu->interrupt_shadow = cpu->debug_shadow = false;
    cpu->deadline = 0;
    cpu->mode = mode | MODE_STEP;
    struct block *block = blocks_find(cpu);
    cpu->mode = mode;
    execute(cpu, block);
    cpu->watch.resume_guest = cpu->watch.resume_host = false;
    if (cpu->watch.stepping && !cpu->debug_shadow)
        cpu->watch.trap |= DR6_BS;
    cpu->watch.stepping = false;
}

/*
 * Is the next instruction to run alone? EFLAGS.RF and the place of the last stop keep breakpoints
 * from catching it; both are used up by it.
 */
static bool must_step(struct cpu *cpu)
{
    struct breakpoints *watch = &cpu->watch;
    bool alone = cpu->interrupt_shadow || cpu->eflags & EFLAGS_TF || watch->single;
    if (watch->execute_armed) {
        watch->resume_guest = cpu->eflags & EFLAGS_RF;
        watch->resume_host =
            watch->single ||
            (watch->passed && watch->passed_address == code_linear(cpu, cpu->rip));
        alone |= watch->resume_guest || watch->resume_host;
    }
    cpu->eflags &= ~EFLAGS_RF;
    watch->passed = false;
    return alone;
}

/* Breakpoints between two instructions; true: the run ends with cpu->stop. */
static bool take_breakpoints(struct cpu *cpu)
{
    struct breakpoints *watch = &cpu->watch;
    if (watch->changed)
        breakpoints_apply(cpu);
    if (watch->stop) {
        watch->stop = false;
        cpu->stop = CPU_STOP_BREAKPOINT;
        return true;
    }
    if (watch->trap && !cpu->debug_shadow)
        breakpoints_deliver(cpu);
    if (watch->single && cpu->instructions != watch->single_start) {
        cpu->stop = CPU_STOP_DEADLINE;
        return true;
    }
    return false;
}

/* Takes what is pending between two instructions. */
static void take_events(struct cpu *cpu)
{
    if (cpu->nmi_pending && !cpu->nmi_blocked) {
        cpu->nmi_pending = cpu->halted = false;
        cpu->nmi_blocked = true;
        cpu_deliver(cpu, VECTOR_NMI, EVENT_NMI, false, 0);
    }
    if (cpu->interrupt_pending && (cpu->eflags & EFLAGS_IF)) {
        int vector = cpu->io.interrupt_acknowledge(cpu->io.context);
        if (vector < 0) { /* withdrawn: the board says so again when there is one */
            cpu->interrupt_pending = false;
            return;
        }
        cpu->halted = false;
        cpu_deliver(cpu, (unsigned)vector & 0xFF, EVENT_INTERRUPT, false, 0);
    }
}

static enum cpu_stop run_loop(struct cpu *cpu)
{
    for (;;) {
        if (take_breakpoints(cpu))
            return cpu->stop;
        if (cpu->kicked || cpu->instructions >= cpu->run_deadline) {
            cpu->kicked = false;
            return CPU_STOP_DEADLINE;
        }
        if (cpu->yielded) {
            cpu->yielded = false;
            return CPU_STOP_PAUSE;
        }
        if (!cpu->interrupt_shadow)
            take_events(cpu);
        if (cpu->halted)
            return CPU_STOP_HALT;
        if (must_step(cpu)) {
            step(cpu);
            continue;
        }
        uint64_t left = cpu->run_deadline - cpu->instructions;
        cpu->deadline = cpu->instructions + (left < SLICE ? left : SLICE);
        execute(cpu, find_for_loop(cpu));
    }
}

/* After a longjmp: what retired before the fault. */
static void settle(struct cpu *cpu)
{
    struct block *block = cpu->block;
    const struct insn *i = cpu->current;
    if (block && i >= block->insn && i < block->insn + block->count) {
        cpu->instructions += (uint64_t)(i - block->insn);
        cpu->rip = cpu->mode & MODE_64 ? insn_rip(cpu, i) : (uint32_t)insn_rip(cpu, i);
    }
    cpu->block = NULL;
    cpu->current = NULL;
    cpu->watch.trap = 0; /* what a faulting instruction touched will be touched again */
    cpu->watch.resume_guest = cpu->watch.resume_host = false;
    cpu_update_mode(cpu);
}

enum cpu_stop cpu_run(struct cpu *cpu, uint64_t deadline)
{
    cpu->run_deadline = deadline;
    cpu->block = NULL;
    hostfp_enter(cpu);
    switch (setjmp(cpu->fault_exit)) {
    case 0:
        break;
    case RUN_EXIT_FAULT:
        settle(cpu);
        cpu->instructions++;
        cpu_deliver_fault(cpu);
        break;
    default:
        settle(cpu);
        hostfp_leave(cpu);
        return cpu->stop;
    }
    enum cpu_stop stop = run_loop(cpu);
    hostfp_leave(cpu);
    return stop;
}

enum cpu_stop cpu_step(struct cpu *cpu)
{
    cpu->watch.single = true;
    cpu->watch.single_start = cpu->instructions;
    cpu->kicked = false;
    enum cpu_stop stop = cpu_run(cpu, UINT64_MAX);
    cpu->watch.single = cpu->kicked = false;
    return stop;
}

uint64_t cpu_instructions(const struct cpu *cpu)
{
    const struct block *block = cpu->block;
    const struct insn *i = cpu->current;
    if (block && i >= block->insn && i < block->insn + block->count)
        return cpu->instructions + (uint64_t)(i - block->insn);
    return cpu->instructions;
}

void cpu_set_interrupt(struct cpu *cpu, bool pending)
{
    cpu->interrupt_pending = pending;
    if (pending)
        cpu->deadline = 0;
}

void cpu_set_nmi(struct cpu *cpu)
{
    cpu->nmi_pending = true;
    cpu->deadline = 0;
}

void cpu_nmi_complete(struct cpu *cpu)
{
    cpu->nmi_blocked = false;
    if (cpu->nmi_pending)
        cpu->deadline = 0;
}

void cpu_set_halted(struct cpu *cpu, bool halted)
{
    cpu->halted = halted;
    if (halted)
        cpu->deadline = 0;
}

bool cpu_runnable(const struct cpu *cpu)
{
    return !cpu->halted || (cpu->nmi_pending && !cpu->nmi_blocked) ||
           (cpu->interrupt_pending && cpu->eflags & EFLAGS_IF);
}

void cpu_yield_on_pause(struct cpu *cpu, bool on)
{
    cpu->pause_yields = on;
}

void cpu_kick(struct cpu *cpu)
{
    cpu->kicked = true;
    cpu->deadline = 0;
}
