/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Integer arithmetic on values, with its flags, in the four operand sizes; private to machine/cpu.
 */
#ifndef PRIVET_MACHINE_CPU_ALU_H
#define PRIVET_MACHINE_CPU_ALU_H

#include "machine/cpu/ops.h"

/* The operations on values: they set the flags and return the result. */
#define DEFINE_VALUES(bits)                                                                        \
    INLINE uint##bits##_t add_##bits(struct cpu *cpu, uint##bits##_t a, uint##bits##_t b)          \
    {                                                                                              \
        uint##bits##_t r = (uint##bits##_t)(a + b);                                                \
        flags_lazy(cpu, LAZY_OP(LAZY_ADD, LOG2_##bits), r, a);                                     \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t adc_##bits(struct cpu *cpu, uint##bits##_t a, uint##bits##_t b)          \
    {                                                                                              \
        uint32_t carry = flag_cf(cpu);                                                             \
        uint##bits##_t r = (uint##bits##_t)(a + b + carry);                                        \
        flags_lazy(cpu, LAZY_OP(LAZY_ADD, LOG2_##bits) + (carry << 2), r, a);                      \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t sub_##bits(struct cpu *cpu, uint##bits##_t a, uint##bits##_t b)          \
    {                                                                                              \
        uint##bits##_t r = (uint##bits##_t)(a - b);                                                \
        flags_lazy(cpu, LAZY_OP(LAZY_SUB, LOG2_##bits), r, a);                                     \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t sbb_##bits(struct cpu *cpu, uint##bits##_t a, uint##bits##_t b)          \
    {                                                                                              \
        uint32_t borrow = flag_cf(cpu);                                                            \
        uint##bits##_t r = (uint##bits##_t)(a - b - borrow);                                       \
        flags_lazy(cpu, LAZY_OP(LAZY_SUB, LOG2_##bits) + (borrow << 2), r, a);                     \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t logic_##bits(struct cpu *cpu, uint##bits##_t r)                          \
    {                                                                                              \
        flags_lazy(cpu, LAZY_OP(LAZY_RESULT, LOG2_##bits), r, 0);                                  \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t and_##bits(struct cpu *cpu, uint##bits##_t a, uint##bits##_t b)          \
    {                                                                                              \
        return logic_##bits(cpu, a & b);                                                           \
    }                                                                                              \
    INLINE uint##bits##_t or_##bits(struct cpu *cpu, uint##bits##_t a, uint##bits##_t b)           \
    {                                                                                              \
        return logic_##bits(cpu, a | b);                                                           \
    }                                                                                              \
    INLINE uint##bits##_t xor_##bits(struct cpu *cpu, uint##bits##_t a, uint##bits##_t b)          \
    {                                                                                              \
        return logic_##bits(cpu, a ^ b);                                                           \
    }                                                                                              \
    INLINE uint##bits##_t inc_##bits(struct cpu *cpu, uint##bits##_t a)                            \
    {                                                                                              \
        uint##bits##_t r = (uint##bits##_t)(a + 1);                                                \
        flags_lazy(cpu, LAZY_OP(LAZY_INC, LOG2_##bits), r, flag_cf(cpu));                          \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t dec_##bits(struct cpu *cpu, uint##bits##_t a)                            \
    {                                                                                              \
        uint##bits##_t r = (uint##bits##_t)(a - 1);                                                \
        flags_lazy(cpu, LAZY_OP(LAZY_DEC, LOG2_##bits), r, flag_cf(cpu));                          \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t neg_##bits(struct cpu *cpu, uint##bits##_t a)                            \
    {                                                                                              \
        return sub_##bits(cpu, 0, a);                                                              \
    }                                                                                              \
    INLINE uint##bits##_t not_##bits(struct cpu *cpu, uint##bits##_t a)                            \
    {                                                                                              \
        return (uint##bits##_t)~a;                                                                 \
    }

DEFINE_VALUES(8)
DEFINE_VALUES(16)
DEFINE_VALUES(32)
DEFINE_VALUES(64)

#endif
