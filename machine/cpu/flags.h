/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Lazy arithmetic flags; private to machine/cpu. The last flag-setting operation leaves its kind
 * (lazy_op), result and one source; a flag is computed when something asks for it.
 */
#ifndef PRIVET_MACHINE_CPU_FLAGS_H
#define PRIVET_MACHINE_CPU_FLAGS_H

#include "machine/cpu/state.h"

/* CF PF AF ZF SF OF of the moment, in their EFLAGS positions. */
uint32_t flags_arithmetic(const struct cpu *cpu);

/* All of EFLAGS: the lazy ones merged with the others. */
static inline uint32_t flags_get(const struct cpu *cpu)
{
    return cpu->eflags | flags_arithmetic(cpu);
}

/* Sets the six arithmetic flags from an EFLAGS image. */
void flags_set_arithmetic(struct cpu *cpu, uint32_t eflags);

/* Replaces all of EFLAGS (bit 1 forced); the caller has decided what may change. */
void flags_set(struct cpu *cpu, uint32_t eflags);

#endif
