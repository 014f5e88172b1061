/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Near branches: Jcc JMP CALL RET LOOPcc JCXZ (APM 3, chapter 3; APM 2 1.3). A target outside the
 * code segment or not canonical faults on the branch, before the stack pointer moves.
 */
#include "machine/cpu/ops.h"

/* RIP values by operand size: 64 bits only in 64-bit mode. */
#define RIP_64(value) (value)
#define RIP_32(value) ((uint64_t)(uint32_t)(value))
#define RIP_16(value) ((uint64_t)(uint16_t)(value))

/* Links serve only where offsets cannot wrap: blocks_link sees to the mode, this to the size. */
#define GO_64(cpu, i, which, rip) return branch_link((cpu), (i), (which), (rip))
#define GO_32(cpu, i, which, rip) return branch_link((cpu), (i), (which), (rip))
#define GO_16(cpu, i, which, rip) return branch_to((cpu), (i), (rip))

static inline bool target_fits(const struct cpu *cpu, uint64_t rip)
{
    if (__builtin_expect(cpu->mode & MODE_64, 1))
        return (uint64_t)((int64_t)(rip << 16) >> 16) == rip;
    return rip <= cpu->seg[CS].limit;
}

static inline void check_target(struct cpu *cpu, const struct insn *i, uint64_t rip)
{
    if (__builtin_expect(!target_fits(cpu, rip), 0))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
}

#define DEFINE_JCC(cc, n, bits)                                                                    \
    static void op_j##cc##_##bits(struct cpu *cpu, const struct insn *i)                           \
    {                                                                                              \
        if (flags_condition(cpu, n))                                                               \
            GO_##bits(cpu, i, 0, RIP_##bits(cpu->gpr[REG_RIP] + i->imm));                          \
        GO_##bits(cpu, i, 1, RIP_##bits(insn_next_rip(cpu, i)));                                   \
    }

#define DEFINE_X(cc, n, digit) DEFINE_JCC(cc, n, 16) DEFINE_JCC(cc, n, 32) DEFINE_JCC(cc, n, 64)
FOR_CONDITIONS(DEFINE_X)

/* The same for CALL: a fault of the push comes first. */
#define CHECK_CALL(cpu, i, bits, target)                                                           \
    do {                                                                                           \
        if (__builtin_expect(!target_fits((cpu), (target)), 0)) {                                  \
            uint64_t top = ((cpu)->gpr[RSP] - (bits) / 8) & stack_mask(cpu);                       \
            mmu_probe_write((cpu), (i), stack_address((cpu), (i), top, (bits) / 8, true),          \
                            (bits) / 8);                                                           \
            cpu_raise_error((cpu), (i), VECTOR_GP, 0);                                             \
        }                                                                                          \
    } while (0)

/* The count register has the address size: JCXZ, LOOP. */
static uint64_t count_mask(const struct insn *i)
{
    if (i->flags & INSN_ADDR16)
        return 0xFFFF;
    return i->flags2 & INSN_ADDR32 ? 0xFFFFFFFF : UINT64_MAX;
}

/* Decrements rCX; true if it is not zero then. */
static bool count_down(struct cpu *cpu, const struct insn *i)
{
    uint64_t mask = count_mask(i), count = (cpu->gpr[RCX] - 1) & mask;
    uint64_t keep = mask == 0xFFFF ? cpu->gpr[RCX] & ~mask : 0;
    cpu->gpr[RCX] = keep | count;
    return count;
}

#define DEFINE_COUNTED(name, bits, condition)                                                      \
    static void op_##name##_##bits(struct cpu *cpu, const struct insn *i)                          \
    {                                                                                              \
        uint64_t target = RIP_##bits(cpu->gpr[REG_RIP] + i->imm);                                  \
        check_target(cpu, i, target);                                                              \
        if (condition)                                                                             \
            GO_##bits(cpu, i, 0, target);                                                          \
        GO_##bits(cpu, i, 1, RIP_##bits(insn_next_rip(cpu, i)));                                   \
    }

#define DEFINE_BRANCHES(bits)                                                                      \
    DEFINE_COUNTED(loopne, bits, count_down(cpu, i) && !flag_zf(cpu))                              \
    DEFINE_COUNTED(loope, bits, count_down(cpu, i) && flag_zf(cpu))                                \
    DEFINE_COUNTED(loop, bits, count_down(cpu, i))                                                 \
    DEFINE_COUNTED(jcxz, bits, !(cpu->gpr[RCX] & count_mask(i)))                                   \
    static void op_jmp_##bits(struct cpu *cpu, const struct insn *i)                               \
    {                                                                                              \
        GO_##bits(cpu, i, 0, RIP_##bits(cpu->gpr[REG_RIP] + i->imm));                              \
    }                                                                                              \
    static void op_jmp_e_##bits##r(struct cpu *cpu, const struct insn *i)                          \
    {                                                                                              \
        return branch_to(cpu, i, reg_get_##bits(cpu, i->rm));                                      \
    }                                                                                              \
    static void op_jmp_e_##bits##m(struct cpu *cpu, const struct insn *i)                          \
    {                                                                                              \
        return branch_to(cpu, i, LOAD_E(cpu, i, bits));                                            \
    }                                                                                              \
    static void op_call_##bits(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        uint64_t target = RIP_##bits(cpu->gpr[REG_RIP] + i->imm);                                  \
        CHECK_CALL(cpu, i, bits, target);                                                          \
        stack_push(cpu, i, bits / 8, insn_next_rip(cpu, i));                                       \
        GO_##bits(cpu, i, 0, target);                                                              \
    }                                                                                              \
    static void op_call_e_##bits##r(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        uint64_t target = reg_get_##bits(cpu, i->rm);                                              \
        CHECK_CALL(cpu, i, bits, target);                                                          \
        stack_push(cpu, i, bits / 8, insn_next_rip(cpu, i));                                       \
        return branch_to(cpu, i, target);                                                          \
    }                                                                                              \
    static void op_call_e_##bits##m(struct cpu *cpu, const struct insn *i)                         \
    {                                                                                              \
        uint64_t target = LOAD_E(cpu, i, bits);                                                    \
        CHECK_CALL(cpu, i, bits, target);                                                          \
        stack_push(cpu, i, bits / 8, insn_next_rip(cpu, i));                                       \
        return branch_to(cpu, i, target);                                                          \
    }                                                                                              \
    static void op_ret_##bits(struct cpu *cpu, const struct insn *i)                               \
    {                                                                                              \
        uint64_t target = stack_peek(cpu, i, bits / 8, 0);                                         \
        check_target(cpu, i, target);                                                              \
        stack_set(cpu, cpu->gpr[RSP] + bits / 8 + i->imm);                                         \
        return branch_to(cpu, i, target);                                                          \
    }

DEFINE_BRANCHES(16)
DEFINE_BRANCHES(32)

/* 64-bit operand size means 64-bit mode: the stack is flat. */
#define stack_mask(cpu)                    UINT64_MAX
#define stack_peek(cpu, i, size, offset)   load64((cpu), (i), (cpu)->gpr[RSP] + (offset))
#define stack_set(cpu, value)              ((cpu)->gpr[RSP] = (value))
#define stack_push(cpu, i, size, value)                                                            \
    do {                                                                                           \
        store64((cpu), (i), (cpu)->gpr[RSP] - 8, (value));                                         \
        (cpu)->gpr[RSP] -= 8;                                                                      \
    } while (0)
DEFINE_BRANCHES(64)

#define FIXED(f)                                                                                   \
    {                                                                                              \
        { NULL, f##_16, f##_32, f##_64 }                                                           \
    }
#define BRANCH (FORM_ENDS_BLOCK | FORM_F64)
#define JCC_ROWS(cc, n, digit)                                                                     \
    {"j" #cc, "7" digit, "Jb", FIXED(op_j##cc), 0, 0, ALL_FLAGS, FEATURE_BASE, BRANCH},            \
    {"j" #cc, "0F 8" digit, "Jz", FIXED(op_j##cc), 0, 0, ALL_FLAGS, FEATURE_BASE, BRANCH},

static const struct form forms[] = {
    FOR_CONDITIONS(JCC_ROWS)
    {"loopne", "E0", "Jb", FIXED(op_loopne), 0, 0, EFLAGS_ZF, FEATURE_BASE, BRANCH},
    {"loope", "E1", "Jb", FIXED(op_loope), 0, 0, EFLAGS_ZF, FEATURE_BASE, BRANCH},
    {"loop", "E2", "Jb", FIXED(op_loop), NO_FLAGS, FEATURE_BASE, BRANCH},
    {"jcxz", "E3", "Jb", FIXED(op_jcxz), NO_FLAGS, FEATURE_BASE, BRANCH},
    {"call", "E8", "Jz", FIXED(op_call), NO_FLAGS, FEATURE_BASE, BRANCH},
    {"jmp", "E9", "Jz", FIXED(op_jmp), NO_FLAGS, FEATURE_BASE, BRANCH},
    {"jmp", "EB", "Jb", FIXED(op_jmp), NO_FLAGS, FEATURE_BASE, BRANCH},
    {"call", "FF /2", "Ev", FN_SIZES(op_call_e), NO_FLAGS, FEATURE_BASE, BRANCH},
    {"jmp", "FF /4", "Ev", FN_SIZES(op_jmp_e), NO_FLAGS, FEATURE_BASE, BRANCH},
    {"ret", "C2", "Iw", FIXED(op_ret), NO_FLAGS, FEATURE_BASE, BRANCH},
    {"ret", "C3", "", FIXED(op_ret), NO_FLAGS, FEATURE_BASE, BRANCH},
};

const struct form_table forms_branch = { forms, ROW_COUNT(forms) };
