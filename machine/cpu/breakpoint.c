/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Breakpoints of guest and host: see breakpoint.h. DR6 and DR7: APM 2 13.1.1. */
#include "machine/cpu/breakpoint.h"

#include <string.h>

#include "machine/cpu/block.h"
#include "machine/cpu/mmu.h"
#include "machine/cpu/system.h"

/* --- the set -------------------------------------------------------------------------------- */

/* DR7.RWn: execution, write, I/O (with CR4.DE; else undefined: nothing), read or write. */
static enum cpu_breakpoint_kind guest_kind(const struct cpu *cpu, unsigned n)
{
    static const enum cpu_breakpoint_kind kinds[] = {
        CPU_BREAKPOINT_EXECUTE, CPU_BREAKPOINT_WRITE, CPU_BREAKPOINT_PORT, CPU_BREAKPOINT_ACCESS};
    unsigned rw = cpu->dr[7] >> (16 + 4 * n) & 3;
    if (!(cpu->dr[7] >> (2 * n) & 3) || (rw == 2 && !(cpu->cr4 & CR4_DE)))
        return CPU_BREAKPOINT_NONE;
    return kinds[rw];
}

/* The address is aligned to the length, whose code 2 means 8 bytes. */
static struct breakpoint guest_breakpoint(const struct cpu *cpu, unsigned n)
{
    static const uint8_t sizes[] = {1, 2, 8, 4};
    enum cpu_breakpoint_kind kind = guest_kind(cpu, n);
    uint64_t size = kind == CPU_BREAKPOINT_EXECUTE ? 1 : sizes[cpu->dr[7] >> (18 + 4 * n) & 3];
    uint64_t first = cpu->dr[n] & ~(size - 1);
    return (struct breakpoint){.kind = kind, .first = first, .last = first + size - 1};
}

static void arm(struct breakpoints *watch, const struct breakpoint *breakpoint)
{
    switch (breakpoint->kind) {
    case CPU_BREAKPOINT_NONE:
        break;
    case CPU_BREAKPOINT_EXECUTE:
        watch->execute_armed = true;
        break;
    case CPU_BREAKPOINT_PORT:
        watch->port_armed = true;
        break;
    default:
        watch->data_armed = true;
        break;
    }
}

void breakpoints_update(struct cpu *cpu)
{
    struct breakpoints *watch = &cpu->watch;
    bool had_any = watch->execute_armed || watch->data_armed;
    watch->execute_armed = watch->data_armed = watch->port_armed = false;
    for (unsigned n = 0; n < 4; n++) {
        watch->guest[n] = guest_breakpoint(cpu, n);
        arm(watch, &watch->guest[n]);
    }
    for (unsigned n = 0; n < CPU_BREAKPOINTS; n++)
        arm(watch, &watch->host[n]);
    if (had_any || watch->execute_armed || watch->data_armed) {
        watch->changed = true;
        cpu->deadline = 0;
    }
}

void breakpoints_apply(struct cpu *cpu)
{
    cpu->watch.changed = false;
    blocks_flush(cpu);
    mmu_flush(cpu);
}

bool cpu_set_breakpoint(struct cpu *cpu, unsigned slot, enum cpu_breakpoint_kind kind,
                        uint64_t linear, unsigned size)
{
    if (slot >= CPU_BREAKPOINTS || kind == CPU_BREAKPOINT_PORT ||
        (kind != CPU_BREAKPOINT_NONE && (!size || size > CPU_BREAKPOINT_SIZE)))
        return false;
    uint64_t last = linear + size - 1;
    if (kind == CPU_BREAKPOINT_NONE || kind == CPU_BREAKPOINT_EXECUTE)
        last = linear;
    if (last < linear)
        return false;
    cpu->watch.host[slot] = (struct breakpoint){.kind = kind, .first = linear, .last = last};
    breakpoints_update(cpu);
    return true;
}

struct cpu_breakpoint_hit cpu_breakpoint_hit(const struct cpu *cpu)
{
    return cpu->watch.hit;
}

/* --- hits ----------------------------------------------------------------------------------- */

static bool overlaps(const struct breakpoint *breakpoint, uint64_t first, uint64_t last)
{
    return breakpoint->first <= last && first <= breakpoint->last;
}

static bool sees_data(const struct breakpoint *breakpoint, bool write)
{
    return breakpoint->kind == CPU_BREAKPOINT_ACCESS ||
           breakpoint->kind == (write ? CPU_BREAKPOINT_WRITE : CPU_BREAKPOINT_READ);
}

static void host_hit(struct cpu *cpu, unsigned slot, uint64_t address, bool write)
{
    cpu->watch.hit = (struct cpu_breakpoint_hit){.slot = slot,
                                                 .kind = cpu->watch.host[slot].kind,
                                                 .address = address,
                                                 .is_write = write};
    cpu->watch.stop = true;
}

/* The processor updates B0 to B3 on every breakpoint, and never clears the other bits. */
static void report(struct cpu *cpu, uint32_t bits)
{
    cpu->dr[6] = (cpu->dr[6] & ~(uint64_t)DR6_BREAKPOINTS) | bits;
}

void breakpoints_deliver(struct cpu *cpu)
{
    report(cpu, cpu->watch.trap);
    cpu->watch.trap = 0;
    cpu_deliver(cpu, VECTOR_DB, EVENT_EXCEPTION, false, 0);
}

void breakpoints_join(struct cpu *cpu)
{
    if (cpu->watch.trap)
        report(cpu, cpu->watch.trap);
    cpu->watch.trap = 0;
}

void breakpoints_fault(struct cpu *cpu, const struct insn *i, uint32_t bits)
{
    report(cpu, bits);
    cpu_raise(cpu, i, VECTOR_DB);
}

bool breakpoints_at_offset(const struct cpu *cpu, uint64_t offset)
{
    const struct breakpoints *watch = &cpu->watch;
    for (unsigned n = 0; n < CPU_BREAKPOINTS; n++) {
        if (watch->host[n].kind == CPU_BREAKPOINT_EXECUTE &&
            !((watch->host[n].first ^ offset) & PAGE_OFFSET))
            return true;
    }
    for (unsigned n = 0; n < 4; n++) {
        if (watch->guest[n].kind == CPU_BREAKPOINT_EXECUTE &&
            !((watch->guest[n].first ^ offset) & PAGE_OFFSET))
            return true;
    }
    return false;
}

void breakpoints_execute(struct cpu *cpu, const struct insn *i, uint64_t linear)
{
    struct breakpoints *watch = &cpu->watch;
    for (unsigned n = 0; n < CPU_BREAKPOINTS && !watch->resume_host; n++) {
        if (watch->host[n].kind != CPU_BREAKPOINT_EXECUTE || watch->host[n].first != linear)
            continue;
        host_hit(cpu, n, linear, false);
        watch->stop = false; /* this way out needs no other look */
        watch->passed = true;
        watch->passed_address = linear;
        cpu->current = i;
        cpu->stop = CPU_STOP_BREAKPOINT;
        longjmp(cpu->fault_exit, FAULT_STOP);
    }
    uint32_t bits = 0;
    for (unsigned n = 0; n < 4; n++) {
        if (watch->guest[n].kind == CPU_BREAKPOINT_EXECUTE && watch->guest[n].first == linear)
            bits |= 1u << n;
    }
    if (bits && !watch->resume_guest)
        breakpoints_fault(cpu, i, bits);
}

bool breakpoints_in_page(const struct cpu *cpu, uint64_t linear)
{
    const struct breakpoints *watch = &cpu->watch;
    uint64_t first = linear & ~PAGE_OFFSET, last = linear | PAGE_OFFSET;
    for (unsigned n = 0; n < 4; n++) {
        if ((sees_data(&watch->guest[n], true) || sees_data(&watch->guest[n], false)) &&
            overlaps(&watch->guest[n], first, last))
            return true;
    }
    for (unsigned n = 0; n < CPU_BREAKPOINTS; n++) {
        if ((sees_data(&watch->host[n], true) || sees_data(&watch->host[n], false)) &&
            overlaps(&watch->host[n], first, last))
            return true;
    }
    return false;
}

/* The running instruction is to be the last before the run loop. */
static void end_after_instruction(struct cpu *cpu)
{
    cpu->deadline = 0;
    if (cpu->block)
        blocks_end_running(cpu);
}

void breakpoints_data(struct cpu *cpu, uint64_t linear, unsigned size, bool write)
{
    struct breakpoints *watch = &cpu->watch;
    uint64_t last = linear + size - 1;
    uint32_t bits = 0;
    for (unsigned n = 0; n < 4; n++) {
        if (sees_data(&watch->guest[n], write) && overlaps(&watch->guest[n], linear, last))
            bits |= 1u << n;
    }
    for (unsigned n = 0; n < CPU_BREAKPOINTS && !watch->stop; n++) {
        if (sees_data(&watch->host[n], write) && overlaps(&watch->host[n], linear, last))
            host_hit(cpu, n, linear < watch->host[n].first ? watch->host[n].first : linear, write);
    }
    watch->trap |= bits;
    if (bits || watch->stop)
        end_after_instruction(cpu);
}

void breakpoints_port(struct cpu *cpu, unsigned port, unsigned size)
{
    uint32_t bits = 0;
    for (unsigned n = 0; n < 4; n++) {
        const struct breakpoint *breakpoint = &cpu->watch.guest[n];
        if (breakpoint->kind == CPU_BREAKPOINT_PORT && overlaps(breakpoint, port, port + size - 1))
            bits |= 1u << n;
    }
    cpu->watch.trap |= bits;
    if (bits)
        end_after_instruction(cpu);
}

void breakpoints_interrupted(struct cpu *cpu, uint64_t linear)
{
    if (!cpu->watch.execute_armed)
        return;
    cpu->eflags |= EFLAGS_RF;
    cpu->watch.passed = true;
    cpu->watch.passed_address = linear;
}
