/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a processor leaves to a SEV-ES guest and its hypervisor, shown to the observer: instructions
 * that raise #VC, and what the hypervisor does by VMGEXIT. See observer.h.
 */
#include "machine/cpu/observer.h"

#include <string.h>

#include "machine/cpu/block.h"
#include "machine/cpu/form.h"
#include "machine/cpu/system.h"

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

/* Of an operand's code in the form table. */
static uint8_t operand_bytes(const struct insn *i, const char *operand)
{
    switch (operand[1]) {
    case 'b':
    case 'L': /* AL */
        return 1;
    case 'w':
        return 2;
    case 'd':
        return 4;
    default:
        return (uint8_t)insn_operand_size(i);
    }
}

static bool in_memory(const struct insn *i, char operand)
{
    return operand == 'O' || operand == 'M' || (operand == 'E' && i->flags & INSN_MEM);
}

/* MOV, MOVZX, MOVSX, MOVSXD between memory and a general register, MOVNTI, MOV of an immediate. */
static void describe_move(const struct insn *i, const struct form *form, struct cpu_intercepted *ret)
{
    static const char *const names[] = { "mov", "movzx", "movsx", "movsxd", "movnti" };
    const char *to = form->operands, *from = strchr(to, ',');
    bool moves = false, accumulator = to[0] == 'A' || to[0] == 'r';
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
        moves |= strcmp(form->name, names[k]) == 0;
    if (!moves || !from)
        return;
    ret->stores = in_memory(i, to[0]);
    ret->loads = in_memory(i, from[1]) && (to[0] == 'G' || accumulator);
    ret->extends_sign = strncmp(form->name, "movsx", 5) == 0;
    ret->bytes = operand_bytes(i, from + 1);
    ret->width = operand_bytes(i, to);
    if (!accumulator)
        ret->place = ret->width == 1 ? i->reg : (uint8_t)(8 * i->reg);
}

void cpu_observe_intercept(struct cpu *cpu, const struct insn *i, uint32_t exit)
{
    const struct cpu_observer *observer = cpu->observer;
    if (!observer || !observer->intercepted || !i || i == cpu->lane)
        return;
    const struct form *form = form_by_number(i->form);
    struct cpu_intercepted what = {
        .offset = wrap_rip(cpu, insn_rip(cpu, i)), .length = i->length, .mnemonic = form->name,
        .exit = exit,
    };
    what.rip = cpu_64bit(cpu) ? what.offset : (uint32_t)(what.offset + cpu->seg[CS].base);
    describe_move(i, form, &what);
    observer->intercepted(observer->context, cpu, &what);
}

void cpu_observe_return(struct cpu *cpu, uint64_t offset)
{
    const struct cpu_observer *observer = cpu->observer;
    if (observer && observer->returned)
        observer->returned(observer->context, cpu, offset);
}
