/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Shifts and rotates: ROL ROR RCL RCR SHL SHR SAR SHLD SHRD (APM 3, chapter 3). A count of zero
 * changes no flag. OF is defined for a count of one only; for others it is computed the same way.
 */
#include "machine/cpu/ops.h"

/* Flags of a shift: SF ZF PF by the result, CF and OF given, AF clear (undefined). */
#define SHIFT_FLAGS(bits, r, cf, of)                                                               \
    flags_lazy(cpu, LAZY_OP(LAZY_RESULT, LOG2_##bits), (r),                                        \
               (uint64_t)(cf) | ((of) ? EFLAGS_OF : 0))

/* Rotates change CF and OF only. */
static inline void rotate_flags(struct cpu *cpu, bool cf, bool of)
{
    uint32_t keep = flags_arithmetic(cpu) & ~(EFLAGS_CF | EFLAGS_OF);
    flags_set_arithmetic(cpu, keep | (cf ? EFLAGS_CF : 0) | (of ? EFLAGS_OF : 0));
}

#define TOP(bits, value) ((value) >> ((bits) - 1) & 1)

/* `count` is masked to 5 or 6 bits and not zero. */
#define DEFINE_VALUES(bits, wide)                                                                  \
    INLINE uint##bits##_t shl_##bits(struct cpu *cpu, uint##bits##_t a, unsigned count)            \
    {                                                                                              \
        wide before = (wide)((wide)a << (count - 1));                                              \
        uint##bits##_t r = (uint##bits##_t)(before << 1);                                          \
        unsigned cf = TOP(bits, (uint##bits##_t)before);                                           \
        SHIFT_FLAGS(bits, r, cf, cf != TOP(bits, r));                                              \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t shr_##bits(struct cpu *cpu, uint##bits##_t a, unsigned count)            \
    {                                                                                              \
        wide before = (wide)((wide)a >> (count - 1));                                              \
        uint##bits##_t r = (uint##bits##_t)(before >> 1);                                          \
        SHIFT_FLAGS(bits, r, before & 1, TOP(bits, a));                                            \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t sar_##bits(struct cpu *cpu, uint##bits##_t a, unsigned count)            \
    {                                                                                              \
        int64_t before = (int64_t)(signed_##bits)a >> (count - 1);                                 \
        uint##bits##_t r = (uint##bits##_t)(before >> 1);                                          \
        SHIFT_FLAGS(bits, r, before & 1, 0);                                                       \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t rol_##bits(struct cpu *cpu, uint##bits##_t a, unsigned count)            \
    {                                                                                              \
        unsigned n = count & (bits - 1);                                                           \
        uint##bits##_t r = (uint##bits##_t)(n ? a << n | a >> (bits - n) : a);                     \
        rotate_flags(cpu, r & 1, (r & 1) != TOP(bits, r));                                         \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t ror_##bits(struct cpu *cpu, uint##bits##_t a, unsigned count)            \
    {                                                                                              \
        unsigned n = count & (bits - 1);                                                           \
        uint##bits##_t r = (uint##bits##_t)(n ? a >> n | a << (bits - n) : a);                     \
        rotate_flags(cpu, TOP(bits, r), TOP(bits, r) != (r >> (bits - 2) & 1));                    \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t rcl_##bits(struct cpu *cpu, uint##bits##_t a, unsigned count)            \
    {                                                                                              \
        unsigned n = count % (bits + 1);                                                           \
        unsigned __int128 x = (unsigned __int128)flag_cf(cpu) << bits | a;                         \
        if (n)                                                                                     \
            x = x << n | x >> (bits + 1 - n);                                                      \
        uint##bits##_t r = (uint##bits##_t)x;                                                      \
        bool cf = x >> bits & 1;                                                                   \
        rotate_flags(cpu, cf, cf != TOP(bits, r));                                                 \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t rcr_##bits(struct cpu *cpu, uint##bits##_t a, unsigned count)            \
    {                                                                                              \
        unsigned n = count % (bits + 1);                                                           \
        unsigned __int128 x = (unsigned __int128)flag_cf(cpu) << bits | a;                         \
        if (n)                                                                                     \
            x = x >> n | x << (bits + 1 - n);                                                      \
        uint##bits##_t r = (uint##bits##_t)x;                                                      \
        rotate_flags(cpu, x >> bits & 1, TOP(bits, r) != (r >> (bits - 2) & 1));                   \
        return r;                                                                                  \
    }

DEFINE_VALUES(8, uint64_t)
DEFINE_VALUES(16, uint64_t)
DEFINE_VALUES(32, uint64_t)
DEFINE_VALUES(64, uint64_t)

/* A zero count still checks that the destination can be written. */
#define DEFINE_SHIFT(name, bits)                                                                   \
    INLINE void name##_r_##bits(struct cpu *cpu, const struct insn *i, unsigned count)             \
    {                                                                                              \
        uint##bits##_t value = reg_get_##bits(cpu, i->rm);                                         \
        if (count)                                                                                 \
            value = name##_##bits(cpu, value, count);                                              \
        reg_set_##bits(cpu, i->rm, value);                                                         \
    }                                                                                              \
    INLINE void name##_m_##bits(struct cpu *cpu, const struct insn *i, unsigned count)             \
    {                                                                                              \
        MODIFY(cpu, i, bits, value, result,                                                        \
               result = count ? name##_##bits(cpu, value, count) : value);                         \
    }                                                                                              \
    static void op_##name##_ei_##bits##r(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        name##_r_##bits(cpu, i, i->imm & (bits == 64 ? 63 : 31));                                  \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_ei_##bits##m(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        name##_m_##bits(cpu, i, i->imm & (bits == 64 ? 63 : 31));                                  \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_ec_##bits##r(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        name##_r_##bits(cpu, i, cpu->gpr[RCX] & (bits == 64 ? 63 : 31));                           \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_ec_##bits##m(struct cpu *cpu, const struct insn *i)                    \
    {                                                                                              \
        name##_m_##bits(cpu, i, cpu->gpr[RCX] & (bits == 64 ? 63 : 31));                           \
        NEXT(cpu, i);                                                                              \
    }

#define DEFINE_ALL(bits)                                                                           \
    DEFINE_SHIFT(rol, bits)                                                                        \
    DEFINE_SHIFT(ror, bits)                                                                        \
    DEFINE_SHIFT(rcl, bits)                                                                        \
    DEFINE_SHIFT(rcr, bits)                                                                        \
    DEFINE_SHIFT(shl, bits)                                                                        \
    DEFINE_SHIFT(shr, bits)                                                                        \
    DEFINE_SHIFT(sar, bits)

DEFINE_ALL(8)
DEFINE_ALL(16)
DEFINE_ALL(32)
DEFINE_ALL(64)

/*
 * Double shifts. For 16 bits a count above 16 is undefined; here the destination and the source
 * then rotate through as one 48-bit string, the source repeated.
 */
#define DEFINE_DOUBLE(bits)                                                                        \
    INLINE uint##bits##_t shld_##bits(struct cpu *cpu, uint##bits##_t a, uint##bits##_t b,         \
                                      unsigned n)                                                  \
    {                                                                                              \
        if (!n)                                                                                    \
            return a;                                                                              \
        unsigned __int128 x = ((unsigned __int128)a << bits | b) << bits | a;                      \
        if (bits == 64)                                                                            \
            x = (unsigned __int128)a << 64 | b;                                                    \
        unsigned top = bits == 64 ? 128 : 3 * bits;                                                \
        uint##bits##_t r = (uint##bits##_t)(x << n >> (top - bits));                               \
        bool cf = x >> (top - n) & 1;                                                              \
        SHIFT_FLAGS(bits, r, cf, TOP(bits, r) != TOP(bits, a));                                    \
        return r;                                                                                  \
    }                                                                                              \
    INLINE uint##bits##_t shrd_##bits(struct cpu *cpu, uint##bits##_t a, uint##bits##_t b,         \
                                      unsigned n)                                                  \
    {                                                                                              \
        if (!n)                                                                                    \
            return a;                                                                              \
        unsigned __int128 x = (unsigned __int128)b << bits | a;                                    \
        if (bits == 16)                                                                            \
            x |= (unsigned __int128)a << 32;                                                       \
        uint##bits##_t r = (uint##bits##_t)(x >> n);                                               \
        bool cf = x >> (n - 1) & 1;                                                                \
        SHIFT_FLAGS(bits, r, cf, TOP(bits, r) != TOP(bits, a));                                    \
        return r;                                                                                  \
    }

DEFINE_DOUBLE(16)
DEFINE_DOUBLE(32)
DEFINE_DOUBLE(64)

#define DEFINE_DOUBLE_OPS(name, bits)                                                              \
    static void op_##name##_i_##bits##r(struct cpu *cpu, const struct insn *i)                     \
    {                                                                                              \
        uint##bits##_t a = reg_get_##bits(cpu, i->rm), b = reg_get_##bits(cpu, i->reg);            \
        reg_set_##bits(cpu, i->rm, name##_##bits(cpu, a, b, i->imm & (bits == 64 ? 63 : 31)));     \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_i_##bits##m(struct cpu *cpu, const struct insn *i)                     \
    {                                                                                              \
        MODIFY(cpu, i, bits, value, result,                                                        \
               result = name##_##bits(cpu, value, reg_get_##bits(cpu, i->reg),                     \
                                      i->imm & (bits == 64 ? 63 : 31)));                           \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_c_##bits##r(struct cpu *cpu, const struct insn *i)                     \
    {                                                                                              \
        uint##bits##_t a = reg_get_##bits(cpu, i->rm), b = reg_get_##bits(cpu, i->reg);            \
        unsigned n = cpu->gpr[RCX] & (bits == 64 ? 63 : 31);                                       \
        reg_set_##bits(cpu, i->rm, name##_##bits(cpu, a, b, n));                                   \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_c_##bits##m(struct cpu *cpu, const struct insn *i)                     \
    {                                                                                              \
        MODIFY(cpu, i, bits, value, result,                                                        \
               result = name##_##bits(cpu, value, reg_get_##bits(cpu, i->reg),                     \
                                      cpu->gpr[RCX] & (bits == 64 ? 63 : 31)));                    \
        NEXT(cpu, i);                                                                              \
    }

DEFINE_DOUBLE_OPS(shld, 16)
DEFINE_DOUBLE_OPS(shld, 32)
DEFINE_DOUBLE_OPS(shld, 64)
DEFINE_DOUBLE_OPS(shrd, 16)
DEFINE_DOUBLE_OPS(shrd, 32)
DEFINE_DOUBLE_OPS(shrd, 64)

#define ROTATE_1    (EFLAGS_CF | EFLAGS_OF), 0, 0
#define ROTATE_N    EFLAGS_CF, EFLAGS_OF, 0
#define THROUGH_1   (EFLAGS_CF | EFLAGS_OF), 0, EFLAGS_CF
#define THROUGH_N   EFLAGS_CF, EFLAGS_OF, EFLAGS_CF
#define SHIFT_1     (ALL_FLAGS & ~EFLAGS_AF), EFLAGS_AF, 0
#define SHIFT_N     (ALL_FLAGS & ~(EFLAGS_AF | EFLAGS_OF)), (EFLAGS_AF | EFLAGS_OF), 0
/* Counts at or beyond the width leave even CF undefined: 8 and 16 bits only. */
#define SHIFT_SHORT (EFLAGS_PF | EFLAGS_ZF | EFLAGS_SF), (EFLAGS_CF | EFLAGS_AF | EFLAGS_OF), 0

#define GROUP(name, op, digit, flags_1, flags_n, flags_b)                                          \
    {name, "C0 " digit, "Eb,Ib", FN_BYTE(op_##op##_ei), flags_b, FEATURE_BASE, FORM_BYTE},         \
    {name, "C1 " digit, "Ev,Ib", FN_SIZES(op_##op##_ei), flags_b, FEATURE_BASE, 0},                \
    {name, "D0 " digit, "Eb,1", FN_BYTE(op_##op##_ei), flags_1, FEATURE_BASE, FORM_BYTE},          \
    {name, "D1 " digit, "Ev,1", FN_SIZES(op_##op##_ei), flags_1, FEATURE_BASE, 0},                 \
    {name, "D2 " digit, "Eb,CL", FN_BYTE(op_##op##_ec), flags_b, FEATURE_BASE, FORM_BYTE},         \
    {name, "D3 " digit, "Ev,CL", FN_SIZES(op_##op##_ec), flags_b, FEATURE_BASE, 0}

static const struct form forms[] = {
    GROUP("rol", rol, "/0", ROTATE_1, ROTATE_N, ROTATE_N),
    GROUP("ror", ror, "/1", ROTATE_1, ROTATE_N, ROTATE_N),
    GROUP("rcl", rcl, "/2", THROUGH_1, THROUGH_N, THROUGH_N),
    GROUP("rcr", rcr, "/3", THROUGH_1, THROUGH_N, THROUGH_N),
    GROUP("shl", shl, "/4", SHIFT_1, SHIFT_N, SHIFT_SHORT),
    GROUP("shr", shr, "/5", SHIFT_1, SHIFT_N, SHIFT_SHORT),
    GROUP("shl", shl, "/6", SHIFT_1, SHIFT_N, SHIFT_SHORT),
    GROUP("sar", sar, "/7", SHIFT_1, SHIFT_N, SHIFT_N),
    {"shld", "0F A4 /r", "Ev,Gv,Ib", FN_SIZES(op_shld_i), SHIFT_SHORT, FEATURE_BASE, 0},
    {"shld", "0F A5 /r", "Ev,Gv,CL", FN_SIZES(op_shld_c), SHIFT_SHORT, FEATURE_BASE, 0},
    {"shrd", "0F AC /r", "Ev,Gv,Ib", FN_SIZES(op_shrd_i), SHIFT_SHORT, FEATURE_BASE, 0},
    {"shrd", "0F AD /r", "Ev,Gv,CL", FN_SIZES(op_shrd_c), SHIFT_SHORT, FEATURE_BASE, 0},
};

const struct form_table forms_shift = { forms, ROW_COUNT(forms) };
