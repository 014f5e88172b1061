/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Addition, subtraction, logic and their relatives: ADD OR ADC SBB AND SUB XOR CMP TEST INC DEC NEG
 * NOT XADD CMPXCHG CMPXCHG8B CMPXCHG16B (APM 3, chapter 3).
 */
#include "machine/cpu/alu.h"
#include "machine/cpu/lean.h"

/* Two operands, the first one written: E,G  G,E  E,I. */
#define DEFINE_WRITING(name, bits)                                                                 \
    static void op_##name##_eg_##bits##r(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        reg_set_##bits(                                                                            \
            cpu, i->rm,                                                                            \
            name##_##bits(cpu, reg_get_##bits(cpu, i->rm), reg_get_##bits(cpu, i->reg)));          \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_eg_##bits##m(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        MODIFY(cpu, i, bits, value, result,                                                        \
               result = name##_##bits(cpu, value, reg_get_##bits(cpu, i->reg)));                   \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_ge_##bits##r(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        reg_set_##bits(                                                                            \
            cpu, i->reg,                                                                           \
            name##_##bits(cpu, reg_get_##bits(cpu, i->reg), reg_get_##bits(cpu, i->rm)));          \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_ge_##bits##m(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        uint##bits##_t value = LOAD_E(cpu, i, bits);                                               \
        reg_set_##bits(cpu, i->reg, name##_##bits(cpu, reg_get_##bits(cpu, i->reg), value));       \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_ei_##bits##r(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        reg_set_##bits(cpu, i->rm,                                                                 \
                       name##_##bits(cpu, reg_get_##bits(cpu, i->rm), (uint##bits##_t)i->imm));    \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_ei_##bits##m(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        MODIFY(cpu, i, bits, value, result,                                                        \
               result = name##_##bits(cpu, value, (uint##bits##_t)i->imm));                        \
        NEXT(cpu, i);                                                                              \
    }

/* Two operands, neither written: CMP, TEST. */
#define DEFINE_READING(name, value_op, bits)                                                       \
    static void op_##name##_eg_##bits##r(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        value_op##_##bits(cpu, reg_get_##bits(cpu, i->rm), reg_get_##bits(cpu, i->reg));           \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_eg_##bits##m(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        uint##bits##_t value = LOAD_E(cpu, i, bits);                                               \
        value_op##_##bits(cpu, value, reg_get_##bits(cpu, i->reg));                                \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_ei_##bits##r(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        value_op##_##bits(cpu, reg_get_##bits(cpu, i->rm), (uint##bits##_t)i->imm);                \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_ei_##bits##m(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        uint##bits##_t value = LOAD_E(cpu, i, bits);                                               \
        value_op##_##bits(cpu, value, (uint##bits##_t)i->imm);                                     \
        NEXT(cpu, i);                                                                              \
    }

#define DEFINE_CMP_GE(bits)                                                                        \
    static void op_cmp_ge_##bits##r(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        sub_##bits(cpu, reg_get_##bits(cpu, i->reg), reg_get_##bits(cpu, i->rm));                  \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_cmp_ge_##bits##m(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        uint##bits##_t value = LOAD_E(cpu, i, bits);                                               \
        sub_##bits(cpu, reg_get_##bits(cpu, i->reg), value);                                       \
        NEXT(cpu, i);                                                                              \
    }

#define DEFINE_UNARY(name, bits)                                                                   \
    static void op_##name##_##bits##r(struct cpu *cpu, const struct insn *i)                       \
    {                                                                                              \
        reg_set_##bits(cpu, i->rm, name##_##bits(cpu, reg_get_##bits(cpu, i->rm)));                \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_##bits##m(struct cpu *cpu, const struct insn *i)                       \
    {                                                                                              \
        MODIFY(cpu, i, bits, value, result, result = name##_##bits(cpu, value));                   \
        NEXT(cpu, i);                                                                              \
    }

/* XADD: the register gets the old destination; written first, so that XADD r,r ends in the sum. */
#define DEFINE_XADD(bits)                                                                          \
    static void op_xadd_##bits##r(struct cpu *cpu, const struct insn *i)                           \
    {                                                                                              \
        uint##bits##_t a = reg_get_##bits(cpu, i->rm), b = reg_get_##bits(cpu, i->reg);            \
        reg_set_##bits(cpu, i->reg, a);                                                            \
        reg_set_##bits(cpu, i->rm, add_##bits(cpu, a, b));                                         \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_xadd_##bits##m(struct cpu *cpu, const struct insn *i)                           \
    {                                                                                              \
        uint##bits##_t old;                                                                        \
        MODIFY(cpu, i, bits, value, result, old = value;                                           \
               result = add_##bits(cpu, value, reg_get_##bits(cpu, i->reg)));                      \
        reg_set_##bits(cpu, i->reg, old);                                                          \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    /* CMPXCHG always writes its destination: APM 3. */                                            \
    static void op_cmpxchg_##bits##r(struct cpu *cpu, const struct insn *i)                        \
    {                                                                                              \
        uint##bits##_t a = reg_get_##bits(cpu, RAX), old = reg_get_##bits(cpu, i->rm);             \
        sub_##bits(cpu, a, old);                                                                   \
        if (a == old)                                                                              \
            reg_set_##bits(cpu, i->rm, reg_get_##bits(cpu, i->reg));                               \
        else                                                                                       \
            reg_set_##bits(cpu, RAX, old);                                                         \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_cmpxchg_##bits##m(struct cpu *cpu, const struct insn *i)                        \
    {                                                                                              \
        uint##bits##_t a = reg_get_##bits(cpu, RAX), old;                                          \
        MODIFY(cpu, i, bits, value, result, old = value;                                           \
               result = value == a ? reg_get_##bits(cpu, i->reg) : value);                         \
        sub_##bits(cpu, a, old);                                                                   \
        if (a != old)                                                                              \
            reg_set_##bits(cpu, RAX, old);                                                         \
        NEXT(cpu, i);                                                                              \
    }

#define DEFINE_ALL(bits)                                                                           \
    DEFINE_WRITING(add, bits)                                                                      \
    DEFINE_WRITING(or, bits)                                                                       \
    DEFINE_WRITING(adc, bits)                                                                      \
    DEFINE_WRITING(sbb, bits)                                                                      \
    DEFINE_WRITING(and, bits)                                                                      \
    DEFINE_WRITING(sub, bits)                                                                      \
    DEFINE_WRITING(xor, bits)                                                                      \
    DEFINE_READING(cmp, sub, bits)                                                                 \
    DEFINE_READING(test, and, bits)                                                                \
    DEFINE_CMP_GE(bits)                                                                            \
    DEFINE_UNARY(inc, bits)                                                                        \
    DEFINE_UNARY(dec, bits)                                                                        \
    DEFINE_UNARY(neg, bits)                                                                        \
    DEFINE_UNARY(not, bits)                                                                        \
    DEFINE_XADD(bits)

DEFINE_ALL(8)
DEFINE_ALL(16)
DEFINE_ALL(32)
DEFINE_ALL(64)

#define LEAN_TO_REGISTER(name, bits)                                                               \
    LEAN_LOAD(op_##name##_ge_##bits##m, bits,                                                      \
              reg_set_##bits(cpu, i->reg,                                                          \
                             name##_##bits(cpu, reg_get_##bits(cpu, i->reg), value));              \
              NEXT(cpu, i))
#define LEAN_COMPARISONS(bits)                                                                     \
    LEAN_LOAD(op_cmp_ge_##bits##m, bits, sub_##bits(cpu, reg_get_##bits(cpu, i->reg), value);      \
              NEXT(cpu, i))                                                                        \
    LEAN_LOAD(op_cmp_eg_##bits##m, bits, sub_##bits(cpu, value, reg_get_##bits(cpu, i->reg));      \
              NEXT(cpu, i))                                                                        \
    LEAN_LOAD(op_cmp_ei_##bits##m, bits, sub_##bits(cpu, value, (uint##bits##_t)i->imm);           \
              NEXT(cpu, i))                                                                        \
    LEAN_LOAD(op_test_ei_##bits##m, bits, and_##bits(cpu, value, (uint##bits##_t)i->imm);          \
              NEXT(cpu, i))
#define LEAN_WIDE(bits)                                                                            \
    LEAN_TO_REGISTER(add, bits)                                                                    \
    LEAN_TO_REGISTER(sub, bits)                                                                    \
    LEAN_TO_REGISTER(and, bits)                                                                    \
    LEAN_TO_REGISTER(or, bits)                                                                     \
    LEAN_TO_REGISTER(xor, bits)                                                                    \
    LEAN_COMPARISONS(bits)
LEAN_COMPARISONS(8)
LEAN_WIDE(32)
LEAN_WIDE(64)

/* EFLAGS.ZF alone changes. */
static void set_zf(struct cpu *cpu, bool zf)
{
    uint32_t flags = flags_arithmetic(cpu) & ~EFLAGS_ZF;
    flags_set_arithmetic(cpu, flags | (zf ? EFLAGS_ZF : 0));
}

static void op_cmpxchg8b(struct cpu *cpu, const struct insn *i)
{
    uint64_t expected = (uint64_t)reg_get_32(cpu, RDX) << 32 | reg_get_32(cpu, RAX);
    uint64_t wanted = (uint64_t)reg_get_32(cpu, RCX) << 32 | reg_get_32(cpu, RBX), old;
    MODIFY(cpu, i, 64, value, result, old = value; result = value == expected ? wanted : value);
    if (old != expected) {
        reg_set_32(cpu, RAX, (uint32_t)old);
        reg_set_32(cpu, RDX, (uint32_t)(old >> 32));
    }
    set_zf(cpu, old == expected);
    NEXT(cpu, i);
}

static void op_cmpxchg16b(struct cpu *cpu, const struct insn *i)
{
    uint64_t address = insn_address(cpu, i, 16, true);
    if (address & 15)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    mmu_probe_write(cpu, i, address, 16);
    uint64_t low = load64(cpu, i, address), high = load64(cpu, i, address + 8);
    bool equal = low == cpu->gpr[RAX] && high == cpu->gpr[RDX];
    store64(cpu, i, address, equal ? cpu->gpr[RBX] : low);
    store64(cpu, i, address + 8, equal ? cpu->gpr[RCX] : high);
    if (!equal) {
        cpu->gpr[RAX] = low;
        cpu->gpr[RDX] = high;
    }
    set_zf(cpu, equal);
    NEXT(cpu, i);
}

#define LOGIC_FLAGS (ALL_FLAGS & ~EFLAGS_AF), EFLAGS_AF, 0
#define CARRY_FLAGS ALL_FLAGS, 0, EFLAGS_CF
#define COUNT_FLAGS (ALL_FLAGS & ~EFLAGS_CF), 0, 0

/* The eight operations of the classic pattern: opcodes n, 80 to 83. */
#define CLASSIC(name, op, o0, o1, o2, o3, o4, o5, digit, flags, lock)                              \
    {name, o0 " /r", "Eb,Gb", FN_BYTE(op_##op##_eg), flags, FEATURE_BASE, (lock) | FORM_BYTE},     \
    {name, o1 " /r", "Ev,Gv", FN_SIZES(op_##op##_eg), flags, FEATURE_BASE, lock},                  \
    {name, o2 " /r", "Gb,Eb", FN_BYTE(op_##op##_ge), flags, FEATURE_BASE, FORM_BYTE},              \
    {name, o3 " /r", "Gv,Ev", FN_SIZES(op_##op##_ge), flags, FEATURE_BASE, 0},                     \
    {name, o4, "AL,Ib", FN_BYTE(op_##op##_ei), flags, FEATURE_BASE, FORM_BYTE},                    \
    {name, o5, "rAX,Iz", FN_SIZES(op_##op##_ei), flags, FEATURE_BASE, 0},                          \
    {name, "80 " digit, "Eb,Ib", FN_BYTE(op_##op##_ei), flags, FEATURE_BASE, (lock) | FORM_BYTE},  \
    {name, "81 " digit, "Ev,Iz", FN_SIZES(op_##op##_ei), flags, FEATURE_BASE, lock},               \
    {name, "82 " digit, "Eb,Ib", FN_BYTE(op_##op##_ei), flags, FEATURE_BASE,                       \
     (lock) | FORM_BYTE | FORM_NO64},                                                              \
    {name, "83 " digit, "Ev,Ibs", FN_SIZES(op_##op##_ei), flags, FEATURE_BASE, lock}

#define UNARY(name, op, byte, wide, flags)                                                         \
    {name, byte, "Eb", FN_BYTE(op_##op), flags, FEATURE_BASE, FORM_LOCK | FORM_BYTE},              \
    {name, wide, "Ev", FN_SIZES(op_##op), flags, FEATURE_BASE, FORM_LOCK}

static const struct form forms[] = {
    CLASSIC("add", add, "00", "01", "02", "03", "04", "05", "/0", SETS(ALL_FLAGS), FORM_LOCK),
    CLASSIC("or", or, "08", "09", "0A", "0B", "0C", "0D", "/1", LOGIC_FLAGS, FORM_LOCK),
    CLASSIC("adc", adc, "10", "11", "12", "13", "14", "15", "/2", CARRY_FLAGS, FORM_LOCK),
    CLASSIC("sbb", sbb, "18", "19", "1A", "1B", "1C", "1D", "/3", CARRY_FLAGS, FORM_LOCK),
    CLASSIC("and", and, "20", "21", "22", "23", "24", "25", "/4", LOGIC_FLAGS, FORM_LOCK),
    CLASSIC("sub", sub, "28", "29", "2A", "2B", "2C", "2D", "/5", SETS(ALL_FLAGS), FORM_LOCK),
    CLASSIC("xor", xor, "30", "31", "32", "33", "34", "35", "/6", LOGIC_FLAGS, FORM_LOCK),
    CLASSIC("cmp", cmp, "38", "39", "3A", "3B", "3C", "3D", "/7", SETS(ALL_FLAGS), 0),
    {"test", "84 /r", "Eb,Gb", FN_BYTE(op_test_eg), LOGIC_FLAGS, FEATURE_BASE, FORM_BYTE},
    {"test", "85 /r", "Ev,Gv", FN_SIZES(op_test_eg), LOGIC_FLAGS, FEATURE_BASE, 0},
    {"test", "A8", "AL,Ib", FN_BYTE(op_test_ei), LOGIC_FLAGS, FEATURE_BASE, FORM_BYTE},
    {"test", "A9", "rAX,Iz", FN_SIZES(op_test_ei), LOGIC_FLAGS, FEATURE_BASE, 0},
    {"test", "F6 /0", "Eb,Ib", FN_BYTE(op_test_ei), LOGIC_FLAGS, FEATURE_BASE, FORM_BYTE},
    {"test", "F7 /0", "Ev,Iz", FN_SIZES(op_test_ei), LOGIC_FLAGS, FEATURE_BASE, 0},
    {"test", "F6 /1", "Eb,Ib", FN_BYTE(op_test_ei), LOGIC_FLAGS, FEATURE_BASE, FORM_BYTE},
    {"test", "F7 /1", "Ev,Iz", FN_SIZES(op_test_ei), LOGIC_FLAGS, FEATURE_BASE, 0},
    UNARY("not", not, "F6 /2", "F7 /2", NO_FLAGS),
    UNARY("neg", neg, "F6 /3", "F7 /3", SETS(ALL_FLAGS)),
    UNARY("inc", inc, "FE /0", "FF /0", COUNT_FLAGS),
    UNARY("dec", dec, "FE /1", "FF /1", COUNT_FLAGS),
    {"inc", "40 +r", "Zv", FN_SIZES(op_inc), COUNT_FLAGS, FEATURE_BASE, FORM_NO64},
    {"dec", "48 +r", "Zv", FN_SIZES(op_dec), COUNT_FLAGS, FEATURE_BASE, FORM_NO64},
    {"cmpxchg", "0F B0 /r", "Eb,Gb", FN_BYTE(op_cmpxchg), SETS(ALL_FLAGS), FEATURE_BASE,
     FORM_LOCK | FORM_BYTE},
    {"cmpxchg", "0F B1 /r", "Ev,Gv", FN_SIZES(op_cmpxchg), SETS(ALL_FLAGS), FEATURE_BASE,
     FORM_LOCK},
    {"xadd", "0F C0 /r", "Eb,Gb", FN_BYTE(op_xadd), SETS(ALL_FLAGS), FEATURE_BASE,
     FORM_LOCK | FORM_BYTE},
    {"xadd", "0F C1 /r", "Ev,Gv", FN_SIZES(op_xadd), SETS(ALL_FLAGS), FEATURE_BASE, FORM_LOCK},
    {"cmpxchg8b", "0F C7 /1 W0", "Mq", FN_ALL(op_cmpxchg8b), SETS(EFLAGS_ZF), FEATURE_BASE,
     FORM_LOCK},
    {"cmpxchg16b", "0F C7 /1 W1", "Mdq", FN_ALL(op_cmpxchg16b), SETS(EFLAGS_ZF), FEATURE_CX16,
     FORM_LOCK},
};

const struct form_table forms_arith = { forms, ROW_COUNT(forms) };

#define LEAN_COMPARISON_ROWS(bits)                                                                 \
    LEAN_ROW(op_cmp_ge_##bits##m), LEAN_ROW(op_cmp_eg_##bits##m), LEAN_ROW(op_cmp_ei_##bits##m),   \
        LEAN_ROW(op_test_ei_##bits##m)
#define LEAN_WIDE_ROWS(bits)                                                                       \
    LEAN_COMPARISON_ROWS(bits), LEAN_ROW(op_add_ge_##bits##m), LEAN_ROW(op_sub_ge_##bits##m),      \
        LEAN_ROW(op_and_ge_##bits##m), LEAN_ROW(op_or_ge_##bits##m),                               \
        LEAN_ROW(op_xor_ge_##bits##m)

static const struct lean_row lean_rows[] = {
    LEAN_COMPARISON_ROWS(8),
    LEAN_WIDE_ROWS(32),
    LEAN_WIDE_ROWS(64),
};

const struct lean_table lean_arith = LEAN_ROWS(lean_rows);
