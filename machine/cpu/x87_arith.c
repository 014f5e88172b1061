/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * x87 arithmetic, comparisons and transcendental functions, and the exceptions they share. The
 * computation is the host's instruction of the same name under the guest's control word: hostfp.h.
 */
#include "machine/cpu/block.h"
#include "machine/cpu/flags.h"
#include "machine/cpu/hostfp.h"
#include "machine/cpu/x87.h"

/*
 * FOP: low three bits of the opcode byte, then ModRM (APM 1 6.2.5). Only unmasked exceptions need
 * it: the bytes are read again, from the physical pages that the running block was decoded from.
 */
static void record_opcode(struct cpu *cpu, const struct insn *i)
{
    const struct block *block = cpu->block;
    uint8_t bytes[16] = {0};

    for (unsigned k = 0; block && k < i->length; k++) {
        uint64_t gpa = block->gpa + i->ip + k;
        if ((gpa ^ block->gpa) & ~PAGE_OFFSET)
            gpa = block->gpa_second | (gpa & PAGE_OFFSET);
        memory_view view = memory_current_view(cpu->memory, gpa);
        const uint8_t *page = memory_page(cpu->memory, gpa & ~PAGE_OFFSET, view);
        bytes[k] = page ? page[gpa & PAGE_OFFSET] : 0;
    }
    for (unsigned k = 0; k + 1 < sizeof(bytes); k++)
        if (bytes[k] >= 0xD8 && bytes[k] <= 0xDF) {
            cpu->fpu.opcode = (uint16_t)((bytes[k] & 7) << 8 | bytes[k + 1]);
            return;
        }
}

/* Adds exceptions to the status word; true if one of them is unmasked. */
static bool signal_exceptions(struct cpu *cpu, const struct insn *i, unsigned exceptions)
{
    unsigned unmasked = exceptions & ~cpu->fpu.control & FSW_EXCEPTIONS;

    if (unmasked) {
        record_opcode(cpu, i);
        cpu->fpu.status |= FSW_ES | FSW_B;
    }
    cpu->fpu.status |= (uint16_t)exceptions;
    return unmasked;
}

bool x87_flags(struct cpu *cpu, const struct insn *i, uint16_t status, unsigned stopping)
{
    unsigned exceptions = status & FSW_EXCEPTIONS;

    cpu->fpu.status = (uint16_t)((cpu->fpu.status & ~FSW_C1) | (status & FSW_C1));
    if (!exceptions)
        return false;
    signal_exceptions(cpu, i, exceptions);
    return exceptions & ~cpu->fpu.control & stopping;
}

bool x87_stack_fault(struct cpu *cpu, const struct insn *i, bool overflow)
{
    cpu->fpu.status = (uint16_t)((cpu->fpu.status & ~FSW_C1) | (overflow ? FSW_C1 : 0));
    return !signal_exceptions(cpu, i, FSW_IE | FSW_SF);
}

/* The two stack operands of an instruction are there; else the masked response goes to `result`. */
static bool operands_missing(struct cpu *cpu, const struct insn *i, unsigned left, unsigned right,
                             unsigned result, bool *ret_done)
{
    if (__builtin_expect(!x87_empty(cpu, left) && !x87_empty(cpu, right), 1))
        return false;
    *ret_done = x87_stack_fault(cpu, i, false);
    if (*ret_done)
        x87_set(cpu, result, x87_default_nan);
    return true;
}

/* ST(dst) = ST(dst) OP ST(src). Returns false if an unmasked exception prevented it. */
typedef uint16_t host_binary(uint16_t control, struct x87_register *a,
                             const struct x87_register *b);

static inline bool binary(struct cpu *cpu, const struct insn *i, host_binary *fn, unsigned dst,
                          unsigned src)
{
    bool done;

    if (operands_missing(cpu, i, dst, src, dst, &done))
        return done;
    struct x87_register a = *x87_st(cpu, dst);
    uint16_t status = fn(cpu->fpu.control, &a, x87_st(cpu, src));
    if (x87_flags(cpu, i, status, X87_STOP_OPERANDS))
        return false;
    *x87_st(cpu, dst) = a;
    return true;
}

#define DEFINE_MEMORY(name, suffix, mnemonic, bits)                                                \
    HOST_X87_MEMORY(name##_##suffix, mnemonic, uint##bits##_t)                                     \
    void op_##name##_##suffix(struct cpu *cpu, const struct insn *i)                               \
    {                                                                                              \
        bool done;                                                                                 \
        x87_check(cpu, i);                                                                         \
        uint64_t address = insn_address(cpu, i, bits / 8, false);                                  \
        uint##bits##_t b = load##bits(cpu, i, address);                                            \
        x87_begin_memory(cpu, i, address);                                                         \
        if (!operands_missing(cpu, i, 0, 0, 0, &done)) {                                           \
            struct x87_register a = *x87_st(cpu, 0);                                               \
            uint16_t status = host_##name##_##suffix(cpu->fpu.control, &a, b);                     \
            if (!x87_flags(cpu, i, status, X87_STOP_OPERANDS))                                     \
                *x87_st(cpu, 0) = a;                                                               \
        }                                                                                          \
        NEXT(cpu, i);                                                                              \
    }

#define DEFINE_BINARY(name)                                                                        \
    HOST_X87_BINARY(name)                                                                          \
    void op_##name##_st0(struct cpu *cpu, const struct insn *i)                                    \
    {                                                                                              \
        x87_begin(cpu, i);                                                                         \
        binary(cpu, i, host_##name, 0, i->rm & 7);                                                 \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_sti(struct cpu *cpu, const struct insn *i)                                    \
    {                                                                                              \
        x87_begin(cpu, i);                                                                         \
        binary(cpu, i, host_##name, i->rm & 7, 0);                                                 \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##p(struct cpu *cpu, const struct insn *i)                                       \
    {                                                                                              \
        x87_begin(cpu, i);                                                                         \
        if (binary(cpu, i, host_##name, i->rm & 7, 0))                                             \
            x87_pop(cpu);                                                                          \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    DEFINE_MEMORY(name, m32, #name "s", 32)                                                        \
    DEFINE_MEMORY(name, m64, #name "l", 64)
X87_BINARY_LIST(DEFINE_BINARY)

#define DEFINE_INTEGER(name, mnemonic)                                                             \
    DEFINE_MEMORY(name, i16, mnemonic "s", 16)                                                     \
    DEFINE_MEMORY(name, i32, mnemonic "l", 32)
DEFINE_INTEGER(fadd, "fiadd")
DEFINE_INTEGER(fmul, "fimul")
DEFINE_INTEGER(fsub, "fisub")
DEFINE_INTEGER(fsubr, "fisubr")
DEFINE_INTEGER(fdiv, "fidiv")
DEFINE_INTEGER(fdivr, "fidivr")

/*
 * Comparisons set C3, C2 and C0, all of them for unordered, which is also the response to a stack
 * fault; also if the exception is unmasked, which only holds back the pop. Returns true if the
 * instruction completes (and may pop).
 */
static bool compare_missing(struct cpu *cpu, const struct insn *i, unsigned other, bool *ret_done)
{
    if (__builtin_expect(!x87_empty(cpu, 0) && !x87_empty(cpu, other), 1))
        return false;
    *ret_done = x87_stack_fault(cpu, i, false);
    x87_set_conditions(cpu, FSW_C3 | FSW_C2 | FSW_C0);
    return true;
}

static bool compare_done(struct cpu *cpu, const struct insn *i, uint16_t status)
{
    bool stopped = x87_flags(cpu, i, (uint16_t)(status & ~FSW_C1), X87_STOP_OPERANDS);
    x87_set_conditions(cpu, status & (FSW_C3 | FSW_C2 | FSW_C0));
    return !stopped;
}

HOST_X87_BOTH(fcom)
HOST_X87_BOTH(fucom)

static bool compare(struct cpu *cpu, const struct insn *i, host_binary *fn, unsigned other)
{
    bool done;

    if (compare_missing(cpu, i, other, &done))
        return done;
    struct x87_register a = *x87_st(cpu, 0);
    return compare_done(cpu, i, fn(cpu->fpu.control, &a, x87_st(cpu, other)));
}

#define DEFINE_COMPARE(name)                                                                       \
    void op_##name(struct cpu *cpu, const struct insn *i)                                          \
    {                                                                                              \
        x87_begin(cpu, i);                                                                         \
        compare(cpu, i, host_##name, i->rm & 7);                                                   \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##p(struct cpu *cpu, const struct insn *i)                                       \
    {                                                                                              \
        x87_begin(cpu, i);                                                                         \
        if (compare(cpu, i, host_##name, i->rm & 7))                                               \
            x87_pop(cpu);                                                                          \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##pp(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        x87_begin(cpu, i);                                                                         \
        if (compare(cpu, i, host_##name, 1)) {                                                     \
            x87_pop(cpu);                                                                          \
            x87_pop(cpu);                                                                          \
        }                                                                                          \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_COMPARE(fcom)
DEFINE_COMPARE(fucom)

#define DEFINE_COMPARE_MEMORY(name, suffix, mnemonic, bits)                                        \
    HOST_X87_MEMORY(name##_##suffix, mnemonic, uint##bits##_t)                                     \
    static bool do_##name##_##suffix(struct cpu *cpu, const struct insn *i)                        \
    {                                                                                              \
        bool done;                                                                                 \
        x87_check(cpu, i);                                                                         \
        uint64_t address = insn_address(cpu, i, bits / 8, false);                                  \
        uint##bits##_t b = load##bits(cpu, i, address);                                            \
        x87_begin_memory(cpu, i, address);                                                         \
        if (compare_missing(cpu, i, 0, &done))                                                     \
            return done;                                                                           \
        struct x87_register a = *x87_st(cpu, 0);                                                   \
        return compare_done(cpu, i, host_##name##_##suffix(cpu->fpu.control, &a, b));              \
    }                                                                                              \
    void op_##name##_##suffix(struct cpu *cpu, const struct insn *i)                               \
    {                                                                                              \
        do_##name##_##suffix(cpu, i);                                                              \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##p_##suffix(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        if (do_##name##_##suffix(cpu, i))                                                          \
            x87_pop(cpu);                                                                          \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_COMPARE_MEMORY(fcom, m32, "fcoms", 32)
DEFINE_COMPARE_MEMORY(fcom, m64, "fcoml", 64)
DEFINE_COMPARE_MEMORY(ficom, m16, "ficoms", 16)
DEFINE_COMPARE_MEMORY(ficom, m32, "ficoml", 32)

/* FCOMI and kin: ZF PF CF for C3 C2 C0, which do not change; OF SF AF are cleared, C1 not. */
static bool compare_to_flags(struct cpu *cpu, const struct insn *i, host_binary *fn)
{
    uint16_t conditions = cpu->fpu.status & FSW_CONDITIONS;
    if (x87_empty(cpu, 0) || x87_empty(cpu, i->rm & 7))
        conditions &= (uint16_t)~FSW_C1;
    bool done = compare(cpu, i, fn, i->rm & 7);
    uint16_t status = cpu->fpu.status;

    flags_set_arithmetic(cpu, (status & FSW_C3 ? EFLAGS_ZF : 0) |
                                  (status & FSW_C2 ? EFLAGS_PF : 0) |
                                  (status & FSW_C0 ? EFLAGS_CF : 0));
    x87_set_conditions(cpu, conditions);
    return done;
}

#define DEFINE_COMPARE_FLAGS(name, worker)                                                         \
    void op_##name(struct cpu *cpu, const struct insn *i)                                          \
    {                                                                                              \
        x87_begin(cpu, i);                                                                         \
        compare_to_flags(cpu, i, host_##worker);                                                   \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##p(struct cpu *cpu, const struct insn *i)                                       \
    {                                                                                              \
        x87_begin(cpu, i);                                                                         \
        if (compare_to_flags(cpu, i, host_##worker))                                               \
            x87_pop(cpu);                                                                          \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_COMPARE_FLAGS(fcomi, fcom)
DEFINE_COMPARE_FLAGS(fucomi, fucom)

HOST_X87_UNARY(ftst)

void op_ftst(struct cpu *cpu, const struct insn *i)
{
    bool done;

    x87_begin(cpu, i);
    if (!compare_missing(cpu, i, 0, &done)) {
        struct x87_register a = *x87_st(cpu, 0);
        compare_done(cpu, i, host_ftst(cpu->fpu.control, &a));
    }
    NEXT(cpu, i);
}

/* FXAM: C1 is the sign, also of an empty register. */
HOST_X87_UNARY(fxam)

void op_fxam(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    struct x87_register a = *x87_st(cpu, 0);
    unsigned conditions;
    if (x87_empty(cpu, 0))
        conditions = FSW_C3 | FSW_C0 | (a.exponent & X87_SIGN ? FSW_C1 : 0);
    else
        conditions = host_fxam(cpu->fpu.control, &a) & FSW_CONDITIONS;
    x87_set_conditions(cpu, conditions);
    NEXT(cpu, i);
}

/* One operand, one result. C2 tells that the argument of FSIN or FCOS is out of range. */
typedef uint16_t host_unary(uint16_t control, struct x87_register *a);

static void unary(struct cpu *cpu, const struct insn *i, host_unary *fn, uint16_t conditions)
{
    bool done;

    if (operands_missing(cpu, i, 0, 0, 0, &done)) {
        cpu->fpu.status &= (uint16_t)~conditions;
        return;
    }
    struct x87_register a = *x87_st(cpu, 0);
    uint16_t status = fn(cpu->fpu.control, &a);
    if (!x87_flags(cpu, i, status, X87_STOP_OPERANDS))
        *x87_st(cpu, 0) = a;
    cpu->fpu.status = (uint16_t)((cpu->fpu.status & ~conditions) | (status & conditions));
}

#define CONDITIONS_f2xm1 0
#define CONDITIONS_fsqrt 0
#define CONDITIONS_fsin FSW_C2
#define CONDITIONS_fcos FSW_C2
#define CONDITIONS_frndint 0
#define DEFINE_UNARY(name)                                                                         \
    HOST_X87_UNARY(name)                                                                           \
    void op_##name(struct cpu *cpu, const struct insn *i)                                          \
    {                                                                                              \
        x87_begin(cpu, i);                                                                         \
        unary(cpu, i, host_##name, CONDITIONS_##name);                                             \
        NEXT(cpu, i);                                                                              \
    }
X87_UNARY_LIST(DEFINE_UNARY)

/* Sign operations look at no value: no exception but the stack fault. */
static void sign_operation(struct cpu *cpu, const struct insn *i, uint16_t keep, uint16_t flip)
{
    bool done;

    if (operands_missing(cpu, i, 0, 0, 0, &done))
        return;
    cpu->fpu.status &= (uint16_t)~FSW_C1;
    x87_st(cpu, 0)->exponent = (x87_st(cpu, 0)->exponent & keep) ^ flip;
}

void op_fchs(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    sign_operation(cpu, i, 0xFFFF, X87_SIGN);
    NEXT(cpu, i);
}

void op_fabs(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    sign_operation(cpu, i, X87_EXPONENT, 0);
    NEXT(cpu, i);
}

/* ST(0) and ST(1) give ST(0), no pop. The partial remainders report the quotient in C0 C3 C1. */
HOST_X87_BOTH(fscale)
HOST_X87_REMAINDER(fprem)
HOST_X87_REMAINDER(fprem1)
#define CONTROL_fscale(cpu) (cpu)->fpu.control
#define CONTROL_fprem(cpu) (cpu)->fpu.control, (cpu)->fpu.status & FSW_CONDITIONS
#define CONTROL_fprem1(cpu) (cpu)->fpu.control, (cpu)->fpu.status & FSW_CONDITIONS

#define DEFINE_BOTH(name, conditions)                                                              \
    void op_##name(struct cpu *cpu, const struct insn *i)                                          \
    {                                                                                              \
        bool done;                                                                                 \
        x87_begin(cpu, i);                                                                         \
        if (operands_missing(cpu, i, 0, 1, 0, &done)) {                                            \
            cpu->fpu.status &= (uint16_t)~((conditions)&FSW_C2);                                   \
        } else {                                                                                   \
            struct x87_register a = *x87_st(cpu, 0);                                               \
            uint16_t status = host_##name(CONTROL_##name(cpu), &a, x87_st(cpu, 1));                \
            if (!x87_flags(cpu, i, status, X87_STOP_OPERANDS))                                     \
                *x87_st(cpu, 0) = a;                                                               \
            cpu->fpu.status =                                                                      \
                (uint16_t)((cpu->fpu.status & ~(conditions)) | (status & (conditions)));           \
        }                                                                                          \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_BOTH(fscale, 0u)
DEFINE_BOTH(fprem, FSW_C0 | FSW_C2 | FSW_C3)
DEFINE_BOTH(fprem1, FSW_C0 | FSW_C2 | FSW_C3)

/* ST(1) = f(ST(1), ST(0)), then pop. */
HOST_X87_POPPING(fpatan)
HOST_X87_POPPING(fyl2x)
HOST_X87_POPPING(fyl2xp1)

#define DEFINE_POPPING(name)                                                                       \
    void op_##name(struct cpu *cpu, const struct insn *i)                                          \
    {                                                                                              \
        bool done;                                                                                 \
        x87_begin(cpu, i);                                                                         \
        if (operands_missing(cpu, i, 0, 1, 1, &done)) {                                            \
            if (done)                                                                              \
                x87_pop(cpu);                                                                      \
            NEXT(cpu, i);                                                                          \
        }                                                                                          \
        struct x87_register b = *x87_st(cpu, 1);                                                   \
        uint16_t status = host_##name(cpu->fpu.control, x87_st(cpu, 0), &b);                       \
        if (!x87_flags(cpu, i, status, X87_STOP_OPERANDS)) {                                       \
            *x87_st(cpu, 1) = b;                                                                   \
            x87_pop(cpu);                                                                          \
        }                                                                                          \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_POPPING(fpatan)
DEFINE_POPPING(fyl2x)
DEFINE_POPPING(fyl2xp1)

/*
 * One operand, two results, the second pushed. The stack fault (ST(0) empty, or ST(7) not) gives
 * the default NaN twice.
 */
HOST_X87_PUSHING(fptan)
HOST_X87_PUSHING(fsincos)
HOST_X87_PUSHING(fxtract)
typedef uint16_t host_pushing(uint16_t control, struct x87_register *a, struct x87_register *b);

static void push_result(struct cpu *cpu, const struct insn *i, host_pushing *fn,
                        uint16_t conditions)
{
    if (x87_empty(cpu, 0) || !x87_empty(cpu, 7)) {
        cpu->fpu.status &= (uint16_t)~conditions;
        if (x87_stack_fault(cpu, i, !x87_empty(cpu, 0))) {
            x87_set(cpu, 0, x87_default_nan);
            x87_push(cpu, x87_default_nan);
        }
        return;
    }
    struct x87_register a = *x87_st(cpu, 0), b = a;
    uint16_t status = fn(cpu->fpu.control, &a, &b);
    bool stopped = x87_flags(cpu, i, status, X87_STOP_OPERANDS);
    cpu->fpu.status = (uint16_t)((cpu->fpu.status & ~conditions) | (status & conditions));
    if (stopped || (status & conditions & FSW_C2))
        return;
    *x87_st(cpu, 0) = a;
    x87_push(cpu, b);
}

void op_fptan(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    push_result(cpu, i, host_fptan, FSW_C2);
    NEXT(cpu, i);
}

void op_fsincos(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    push_result(cpu, i, host_fsincos, FSW_C2);
    NEXT(cpu, i);
}

void op_fxtract(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    push_result(cpu, i, host_fxtract, 0);
    NEXT(cpu, i);
}
