/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Bits and byte order: BT BTS BTR BTC BSF BSR POPCNT BSWAP MOVBE (APM 3, chapter 3). */
#include "machine/cpu/ops.h"

/* BT and its kin set CF; the others are undefined and kept. */
static inline void set_cf(struct cpu *cpu, bool cf)
{
    uint32_t keep = flags_arithmetic(cpu) & ~EFLAGS_CF;
    flags_set_arithmetic(cpu, keep | (cf ? EFLAGS_CF : 0));
}

static inline void set_zf(struct cpu *cpu, bool zf)
{
    uint32_t keep = flags_arithmetic(cpu) & ~EFLAGS_ZF;
    flags_set_arithmetic(cpu, keep | (zf ? EFLAGS_ZF : 0));
}

#define BIT_bt(value, mask)  (value)
#define BIT_bts(value, mask) ((value) | (mask))
#define BIT_btr(value, mask) ((value) & ~(mask))
#define BIT_btc(value, mask) ((value) ^ (mask))

/*
 * Address of the word that holds bit `offset` (signed) of a bit string in memory. The offset is
 * added before the wrap to the address size and the segment checks.
 */
static uint64_t bit_address(struct cpu *cpu, const struct insn *i, int64_t words, unsigned size,
                            bool write)
{
    int64_t bytes = words * (int64_t)size;
    if (!(i->flags & INSN_SLOW_EA))
        return insn_address(cpu, i, size, write) + (uint64_t)bytes;
    uint64_t offset = insn_effective_address(cpu, i) + (uint64_t)bytes;
    if (i->flags & INSN_ADDR16)
        offset = (uint16_t)offset;
    else if (i->flags2 & INSN_ADDR32)
        offset = (uint32_t)offset;
    return segment_address(cpu, i, i->seg, offset, size, write);
}

#define DEFINE_BIT(name, bits, writes)                                                             \
    INLINE void name##_at_##bits(struct cpu *cpu, const struct insn *i, uint64_t at, unsigned bit) \
    {                                                                                              \
        uint##bits##_t mask = (uint##bits##_t)((uint##bits##_t)1 << (bit & (bits - 1)));           \
        if (writes)                                                                                \
            mmu_probe_write(cpu, i, at, bits / 8);                                                 \
        uint##bits##_t value = load##bits(cpu, i, at);                                             \
        if (writes)                                                                                \
            store##bits(cpu, i, at, (uint##bits##_t)BIT_##name(value, mask));                      \
        set_cf(cpu, value & mask);                                                                 \
    }                                                                                              \
    INLINE void name##_reg_##bits(struct cpu *cpu, const struct insn *i, unsigned bit)             \
    {                                                                                              \
        uint##bits##_t mask = (uint##bits##_t)((uint##bits##_t)1 << (bit & (bits - 1)));           \
        uint##bits##_t value = reg_get_##bits(cpu, i->rm);                                         \
        if (writes)                                                                                \
            reg_set_##bits(cpu, i->rm, (uint##bits##_t)BIT_##name(value, mask));                   \
        set_cf(cpu, value & mask);                                                                 \
    }                                                                                              \
    static void op_##name##_eg_##bits##r(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        name##_reg_##bits(cpu, i, (unsigned)cpu->gpr[i->reg]);                                     \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_eg_##bits##m(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        int64_t offset = (signed_##bits)reg_get_##bits(cpu, i->reg);                               \
        uint64_t at = bit_address(cpu, i, offset >> (LOG2_##bits + 3), bits / 8, writes);          \
        name##_at_##bits(cpu, i, at, (unsigned)offset);                                            \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_ei_##bits##r(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        name##_reg_##bits(cpu, i, (unsigned)i->imm);                                               \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_ei_##bits##m(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        name##_at_##bits(cpu, i, insn_address(cpu, i, bits / 8, writes), (unsigned)i->imm);        \
        NEXT(cpu, i);                                                                              \
    }

/* BSF and BSR of zero leave the destination as it is (AMD: APM 3). */
#define DEFINE_SCAN(bits)                                                                          \
    INLINE void bsf_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t value)            \
    {                                                                                              \
        if (value)                                                                                 \
            reg_set_##bits(cpu, i->reg, (uint##bits##_t)__builtin_ctzll(value));                   \
        set_zf(cpu, !value);                                                                       \
    }                                                                                              \
    INLINE void bsr_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t value)            \
    {                                                                                              \
        if (value)                                                                                 \
            reg_set_##bits(cpu, i->reg, (uint##bits##_t)(63 - __builtin_clzll(value)));            \
        set_zf(cpu, !value);                                                                       \
    }                                                                                              \
    INLINE void popcnt_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t value)         \
    {                                                                                              \
        reg_set_##bits(cpu, i->reg, (uint##bits##_t)__builtin_popcountll(value));                  \
        flags_set_arithmetic(cpu, value ? 0 : EFLAGS_ZF);                                          \
    }                                                                                              \
    INLINE void lzcnt_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t value)          \
    {                                                                                              \
        unsigned count = value ? (unsigned)__builtin_clzll(value) - (64 - bits) : bits;            \
        reg_set_##bits(cpu, i->reg, (uint##bits##_t)count);                                        \
        flags_set_arithmetic(cpu, (value ? 0 : EFLAGS_CF) | (count ? 0 : EFLAGS_ZF));              \
    }

#define DEFINE_GE(name, bits)                                                                      \
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

#define DEFINE_MOVBE(bits)                                                                         \
    static void op_movbe_load_##bits##m(struct cpu *cpu, const struct insn *i)                     \
    {                                                                                              \
        reg_set_##bits(cpu, i->reg, __builtin_bswap##bits(LOAD_E(cpu, i, bits)));                  \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_movbe_store_##bits##m(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        STORE_E(cpu, i, bits, __builtin_bswap##bits(reg_get_##bits(cpu, i->reg)));                 \
        NEXT(cpu, i);                                                                              \
    }

#define DEFINE_ALL(bits)                                                                           \
    DEFINE_BIT(bt, bits, false)                                                                    \
    DEFINE_BIT(bts, bits, true)                                                                    \
    DEFINE_BIT(btr, bits, true)                                                                    \
    DEFINE_BIT(btc, bits, true)                                                                    \
    DEFINE_SCAN(bits)                                                                              \
    DEFINE_GE(bsf, bits)                                                                           \
    DEFINE_GE(bsr, bits)                                                                           \
    DEFINE_GE(lzcnt, bits)                                                                         \
    DEFINE_GE(popcnt, bits)                                                                        \
    DEFINE_MOVBE(bits)

DEFINE_ALL(16)
DEFINE_ALL(32)
DEFINE_ALL(64)

/* BSWAP of 16 bits is undefined; processors clear the register's low half. */
static void op_bswap_16r(struct cpu *cpu, const struct insn *i)
{
    reg_set_16(cpu, i->rm, 0);
    NEXT(cpu, i);
}

static void op_bswap_32r(struct cpu *cpu, const struct insn *i)
{
    reg_set_32(cpu, i->rm, __builtin_bswap32(reg_get_32(cpu, i->rm)));
    NEXT(cpu, i);
}

static void op_bswap_64r(struct cpu *cpu, const struct insn *i)
{
    cpu->gpr[i->rm] = __builtin_bswap64(cpu->gpr[i->rm]);
    NEXT(cpu, i);
}

/* Additions whose carry is CF or OF and which leave the other flags alone. */
#define DEFINE_ADX(name, flag, bits)                                                               \
    INLINE void name##_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t value)         \
    {                                                                                              \
        uint32_t flags = flags_arithmetic(cpu);                                                    \
        uint##bits##_t sum = 0;                                                                    \
        bool carry = __builtin_add_overflow(reg_get_##bits(cpu, i->reg), value, &sum);             \
        carry |= __builtin_add_overflow(sum, (uint##bits##_t) !!(flags & (flag)), &sum);           \
        reg_set_##bits(cpu, i->reg, sum);                                                          \
        flags_set_arithmetic(cpu, (flags & ~(flag)) | (carry ? (flag) : 0));                       \
    }                                                                                              \
    DEFINE_GE(name, bits)
DEFINE_ADX(adcx, EFLAGS_CF, 32)
DEFINE_ADX(adcx, EFLAGS_CF, 64)
DEFINE_ADX(adox, EFLAGS_OF, 32)
DEFINE_ADX(adox, EFLAGS_OF, 64)
#define DWORD_SIZES(f)                                                                             \
    {                                                                                              \
        { NULL, f##_32r, f##_32r, f##_64r }, { NULL, f##_32m, f##_32m, f##_64m }                   \
    }

#define BIT_FLAGS  EFLAGS_CF, (ALL_FLAGS & ~(EFLAGS_CF | EFLAGS_ZF)), 0
#define SCAN_FLAGS EFLAGS_ZF, (ALL_FLAGS & ~EFLAGS_ZF), 0
#define MEMORY_SIZES(f)                                                                            \
    {                                                                                              \
        { NULL }, { NULL, f##_16m, f##_32m, f##_64m }                                              \
    }

static const struct form forms[] = {
    {"bt", "0F A3 /r", "Ev,Gv", FN_SIZES(op_bt_eg), BIT_FLAGS, FEATURE_BASE, 0},
    {"bts", "0F AB /r", "Ev,Gv", FN_SIZES(op_bts_eg), BIT_FLAGS, FEATURE_BASE, FORM_LOCK},
    {"btr", "0F B3 /r", "Ev,Gv", FN_SIZES(op_btr_eg), BIT_FLAGS, FEATURE_BASE, FORM_LOCK},
    {"btc", "0F BB /r", "Ev,Gv", FN_SIZES(op_btc_eg), BIT_FLAGS, FEATURE_BASE, FORM_LOCK},
    {"bt", "0F BA /4", "Ev,Ib", FN_SIZES(op_bt_ei), BIT_FLAGS, FEATURE_BASE, 0},
    {"bts", "0F BA /5", "Ev,Ib", FN_SIZES(op_bts_ei), BIT_FLAGS, FEATURE_BASE, FORM_LOCK},
    {"btr", "0F BA /6", "Ev,Ib", FN_SIZES(op_btr_ei), BIT_FLAGS, FEATURE_BASE, FORM_LOCK},
    {"btc", "0F BA /7", "Ev,Ib", FN_SIZES(op_btc_ei), BIT_FLAGS, FEATURE_BASE, FORM_LOCK},
    {"bsf", "0F BC /r", "Gv,Ev", FN_SIZES(op_bsf), SCAN_FLAGS, FEATURE_BASE, 0},
    {"bsr", "0F BD /r", "Gv,Ev", FN_SIZES(op_bsr), SCAN_FLAGS, FEATURE_BASE, 0},
    {"popcnt", "F3 0F B8 /r", "Gv,Ev", FN_SIZES(op_popcnt), SETS(ALL_FLAGS), FEATURE_POPCNT, 0},
    {"lzcnt", "F3 0F BD /r", "Gv,Ev", FN_SIZES(op_lzcnt), EFLAGS_CF | EFLAGS_ZF,
     ALL_FLAGS & ~(EFLAGS_CF | EFLAGS_ZF), 0, FEATURE_LZCNT, 0},
    {"adcx", "66 0F 38 F6 /r", "Gy,Ey", DWORD_SIZES(op_adcx), EFLAGS_CF, 0, EFLAGS_CF,
     FEATURE_ADX, 0},
    {"adox", "F3 0F 38 F6 /r", "Gy,Ey", DWORD_SIZES(op_adox), EFLAGS_OF, 0, EFLAGS_OF,
     FEATURE_ADX, 0},
    {"bswap", "0F C8 +r", "Zv", { { NULL, op_bswap_16r, op_bswap_32r, op_bswap_64r } }, NO_FLAGS,
     FEATURE_BASE, 0},
    {"movbe", "NR 0F 38 F0 /r", "Gv,Mv", MEMORY_SIZES(op_movbe_load), NO_FLAGS, FEATURE_MOVBE, 0},
    {"movbe", "NR 0F 38 F1 /r", "Mv,Gv", MEMORY_SIZES(op_movbe_store), NO_FLAGS, FEATURE_MOVBE, 0},
};

const struct form_table forms_bit = { forms, ROW_COUNT(forms) };
