/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * x87 loads, stores, constants, exchanges, conditional moves and stack pointer operations.
 */
#include "machine/cpu/flags.h"
#include "machine/cpu/hostfp.h"
#include "machine/cpu/x87.h"

/* Pushes a loaded value, also a denormal under unmasked DE; ST(7) in use is a stack overflow. */
static void push_loaded(struct cpu *cpu, const struct insn *i, struct x87_register value)
{
    if (__builtin_expect(!x87_empty(cpu, 7), 0)) {
        if (x87_stack_fault(cpu, i, true))
            x87_push(cpu, x87_default_nan);
        return;
    }
    cpu->fpu.status &= (uint16_t)~FSW_C1;
    x87_push(cpu, value);
}

/* The work is apart from the operation, whose tail call cannot follow a local in memory. */
#define DEFINE_CHAINED(name)                                                                       \
    void op_##name(struct cpu *cpu, const struct insn *i)                                          \
    {                                                                                              \
        do_##name(cpu, i);                                                                         \
        NEXT(cpu, i);                                                                              \
    }
#define DEFINE_LOAD(name, mnemonic, bits)                                                          \
    HOST_X87_LOAD(name, mnemonic, uint##bits##_t)                                                  \
    static void do_##name(struct cpu *cpu, const struct insn *i)                                   \
    {                                                                                              \
        x87_check(cpu, i);                                                                         \
        uint64_t address = insn_address(cpu, i, bits / 8, false);                                  \
        uint##bits##_t b = load##bits(cpu, i, address);                                            \
        x87_begin_memory(cpu, i, address);                                                         \
        struct x87_register a = {0};                                                               \
        uint16_t status = x87_empty(cpu, 7) ? host_##name(cpu->fpu.control, &a, b) : 0;            \
        if (!x87_flags(cpu, i, status, FSW_IE))                                                    \
            push_loaded(cpu, i, a);                                                                \
    }                                                                                              \
    DEFINE_CHAINED(name)
DEFINE_LOAD(fld_m32, "flds", 32)
DEFINE_LOAD(fld_m64, "fldl", 64)
DEFINE_LOAD(fild_m16, "filds", 16)
DEFINE_LOAD(fild_m32, "fildl", 32)
DEFINE_LOAD(fild_m64, "fildq", 64)

/* Ten bytes in memory: loaded and stored as eight and two. */
static struct x87_register load80(struct cpu *cpu, const struct insn *i)
{
    x87_check(cpu, i);
    uint64_t address = insn_address(cpu, i, 10, false);
    struct x87_register value = {load64(cpu, i, address), load16(cpu, i, address + 8)};
    x87_begin_memory(cpu, i, address);
    return value;
}

void op_fld_m80(struct cpu *cpu, const struct insn *i)
{
    struct x87_register value = load80(cpu, i);
    push_loaded(cpu, i, value);
    NEXT(cpu, i);
}

HOST_X87_LOAD(fbld, "fbld", struct x87_register)

static void do_fbld(struct cpu *cpu, const struct insn *i)
{
    struct x87_register value = load80(cpu, i), result = {0};
    host_fbld(cpu->fpu.control, &result, value);
    push_loaded(cpu, i, result);
}
DEFINE_CHAINED(fbld)

/* Constants are rounded as the control word says. */
#define DEFINE_CONSTANT(name)                                                                      \
    HOST_X87_CONSTANT(name)                                                                        \
    static void do_##name(struct cpu *cpu, const struct insn *i)                                   \
    {                                                                                              \
        struct x87_register value = {0};                                                           \
        x87_begin(cpu, i);                                                                         \
        host_##name(cpu->fpu.control, &value);                                                     \
        push_loaded(cpu, i, value);                                                                \
    }                                                                                              \
    DEFINE_CHAINED(name)
X87_CONSTANT_LIST(DEFINE_CONSTANT)

/*
 * Stores with conversion. The destination is written, or probed if an unmasked exception holds the
 * store back, before exceptions are recorded: a page fault comes first and leaves no trace. The
 * response to a masked stack fault is the conversion of the default NaN, whose only exception is
 * the IE already recorded.
 */
#define DEFINE_STORE(name, mnemonic, bits)                                                         \
    HOST_X87_STORE(name, mnemonic, uint##bits##_t)                                                 \
    static bool do_##name(struct cpu *cpu, const struct insn *i)                                   \
    {                                                                                              \
        x87_check(cpu, i);                                                                         \
        uint64_t address = insn_address(cpu, i, bits / 8, true);                                   \
        uint##bits##_t b = 0;                                                                      \
        struct x87_register a = *x87_st(cpu, 0);                                                   \
        bool missing = x87_empty(cpu, 0);                                                          \
        if (missing)                                                                               \
            a = x87_default_nan;                                                                   \
        uint16_t status = host_##name(missing ? FCW_INITIAL : cpu->fpu.control, &a, &b);           \
        bool stops = missing ? !(cpu->fpu.control & FSW_IE)                                        \
                             : status & ~cpu->fpu.control & X87_STOP_STORE;                        \
        if (stops)                                                                                 \
            mmu_probe_write(cpu, i, address, bits / 8);                                            \
        else                                                                                       \
            store##bits(cpu, i, address, b);                                                       \
        x87_begin_memory(cpu, i, address);                                                         \
        if (missing)                                                                               \
            x87_stack_fault(cpu, i, false);                                                        \
        else                                                                                       \
            x87_flags(cpu, i, status, X87_STOP_STORE);                                             \
        return !stops;                                                                             \
    }
#define DEFINE_STORE_KEEP(name, worker)                                                            \
    void op_##name(struct cpu *cpu, const struct insn *i)                                          \
    {                                                                                              \
        do_##worker(cpu, i);                                                                       \
        NEXT(cpu, i);                                                                              \
    }
#define DEFINE_STORE_POP(name)                                                                     \
    void op_##name(struct cpu *cpu, const struct insn *i)                                          \
    {                                                                                              \
        if (do_##name(cpu, i))                                                                     \
            x87_pop(cpu);                                                                          \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_STORE(fstp_m32, "fstps", 32)
DEFINE_STORE(fstp_m64, "fstpl", 64)
DEFINE_STORE(fistp_m16, "fistps", 16)
DEFINE_STORE(fistp_m32, "fistpl", 32)
DEFINE_STORE(fistp_m64, "fistpq", 64)
DEFINE_STORE(fisttp_m16, "fisttps", 16)
DEFINE_STORE(fisttp_m32, "fisttpl", 32)
DEFINE_STORE(fisttp_m64, "fisttpq", 64)
DEFINE_STORE_POP(fstp_m32)
DEFINE_STORE_POP(fstp_m64)
DEFINE_STORE_POP(fistp_m16)
DEFINE_STORE_POP(fistp_m32)
DEFINE_STORE_POP(fistp_m64)
DEFINE_STORE_POP(fisttp_m16)
DEFINE_STORE_POP(fisttp_m32)
DEFINE_STORE_POP(fisttp_m64)
DEFINE_STORE_KEEP(fst_m32, fstp_m32)
DEFINE_STORE_KEEP(fst_m64, fstp_m64)
DEFINE_STORE_KEEP(fist_m16, fistp_m16)
DEFINE_STORE_KEEP(fist_m32, fistp_m32)

static void store80(struct cpu *cpu, const struct insn *i, uint64_t address,
                    struct x87_register value)
{
    mmu_probe_write(cpu, i, address, 10);
    store64(cpu, i, address, value.mantissa);
    store16(cpu, i, address + 8, value.exponent);
}

void op_fstp_m80(struct cpu *cpu, const struct insn *i)
{
    x87_check(cpu, i);
    uint64_t address = insn_address(cpu, i, 10, true);
    bool missing = x87_empty(cpu, 0);
    bool stops = missing && !(cpu->fpu.control & FSW_IE);

    if (stops)
        mmu_probe_write(cpu, i, address, 10);
    else
        store80(cpu, i, address, missing ? x87_default_nan : *x87_st(cpu, 0));
    x87_begin_memory(cpu, i, address);
    cpu->fpu.status &= (uint16_t)~FSW_C1;
    if (missing)
        x87_stack_fault(cpu, i, false);
    if (!stops)
        x87_pop(cpu);
    NEXT(cpu, i);
}

HOST_X87_STORE(fbstp, "fbstp", struct x87_register)

static void do_fbstp(struct cpu *cpu, const struct insn *i)
{
    x87_check(cpu, i);
    uint64_t address = insn_address(cpu, i, 10, true);
    bool missing = x87_empty(cpu, 0);
    struct x87_register a = missing ? x87_default_nan : *x87_st(cpu, 0), b = {0};
    uint16_t status = host_fbstp(missing ? FCW_INITIAL : cpu->fpu.control, &a, &b);
    bool stops = missing ? !(cpu->fpu.control & FSW_IE)
                         : status & ~cpu->fpu.control & X87_STOP_STORE;

    if (stops)
        mmu_probe_write(cpu, i, address, 10);
    else
        store80(cpu, i, address, b);
    x87_begin_memory(cpu, i, address);
    if (missing)
        x87_stack_fault(cpu, i, false);
    else
        x87_flags(cpu, i, status, X87_STOP_STORE);
    if (!stops)
        x87_pop(cpu);
}
DEFINE_CHAINED(fbstp)

/* Register moves. */
void op_fld(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    if (x87_empty(cpu, i->rm & 7)) {
        if (x87_stack_fault(cpu, i, false))
            x87_push(cpu, x87_default_nan);
    } else {
        push_loaded(cpu, i, *x87_st(cpu, i->rm & 7));
    }
    NEXT(cpu, i);
}

static bool store_register(struct cpu *cpu, const struct insn *i)
{
    struct x87_register value = *x87_st(cpu, 0);

    x87_begin(cpu, i);
    if (x87_empty(cpu, 0)) {
        if (!x87_stack_fault(cpu, i, false))
            return false;
        value = x87_default_nan;
    }
    cpu->fpu.status &= (uint16_t)~FSW_C1;
    x87_set(cpu, i->rm & 7, value);
    return true;
}

void op_fst(struct cpu *cpu, const struct insn *i)
{
    store_register(cpu, i);
    NEXT(cpu, i);
}

void op_fstp(struct cpu *cpu, const struct insn *i)
{
    if (store_register(cpu, i))
        x87_pop(cpu);
    NEXT(cpu, i);
}

/* The alias D9 D8+i knows no stack fault: an empty ST(0) is popped and nothing is stored. */
void op_fstp_alias(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    cpu->fpu.status &= (uint16_t)~FSW_C1;
    if (!x87_empty(cpu, 0))
        x87_set(cpu, i->rm & 7, *x87_st(cpu, 0));
    x87_pop(cpu);
    NEXT(cpu, i);
}

void op_fxch(struct cpu *cpu, const struct insn *i)
{
    unsigned other = i->rm & 7;

    x87_begin(cpu, i);
    struct x87_register a = *x87_st(cpu, 0), b = *x87_st(cpu, other);
    bool a_empty = x87_empty(cpu, 0), b_empty = x87_empty(cpu, other);
    if ((a_empty || b_empty) && !x87_stack_fault(cpu, i, false))
        NEXT(cpu, i);
    cpu->fpu.status &= (uint16_t)~FSW_C1;
    x87_set(cpu, 0, b_empty ? x87_default_nan : b);
    x87_set(cpu, other, a_empty ? x87_default_nan : a);
    NEXT(cpu, i);
}

/* FCMOVcc: both registers must be in use, whatever the condition. */
static void conditional_move(struct cpu *cpu, const struct insn *i, bool condition)
{
    unsigned other = i->rm & 7;

    if (x87_empty(cpu, 0) || x87_empty(cpu, other)) {
        if (x87_stack_fault(cpu, i, false))
            x87_set(cpu, 0, x87_default_nan);
        return;
    }
    if (condition)
        *x87_st(cpu, 0) = *x87_st(cpu, other);
}

#define DEFINE_FCMOV(name, mask, wanted)                                                           \
    void op_fcmov##name(struct cpu *cpu, const struct insn *i)                                     \
    {                                                                                              \
        x87_begin(cpu, i);                                                                         \
        conditional_move(cpu, i, !!(flags_arithmetic(cpu) & (mask)) == (wanted));                  \
        NEXT(cpu, i);                                                                              \
    }
X87_CONDITION_LIST(DEFINE_FCMOV)

void op_ffree(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    cpu->fpu.valid &= (uint8_t)~(1u << ((x87_top(cpu) + i->rm) & 7));
    cpu->fpu.status &= (uint16_t)~FSW_C1;
    NEXT(cpu, i);
}

void op_ffreep(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    cpu->fpu.valid &= (uint8_t)~(1u << ((x87_top(cpu) + i->rm) & 7));
    cpu->fpu.status &= (uint16_t)~FSW_C1;
    x87_pop(cpu);
    NEXT(cpu, i);
}

void op_fincstp(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    x87_set_top(cpu, x87_top(cpu) + 1);
    cpu->fpu.status &= (uint16_t)~FSW_C1;
    NEXT(cpu, i);
}

void op_fdecstp(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    x87_set_top(cpu, x87_top(cpu) - 1);
    cpu->fpu.status &= (uint16_t)~FSW_C1;
    NEXT(cpu, i);
}

void op_fnop(struct cpu *cpu, const struct insn *i)
{
    x87_begin(cpu, i);
    NEXT(cpu, i);
}
