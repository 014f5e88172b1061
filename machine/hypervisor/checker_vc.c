/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The rule about a SEV-ES guest's #VC handler: it stands in for the instruction (APM 2 15.35.5), so
 * after its return the registers are what the instruction would have made of them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/cpu/inspect.h"
#include "machine/hypervisor/checker_rules.h"
#include "sev/ghcb.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, REGISTERS = 16 };

#define RFLAGS_RF 0x10000u /* faults save it set: APM 2 3.1.6 */

#define BIT(n) (1u << (n))
#define ALL    0xFFFFu

/* The registers that an instruction with this exit may change; in all others, none. */
static const struct {
    uint32_t exit;
    uint32_t registers;
} changes[] = {
    { SEV_EXIT_CPUID, BIT(RAX) | BIT(RBX) | BIT(RCX) | BIT(RDX) },
    { SEV_EXIT_RDTSC, BIT(RAX) | BIT(RDX) },
    { SEV_EXIT_RDTSCP, BIT(RAX) | BIT(RCX) | BIT(RDX) },
    { SEV_EXIT_RDPMC, BIT(RAX) | BIT(RDX) },
    { SEV_EXIT_MSR, BIT(RAX) | BIT(RDX) },
    { SEV_EXIT_IOIO, BIT(RAX) | BIT(RCX) | BIT(RSI) | BIT(RDI) },
    { SEV_EXIT_VMMCALL, ALL }, /* each hypervisor has its own calls */
    { SEV_EXIT_DR7_READ, ALL },
    { SEV_EXIT_NPF, ALL }, /* but moves, which are known */
};

static uint32_t may_change(const struct cpu_intercepted *what)
{
    if (what->loads || what->stores)
        return 0;
    for (size_t k = 0; k < sizeof(changes) / sizeof(changes[0]); k++) {
        if (changes[k].exit == what->exit)
            return changes[k].registers;
    }
    return 0;
}

void rule_intercepted(void *context, struct cpu *cpu, const struct cpu_intercepted *what)
{
    struct checker_cpu *watch = context;
    struct cpu_registers registers;
    if (watch->trap_count == CHECKER_TRAPS) {
        watch->trap_count--;
        memmove(watch->traps, watch->traps + 1, watch->trap_count * sizeof(watch->traps[0]));
    }
    struct checker_trap *trap = &watch->traps[watch->trap_count++];
    cpu_get_registers(cpu, &registers);
    *trap = (struct checker_trap){ .what = *what, .rflags = registers.rflags,
                                   .cr3 = registers.cr3 };
    memcpy(trap->gpr, registers.gpr, sizeof(trap->gpr));
}

void checker_vc_mmio(struct checker_cpu *watch, const struct cpu_mmio *mmio)
{
    if (!watch->trap_count || mmio->write)
        return;
    struct checker_trap *trap = &watch->traps[watch->trap_count - 1];
    trap->answered = trap->what.exit == SEV_EXIT_NPF && mmio->size == trap->what.bytes;
    trap->gpa = mmio->gpa;
    trap->value = mmio->value;
}

/* What the load makes of its register: parts of 8 and 16 bits leave the rest, 32 bits clear it. */
static uint64_t loaded(const struct checker_trap *trap)
{
    const struct cpu_intercepted *what = &trap->what;
    unsigned shift = 8 * (what->place & 7), spare = 64 - 8 * what->bytes;
    uint64_t mask = (what->width == 8 ? UINT64_MAX : (1ull << 8 * what->width) - 1) << shift;
    uint64_t value = trap->value << spare;
    value = what->extends_sign ? (uint64_t)((int64_t)value >> spare) : value >> spare;
    uint64_t kept = what->width == 4 ? 0 : trap->gpr[what->place / 8] & ~mask;
    return kept | (value << shift & mask);
}

static void report(struct checker_cpu *watch, const struct checker_trap *trap, const char *name,
                   uint64_t found, uint64_t expected, bool by_load)
{
    char text[96];
    const struct checker_at at = { .cpu = watch, .rip = trap->what.rip,
                                   .gpa = by_load ? &trap->gpa : NULL };
    if (!cpu_disassemble(watch->cpu, trap->what.offset, text, sizeof(text)))
        snprintf(text, sizeof(text), "%s", trap->what.mnemonic);
    checker_report(watch->checker, CHECK_VC_REGISTERS, &at,
                   "the #VC handler of \"%s\" returned with %s = 0x%" PRIx64 ": expected 0x%" PRIx64
                   ", %s", text, name, found, expected,
                   by_load ? "which the device answered" : "as it was before");
}

static void compare(struct checker_cpu *watch, const struct checker_trap *trap,
                    const struct cpu_registers *now)
{
    static const char *const names[REGISTERS] = {
        "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12",
        "R13", "R14", "R15" };
    const struct cpu_intercepted *what = &trap->what;
    uint32_t free = may_change(what);
    uint64_t mask = now->code_bits == 64 ? UINT64_MAX : UINT32_MAX;
    for (unsigned n = 0; n < REGISTERS; n++) {
        bool by_load = what->loads && n == what->place / 8;
        uint64_t expected = by_load ? loaded(trap) : trap->gpr[n];
        if (free & BIT(n) || (by_load && !trap->answered) || !((now->gpr[n] ^ expected) & mask))
            continue;
        report(watch, trap, names[n], now->gpr[n], expected, by_load);
        return;
    }
    if (free != ALL && (now->rflags ^ trap->rflags) & ~(uint64_t)RFLAGS_RF)
        report(watch, trap, "RFLAGS", now->rflags, trap->rflags, false);
}

/* Goes on behind the instruction, where that would have gone on; or at it, to do it again. */
void rule_returned(void *context, struct cpu *cpu, uint64_t offset)
{
    struct checker_cpu *watch = context;
    struct cpu_registers now;
    if (!watch->trap_count)
        return;
    cpu_get_registers(cpu, &now);
    for (unsigned k = watch->trap_count; k-- > 0;) {
        const struct checker_trap *trap = &watch->traps[k];
        bool again = offset == trap->what.offset;
        if (now.cr3 != trap->cr3 || now.gpr[RSP] != trap->gpr[RSP] ||
            (!again && offset != trap->what.offset + trap->what.length))
            continue;
        if (!again)
            compare(watch, trap, &now);
        watch->trap_count = k;
        return;
    }
}
