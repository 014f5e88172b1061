/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Telling a listener what the processor does. Instructions are told by an operation that takes the
 * place of each decoded one and calls it: blocks, counts and timing stay as they are.
 */
#include "machine/cpu/trace.h"

#include <stdio.h>

#include "machine/cpu/block.h"

void cpu_set_tracer(struct cpu *cpu, const struct cpu_tracer *tracer)
{
    cpu->tracer = tracer;
}

bool cpu_trace_instructions(struct cpu *cpu, bool on)
{
    if (on == cpu->traces_instructions)
        return true;
    if (on && !blocks_keep_originals(cpu))
        return false;
    cpu->traces_instructions = on;
    blocks_flush(cpu);
    return true;
}

void run_traced(struct cpu *cpu, const struct insn *i)
{
    const struct cpu_tracer *tracer = cpu->tracer;
    if (cpu->traces_instructions && tracer && tracer->instruction) {
        char text[96];
        uint64_t rip = insn_rip(cpu, i);
        cpu->current = i;
        if (i->form == UINT16_MAX)
            snprintf(text, sizeof(text), "(undefined)");
        else
            disassemble(i, rip, text, sizeof(text));
        tracer->instruction(tracer->context, cpu, rip, text);
    }
    return blocks_original(cpu, i)(cpu, i);
}

void trace_event(struct cpu *cpu, const struct cpu_event *event)
{
    cpu->history[cpu->history_used++ % CPU_HISTORY] = *event;
    if (cpu->tracer && cpu->tracer->event)
        cpu->tracer->event(cpu->tracer->context, cpu, event);
}

void trace_msr(struct cpu *cpu, const struct insn *i, uint64_t value, bool write, bool refused)
{
    const struct cpu_msr_access access = {
        .rip = insn_rip(cpu, i),
        .index = (uint32_t)cpu->gpr[RCX],
        .value = value,
        .write = write,
        .refused = refused,
    };
    cpu->tracer->msr(cpu->tracer->context, cpu, &access);
}

unsigned cpu_last_events(const struct cpu *cpu, struct cpu_event ret[CPU_HISTORY])
{
    unsigned count = cpu->history_used < CPU_HISTORY ? (unsigned)cpu->history_used : CPU_HISTORY;
    for (unsigned k = 0; k < count; k++)
        ret[k] = cpu->history[(cpu->history_used - 1 - k) % CPU_HISTORY];
    return count;
}

unsigned cpu_last_branches(const struct cpu *cpu, struct cpu_branch ret[CPU_HISTORY])
{
    unsigned count = cpu->branches_used < CPU_HISTORY ? (unsigned)cpu->branches_used : CPU_HISTORY;
    for (unsigned k = 0; k < count; k++)
        ret[k] = cpu->branches[(cpu->branches_used - 1 - k) % CPU_HISTORY];
    return count;
}
