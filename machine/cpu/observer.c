/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a hypervisor does for a SEV-ES guest by VMGEXIT, shown to the observer: the processor itself
 * did nothing of it. See observer.h.
 */
#include "machine/cpu/observer.h"

#include "machine/cpu/block.h"

uint64_t cpu_vmgexit_rip(const struct cpu *cpu)
{
    uint64_t rip = cpu->current ? insn_rip(cpu, cpu->current) : cpu->rip;
    return cpu_64bit(cpu) ? rip : (uint32_t)(rip + cpu->seg[CS].base);
}

void cpu_observe_port(struct cpu *cpu, unsigned port, unsigned size, uint64_t value, bool write)
{
    const struct cpu_observer *observer = cpu->observer;
    if (observer && observer->port)
        observer->port(observer->context, cpu, cpu_vmgexit_rip(cpu), port, size, value, write);
}

void cpu_observe_mmio(struct cpu *cpu, uint64_t gpa, unsigned size, uint64_t value, bool write)
{
    const struct cpu_observer *observer = cpu->observer;
    const struct cpu_mmio mmio = { .rip = cpu_vmgexit_rip(cpu), .gpa = gpa, .value = value,
                                   .size = size, .write = write, .by_request = true };
    if (observer && observer->mmio)
        observer->mmio(observer->context, cpu, &mmio);
}
