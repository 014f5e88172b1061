/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Decimal adjustments: DAA DAS AAA AAS AAM AAD, all invalid in 64-bit mode (APM 3, chapter 3). */
#include "machine/cpu/ops.h"

static uint32_t image_of(uint8_t result)
{
    return (result ? 0 : EFLAGS_ZF) | (result & 0x80 ? EFLAGS_SF : 0) |
           (__builtin_parity(result) ? 0 : EFLAGS_PF);
}

static void adjust_packed(struct cpu *cpu, bool subtract)
{
    uint32_t old = flags_arithmetic(cpu);
    uint8_t al = reg_get_8(cpu, 0), before = al;
    bool cf = old & EFLAGS_CF, high = before > 0x99 || cf, low = (al & 15) > 9 || (old & EFLAGS_AF);
    bool carry = false;
    if (low) {
        carry = cf || (subtract ? al < 6 : al > 0xF9);
        al = (uint8_t)(subtract ? al - 6 : al + 6);
    }
    if (high) {
        al = (uint8_t)(subtract ? al - 0x60 : al + 0x60);
        carry = true;
    }
    reg_set_8(cpu, 0, al);
    flags_set_arithmetic(cpu, image_of(al) | (carry ? EFLAGS_CF : 0) | (low ? EFLAGS_AF : 0));
}

static void adjust_unpacked(struct cpu *cpu, bool subtract)
{
    uint16_t ax = reg_get_16(cpu, RAX);
    bool adjust = (ax & 15) > 9 || (flags_arithmetic(cpu) & EFLAGS_AF);
    if (adjust)
        ax = (uint16_t)(subtract ? ax - 0x106 : ax + 0x106);
    ax &= 0xFF0F;
    reg_set_16(cpu, RAX, ax);
    flags_set_arithmetic(cpu,
                         image_of((uint8_t)ax) | (adjust ? EFLAGS_CF | EFLAGS_AF : 0));
}

static void op_daa(struct cpu *cpu, const struct insn *i)
{
    adjust_packed(cpu, false);
    NEXT(cpu, i);
}

static void op_das(struct cpu *cpu, const struct insn *i)
{
    adjust_packed(cpu, true);
    NEXT(cpu, i);
}

static void op_aaa(struct cpu *cpu, const struct insn *i)
{
    adjust_unpacked(cpu, false);
    NEXT(cpu, i);
}

static void op_aas(struct cpu *cpu, const struct insn *i)
{
    adjust_unpacked(cpu, true);
    NEXT(cpu, i);
}

static void op_aam(struct cpu *cpu, const struct insn *i)
{
    uint8_t base = (uint8_t)i->imm, al = reg_get_8(cpu, 0);
    if (!base)
        cpu_raise(cpu, i, VECTOR_DE);
    reg_set_8(cpu, 1, al / base);
    reg_set_8(cpu, 0, al % base);
    flags_set_arithmetic(cpu, image_of(al % base));
    NEXT(cpu, i);
}

static void op_aad(struct cpu *cpu, const struct insn *i)
{
    uint8_t al = (uint8_t)(reg_get_8(cpu, 0) + reg_get_8(cpu, 1) * i->imm);
    reg_set_16(cpu, RAX, al);
    flags_set_arithmetic(cpu, image_of(al));
    NEXT(cpu, i);
}

#define RESULT (EFLAGS_SF | EFLAGS_ZF | EFLAGS_PF)
#define CARRY  (EFLAGS_CF | EFLAGS_AF)

static const struct form forms[] = {
    { "daa", "27", "", FN_ALL(op_daa), RESULT | CARRY, EFLAGS_OF, CARRY, FEATURE_BASE, FORM_NO64 },
    { "das", "2F", "", FN_ALL(op_das), RESULT | CARRY, EFLAGS_OF, CARRY, FEATURE_BASE, FORM_NO64 },
    { "aaa", "37", "", FN_ALL(op_aaa), CARRY, RESULT | EFLAGS_OF, EFLAGS_AF, FEATURE_BASE,
      FORM_NO64 },
    { "aas", "3F", "", FN_ALL(op_aas), CARRY, RESULT | EFLAGS_OF, EFLAGS_AF, FEATURE_BASE,
      FORM_NO64 },
    { "aam", "D4", "Ib", FN_ALL(op_aam), RESULT, CARRY | EFLAGS_OF, 0, FEATURE_BASE, FORM_NO64 },
    { "aad", "D5", "Ib", FN_ALL(op_aad), RESULT, CARRY | EFLAGS_OF, 0, FEATURE_BASE, FORM_NO64 },
};

const struct form_table forms_bcd = { forms, ROW_COUNT(forms) };
