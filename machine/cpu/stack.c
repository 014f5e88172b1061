/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* General stack instructions: PUSH POP PUSHA POPA ENTER LEAVE, and BOUND (APM 3, chapter 3). */
#include "machine/cpu/lean.h"

/* The value is read before RSP moves: PUSH RSP pushes the old one. */
#define DEFINE_STACK(bits)                                                                         \
    static void op_push_##bits##r(struct cpu *cpu, const struct insn *i)                           \
    {                                                                                              \
        PUSH_##bits(cpu, i, reg_get_##bits(cpu, i->rm));                                           \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_push_##bits##m(struct cpu *cpu, const struct insn *i)                           \
    {                                                                                              \
        uint##bits##_t value = LOAD_E(cpu, i, bits);                                               \
        PUSH_##bits(cpu, i, value);                                                                \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_push_i_##bits(struct cpu *cpu, const struct insn *i)                            \
    {                                                                                              \
        PUSH_##bits(cpu, i, (uint##bits##_t)i->imm);                                               \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_pop_##bits##r(struct cpu *cpu, const struct insn *i)                            \
    {                                                                                              \
        uint##bits##_t value = (uint##bits##_t)PEEK_##bits(cpu, i);                                \
        DROP_##bits(cpu);                                                                          \
        reg_set_##bits(cpu, i->rm, value);                                                         \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    /* An address with RSP as base uses the value after the pop: APM 3. */                         \
    static void op_pop_##bits##m(struct cpu *cpu, const struct insn *i)                            \
    {                                                                                              \
        uint##bits##_t value = (uint##bits##_t)PEEK_##bits(cpu, i);                                \
        uint64_t address = insn_address(cpu, i, bits / 8, true);                                   \
        if (i->base == RSP)                                                                        \
            address += bits / 8;                                                                   \
        store##bits(cpu, i, address, value);                                                       \
        DROP_##bits(cpu);                                                                          \
        NEXT(cpu, i);                                                                              \
    }

#define PUSH_16(cpu, i, value) stack_push((cpu), (i), 2, (value))
#define PUSH_32(cpu, i, value) stack_push((cpu), (i), 4, (value))
#define PEEK_16(cpu, i)        stack_peek((cpu), (i), 2, 0)
#define PEEK_32(cpu, i)        stack_peek((cpu), (i), 4, 0)
#define DROP_16(cpu)           stack_set((cpu), (cpu)->gpr[RSP] + 2)
#define DROP_32(cpu)           stack_set((cpu), (cpu)->gpr[RSP] + 4)
/* 64-bit operand size means 64-bit mode: the stack is flat. */
#define PUSH_64(cpu, i, value)                                                                     \
    do {                                                                                           \
        store64((cpu), (i), (cpu)->gpr[RSP] - 8, (value));                                         \
        (cpu)->gpr[RSP] -= 8;                                                                      \
    } while (0)
#define PEEK_64(cpu, i) load64((cpu), (i), (cpu)->gpr[RSP])
#define DROP_64(cpu)    ((cpu)->gpr[RSP] += 8)

DEFINE_STACK(16)
DEFINE_STACK(32)
DEFINE_STACK(64)

static void op_push_64r_b(struct cpu *cpu, const struct insn *i)
{
    if (!lean_store64(cpu, cpu->gpr[RSP] - 8, cpu->gpr[i->rm]))
        return op_push_64r(cpu, i);
    cpu->gpr[RSP] -= 8;
    NEXT(cpu, i);
}

static void op_pop_64r_b(struct cpu *cpu, const struct insn *i)
{
    uint64_t value;
    if (!lean_load64(cpu, cpu->gpr[RSP], &value))
        return op_pop_64r(cpu, i);
    cpu->gpr[RSP] += 8;
    cpu->gpr[i->rm] = value;
    NEXT(cpu, i);
}

/* PUSHA and POPA: all eight, RSP as it was before, skipped on the way back. */
static void push_all(struct cpu *cpu, const struct insn *i, unsigned size)
{
    uint64_t mask = stack_mask(cpu), top = cpu->gpr[RSP], at[8];
    for (unsigned k = 0; k < 8; k++) {
        at[k] = stack_address(cpu, i, (top - (k + 1) * size) & mask, size, true);
        mmu_probe_write(cpu, i, at[k], size);
    }
    for (unsigned k = 0; k < 8; k++) {
        if (size == 2)
            store16(cpu, i, at[k], (uint16_t)cpu->gpr[k]);
        else
            store32(cpu, i, at[k], (uint32_t)cpu->gpr[k]);
    }
    stack_set(cpu, top - 8 * size);
}

static void pop_all(struct cpu *cpu, const struct insn *i, unsigned size)
{
    uint64_t value[8];
    for (unsigned k = 0; k < 8; k++)
        value[k] = stack_peek(cpu, i, size, k * size);
    for (unsigned k = 0; k < 8; k++) {
        unsigned reg = 7 - k;
        if (reg == RSP)
            continue;
        if (size == 2)
            reg_set_16(cpu, reg, (uint16_t)value[k]);
        else
            reg_set_32(cpu, reg, (uint32_t)value[k]);
    }
    stack_set(cpu, cpu->gpr[RSP] + 8 * size);
}

/* One word of an ENTER frame at an explicit stack offset. */
static void frame_store(struct cpu *cpu, const struct insn *i, uint64_t pointer, unsigned size,
                        uint64_t value)
{
    uint64_t address = stack_address(cpu, i, pointer & stack_mask(cpu), size, true);
    if (size == 2)
        store16(cpu, i, address, (uint16_t)value);
    else if (size == 4)
        store32(cpu, i, address, (uint32_t)value);
    else
        store64(cpu, i, address, value);
}

static uint64_t frame_load(struct cpu *cpu, const struct insn *i, uint64_t pointer, unsigned size)
{
    uint64_t address = stack_address(cpu, i, pointer & stack_mask(cpu), size, false);
    if (size == 2)
        return load16(cpu, i, address);
    return size == 4 ? load32(cpu, i, address) : load64(cpu, i, address);
}

static void set_frame_pointer(struct cpu *cpu, unsigned size, uint64_t value)
{
    if (size == 2)
        reg_set_16(cpu, RBP, (uint16_t)value);
    else
        cpu->gpr[RBP] = size == 4 ? (uint32_t)value : value;
}

/* ENTER: RSP and RBP change only after every access has succeeded. */
static void enter_frame(struct cpu *cpu, const struct insn *i, unsigned size)
{
    unsigned level = i->imm >> 16 & 31, words = 1;
    uint64_t top = cpu->gpr[RSP], frame = top - size, parent = cpu->gpr[RBP];
    frame_store(cpu, i, frame, size, cpu->gpr[RBP]);
    for (unsigned k = 1; k < level; k++) {
        parent -= size;
        words++;
        frame_store(cpu, i, top - words * size, size, frame_load(cpu, i, parent, size));
    }
    if (level) {
        words++;
        frame_store(cpu, i, top - words * size, size, frame);
    }
    uint64_t end = top - words * size - (i->imm & 0xFFFF);
    uint64_t address = stack_address(cpu, i, end & stack_mask(cpu), size, true);
    mmu_probe_write(cpu, i, address, size);
    set_frame_pointer(cpu, size, frame & stack_mask(cpu));
    stack_set(cpu, end);
}

static void leave_frame(struct cpu *cpu, const struct insn *i, unsigned size)
{
    uint64_t frame = cpu->gpr[RBP];
    if ((cpu->mode & MODE_64) && (uint64_t)((int64_t)(frame << 16) >> 16) != frame)
        cpu_raise_error(cpu, i, VECTOR_SS, 0);
    uint64_t value = frame_load(cpu, i, frame, size);
    stack_set(cpu, frame + size);
    set_frame_pointer(cpu, size, value);
}

#define DEFINE_FRAMES(name, function)                                                              \
    static void op_##name##_16(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        function(cpu, i, 2);                                                                       \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_32(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        function(cpu, i, 4);                                                                       \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    static void op_##name##_64(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        function(cpu, i, 8);                                                                       \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_FRAMES(pusha, push_all)
DEFINE_FRAMES(popa, pop_all)
DEFINE_FRAMES(enter, enter_frame)
DEFINE_FRAMES(leave, leave_frame)

#define DEFINE_BOUND(bits)                                                                         \
    static void op_bound_##bits##m(struct cpu *cpu, const struct insn *i)                          \
    {                                                                                              \
        uint64_t at = insn_address(cpu, i, bits / 4, false);                                       \
        signed_##bits low = (signed_##bits)load##bits(cpu, i, at);                                 \
        signed_##bits high = (signed_##bits)load##bits(cpu, i, at + bits / 8);                     \
        signed_##bits value = (signed_##bits)reg_get_##bits(cpu, i->reg);                          \
        if (value < low || value > high)                                                           \
            cpu_raise(cpu, i, VECTOR_BR);                                                          \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_BOUND(16)
DEFINE_BOUND(32)

#define FIXED(f)                                                                                   \
    {                                                                                              \
        { NULL, f##_16, f##_32, f##_64 }                                                           \
    }

static const struct form forms[] = {
    {"push", "50 +r", "Zv", FN_SIZES(op_push), NO_FLAGS, FEATURE_BASE, FORM_D64},
    {"pop", "58 +r", "Zv", FN_SIZES(op_pop), NO_FLAGS, FEATURE_BASE, FORM_D64},
    {"push", "68", "Iz", FIXED(op_push_i), NO_FLAGS, FEATURE_BASE, FORM_D64},
    {"push", "6A", "Ibs", FIXED(op_push_i), NO_FLAGS, FEATURE_BASE, FORM_D64},
    {"push", "FF /6", "Ev", FN_SIZES(op_push), NO_FLAGS, FEATURE_BASE, FORM_D64},
    {"pop", "8F /0", "Ev", FN_SIZES(op_pop), NO_FLAGS, FEATURE_BASE, FORM_D64},
    {"pusha", "60", "", FIXED(op_pusha), NO_FLAGS, FEATURE_BASE, FORM_NO64},
    {"popa", "61", "", FIXED(op_popa), NO_FLAGS, FEATURE_BASE, FORM_NO64},
    {"enter", "C8", "Iw,Ib", FIXED(op_enter), NO_FLAGS, FEATURE_BASE, FORM_D64},
    {"leave", "C9", "", FIXED(op_leave), NO_FLAGS, FEATURE_BASE, FORM_D64},
    {"bound", "62 /r", "Gv,M", { { NULL }, { NULL, op_bound_16m, op_bound_32m, NULL } }, NO_FLAGS,
     FEATURE_BASE, FORM_NO64},
};

const struct form_table forms_stack = { forms, ROW_COUNT(forms) };

static const struct lean_row lean_rows[] = {
    {op_push_64r, op_push_64r_b, NULL},
    {op_pop_64r, op_pop_64r_b, NULL},
};

const struct lean_table lean_stack = LEAN_ROWS(lean_rows);
