/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Fused pairs of an arithmetic instruction and a 64-bit Jcc. Here the compiler sees which operation
 * made the flags, so a condition is a comparison of the operands at hand; nothing is left to decide
 * at run time, and the pair takes one indirect jump instead of two.
 */
#include "machine/cpu/fused.h"

#include <string.h>

#include "machine/cpu/alu.h"
#include "machine/cpu/form.h"
#include "machine/cpu/lean.h"

#define FORMS_MAX 2048u

/* The second half: `j` is the branch. */
#define BRANCH_IF(cpu, j, n)                                                                       \
    do {                                                                                           \
        if (flags_condition((cpu), (n)))                                                           \
            return branch_link((cpu), (j), 0, (cpu)->gpr[REG_RIP] + (j)->imm);                     \
        return branch_link((cpu), (j), 1, insn_next_rip((cpu), (j)));                              \
    } while (0)

/* First halves. Memory is read before anything is changed: a fault is the first instruction's. */
#define REG(bits)  reg_get_##bits(cpu, i->reg)
#define RM(bits)   reg_get_##bits(cpu, i->rm)
#define IMM(bits)  ((uint##bits##_t)i->imm)
#define MEM(bits)  LOAD_E(cpu, i, bits)
#define SET(bits)  reg_set_##bits(cpu, i->rm,
#define CMP_EG_R(bits)  sub_##bits(cpu, RM(bits), REG(bits))
#define CMP_EG_M(bits)  sub_##bits(cpu, MEM(bits), REG(bits))
#define CMP_GE_R(bits)  sub_##bits(cpu, REG(bits), RM(bits))
#define CMP_GE_M(bits)  sub_##bits(cpu, REG(bits), MEM(bits))
#define CMP_EI_R(bits)  sub_##bits(cpu, RM(bits), IMM(bits))
#define CMP_EI_M(bits)  sub_##bits(cpu, MEM(bits), IMM(bits))
#define TEST_EG_R(bits) and_##bits(cpu, RM(bits), REG(bits))
#define TEST_EG_M(bits) and_##bits(cpu, MEM(bits), REG(bits))
#define TEST_EI_R(bits) and_##bits(cpu, RM(bits), IMM(bits))
#define TEST_EI_M(bits) and_##bits(cpu, MEM(bits), IMM(bits))
#define ADD_EG_R(bits)  SET(bits) add_##bits(cpu, RM(bits), REG(bits)))
#define ADD_EI_R(bits)  SET(bits) add_##bits(cpu, RM(bits), IMM(bits)))
#define SUB_EG_R(bits)  SET(bits) sub_##bits(cpu, RM(bits), REG(bits)))
#define SUB_EI_R(bits)  SET(bits) sub_##bits(cpu, RM(bits), IMM(bits)))
#define AND_EG_R(bits)  SET(bits) and_##bits(cpu, RM(bits), REG(bits)))
#define AND_EI_R(bits)  SET(bits) and_##bits(cpu, RM(bits), IMM(bits)))
#define INC_E_R(bits)   SET(bits) inc_##bits(cpu, RM(bits)))
#define DEC_E_R(bits)   SET(bits) dec_##bits(cpu, RM(bits)))

#define DEFINE_PAIR(half, bits, cc, n)                                                             \
    static void pair_##half##_##bits##_##cc(struct cpu *cpu, const struct insn *i)                 \
    {                                                                                              \
        half(bits);                                                                                \
        BRANCH_IF(cpu, i + 1, n);                                                                  \
    }

/* The conditions that compilers use after arithmetic: not overflow, not parity. */
#define CONDITIONS(X, half, bits)                                                                  \
    X(half, bits, b, 2) X(half, bits, ae, 3) X(half, bits, e, 4) X(half, bits, ne, 5)              \
    X(half, bits, be, 6) X(half, bits, a, 7) X(half, bits, s, 8) X(half, bits, ns, 9)              \
    X(half, bits, l, 12) X(half, bits, ge, 13) X(half, bits, le, 14) X(half, bits, g, 15)
/* 16 bits are rare; a result is kept in whole registers. */
#define WIDE(X, half)  CONDITIONS(X, half, 32) CONDITIONS(X, half, 64)
#define SIZES(X, half) CONDITIONS(X, half, 8) WIDE(X, half)

#define DEFINE_HALF(half)      SIZES(DEFINE_PAIR, half)
#define DEFINE_WIDE_HALF(half) WIDE(DEFINE_PAIR, half)
DEFINE_HALF(CMP_EG_R)
DEFINE_HALF(CMP_EG_M)
DEFINE_HALF(CMP_GE_R)
DEFINE_HALF(CMP_GE_M)
DEFINE_HALF(CMP_EI_R)
DEFINE_HALF(CMP_EI_M)
DEFINE_HALF(TEST_EG_R)
DEFINE_HALF(TEST_EG_M)
DEFINE_HALF(TEST_EI_R)
DEFINE_HALF(TEST_EI_M)
DEFINE_WIDE_HALF(ADD_EG_R)
DEFINE_WIDE_HALF(ADD_EI_R)
DEFINE_WIDE_HALF(SUB_EG_R)
DEFINE_WIDE_HALF(SUB_EI_R)
DEFINE_WIDE_HALF(AND_EG_R)
DEFINE_WIDE_HALF(AND_EI_R)
DEFINE_WIDE_HALF(INC_E_R)
DEFINE_WIDE_HALF(DEC_E_R)

/* The same with the memory operand's value at hand. */
#define LEAN_CMP_EG_M(bits)  sub_##bits(cpu, value, REG(bits))
#define LEAN_CMP_GE_M(bits)  sub_##bits(cpu, REG(bits), value)
#define LEAN_CMP_EI_M(bits)  sub_##bits(cpu, value, IMM(bits))
#define LEAN_TEST_EG_M(bits) and_##bits(cpu, value, REG(bits))
#define LEAN_TEST_EI_M(bits) and_##bits(cpu, value, IMM(bits))
#define DEFINE_LEAN_PAIR(half, bits, cc, n)                                                        \
    LEAN_LOAD(pair_##half##_##bits##_##cc, bits, LEAN_##half(bits); BRANCH_IF(cpu, i + 1, n))
#define DEFINE_LEAN_HALF(half) SIZES(DEFINE_LEAN_PAIR, half)
DEFINE_LEAN_HALF(CMP_EG_M)
DEFINE_LEAN_HALF(CMP_GE_M)
DEFINE_LEAN_HALF(CMP_EI_M)
DEFINE_LEAN_HALF(TEST_EG_M)
DEFINE_LEAN_HALF(TEST_EI_M)

#define ENTRY(half, bits, cc, n) [LOG2_##bits][n] = pair_##half##_##bits##_##cc,
#define PAIRS(half)                                                                                \
    {                                                                                              \
        SIZES(ENTRY, half)                                                                         \
    }
#define WIDE_PAIRS(half)                                                                           \
    {                                                                                              \
        WIDE(ENTRY, half)                                                                          \
    }
#define NONE {{NULL}}

/* What follows from the first instruction's name and operands; by memory form, size, condition. */
struct fusion {
    const char *name;
    const char *operands; /* first letter of each operand; A stands for AL and rAX */
    operation *pair[2][4][16];
};

static const struct fusion fusions[] = {
    {"cmp", "EG", {PAIRS(CMP_EG_R), PAIRS(CMP_EG_M)}},
    {"cmp", "GE", {PAIRS(CMP_GE_R), PAIRS(CMP_GE_M)}},
    {"cmp", "EI", {PAIRS(CMP_EI_R), PAIRS(CMP_EI_M)}},
    {"test", "EG", {PAIRS(TEST_EG_R), PAIRS(TEST_EG_M)}},
    {"test", "EI", {PAIRS(TEST_EI_R), PAIRS(TEST_EI_M)}},
    {"add", "EG", {WIDE_PAIRS(ADD_EG_R), NONE}},
    {"add", "EI", {WIDE_PAIRS(ADD_EI_R), NONE}},
    {"sub", "EG", {WIDE_PAIRS(SUB_EG_R), NONE}},
    {"sub", "EI", {WIDE_PAIRS(SUB_EI_R), NONE}},
    {"and", "EG", {WIDE_PAIRS(AND_EG_R), NONE}},
    {"and", "EI", {WIDE_PAIRS(AND_EI_R), NONE}},
    {"inc", "E", {WIDE_PAIRS(INC_E_R), NONE}},
    {"dec", "E", {WIDE_PAIRS(DEC_E_R), NONE}},
};

static const struct fusion *first_half[FORMS_MAX];
static bool is_jcc[FORMS_MAX];

/* "Ev,Gv" is EG; "AL,Ib" and "rAX,Iz" go as EI: the accumulator is the E operand there. */
static bool operands_match(const char *row, const char *letters)
{
    const char *comma = strchr(row, ',');
    char first = row[0] == 'A' || row[0] == 'r' ? 'E' : row[0];
    return first == letters[0] && (comma ? comma[1] == letters[1] : !letters[1]);
}

void fused_initialise(void)
{
    for (unsigned number = 0; number < form_total() && number < FORMS_MAX; number++) {
        const struct form *form = form_by_number(number);
        is_jcc[number] = (form->reads == ALL_FLAGS && form->name[0] == 'j');
        for (size_t k = 0; k < ROW_COUNT(fusions); k++) {
            if (!strcmp(form->name, fusions[k].name) &&
                operands_match(form->operands, fusions[k].operands))
                first_half[number] = &fusions[k];
        }
    }
}

operation *fused_pair(const struct insn *first, const struct insn *branch)
{
    if (first->form >= FORMS_MAX || branch->form >= FORMS_MAX || !is_jcc[branch->form] ||
        branch->fn != form_by_number(branch->form)->fn[0][LOG2_64])
        return NULL;
    const struct fusion *fusion = first_half[first->form];
    if (!fusion)
        return NULL;
    unsigned memory = first->flags & INSN_MEM ? 1 : 0, size = 0;
    const struct form *form = form_by_number(first->form);
    while (size < LOG2_64 && form->fn[memory][size] != first->fn)
        size++;
    return fusion->pair[memory][size][branch->flags2 >> 4];
}

#define LEAN_PAIR_ROW(half, bits, cc, n) LEAN_ROW(pair_##half##_##bits##_##cc),

static const struct lean_row lean_rows[] = {
    SIZES(LEAN_PAIR_ROW, CMP_EG_M)
    SIZES(LEAN_PAIR_ROW, CMP_GE_M)
    SIZES(LEAN_PAIR_ROW, CMP_EI_M)
    SIZES(LEAN_PAIR_ROW, TEST_EG_M)
    SIZES(LEAN_PAIR_ROW, TEST_EI_M)
};

const struct lean_table lean_fused = LEAN_ROWS(lean_rows);
