/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Lean operations: the common case of an operation that touches memory - flat segment, full
 * address size, the page in the TLB - and nothing else; private to machine/cpu. Anything but that
 * case is the full operation's, called as a tail: a lean operation needs no stack frame and saves
 * no register.
 *
 * The decoder's result is always full operations; a finished block gets lean ones where they fit.
 * A family lists its own: LEAN_LOAD and the like define name_b (base and displacement) and name_x
 * (an index as well) beside the full operation `name`, LEAN_ROW puts the three into its table.
 */
#ifndef PRIVET_MACHINE_CPU_LEAN_H
#define PRIVET_MACHINE_CPU_LEAN_H

#include "machine/cpu/ops.h"

struct lean_row {
    operation *full, *base, *indexed;
};

struct lean_table {
    const struct lean_row *rows;
    size_t count;
};

extern const struct lean_table lean_arith, lean_fused, lean_move, lean_stack;

/* Once, before any decoding (again is harmless). */
void lean_initialise(void);

/* The lean operation that may stand for i->fn in this instruction, else i->fn itself. */
operation *lean_operation(const struct insn *i);

/* False, and nothing has happened, unless the access is a plain hit in the TLB. */
#define LEAN_DEFINE(bits)                                                                          \
    INLINE bool lean_load##bits(struct cpu *cpu, uint64_t address, uint##bits##_t *ret)            \
    {                                                                                              \
        const struct tlb_entry *entry = mmu_entry(cpu, address);                                   \
        if (__builtin_expect(entry->read != MMU_TAG(address, bits / 8), 0))                        \
            return false;                                                                          \
        memcpy(ret, (const void *)(uintptr_t)(address + entry->addend), sizeof(*ret));             \
        return true;                                                                               \
    }                                                                                              \
    INLINE bool lean_store##bits(struct cpu *cpu, uint64_t address, uint##bits##_t value)          \
    {                                                                                              \
        const struct tlb_entry *entry = mmu_entry(cpu, address);                                   \
        if (__builtin_expect(entry->write != MMU_TAG(address, bits / 8), 0))                       \
            return false;                                                                          \
        memcpy((void *)(uintptr_t)(address + entry->addend), &value, sizeof(value));               \
        return true;                                                                               \
    }
LEAN_DEFINE(8)
LEAN_DEFINE(16)
LEAN_DEFINE(32)
LEAN_DEFINE(64)
#undef LEAN_DEFINE

INLINE uint64_t lean_address_b(const struct cpu *cpu, const struct insn *i)
{
    return cpu->gpr[i->base] + (uint64_t)(int64_t)i->disp;
}

INLINE uint64_t lean_address_x(const struct cpu *cpu, const struct insn *i)
{
    return lean_address_b(cpu, i) + (cpu->gpr[i->index] << i->scale);
}

/* `finish` sees the operand as `value` and ends with NEXT or another transfer. */
#define LEAN_LOAD_SHAPE(full, shape, bits, finish)                                                 \
    static void full##_##shape(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
        if (!lean_load##bits(cpu, lean_address_##shape(cpu, i), &value))                           \
            return full(cpu, i);                                                                   \
        finish;                                                                                    \
    }
#define LEAN_LOAD(full, bits, finish)                                                              \
    LEAN_LOAD_SHAPE(full, b, bits, finish)                                                         \
    LEAN_LOAD_SHAPE(full, x, bits, finish)

/* Stores what `expression` yields; it must not change anything. */
#define LEAN_STORE_SHAPE(full, shape, bits, expression)                                            \
    static void full##_##shape(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        if (!lean_store##bits(cpu, lean_address_##shape(cpu, i), (expression)))                    \
            return full(cpu, i);                                                                   \
        NEXT(cpu, i);                                                                              \
    }
#define LEAN_STORE(full, bits, expression)                                                         \
    LEAN_STORE_SHAPE(full, b, bits, expression)                                                    \
    LEAN_STORE_SHAPE(full, x, bits, expression)

#define LEAN_ROW(full)  {full, full##_b, full##_x}
#define LEAN_ROWS(rows) {(rows), ROW_COUNT(rows)}

#endif
