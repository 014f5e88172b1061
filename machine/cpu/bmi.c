/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * BMI1 and BMI2 (APM 3, chapter 3): bit fields, lowest set bits, and shifts and a multiplication
 * that leave the flags alone. Nearly all of them sit behind a VEX prefix and have three operands.
 */
#include "machine/cpu/ops.h"

/* The flags of results that the manuals define: SF and ZF, CF as given, OF clear. */
INLINE void set_result_flags(struct cpu *cpu, bool sign, bool zero, bool carry)
{
    flags_set_arithmetic(cpu, (sign ? EFLAGS_SF : 0) | (zero ? EFLAGS_ZF : 0) |
                                  (carry ? EFLAGS_CF : 0));
}

INLINE uint64_t deposit(uint64_t value, uint64_t mask)
{
    uint64_t result = 0;
    for (; mask; mask &= mask - 1, value >>= 1)
        result |= value & 1 ? mask & (0 - mask) : 0;
    return result;
}

INLINE uint64_t extract(uint64_t value, uint64_t mask)
{
    uint64_t result = 0;
    for (unsigned n = 0; mask; mask &= mask - 1, n++)
        result |= value & mask & (0 - mask) ? 1ull << n : 0;
    return result;
}

/*
 * name##_bits(cpu, i, e): the work, `e` being the E operand. SIGN is the top bit; B the register of
 * VEX.vvvv; G the one of ModRM.reg.
 */
#define DEFINE_WORK(bits)                                                                          \
    INLINE bool sign_##bits(uint##bits##_t value)                                                  \
    {                                                                                              \
        return value >> (bits - 1);                                                                \
    }                                                                                              \
    INLINE uint##bits##_t vvvv_##bits(const struct cpu *cpu, const struct insn *i)                 \
    {                                                                                              \
        return reg_get_##bits(cpu, insn_vvvv(i));                                                  \
    }                                                                                              \
    INLINE void andn_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)               \
    {                                                                                              \
        uint##bits##_t result = ~vvvv_##bits(cpu, i) & e;                                          \
        reg_set_##bits(cpu, i->reg, result);                                                       \
        set_result_flags(cpu, sign_##bits(result), !result, false);                                \
    }                                                                                              \
    INLINE void bextr_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)              \
    {                                                                                              \
        unsigned control = (uint16_t)vvvv_##bits(cpu, i);                                          \
        unsigned start = control & 0xFF, length = control >> 8;                                    \
        uint##bits##_t result = start < bits ? e >> start : 0;                                     \
        if (length < bits)                                                                         \
            result &= (uint##bits##_t)(((uint##bits##_t)1 << length) - 1);                         \
        reg_set_##bits(cpu, i->reg, result);                                                       \
        set_result_flags(cpu, false, !result, false);                                              \
    }                                                                                              \
    INLINE void blsi_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)               \
    {                                                                                              \
        uint##bits##_t result = e & (0 - e);                                                       \
        reg_set_##bits(cpu, insn_vvvv(i), result);                                                 \
        set_result_flags(cpu, sign_##bits(result), !result, e);                                    \
    }                                                                                              \
    INLINE void blsmsk_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)             \
    {                                                                                              \
        uint##bits##_t result = e ^ (e - 1);                                                       \
        reg_set_##bits(cpu, insn_vvvv(i), result);                                                 \
        set_result_flags(cpu, sign_##bits(result), false, !e);                                     \
    }                                                                                              \
    INLINE void blsr_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)               \
    {                                                                                              \
        uint##bits##_t result = e & (e - 1);                                                       \
        reg_set_##bits(cpu, insn_vvvv(i), result);                                                 \
        set_result_flags(cpu, sign_##bits(result), !result, !e);                                   \
    }                                                                                              \
    INLINE void bzhi_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)               \
    {                                                                                              \
        unsigned index = (uint8_t)vvvv_##bits(cpu, i);                                             \
        if (index < bits)                                                                          \
            e &= ((uint##bits##_t)1 << index) - 1;                                                 \
        reg_set_##bits(cpu, i->reg, e);                                                            \
        set_result_flags(cpu, sign_##bits(e), !e, index >= bits);                                  \
    }                                                                                              \
    INLINE void pdep_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)               \
    {                                                                                              \
        reg_set_##bits(cpu, i->reg, (uint##bits##_t)deposit(vvvv_##bits(cpu, i), e));              \
    }                                                                                              \
    INLINE void pext_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)               \
    {                                                                                              \
        reg_set_##bits(cpu, i->reg, (uint##bits##_t)extract(vvvv_##bits(cpu, i), e));              \
    }                                                                                              \
    INLINE void rorx_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)               \
    {                                                                                              \
        unsigned count = (unsigned)i->imm & (bits - 1);                                            \
        uint##bits##_t result = count ? e >> count | e << (bits - count) : e;                      \
        reg_set_##bits(cpu, i->reg, result);                                                       \
    }                                                                                              \
    INLINE void sarx_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)               \
    {                                                                                              \
        unsigned count = (unsigned)vvvv_##bits(cpu, i) & (bits - 1);                               \
        reg_set_##bits(cpu, i->reg, (uint##bits##_t)((signed_##bits)e >> count));                  \
    }                                                                                              \
    INLINE void shlx_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)               \
    {                                                                                              \
        reg_set_##bits(cpu, i->reg, e << ((unsigned)vvvv_##bits(cpu, i) & (bits - 1)));            \
    }                                                                                              \
    INLINE void shrx_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)               \
    {                                                                                              \
        reg_set_##bits(cpu, i->reg, e >> ((unsigned)vvvv_##bits(cpu, i) & (bits - 1)));            \
    }
DEFINE_WORK(32)
DEFINE_WORK(64)

/* The product's high half goes last: it wins if both destinations are one register. */
INLINE void mulx_32(struct cpu *cpu, const struct insn *i, uint32_t e)
{
    uint64_t product = (uint64_t)e * (uint32_t)cpu->gpr[RDX];
    cpu->gpr[insn_vvvv(i)] = (uint32_t)product;
    cpu->gpr[i->reg] = product >> 32;
}

INLINE void mulx_64(struct cpu *cpu, const struct insn *i, uint64_t e)
{
    __extension__ unsigned __int128 product = (unsigned __int128)e * cpu->gpr[RDX];
    cpu->gpr[insn_vvvv(i)] = (uint64_t)product;
    cpu->gpr[i->reg] = (uint64_t)(product >> 64);
}

#define DEFINE_TZCNT(bits)                                                                         \
    INLINE void tzcnt_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t e)              \
    {                                                                                              \
        unsigned count = e ? (unsigned)__builtin_ctzll(e) : bits;                                  \
        reg_set_##bits(cpu, i->reg, (uint##bits##_t)count);                                        \
        flags_set_arithmetic(cpu, (e ? 0 : EFLAGS_CF) | (count ? 0 : EFLAGS_ZF));                  \
    }
DEFINE_TZCNT(16)
DEFINE_TZCNT(32)
DEFINE_TZCNT(64)

#define DEFINE(name, bits)                                                                         \
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
#define DEFINE_BOTH(name) DEFINE(name, 32) DEFINE(name, 64)
DEFINE_BOTH(andn)
DEFINE_BOTH(bextr)
DEFINE_BOTH(blsi)
DEFINE_BOTH(blsmsk)
DEFINE_BOTH(blsr)
DEFINE_BOTH(bzhi)
DEFINE_BOTH(mulx)
DEFINE_BOTH(pdep)
DEFINE_BOTH(pext)
DEFINE_BOTH(rorx)
DEFINE_BOTH(sarx)
DEFINE_BOTH(shlx)
DEFINE_BOTH(shrx)
DEFINE(tzcnt, 16)
DEFINE_BOTH(tzcnt)

#define WIDE(f)                                                                                    \
    {                                                                                              \
        {NULL, NULL, f##_32r, f##_64r}, {NULL, NULL, f##_32m, f##_64m}                             \
    }
#define RESULT_FLAGS ALL_FLAGS & ~(EFLAGS_AF | EFLAGS_PF), EFLAGS_AF | EFLAGS_PF, 0
#define FIELD_FLAGS                                                                                \
    EFLAGS_ZF | EFLAGS_CF | EFLAGS_OF, EFLAGS_SF | EFLAGS_AF | EFLAGS_PF, 0

static const struct form forms[] = {
    {"tzcnt", "F3 0F BC /r", "Gv,Ev", FN_SIZES(op_tzcnt), EFLAGS_CF | EFLAGS_ZF,
     ALL_FLAGS & ~(EFLAGS_CF | EFLAGS_ZF), 0, FEATURE_BMI1, 0},
    {"andn", "VEX L0 NP 0F 38 F2 /r", "Gy,By,Ey", WIDE(op_andn), RESULT_FLAGS, FEATURE_BMI1, 0},
    {"bextr", "VEX L0 NP 0F 38 F7 /r", "Gy,Ey,By", WIDE(op_bextr), FIELD_FLAGS, FEATURE_BMI1, 0},
    {"blsr", "VEX L0 NP 0F 38 F3 /1", "By,Ey", WIDE(op_blsr), RESULT_FLAGS, FEATURE_BMI1, 0},
    {"blsmsk", "VEX L0 NP 0F 38 F3 /2", "By,Ey", WIDE(op_blsmsk), RESULT_FLAGS, FEATURE_BMI1, 0},
    {"blsi", "VEX L0 NP 0F 38 F3 /3", "By,Ey", WIDE(op_blsi), RESULT_FLAGS, FEATURE_BMI1, 0},
    {"bzhi", "VEX L0 NP 0F 38 F5 /r", "Gy,Ey,By", WIDE(op_bzhi), RESULT_FLAGS, FEATURE_BMI2, 0},
    {"mulx", "VEX L0 F2 0F 38 F6 /r", "Gy,By,Ey", WIDE(op_mulx), NO_FLAGS, FEATURE_BMI2, 0},
    {"pdep", "VEX L0 F2 0F 38 F5 /r", "Gy,By,Ey", WIDE(op_pdep), NO_FLAGS, FEATURE_BMI2, 0},
    {"pext", "VEX L0 F3 0F 38 F5 /r", "Gy,By,Ey", WIDE(op_pext), NO_FLAGS, FEATURE_BMI2, 0},
    {"rorx", "VEX L0 F2 0F 3A F0 /r", "Gy,Ey,Ib", WIDE(op_rorx), NO_FLAGS, FEATURE_BMI2, 0},
    {"sarx", "VEX L0 F3 0F 38 F7 /r", "Gy,Ey,By", WIDE(op_sarx), NO_FLAGS, FEATURE_BMI2, 0},
    {"shlx", "VEX L0 66 0F 38 F7 /r", "Gy,Ey,By", WIDE(op_shlx), NO_FLAGS, FEATURE_BMI2, 0},
    {"shrx", "VEX L0 F2 0F 38 F7 /r", "Gy,Ey,By", WIDE(op_shrx), NO_FLAGS, FEATURE_BMI2, 0},
};

const struct form_table forms_bmi = {forms, ROW_COUNT(forms)};
