/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Lazy arithmetic flags; private to machine/cpu. The last flag-setting operation leaves its kind
 * (lazy_op), result and one source; a flag is computed when something asks for it.
 *
 * Result and source are zero-extended from the operand size. For the four additive kinds the source
 * is the first operand (the destination before the operation), which makes the carry a comparison
 * that needs no operand size: an addition carried if the result is below that operand, a
 * subtraction borrowed if the result is above it.
 */
#ifndef PRIVET_MACHINE_CPU_FLAGS_H
#define PRIVET_MACHINE_CPU_FLAGS_H

#include "machine/cpu/state.h"

/* lazy_op is kind << 2 | log2 of the operand size in bytes. */
enum lazy_kind {
    LAZY_ADD,    /* source: first operand */
    LAZY_ADC,    /* the same with a carry in of 1 */
    LAZY_SUB,    /* source: first operand */
    LAZY_SBB,    /* the same with a borrow in of 1 */
    LAZY_RESULT, /* PF ZF SF by result; CF OF AF as in source (EFLAGS positions, nothing else) */
    LAZY_INC,    /* source: CF, which INC and DEC keep */
    LAZY_DEC,
    LAZY_IMAGE, /* source: all six in EFLAGS positions */
};
#define LAZY_OP(kind, size) ((uint32_t)(kind) << 2 | (size))

static inline void flags_lazy(struct cpu *cpu, uint32_t op, uint64_t result, uint64_t source)
{
    cpu->lazy_op = op;
    cpu->lazy_result = result;
    cpu->lazy_source = source;
}

/* CF PF AF ZF SF OF of the moment, in their EFLAGS positions. */
uint32_t flags_arithmetic(const struct cpu *cpu);

/* All of EFLAGS: the lazy ones merged with the others. */
static inline uint32_t flags_get(const struct cpu *cpu)
{
    return cpu->eflags | flags_arithmetic(cpu);
}

/* Sets the six arithmetic flags from an EFLAGS image. */
static inline void flags_set_arithmetic(struct cpu *cpu, uint32_t eflags)
{
    cpu->lazy_op = LAZY_OP(LAZY_IMAGE, 3);
    cpu->lazy_source = eflags & EFLAGS_ARITHMETIC;
}

/* Replaces all of EFLAGS (bit 1 forced); the caller has decided what may change. */
static inline void flags_set(struct cpu *cpu, uint32_t eflags)
{
    cpu->eflags = (eflags & ~EFLAGS_ARITHMETIC) | 2;
    flags_set_arithmetic(cpu, eflags);
}

static inline bool flag_cf(const struct cpu *cpu)
{
    uint32_t kind = cpu->lazy_op >> 2;
    if (kind <= LAZY_ADC)
        return kind == LAZY_ADD ? cpu->lazy_result < cpu->lazy_source
                                : cpu->lazy_result <= cpu->lazy_source;
    if (kind <= LAZY_SBB)
        return kind == LAZY_SUB ? cpu->lazy_result > cpu->lazy_source
                                : cpu->lazy_result >= cpu->lazy_source;
    return cpu->lazy_source & EFLAGS_CF;
}

static inline bool flag_zf(const struct cpu *cpu)
{
    if (__builtin_expect(cpu->lazy_op >= LAZY_OP(LAZY_IMAGE, 0), 0))
        return cpu->lazy_source & EFLAGS_ZF;
    return !cpu->lazy_result;
}

static inline bool flag_sf(const struct cpu *cpu)
{
    if (__builtin_expect(cpu->lazy_op >= LAZY_OP(LAZY_IMAGE, 0), 0))
        return cpu->lazy_source & EFLAGS_SF;
    return cpu->lazy_result >> ((8u << (cpu->lazy_op & 3)) - 1) & 1;
}

static inline bool flag_pf(const struct cpu *cpu)
{
    if (__builtin_expect(cpu->lazy_op >= LAZY_OP(LAZY_IMAGE, 0), 0))
        return cpu->lazy_source & EFLAGS_PF;
    return !__builtin_parity(cpu->lazy_result & 0xFF);
}

static inline uint64_t flags_sign_bit(const struct cpu *cpu)
{
    return 1ull << ((8u << (cpu->lazy_op & 3)) - 1);
}

/* Second operand of the additive kinds; bits above the operand size are garbage. */
static inline uint64_t flags_second_operand(const struct cpu *cpu)
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

static inline bool flag_of(const struct cpu *cpu)
{
    uint64_t result = cpu->lazy_result, source = cpu->lazy_source;
    switch (cpu->lazy_op >> 2) {
    case LAZY_ADD:
    case LAZY_ADC:
        return (result ^ source) & (result ^ flags_second_operand(cpu)) & flags_sign_bit(cpu);
    case LAZY_SUB:
    case LAZY_SBB:
        return (source ^ flags_second_operand(cpu)) & (source ^ result) & flags_sign_bit(cpu);
    case LAZY_INC:
        return result == flags_sign_bit(cpu);
    case LAZY_DEC:
        return result == flags_sign_bit(cpu) - 1;
    default:
        return source & EFLAGS_OF;
    }
}

/* X(name, number, digit) for each condition: APM 3, table 1-7 of SETcc. */
#define FOR_CONDITIONS(X)                                                                          \
    X(o, 0, "0") X(no, 1, "1") X(b, 2, "2") X(ae, 3, "3") X(e, 4, "4") X(ne, 5, "5")               \
    X(be, 6, "6") X(a, 7, "7") X(s, 8, "8") X(ns, 9, "9") X(p, 10, "A") X(np, 11, "B")             \
    X(l, 12, "C") X(ge, 13, "D") X(le, 14, "E") X(g, 15, "F")

/* Conditions by the low four opcode bits. */
static inline __attribute__((always_inline)) bool flags_condition(const struct cpu *cpu,
                                                                  unsigned condition)
{
    bool value;
    switch (condition >> 1) {
    case 0:
        value = flag_of(cpu);
        break;
    case 1:
        value = flag_cf(cpu);
        break;
    case 2:
        value = flag_zf(cpu);
        break;
    case 3:
        value = flag_cf(cpu) || flag_zf(cpu);
        break;
    case 4:
        value = flag_sf(cpu);
        break;
    case 5:
        value = flag_pf(cpu);
        break;
    case 6:
        value = flag_sf(cpu) != flag_of(cpu);
        break;
    default:
        value = flag_zf(cpu) || flag_sf(cpu) != flag_of(cpu);
        break;
    }
    return value != (condition & 1);
}

#endif
