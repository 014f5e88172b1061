/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Where the processor's parts tell what they do; private to machine/cpu. */
#ifndef PRIVET_MACHINE_CPU_TRACE_H
#define PRIVET_MACHINE_CPU_TRACE_H

#include "machine/cpu/insn.h"
#include "machine/cpu/tracer.h"

/* In place of every operation of a block that was decoded while some processor was traced. */
operation run_traced;

/* A transfer that leaves the running block other than by a link. */
static inline void trace_branch(struct cpu *cpu, const struct insn *i, uint64_t rip)
{
    struct cpu_branch *branch = &cpu->branches[cpu->branches_used++ % CPU_HISTORY];
    branch->from = insn_rip(cpu, i);
    branch->to = rip;
}

/* A handler is being entered: remembered, and told to the tracer. */
void trace_event(struct cpu *cpu, const struct cpu_event *event);

static inline bool traces_msr(const struct cpu *cpu)
{
    return __builtin_expect(cpu->tracer != NULL, 0) && cpu->tracer->msr;
}

/* RDMSR or WRMSR by instruction i; only if traces_msr. */
void trace_msr(struct cpu *cpu, const struct insn *i, uint64_t value, bool write, bool refused);

#endif
