/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Text of one decoded instruction, from its row of the form table: the row's name and its operands,
 * filled in: Intel syntax with the sizes of memory operands. tests/cpu/disasm.py compares it with
 * objdump.
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

static const char *const *address_names(const struct insn *i)
{
    return i->flags & INSN_ADDR16 ? names16 : i->flags2 & INSN_ADDR32 ? names32 : names64;
}

/* A segment that is not the one that the base register implies. */
static void put_segment(struct text *t, const struct insn *i, bool has_base)
{
    unsigned implied = has_base && (i->base == RBP || i->base == RSP) ? SS : DS;
    if (i->seg < SEG_FLAT && i->seg != implied)
        PUT(t, "%s:", segments[i->seg]);
}

static void put_displacement(struct text *t, const struct insn *i, bool alone)
{
    uint32_t negated = 0 - (uint32_t)i->disp;
    if (alone && i->flags & INSN_ADDR16)
        PUT(t, "0x%x", (unsigned)i->disp & 0xFFFF);
    else if (alone && i->flags2 & INSN_ADDR32)
        PUT(t, "0x%" PRIx32, (uint32_t)i->disp);
    else if (alone)
        PUT(t, "0x%" PRIx64, (uint64_t)(int64_t)i->disp);
    else if (i->disp)
        PUT(t, "%c0x%" PRIx32, i->disp < 0 ? '-' : '+',
            i->disp < 0 ? negated : (uint32_t)i->disp);
}

static void put_address(struct text *t, const struct insn *i, uint64_t rip)
{
    const char *const *names = address_names(i);
    bool has_base = i->base < REG_ZERO, has_index = i->index < REG_ZERO;
    PUT(t, "[");
    put_segment(t, i, true);
    if (i->base == REG_RIP) {
        bool folded = !(i->flags & INSN_SLOW_EA);
        uint64_t start = folded ? rip - i->ip : rip + i->length;
        PUT(t, "0x%" PRIx64 "]", start + (uint64_t)(int64_t)i->disp);
        return;
    }
    if (has_base)
        PUT(t, "%s", names[i->base]);
    if (has_index && i->flags & INSN_ADDR16)
        PUT(t, "%s%s", has_base ? "+" : "", names[i->index]);
    else if (has_index)
        PUT(t, "%s%s*%u", has_base ? "+" : "", names[i->index], 1u << i->scale);
    put_displacement(t, i, !has_base && !has_index);
    PUT(t, "]");
}

/* The words for what an operand's size letters mean; v and y by operand size. */
static const char *size_word(const struct insn *i, const char *size)
{
    static const struct {
        const char *letters, *word16, *word32, *word64;
    } words[] = {
        { "b", "byte ", "byte ", "byte " },
        { "w", "word ", "word ", "word " },
        { "d", "dword ", "dword ", "dword " },
        { "q", "qword ", "qword ", "qword " },
        { "v", "word ", "dword ", "qword " },
        { "y", "dword ", "dword ", "qword " },
        { "z", "word ", "dword ", "dword " },
        { "p", "dword ", "fword ", "tbyte " },
        { "t", "tbyte ", "tbyte ", "tbyte " },
        { "ss", "dword ", "dword ", "dword " },
        { "sd", "qword ", "qword ", "qword " },
        { "dq", "xmmword ", "xmmword ", "xmmword " },
        { "ps", "xmmword ", "xmmword ", "xmmword " },
        { "pd", "xmmword ", "xmmword ", "xmmword " },
        { "x", "xmmword ", "xmmword ", "ymmword " }, /* 64: VEX.L, INSN_OP64 */
    };
    for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
        if (!strcmp(size, words[k].letters))
            return i->flags & INSN_OP16   ? words[k].word16
                   : i->flags & INSN_OP64 ? words[k].word64
                                          : words[k].word32;
    }
    return "";
}

static void put_memory(struct text *t, const struct insn *i, const char *operand, uint64_t rip)
{
    const struct form *form = form_by_number(i->form);
    bool selector = operand[0] == 'E' &&
                    (strchr(form->operands, 'S') || !strcmp(form->name, "sldt") ||
                     !strcmp(form->name, "str") || !strcmp(form->name, "smsw"));
    /* A selector in memory is a word; state ("Mx") has no size of its own, SIMD operands do. */
    if (strcmp(operand, "Mx") != 0)
        PUT(t, "%s", selector ? "word " : size_word(i, operand + 1));
    put_address(t, i, rip);
}

/* What a string instruction walks over: [rdi], or [rsi] with the segment. */
static void put_string(struct text *t, const struct insn *i, const char *operand)
{
    bool source = operand[0] == 'X';
    PUT(t, "%s[", size_word(i, operand + 1));
    if (source)
        put_segment(t, i, false);
    PUT(t, "%s]", address_names(i)[source ? RSI : RDI]);
}

/* Sign-extended when decoded: shown as wide as it is used. */
static void put_immediate(struct text *t, const struct insn *i, const char *operand)
{
    const struct form *form = form_by_number(i->form);
    bool byte = !strcmp(operand, "Ib") || form->attributes & FORM_BYTE;
    uint64_t mask = byte                                               ? 0xFF
                    : !strcmp(operand, "Iw") || i->flags & INSN_OP16 ? 0xFFFF
                    : i->flags & INSN_OP64                            ? UINT64_MAX
                                                                      : 0xFFFFFFFF;
    bool second = byte && !strncmp(form->operands, "Iw", 2); /* ENTER: level above the size */
    if (operand[0] == 'F')
        PUT(t, "0x%x:0x%x", (unsigned)(i->imm >> 32) & 0xFFFF, (unsigned)i->imm);
    else
        PUT(t, "0x%" PRIx64, (second ? i->imm >> 16 : i->imm) & mask);
}

static void put_target(struct text *t, const struct insn *i, uint64_t rip)
{
    uint64_t target = rip - i->ip + i->imm;
    if (i->flags & INSN_OP16)
        target = (uint16_t)target;
    else if (!(i->flags & INSN_OP64))
        target = (uint32_t)target;
    PUT(t, "0x%" PRIx64, target);
}

/* A register or count that the form names itself. */
static bool put_fixed(struct text *t, const struct insn *i, const char *operand)
{
    static const char *const fixed[][2] = {
        { "AL", "al" }, { "CL", "cl" }, { "DX", "dx" }, { "AX", "ax" }, { "1", "1" },
        { "ST0", "st" }, { "ES", "es" }, { "CS", "cs" }, { "SS", "ss" }, { "DS", "ds" },
        { "FS", "fs" }, { "GS", "gs" },
    };
    for (size_t k = 0; k < sizeof(fixed) / sizeof(fixed[0]); k++) {
        if (!strcmp(operand, fixed[k][0])) {
            PUT(t, "%s", fixed[k][1]);
            return true;
        }
    }
    if (!strcmp(operand, "rAX"))
        PUT(t, "%s", general_name(i, 'v', RAX));
    else if (!strcmp(operand, "eAX"))
        PUT(t, "%s", i->flags & INSN_OP16 ? "ax" : "eax");
    else if (!strcmp(operand, "STi"))
        PUT(t, "st(%u)", i->rm & 7);
    else
        return false;
    return true;
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
        /* Beside control and debug registers: 64 bits in 64-bit mode, else 32. */
        if (!strcmp(operand, "Rq") && form_by_number(i->form)->attributes & FORM_F64)
            operand = "Ry";
        PUT(t, "%s", operand[1] == 'b' && !operand[2] ? byte_name(number)
                                                       : general_name(i, operand[1], number));
        break;
    }
}

static void put_operand(struct text *t, const struct insn *i, const char *operand, uint64_t rip)
{
    if (put_fixed(t, i, operand))
        return;
    switch (operand[0]) {
    case 'I': case 'F':
        put_immediate(t, i, operand);
        break;
    case 'O':
        PUT(t, "[");
        put_segment(t, i, false);
        PUT(t, "0x%" PRIx64 "]",
            i->flags & INSN_ADDR16     ? i->imm & 0xFFFF
            : i->flags2 & INSN_ADDR32 ? i->imm & 0xFFFFFFFF
                                       : i->imm);
        break;
    case 'J':
        put_target(t, i, rip);
        break;
    case 'X': case 'Y':
        put_string(t, i, operand);
        break;
    case 'G': case 'V': case 'P': case 'S': case 'C': case 'D':
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
            put_memory(t, i, operand, rip);
        else
            put_register(t, i, operand, i->rm);
        break;
    default:
        PUT(t, "%s", operand);
        break;
    }
}

/* Names that depend on a size: of the operands, of the address for the last one. */
static const char *name_by_size(const struct insn *i, const struct form *form)
{
    static const char *const names[][4] = {
        { "cwd", "cwd", "cdq", "cqo" },
        { "movd", "movd", "movd", "movq" },
        { "pinsrd", "pinsrd", "pinsrd", "pinsrq" },
        { "pextrd", "pextrd", "pextrd", "pextrq" },
        { "cbw", "cbw", "cwde", "cdqe" },
        { "iret", "iretw", "iretd", "iretq" },
        { "retf", "retfw", "retf", "retfq" },
        { "sysret", "sysretd", "sysretd", "sysretq" },
        { "sysexit", "sysexitd", "sysexitd", "sysexitq" },
        { "pushf", "pushfw", "pushfd", "pushfq" },
        { "popf", "popfw", "popfd", "popfq" },
        { "pusha", "pushaw", "pushad", "pushad" },
        { "popa", "popaw", "popad", "popad" },
    };
    if (!strcmp(form->name, "jcxz"))
        return i->flags & INSN_ADDR16 ? "jcxz" : i->flags2 & INSN_ADDR32 ? "jecxz" : "jrcxz";
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        if (!strcmp(form->name, names[k][0]))
            return names[k][i->flags & INSN_OP16 ? 1 : i->flags & INSN_OP64 ? 3 : 2];
    }
    return form->name;
}

/* "movsb" is MOVS of bytes: the operands tell. */
static void put_name(struct text *t, const struct insn *i, const struct form *form)
{
    const char *name = name_by_size(i, form);
    size_t length = strlen(name);
    if (form->attributes & FORM_REP && form->attributes & FORM_BYTE && name[length - 1] == 'b')
        length--;
    PUT(t, "%.*s", (int)length, name);
}

int disassemble(const struct insn *i, uint64_t rip, char *text, size_t size)
{
    const struct form *form = form_by_number(i->form);
    struct text t = { text, size, 0 };
    char operands[48];
    bool compares = !strncmp(form->name, "cmps", 4) || !strncmp(form->name, "scas", 4);
    PUT(&t, "%s%s", i->flags & INSN_LOCK ? "lock " : "",
        i->flags & INSN_REP     ? compares ? "repe " : "rep "
        : i->flags & INSN_REPNE ? compares ? "repne " : "rep "
                                : "");
    put_name(&t, i, form);
    snprintf(operands, sizeof(operands), "%s", form->operands);
    const char *before = " ";
    char *rest = operands;
    for (char *token; (token = strtok_r(rest, ", ", &rest)); before = ", ") {
        PUT(&t, "%s", before);
        put_operand(&t, i, token, rip);
    }
    return t.total;
}
