/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a processor does, step by step, told to a listener: for `--trace`; and what it did last, kept
 * for the report of a guest that died. Callbacks change nothing and do no floating-point arithmetic
 * (the host's MXCSR is the guest's). A processor that is traced runs the same instructions, in the
 * same blocks, as one that is not.
 */
#ifndef PRIVET_MACHINE_CPU_TRACER_H
#define PRIVET_MACHINE_CPU_TRACER_H

#include "machine/cpu/cpu.h"

enum cpu_event_kind {
    CPU_EVENT_EXCEPTION, /* a fault or trap of an instruction */
    CPU_EVENT_INTERRUPT, /* external */
    CPU_EVENT_NMI,
    CPU_EVENT_SOFTWARE,  /* INT n, INT3, INTO, INT1 */
};

/* The entry of a handler, as it begins: it may still fail. */
struct cpu_event {
    enum cpu_event_kind kind;
    unsigned vector;
    bool has_error;
    uint32_t error;
    uint16_t cs;
    uint64_t rip; /* to return to */
    uint64_t cr2; /* for a page fault */
    uint64_t instructions;
};

struct cpu_msr_access {
    uint64_t rip;
    uint32_t index;
    uint64_t value;
    bool write;
    bool refused; /* #GP(0) follows */
};

struct cpu_tracer {
    void *context;
    /* Any member may be NULL. */
    void (*event)(void *context, struct cpu *cpu, const struct cpu_event *event);
    void (*msr)(void *context, struct cpu *cpu, const struct cpu_msr_access *access);
    /* Before an instruction, if cpu_trace_instructions is on. A REP may show more than once. */
    void (*instruction)(void *context, struct cpu *cpu, uint64_t rip, const char *text);
};

/* `tracer` stays with the caller and must outlive the processor; NULL: none. */
void cpu_set_tracer(struct cpu *cpu, const struct cpu_tracer *tracer);

/* Calls `instruction` from now on, or no longer. Between runs. False: out of memory. */
bool cpu_trace_instructions(struct cpu *cpu, bool on);

#define CPU_HISTORY 16

/* A way from block to block that no link shortens: returns, calls, indirect and far jumps. */
struct cpu_branch {
    uint64_t from, to; /* offsets in CS */
};

/* The last handler entries, newest first; returns how many were written to `ret`. */
unsigned cpu_last_events(const struct cpu *cpu, struct cpu_event ret[CPU_HISTORY]);

/* The last branches, newest first; those inside a page that were taken before are not among them. */
unsigned cpu_last_branches(const struct cpu *cpu, struct cpu_branch ret[CPU_HISTORY]);

#endif
