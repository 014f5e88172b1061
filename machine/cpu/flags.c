/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Lazy flags, the part that is too long to be inline: all six flags at once (APM 1 3.1.4).
 */
#include "machine/cpu/flags.h"

static bool flag_af(const struct cpu *cpu)
{
    uint32_t kind = cpu->lazy_op >> 2;
    if (kind <= LAZY_SBB)
        return (cpu->lazy_result ^ cpu->lazy_source ^ flags_second_operand(cpu)) & 0x10;
    if (kind == LAZY_INC)
        return !(cpu->lazy_result & 15);
    if (kind == LAZY_DEC)
        return (cpu->lazy_result & 15) == 15;
    return cpu->lazy_source & EFLAGS_AF;
}

uint32_t flags_arithmetic(const struct cpu *cpu)
{
    if (cpu->lazy_op >= LAZY_OP(LAZY_IMAGE, 0))
        return (uint32_t)cpu->lazy_source;
    return (flag_cf(cpu) ? EFLAGS_CF : 0) | (flag_pf(cpu) ? EFLAGS_PF : 0) |
           (flag_af(cpu) ? EFLAGS_AF : 0) | (flag_zf(cpu) ? EFLAGS_ZF : 0) |
           (flag_sf(cpu) ? EFLAGS_SF : 0) | (flag_of(cpu) ? EFLAGS_OF : 0);
}
