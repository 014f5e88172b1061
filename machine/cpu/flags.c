/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Lazy flags, the part that is too long to be inline: all six flags at once, and OF (APM 1 3.1.4).
 */
#include "machine/cpu/flags.h"

static uint64_t sign_bit(const struct cpu *cpu)
{
    return 1ull << ((8u << (cpu->lazy_op & 3)) - 1);
}

/* Second operand of the additive kinds; bits above the operand size are garbage. */
static uint64_t second_operand(const struct cpu *cpu)
{
    uint64_t result = cpu->lazy_result, first = cpu->lazy_source;
    switch (cpu->lazy_op >> 2) {
    case LAZY_ADD:
        return result - first;
    case LAZY_ADC:
        return result - first - 1;
    case LAZY_SUB:
        return first - result;
    default:
        return first - result - 1;
    }
}

bool flag_of(const struct cpu *cpu)
{
    uint64_t result = cpu->lazy_result, source = cpu->lazy_source;
    switch (cpu->lazy_op >> 2) {
    case LAZY_ADD:
    case LAZY_ADC:
        return (result ^ source) & (result ^ second_operand(cpu)) & sign_bit(cpu);
    case LAZY_SUB:
    case LAZY_SBB:
        return (source ^ second_operand(cpu)) & (source ^ result) & sign_bit(cpu);
    case LAZY_INC:
        return result == sign_bit(cpu);
    case LAZY_DEC:
        return result == sign_bit(cpu) - 1;
    default:
        return source & EFLAGS_OF;
    }
}

static bool flag_af(const struct cpu *cpu)
{
    uint32_t kind = cpu->lazy_op >> 2;
    if (kind <= LAZY_SBB)
        return (cpu->lazy_result ^ cpu->lazy_source ^ second_operand(cpu)) & 0x10;
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
