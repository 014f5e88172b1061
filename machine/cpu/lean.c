/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Which lean operation stands for which full one. */
#include "machine/cpu/lean.h"

#include <assert.h>

#define SLOTS 4096u

static const struct lean_table *const tables[] = {
    &lean_arith, &lean_fused, &lean_move, &lean_stack,
};

/* Open addressing by the full operation's address. */
static const struct lean_row *slots[SLOTS];
static bool initialised;

static unsigned slot_of(operation *full)
{
    unsigned slot = (unsigned)((uintptr_t)full * 0x9E3779B97F4A7C15ull >> 52) % SLOTS;
    while (slots[slot] && slots[slot]->full != full)
        slot = (slot + 1) % SLOTS;
    return slot;
}

void lean_initialise(void)
{
    size_t total = 0;
    if (initialised)
        return;
    for (size_t k = 0; k < ROW_COUNT(tables); k++) {
        total += tables[k]->count;
        assert(total <= SLOTS / 2);
        for (size_t row = 0; row < tables[k]->count; row++)
            slots[slot_of(tables[k]->rows[row].full)] = &tables[k]->rows[row];
    }
    initialised = true;
}

operation *lean_operation(const struct insn *i)
{
    const struct lean_row *row = slots[slot_of(i->fn)];
    if (!row)
        return i->fn;
    if (!(i->flags & INSN_MEM)) /* the stack, which 64-bit mode keeps flat */
        return row->base;
    if (i->flags & INSN_SLOW_EA || i->seg != SEG_FLAT)
        return i->fn;
    return i->index == REG_ZERO ? row->base : row->indexed;
}
