/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Multiplication and division: MUL IMUL DIV IDIV (APM 3, chapter 3). */
#include "machine/cpu/ops.h"

/* CF and OF tell that the high half matters; the others are undefined: here by the low half. */
#define PRODUCT_FLAGS(bits, low, overflow)                                                         \
    flags_lazy(cpu, LAZY_OP(LAZY_RESULT, LOG2_##bits), (uint##bits##_t)(low),                      \
               (0 - (uint64_t)(overflow)) & (EFLAGS_CF | EFLAGS_OF))

/* High and low result registers: AH:AL, or rDX:rAX. */
INLINE void set_pair_8(struct cpu *cpu, uint8_t high, uint8_t low)
{
    reg_set_16(cpu, RAX, (uint16_t)(high << 8 | low));
}
#define DEFINE_PAIR(bits)                                                                          \
    INLINE void set_pair_##bits(struct cpu *cpu, uint##bits##_t high, uint##bits##_t low)          \
    {                                                                                              \
        reg_set_##bits(cpu, RAX, low);                                                             \
        reg_set_##bits(cpu, RDX, high);                                                            \
    }
DEFINE_PAIR(16)
DEFINE_PAIR(32)
DEFINE_PAIR(64)

#define DEFINE_VALUES(bits, uwide, swide)                                                          \
    INLINE void mul_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t b)                \
    {                                                                                              \
        uwide product = (uwide)reg_get_##bits(cpu, RAX) * b;                                       \
        uint##bits##_t high = (uint##bits##_t)(product >> bits);                                   \
        set_pair_##bits(cpu, high, (uint##bits##_t)product);                                       \
        PRODUCT_FLAGS(bits, product, high != 0);                                                   \
    }                                                                                              \
    INLINE uint##bits##_t signed_product_##bits(struct cpu *cpu, uint##bits##_t a,                 \
                                                uint##bits##_t b, uint##bits##_t *high)            \
    {                                                                                              \
        swide product = (swide)(signed_##bits)a * (signed_##bits)b;                                \
        *high = (uint##bits##_t)(product >> bits);                                                 \
        PRODUCT_FLAGS(bits, product, (swide)(signed_##bits)product != product);                    \
        return (uint##bits##_t)product;                                                            \
    }                                                                                              \
    INLINE void imul_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t b)               \
    {                                                                                              \
        uint##bits##_t high;                                                                       \
        uint##bits##_t low = signed_product_##bits(cpu, reg_get_##bits(cpu, RAX), b, &high);       \
        set_pair_##bits(cpu, high, low);                                                           \
    }                                                                                              \
    INLINE void div_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t b)                \
    {                                                                                              \
        uwide a = (uwide)dividend_##bits(cpu);                                                     \
        if (!b || (uint##bits##_t)(a >> bits) >= b)                                                \
            cpu_raise(cpu, i, VECTOR_DE);                                                          \
        set_pair_##bits(cpu, (uint##bits##_t)(a % b), (uint##bits##_t)(a / b));                    \
    }                                                                                              \
    INLINE void idiv_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t b)               \
    {                                                                                              \
        uwide raw = (uwide)dividend_##bits(cpu);                                                   \
        bool negative = raw >> (2 * bits - 1) & 1;                                                 \
        signed_##bits divisor = (signed_##bits)b;                                                  \
        uwide a = negative ? (uwide)(0 - raw) : raw;                                               \
        uint##bits##_t magnitude = divisor < 0 ? (uint##bits##_t)(0 - b) : b;                      \
        if (!magnitude || (uint##bits##_t)(a >> bits) >= magnitude)                                \
            cpu_raise(cpu, i, VECTOR_DE);                                                          \
        uint##bits##_t q = (uint##bits##_t)(a / magnitude), r = (uint##bits##_t)(a % magnitude);   \
        bool negative_q = negative != (divisor < 0);                                               \
        uint##bits##_t limit = (uint##bits##_t)((uint##bits##_t)1 << (bits - 1));                  \
        if (q > (uint##bits##_t)(negative_q ? limit : limit - 1))                                  \
            cpu_raise(cpu, i, VECTOR_DE);                                                          \
        set_pair_##bits(cpu, negative ? (uint##bits##_t)(0 - r) : r,                               \
                        negative_q ? (uint##bits##_t)(0 - q) : q);                                 \
    }

INLINE uint16_t dividend_8(const struct cpu *cpu)
{
    return reg_get_16(cpu, RAX);
}
INLINE uint32_t dividend_16(const struct cpu *cpu)
{
    return (uint32_t)reg_get_16(cpu, RDX) << 16 | reg_get_16(cpu, RAX);
}
INLINE uint64_t dividend_32(const struct cpu *cpu)
{
    return (uint64_t)reg_get_32(cpu, RDX) << 32 | reg_get_32(cpu, RAX);
}
INLINE unsigned __int128 dividend_64(const struct cpu *cpu)
{
    return (unsigned __int128)cpu->gpr[RDX] << 64 | cpu->gpr[RAX];
}

DEFINE_VALUES(8, uint16_t, int32_t)
DEFINE_VALUES(16, uint32_t, int32_t)
DEFINE_VALUES(32, uint64_t, int64_t)
DEFINE_VALUES(64, unsigned __int128, __int128)

#define DEFINE_ONE(name, bits)                                                                     \
    static void op_##name##_##bits##r(struct cpu *cpu, const struct insn *i)                       \
    {                                                                                              \
        name##_##bits(cpu, i, reg_get_##bits(cpu, i->rm));                                         \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_##bits##m(struct cpu *cpu, const struct insn *i)                       \
    {                                                                                              \
        name##_##bits(cpu, i, LOAD_E(cpu, i, bits));                                               \
        NEXT(cpu, i);                                                                              \
    }

#define DEFINE_ALL(bits)                                                                           \
    DEFINE_ONE(mul, bits)                                                                          \
    DEFINE_ONE(imul, bits)                                                                         \
    DEFINE_ONE(div, bits)                                                                          \
    DEFINE_ONE(idiv, bits)

DEFINE_ALL(8)
DEFINE_ALL(16)
DEFINE_ALL(32)
DEFINE_ALL(64)

/* IMUL with two and three operands. */
#define DEFINE_IMUL(bits)                                                                          \
    static void op_imul_ge_##bits##r(struct cpu *cpu, const struct insn *i)                        \
    {                                                                                              \
        uint##bits##_t high, a = reg_get_##bits(cpu, i->reg), b = reg_get_##bits(cpu, i->rm);      \
        reg_set_##bits(cpu, i->reg, signed_product_##bits(cpu, a, b, &high));                      \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_imul_ge_##bits##m(struct cpu *cpu, const struct insn *i)                        \
    {                                                                                              \
        uint##bits##_t high, b = LOAD_E(cpu, i, bits), a = reg_get_##bits(cpu, i->reg);            \
        reg_set_##bits(cpu, i->reg, signed_product_##bits(cpu, a, b, &high));                      \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_imul_gei_##bits##r(struct cpu *cpu, const struct insn *i)                       \
    {                                                                                              \
        uint##bits##_t high, a = reg_get_##bits(cpu, i->rm);                                       \
        reg_set_##bits(cpu, i->reg, signed_product_##bits(cpu, a, (uint##bits##_t)i->imm, &high)); \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_imul_gei_##bits##m(struct cpu *cpu, const struct insn *i)                       \
    {                                                                                              \
        uint##bits##_t high, a = LOAD_E(cpu, i, bits);                                             \
        reg_set_##bits(cpu, i->reg, signed_product_##bits(cpu, a, (uint##bits##_t)i->imm, &high)); \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_IMUL(16)
DEFINE_IMUL(32)
DEFINE_IMUL(64)

#define MUL_FLAGS (EFLAGS_CF | EFLAGS_OF), (ALL_FLAGS & ~(EFLAGS_CF | EFLAGS_OF)), 0
#define DIV_FLAGS 0, ALL_FLAGS, 0
#define GROUP(name, op, digit, flags)                                                              \
    {name, "F6 " digit, "Eb", FN_BYTE(op_##op), flags, FEATURE_BASE, FORM_BYTE},                   \
    {name, "F7 " digit, "Ev", FN_SIZES(op_##op), flags, FEATURE_BASE, 0}

static const struct form forms[] = {
    GROUP("mul", mul, "/4", MUL_FLAGS),
    GROUP("imul", imul, "/5", MUL_FLAGS),
    GROUP("div", div, "/6", DIV_FLAGS),
    GROUP("idiv", idiv, "/7", DIV_FLAGS),
    {"imul", "0F AF /r", "Gv,Ev", FN_SIZES(op_imul_ge), MUL_FLAGS, FEATURE_BASE, 0},
    {"imul", "69 /r", "Gv,Ev,Iz", FN_SIZES(op_imul_gei), MUL_FLAGS, FEATURE_BASE, 0},
    {"imul", "6B /r", "Gv,Ev,Ibs", FN_SIZES(op_imul_gei), MUL_FLAGS, FEATURE_BASE, 0},
};

const struct form_table forms_muldiv = { forms, ROW_COUNT(forms) };
