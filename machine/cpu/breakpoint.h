/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Breakpoints: the guest's own (DR0 to DR7, APM 2 13.1) and the host's (cpu_set_breakpoint), on one
 * mechanism that costs nothing while none is set; private to machine/cpu.
 *
 * Execution: an instruction at the page offset of a breakpoint always starts a block, and the
 * block's first operation looks (run_check_breakpoint). Data: a page with a watched byte never gets
 * a tag of the fast path, so each access to it comes by the slow path, which looks. Ports: IN and
 * OUT look at a flag.
 *
 * What is hit by data or a port is a trap: it takes effect when the instruction is complete. The
 * rest of the running block is then dead and the deadline past, so the run loop comes next.
 */
#ifndef PRIVET_MACHINE_CPU_BREAKPOINT_H
#define PRIVET_MACHINE_CPU_BREAKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "machine/cpu/cpu.h"

#define DR6_BREAKPOINTS 0xFu
#define DR6_BD          (1u << 13)
#define DR6_BS          (1u << 14)
#define DR6_BT          (1u << 15)
#define DR7_GD          (1u << 13)
#define DR7_LOCAL       0x55u /* L0 to L3 */

struct insn;

struct breakpoint {
    enum cpu_breakpoint_kind kind;
    uint64_t first, last; /* linear addresses (a port for the guest's kind of I/O), inclusive */
};

struct breakpoints {
    struct breakpoint guest[4];
    struct breakpoint host[CPU_BREAKPOINTS];
    bool execute_armed, data_armed, port_armed;
    bool changed;        /* decoded blocks and the TLB still follow another set */
    bool stop;           /* a breakpoint of the host was hit: cpu_run ends */
    bool resume_guest;   /* the next instruction is not looked at: EFLAGS.RF */
    bool resume_host;    /* nor for the host: it stopped here before */
    bool passed;         /* the host stopped before the instruction at `passed_address` */
    bool stepping;       /* EFLAGS.TF was set when the running instruction began */
    bool single;         /* cpu_step, which began at `single_start` instructions */
    uint32_t trap;       /* DR6 bits of a debug trap that waits for the instruction's end */
    uint64_t passed_address;
    uint64_t single_start;
    struct cpu_breakpoint_hit hit;
};

/* DR7 or an address of an enabled breakpoint changed. */
void breakpoints_update(struct cpu *cpu);
/* Between blocks, when `changed`: drops blocks and translations made for another set. */
void breakpoints_apply(struct cpu *cpu);
/* Between instructions, when `trap` is set: delivers #DB. */
void breakpoints_deliver(struct cpu *cpu);
/* ICEBP raises #DB anyway: what a MOV SS before it held off goes with it. */
void breakpoints_join(struct cpu *cpu);
/* A fault that DR6 explains by `bits`, raised by instruction i. */
_Noreturn void breakpoints_fault(struct cpu *cpu, const struct insn *i, uint32_t bits);

/* An instruction at this page offset must be looked at. */
bool breakpoints_at_offset(const struct cpu *cpu, uint64_t offset);
/* About to run the instruction at `linear`: raises #DB or stops for the host, or returns. */
void breakpoints_execute(struct cpu *cpu, const struct insn *i, uint64_t linear);
/* A page has a watched byte: it must stay out of the fast path. */
bool breakpoints_in_page(const struct cpu *cpu, uint64_t linear);
/* An access of `size` bytes inside a page for which breakpoints_in_page said yes. */
void breakpoints_data(struct cpu *cpu, uint64_t linear, unsigned size, bool write);
void breakpoints_port(struct cpu *cpu, unsigned port, unsigned size);
/* A repetition stops between elements: its instruction is not to be caught again. */
void breakpoints_interrupted(struct cpu *cpu, uint64_t linear);

#endif
