/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Data movement: MOV MOVZX MOVSX MOVSXD LEA XCHG CMOVcc SETcc, sign extension, single flags, XLAT
 * and the many forms of no operation (APM 3, chapter 3).
 */
#include "machine/cpu/lean.h"

uint64_t insn_effective_address(const struct cpu *cpu, const struct insn *i)
{
    uint64_t address =
        cpu->gpr[i->base] + (cpu->gpr[i->index] << i->scale) + (uint64_t)(int64_t)i->disp;
    if ((i->flags & INSN_SLOW_EA) && i->base == REG_RIP)
        address += i->ip + i->length; /* not folded into disp: decode.c, relocate */
    if (i->flags & INSN_ADDR16)
        return (uint16_t)address;
    return i->flags2 & INSN_ADDR32 ? (uint32_t)address : address;
}

/* Address of a MOV with a direct offset. */
static uint64_t direct_address(struct cpu *cpu, const struct insn *i, unsigned size, bool write)
{
    uint64_t offset = i->imm;
    if (i->flags & INSN_ADDR16)
        offset = (uint16_t)offset;
    else if (i->flags2 & INSN_ADDR32)
        offset = (uint32_t)offset;
    if (i->flags & INSN_SLOW_EA)
        return segment_address(cpu, i, i->seg, offset, size, write);
    return offset + cpu->seg[i->seg].base;
}

#define DEFINE_MOVE(bits)                                                                          \
    static void op_mov_eg_##bits##r(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        reg_set_##bits(cpu, i->rm, reg_get_##bits(cpu, i->reg));                                   \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_mov_eg_##bits##m(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        STORE_E(cpu, i, bits, reg_get_##bits(cpu, i->reg));                                        \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_mov_ge_##bits##r(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        reg_set_##bits(cpu, i->reg, reg_get_##bits(cpu, i->rm));                                   \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_mov_ge_##bits##m(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        reg_set_##bits(cpu, i->reg, LOAD_E(cpu, i, bits));                                         \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_mov_ei_##bits##r(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        reg_set_##bits(cpu, i->rm, (uint##bits##_t)i->imm);                                        \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_mov_ei_##bits##m(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        STORE_E(cpu, i, bits, (uint##bits##_t)i->imm);                                             \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_mov_ao_##bits##r(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        reg_set_##bits(cpu, RAX, load##bits(cpu, i, direct_address(cpu, i, bits / 8, false)));     \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_mov_oa_##bits##r(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        store##bits(cpu, i, direct_address(cpu, i, bits / 8, true), reg_get_##bits(cpu, RAX));     \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_xchg_##bits##r(struct cpu *cpu, const struct insn *i)                           \
    {                                                                                              \
        uint##bits##_t a = reg_get_##bits(cpu, i->rm);                                             \
        reg_set_##bits(cpu, i->rm, reg_get_##bits(cpu, i->reg));                                   \
        reg_set_##bits(cpu, i->reg, a);                                                            \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_xchg_##bits##m(struct cpu *cpu, const struct insn *i)                           \
    {                                                                                              \
        uint##bits##_t old;                                                                        \
        MODIFY(cpu, i, bits, value, result, old = value; result = reg_get_##bits(cpu, i->reg));    \
        reg_set_##bits(cpu, i->reg, old);                                                          \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_MOVE(8)
DEFINE_MOVE(16)
DEFINE_MOVE(32)
DEFINE_MOVE(64)

#define LEAN_MOVE(bits)                                                                            \
    LEAN_LOAD(op_mov_ge_##bits##m, bits, reg_set_##bits(cpu, i->reg, value); NEXT(cpu, i))         \
    LEAN_STORE(op_mov_eg_##bits##m, bits, reg_get_##bits(cpu, i->reg))                             \
    LEAN_STORE(op_mov_ei_##bits##m, bits, (uint##bits##_t)i->imm)
LEAN_MOVE(8)
LEAN_MOVE(16)
LEAN_MOVE(32)
LEAN_MOVE(64)

/* XCHG of eAX with itself is NOP: it must not clear the upper half. */
static void op_xchg_ax_16r(struct cpu *cpu, const struct insn *i)
{
    return op_xchg_16r(cpu, i);
}
static void op_xchg_ax_32r(struct cpu *cpu, const struct insn *i)
{
    if (i->rm != RAX)
        return op_xchg_32r(cpu, i);
    NEXT(cpu, i);
}
static void op_xchg_ax_64r(struct cpu *cpu, const struct insn *i)
{
    return op_xchg_64r(cpu, i);
}

static void op_nop(struct cpu *cpu, const struct insn *i)
{
    NEXT(cpu, i);
}

/* Zero and sign extension from `from` bits. */
#define DEFINE_EXTEND(name, type, from, bits)                                                      \
    static void op_##name##_##from##_##bits##r(struct cpu *cpu, const struct insn *i)              \
    {                                                                                              \
        reg_set_##bits(cpu, i->reg, (uint##bits##_t)(type)reg_get_##from(cpu, i->rm));             \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_##from##_##bits##m(struct cpu *cpu, const struct insn *i)              \
    {                                                                                              \
        reg_set_##bits(cpu, i->reg, (uint##bits##_t)(type)LOAD_E(cpu, i, from));                   \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_EXTEND(movzx, uint8_t, 8, 16)
DEFINE_EXTEND(movzx, uint8_t, 8, 32)
DEFINE_EXTEND(movzx, uint8_t, 8, 64)
DEFINE_EXTEND(movzx, uint16_t, 16, 16)
DEFINE_EXTEND(movzx, uint16_t, 16, 32)
DEFINE_EXTEND(movzx, uint16_t, 16, 64)
DEFINE_EXTEND(movsx, int8_t, 8, 16)
DEFINE_EXTEND(movsx, int8_t, 8, 32)
DEFINE_EXTEND(movsx, int8_t, 8, 64)
DEFINE_EXTEND(movsx, int16_t, 16, 16)
DEFINE_EXTEND(movsx, int16_t, 16, 32)
DEFINE_EXTEND(movsx, int16_t, 16, 64)
/* MOVSXD with 32 bits is a plain move; with 16 it moves 16 bits, of 32 that it reads. */
static void op_movsxd_16_16r(struct cpu *cpu, const struct insn *i)
{
    reg_set_16(cpu, i->reg, reg_get_16(cpu, i->rm));
    NEXT(cpu, i);
}

static void op_movsxd_16_16m(struct cpu *cpu, const struct insn *i)
{
    reg_set_16(cpu, i->reg, (uint16_t)LOAD_E(cpu, i, 32));
    NEXT(cpu, i);
}
DEFINE_EXTEND(movsxd, uint32_t, 32, 32)
DEFINE_EXTEND(movsxd, int32_t, 32, 64)

#define LEAN_EXTEND(name, type, from, bits)                                                        \
    LEAN_LOAD(op_##name##_##from##_##bits##m, from,                                                \
              reg_set_##bits(cpu, i->reg, (uint##bits##_t)(type)value);                            \
              NEXT(cpu, i))
LEAN_EXTEND(movzx, uint8_t, 8, 32)
LEAN_EXTEND(movzx, uint8_t, 8, 64)
LEAN_EXTEND(movzx, uint16_t, 16, 32)
LEAN_EXTEND(movsx, int8_t, 8, 32)
LEAN_EXTEND(movsx, int8_t, 8, 64)
LEAN_EXTEND(movsx, int16_t, 16, 32)
LEAN_EXTEND(movsxd, int32_t, 32, 64)

#define DEFINE_LEA(bits)                                                                           \
    static void op_lea_##bits##m(struct cpu *cpu, const struct insn *i)                            \
    {                                                                                              \
        uint64_t address;                                                                          \
        if (__builtin_expect(i->flags & INSN_SLOW_EA, 0))                                          \
            address = insn_effective_address(cpu, i);                                              \
        else                                                                                       \
            address = cpu->gpr[i->base] + (cpu->gpr[i->index] << i->scale) +                       \
                      (uint64_t)(int64_t)i->disp;                                                  \
        reg_set_##bits(cpu, i->reg, (uint##bits##_t)address);                                      \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_LEA(16)
DEFINE_LEA(32)
DEFINE_LEA(64)

/* No access at all: only the shapes of the address. */
static void op_lea_64m_b(struct cpu *cpu, const struct insn *i)
{
    reg_set_64(cpu, i->reg, lean_address_b(cpu, i));
    NEXT(cpu, i);
}
static void op_lea_64m_x(struct cpu *cpu, const struct insn *i)
{
    reg_set_64(cpu, i->reg, lean_address_x(cpu, i));
    NEXT(cpu, i);
}

#define DEFINE_CONDITIONAL(cc, n)                                                                  \
    static void op_set##cc##_8r(struct cpu *cpu, const struct insn *i)                             \
    {                                                                                              \
        reg_set_8(cpu, i->rm, flags_condition(cpu, n));                                            \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_set##cc##_8m(struct cpu *cpu, const struct insn *i)                             \
    {                                                                                              \
        STORE_E(cpu, i, 8, flags_condition(cpu, n));                                               \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    DEFINE_CMOV(cc, n, 16)                                                                         \
    DEFINE_CMOV(cc, n, 32)                                                                         \
    DEFINE_CMOV(cc, n, 64)

/* CMOVcc always reads its source and, with 32 bits, always clears the upper half. */
#define DEFINE_CMOV(cc, n, bits)                                                                   \
    static void op_cmov##cc##_##bits##r(struct cpu *cpu, const struct insn *i)                     \
    {                                                                                              \
        uint##bits##_t a = reg_get_##bits(cpu, i->reg), b = reg_get_##bits(cpu, i->rm);            \
        reg_set_##bits(cpu, i->reg, flags_condition(cpu, n) ? b : a);                              \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_cmov##cc##_##bits##m(struct cpu *cpu, const struct insn *i)                     \
    {                                                                                              \
        uint##bits##_t b = LOAD_E(cpu, i, bits), a = reg_get_##bits(cpu, i->reg);                  \
        reg_set_##bits(cpu, i->reg, flags_condition(cpu, n) ? b : a);                              \
        NEXT(cpu, i);                                                                              \
    }

#define DEFINE_X(cc, n, digit) DEFINE_CONDITIONAL(cc, n)
FOR_CONDITIONS(DEFINE_X)

static void op_cbw_16(struct cpu *cpu, const struct insn *i)
{
    reg_set_16(cpu, RAX, (uint16_t)(int8_t)cpu->gpr[RAX]);
    NEXT(cpu, i);
}
static void op_cbw_32(struct cpu *cpu, const struct insn *i)
{
    reg_set_32(cpu, RAX, (uint32_t)(int16_t)cpu->gpr[RAX]);
    NEXT(cpu, i);
}
static void op_cbw_64(struct cpu *cpu, const struct insn *i)
{
    cpu->gpr[RAX] = (uint64_t)(int32_t)cpu->gpr[RAX];
    NEXT(cpu, i);
}
static void op_cwd_16(struct cpu *cpu, const struct insn *i)
{
    reg_set_16(cpu, RDX, (int16_t)cpu->gpr[RAX] < 0 ? 0xFFFF : 0);
    NEXT(cpu, i);
}
static void op_cwd_32(struct cpu *cpu, const struct insn *i)
{
    reg_set_32(cpu, RDX, (int32_t)cpu->gpr[RAX] < 0 ? 0xFFFFFFFF : 0);
    NEXT(cpu, i);
}
static void op_cwd_64(struct cpu *cpu, const struct insn *i)
{
    cpu->gpr[RDX] = (int64_t)cpu->gpr[RAX] < 0 ? UINT64_MAX : 0;
    NEXT(cpu, i);
}

#define FLAGS_AH (EFLAGS_SF | EFLAGS_ZF | EFLAGS_AF | EFLAGS_PF | EFLAGS_CF)

static void op_lahf(struct cpu *cpu, const struct insn *i)
{
    reg_set_8(cpu, 1, (uint8_t)((flags_arithmetic(cpu) & FLAGS_AH) | 2));
    NEXT(cpu, i);
}
static void op_sahf(struct cpu *cpu, const struct insn *i)
{
    uint32_t of = flags_arithmetic(cpu) & EFLAGS_OF;
    flags_set_arithmetic(cpu, (reg_get_8(cpu, 1) & FLAGS_AH) | of);
    NEXT(cpu, i);
}
static void op_clc(struct cpu *cpu, const struct insn *i)
{
    flags_set_arithmetic(cpu, flags_arithmetic(cpu) & ~EFLAGS_CF);
    NEXT(cpu, i);
}
static void op_stc(struct cpu *cpu, const struct insn *i)
{
    flags_set_arithmetic(cpu, flags_arithmetic(cpu) | EFLAGS_CF);
    NEXT(cpu, i);
}
static void op_cmc(struct cpu *cpu, const struct insn *i)
{
    flags_set_arithmetic(cpu, flags_arithmetic(cpu) ^ EFLAGS_CF);
    NEXT(cpu, i);
}
static void op_cld(struct cpu *cpu, const struct insn *i)
{
    cpu->eflags &= ~EFLAGS_DF;
    NEXT(cpu, i);
}
static void op_std(struct cpu *cpu, const struct insn *i)
{
    cpu->eflags |= EFLAGS_DF;
    NEXT(cpu, i);
}

/* SALC: undocumented, on every processor outside 64-bit mode. */
static void op_salc(struct cpu *cpu, const struct insn *i)
{
    reg_set_8(cpu, 0, flag_cf(cpu) ? 0xFF : 0);
    NEXT(cpu, i);
}

static void op_xlat(struct cpu *cpu, const struct insn *i)
{
    uint64_t offset = cpu->gpr[RBX] + reg_get_8(cpu, 0);
    if (i->flags & INSN_ADDR16)
        offset = (uint16_t)offset;
    else if (i->flags2 & INSN_ADDR32)
        offset = (uint32_t)offset;
    reg_set_8(cpu, 0, load8(cpu, i, segment_address(cpu, i, i->seg, offset, 1, false)));
    NEXT(cpu, i);
}

#define REG_ONLY(f)                                                                                \
    {                                                                                              \
        { NULL, f##_16r, f##_32r, f##_64r }                                                        \
    }
#define FIXED(f)                                                                                   \
    {                                                                                              \
        { NULL, f##_16, f##_32, f##_64 }                                                           \
    }
#define MEM_ONLY(f)                                                                                \
    {                                                                                              \
        { NULL }, { NULL, f##_16m, f##_32m, f##_64m }                                              \
    }
#define CC_FLAGS 0, 0, ALL_FLAGS
#define SETCC_ROW(cc, n, digit)                                                                    \
    {"set" #cc, "0F 9" digit " /r", "Eb", FN_BYTE(op_set##cc), CC_FLAGS, FEATURE_BASE, FORM_BYTE},
#define CMOV_ROW(cc, n, digit)                                                                     \
    {"cmov" #cc, "0F 4" digit " /r", "Gv,Ev", FN_SIZES(op_cmov##cc), CC_FLAGS, FEATURE_BASE, 0},
#define NOP_ROW(code)                                                                              \
    {"nop", code " /r", "Ev", FN_ALL(op_nop), NO_FLAGS, FEATURE_BASE, 0}

static const struct form forms[] = {
    {"mov", "88 /r", "Eb,Gb", FN_BYTE(op_mov_eg), NO_FLAGS, FEATURE_BASE, FORM_BYTE},
    {"mov", "89 /r", "Ev,Gv", FN_SIZES(op_mov_eg), NO_FLAGS, FEATURE_BASE, 0},
    {"mov", "8A /r", "Gb,Eb", FN_BYTE(op_mov_ge), NO_FLAGS, FEATURE_BASE, FORM_BYTE},
    {"mov", "8B /r", "Gv,Ev", FN_SIZES(op_mov_ge), NO_FLAGS, FEATURE_BASE, 0},
    {"mov", "A0", "AL,Ob", FN_ALL(op_mov_ao_8r), NO_FLAGS, FEATURE_BASE, FORM_BYTE},
    {"mov", "A1", "rAX,Ov", REG_ONLY(op_mov_ao), NO_FLAGS, FEATURE_BASE, 0},
    {"mov", "A2", "Ob,AL", FN_ALL(op_mov_oa_8r), NO_FLAGS, FEATURE_BASE, FORM_BYTE},
    {"mov", "A3", "Ov,rAX", REG_ONLY(op_mov_oa), NO_FLAGS, FEATURE_BASE, 0},
    {"mov", "B0 +r", "Zb,Ib", FN_BYTE(op_mov_ei), NO_FLAGS, FEATURE_BASE, FORM_BYTE},
    {"mov", "B8 +r", "Zv,Iv", FN_SIZES(op_mov_ei), NO_FLAGS, FEATURE_BASE, 0},
    {"mov", "C6 /0", "Eb,Ib", FN_BYTE(op_mov_ei), NO_FLAGS, FEATURE_BASE, FORM_BYTE},
    {"mov", "C7 /0", "Ev,Iz", FN_SIZES(op_mov_ei), NO_FLAGS, FEATURE_BASE, 0},
    {"xchg", "86 /r", "Eb,Gb", FN_BYTE(op_xchg), NO_FLAGS, FEATURE_BASE, FORM_LOCK | FORM_BYTE},
    {"xchg", "87 /r", "Ev,Gv", FN_SIZES(op_xchg), NO_FLAGS, FEATURE_BASE, FORM_LOCK},
    {"xchg", "90 +r", "Zv,rAX", REG_ONLY(op_xchg_ax), NO_FLAGS, FEATURE_BASE, 0},
    {"movzx", "0F B6 /r", "Gv,Eb", FN_SIZES(op_movzx_8), NO_FLAGS, FEATURE_BASE, 0},
    {"movzx", "0F B7 /r", "Gv,Ew", FN_SIZES(op_movzx_16), NO_FLAGS, FEATURE_BASE, 0},
    {"movsx", "0F BE /r", "Gv,Eb", FN_SIZES(op_movsx_8), NO_FLAGS, FEATURE_BASE, 0},
    {"movsx", "0F BF /r", "Gv,Ew", FN_SIZES(op_movsx_16), NO_FLAGS, FEATURE_BASE, 0},
    {"movsxd", "63 /r", "Gv,Ed",
     { { NULL, op_movsxd_16_16r, op_movsxd_32_32r, op_movsxd_32_64r },
       { NULL, op_movsxd_16_16m, op_movsxd_32_32m, op_movsxd_32_64m } },
     NO_FLAGS, FEATURE_BASE, FORM_ONLY64},
    {"lea", "8D /r", "Gv,M", MEM_ONLY(op_lea), NO_FLAGS, FEATURE_BASE, 0},
    FOR_CONDITIONS(SETCC_ROW)
    FOR_CONDITIONS(CMOV_ROW)
    {"cbw", "98", "", FIXED(op_cbw), NO_FLAGS, FEATURE_BASE, 0},
    {"cwd", "99", "", FIXED(op_cwd), NO_FLAGS, FEATURE_BASE, 0},
    {"sahf", "9E", "", FN_ALL(op_sahf), SETS(FLAGS_AH), FEATURE_BASE, FORM_NO64},
    {"lahf", "9F", "", FN_ALL(op_lahf), 0, 0, FLAGS_AH, FEATURE_BASE, FORM_NO64},
    {"sahf", "9E", "", FN_ALL(op_sahf), SETS(FLAGS_AH), FEATURE_LAHF, FORM_ONLY64},
    {"lahf", "9F", "", FN_ALL(op_lahf), 0, 0, FLAGS_AH, FEATURE_LAHF, FORM_ONLY64},
    {"cmc", "F5", "", FN_ALL(op_cmc), EFLAGS_CF, 0, EFLAGS_CF, FEATURE_BASE, 0},
    {"clc", "F8", "", FN_ALL(op_clc), SETS(EFLAGS_CF), FEATURE_BASE, 0},
    {"stc", "F9", "", FN_ALL(op_stc), SETS(EFLAGS_CF), FEATURE_BASE, 0},
    {"cld", "FC", "", FN_ALL(op_cld), SETS(EFLAGS_DF), FEATURE_BASE, 0},
    {"std", "FD", "", FN_ALL(op_std), SETS(EFLAGS_DF), FEATURE_BASE, 0},
    {"salc", "D6", "", FN_ALL(op_salc), 0, 0, EFLAGS_CF, FEATURE_BASE, FORM_NO64},
    {"xlat", "D7", "", FN_ALL(op_xlat), NO_FLAGS, FEATURE_BASE, 0},
    {"prefetch", "0F 0D /r mem", "Ev", FN_ALL(op_nop), NO_FLAGS, FEATURE_BASE, 0},
    NOP_ROW("0F 18"), NOP_ROW("0F 19"), NOP_ROW("0F 1A"), NOP_ROW("0F 1B"),
    NOP_ROW("0F 1C"), NOP_ROW("0F 1D"), NOP_ROW("0F 1E"), NOP_ROW("0F 1F"),
};

const struct form_table forms_move = { forms, ROW_COUNT(forms) };

#define LEAN_MOVE_ROWS(bits)                                                                       \
    LEAN_ROW(op_mov_ge_##bits##m), LEAN_ROW(op_mov_eg_##bits##m), LEAN_ROW(op_mov_ei_##bits##m)

static const struct lean_row lean_rows[] = {
    LEAN_MOVE_ROWS(8),
    LEAN_MOVE_ROWS(16),
    LEAN_MOVE_ROWS(32),
    LEAN_MOVE_ROWS(64),
    LEAN_ROW(op_movzx_8_32m),
    LEAN_ROW(op_movzx_8_64m),
    LEAN_ROW(op_movzx_16_32m),
    LEAN_ROW(op_movsx_8_32m),
    LEAN_ROW(op_movsx_8_64m),
    LEAN_ROW(op_movsx_16_32m),
    LEAN_ROW(op_movsxd_32_64m),
    LEAN_ROW(op_lea_64m),
};

const struct lean_table lean_move = LEAN_ROWS(lean_rows);
