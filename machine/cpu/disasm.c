/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Text of one decoded instruction, from its row of the form table: the row's name and its operands,
 * filled in. For reports; sizes show on memory operands whose size the row names.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/cpu/block.h"

struct text {
    char *at;
    size_t left;
    int total;
};

#define PUT(t, ...)                                                                                \
    do {                                                                                           \
        int length_ = snprintf((t)->at, (t)->left, __VA_ARGS__);                                   \
        size_t step_ = (size_t)length_ < (t)->left ? (size_t)length_ : (t)->left;                  \
        (t)->at += step_;                                                                          \
        (t)->left -= step_;                                                                        \
        (t)->total += length_;                                                                     \
    } while (0)

static const char *const names64[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                       "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
static const char *const names32[] = { "eax", "ecx", "edx",  "ebx",  "esp",  "ebp",  "esi",  "edi",
                                       "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d" };
static const char *const names16[] = { "ax",  "cx",  "dx",   "bx",   "sp",   "bp",   "si",   "di",
                                       "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w" };
static const char *const names8[] = { "al",  "cl",  "dl",   "bl",   "spl",  "bpl",  "sil",  "dil",
                                      "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b" };
static const char *const high8[] = { "ah", "ch", "dh", "bh" };
static const char *const segments[] = { "es", "cs", "ss", "ds", "fs", "gs" };

/* A byte register is an offset into the register file (insn.h). */
static const char *byte_name(unsigned offset)
{
    return offset & 1 ? high8[offset >> 3 & 3] : names8[offset >> 3 & 15];
}

static const char *general_name(const struct insn *i, char size, unsigned number)
{
    number &= 15;
    if (size == 'w')
        return names16[number];
    if (size == 'd')
        return names32[number];
    if (size == 'q' || i->flags & INSN_OP64)
        return names64[number];
    return (size == 'v' || size == 'z') && i->flags & INSN_OP16 ? names16[number]
                                                                 : names32[number];
}

static void put_address(struct text *t, const struct insn *i, uint64_t rip)
{
    const char *const *names = i->flags & INSN_ADDR16   ? names16
                               : i->flags2 & INSN_ADDR32 ? names32
                                                         : names64;
    const char *plus = "";
    PUT(t, "[");
    if (i->seg < SEG_FLAT)
        PUT(t, "%s:", segments[i->seg]);
    if (i->base == REG_RIP) {
        bool folded = !(i->flags & INSN_SLOW_EA);
        uint64_t start = folded ? rip - i->ip : rip + i->length;
        PUT(t, "0x%" PRIx64 "]", start + (uint64_t)(int64_t)i->disp);
        return;
    }
    if (i->base < REG_ZERO) {
        PUT(t, "%s", names[i->base]);
        plus = "+";
    }
    if (i->index < REG_ZERO) {
        PUT(t, "%s%s*%u", plus, names[i->index], 1u << i->scale);
        plus = "+";
    }
    if (!*plus)
        PUT(t, "0x%" PRIx32, (uint32_t)i->disp);
    else if (i->disp)
        PUT(t, "%c0x%" PRIx32, i->disp < 0 ? '-' : '+',
            i->disp < 0 ? 0 - (uint32_t)i->disp : (uint32_t)i->disp);
    PUT(t, "]");
}

static void put_memory(struct text *t, const struct insn *i, const char *size, uint64_t rip)
{
    if (!strcmp(size, "b"))
        PUT(t, "byte ");
    else if (!strcmp(size, "w") || (*size == 'v' && i->flags & INSN_OP16))
        PUT(t, "word ");
    else if (!strcmp(size, "q") || ((*size == 'v' || *size == 'y') && i->flags & INSN_OP64))
        PUT(t, "qword ");
    else if (!strcmp(size, "d") || *size == 'v' || *size == 'y')
        PUT(t, "dword ");
    put_address(t, i, rip);
}

static void put_register(struct text *t, const struct insn *i, const char *operand, unsigned number)
{
    switch (operand[0]) {
    case 'V': case 'W': case 'U': case 'H': case 'L':
        PUT(t, "%s%u", operand[1] == 'x' && i->flags & INSN_OP64 ? "ymm" : "xmm", number);
        break;
    case 'P': case 'Q': case 'N':
        PUT(t, "mm%u", number & 7);
        break;
    case 'S':
        PUT(t, "%s", number < 6 ? segments[number] : "?");
        break;
    case 'C':
        PUT(t, "cr%u", number);
        break;
    case 'D':
        PUT(t, "dr%u", number);
        break;
    default:
        PUT(t, "%s", operand[1] == 'b' && !operand[2] ? byte_name(number)
                                                       : general_name(i, operand[1], number));
        break;
    }
}

static void put_operand(struct text *t, const struct insn *i, const char *operand, uint64_t rip)
{
    switch (operand[0]) {
    case 'I':
    case 'F':
        if (strcmp(operand, "Ib") == 0) {
            PUT(t, "0x%x", (unsigned)i->imm & 0xFF);
            break;
        }
        PUT(t, "0x%" PRIx64, i->imm);
        break;
    case 'O':
        PUT(t, "[0x%" PRIx64 "]", i->imm);
        break;
    case 'J':
        PUT(t, "0x%" PRIx64, rip - i->ip + i->imm);
        break;
    case 'X':
        PUT(t, "[rsi]");
        break;
    case 'Y':
        PUT(t, "[rdi]");
        break;
    case 'G': case 'V': case 'P': case 'S':
        put_register(t, i, operand, i->reg);
        break;
    case 'C':
        put_register(t, i, operand, i->reg);
        break;
    case 'B': case 'H':
        put_register(t, i, operand, insn_vvvv(i));
        break;
    case 'L':
        put_register(t, i, operand, i->imm >> 4 & 15);
        break;
    case 'E': case 'W': case 'Q': case 'M': case 'R': case 'U': case 'N': case 'Z':
        if (i->flags & INSN_MEM)
            put_memory(t, i, operand + 1, rip);
        else
            put_register(t, i, operand, i->rm);
        break;
    default:
        if (!strcmp(operand, "STi"))
            PUT(t, "st%u", i->rm & 7);
        else if (operand[0] == 'D' && strcmp(operand, "DX"))
            put_register(t, i, operand, i->reg);
        else
            PUT(t, "%s", operand);
        break;
    }
}

int disassemble(const struct insn *i, uint64_t rip, char *text, size_t size)
{
    const struct form *form = form_by_number(i->form);
    struct text t = { text, size, 0 };
    char operands[48];
    PUT(&t, "%s%s%s", i->flags & INSN_LOCK ? "lock " : "",
        i->flags & INSN_REP ? "rep " : i->flags & INSN_REPNE ? "repne " : "", form->name);
    snprintf(operands, sizeof(operands), "%s", form->operands);
    const char *before = " ";
    char *rest = operands;
    for (char *token; (token = strtok_r(rest, ", ", &rest)); before = ", ") {
        PUT(&t, "%s", before);
        put_operand(&t, i, token, rip);
    }
    return t.total;
}
