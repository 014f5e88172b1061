/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * String instructions (APM 3: MOVS, STOS, LODS, SCAS, CMPS). Repeated moves and fills run as block
 * operations, page by page; registers are brought up to date after every piece, so that a fault or
 * an interrupt leaves an instruction that can be restarted. A REP instruction counts as one.
 */
#include "machine/cpu/string_ops.h"

#include "machine/cpu/block.h"
#include "machine/cpu/flags.h"
#include "machine/cpu/mmu.h"

static uint64_t address_mask(const struct insn *i)
{
    if (i->flags & INSN_ADDR16)
        return 0xFFFF;
    return i->flags2 & INSN_ADDR32 ? 0xFFFFFFFF : UINT64_MAX;
}

/* Adds to an address or count register at the address size: 16 bits leave the rest alone. */
static void advance(struct cpu *cpu, const struct insn *i, enum gpr reg, uint64_t delta)
{
    uint64_t mask = address_mask(i), value = cpu->gpr[reg] + delta;
    uint64_t keep = mask == 0xFFFF ? cpu->gpr[reg] & ~mask : 0;
    cpu->gpr[reg] = keep | (value & mask);
}

static uint64_t step(const struct cpu *cpu, unsigned size)
{
    return cpu->eflags & EFLAGS_DF ? 0 - (uint64_t)size : size;
}

static uint64_t source(struct cpu *cpu, const struct insn *i, unsigned size)
{
    return segment_address(cpu, i, i->seg, cpu->gpr[RSI] & address_mask(i), size, false);
}

static uint64_t destination(struct cpu *cpu, const struct insn *i, unsigned size, bool write)
{
    return segment_address(cpu, i, ES, cpu->gpr[RDI] & address_mask(i), size, write);
}

static bool repeated(const struct insn *i)
{
    return i->flags & (INSN_REP | INSN_REPNE);
}

static uint64_t count_left(const struct cpu *cpu, const struct insn *i)
{
    return cpu->gpr[RCX] & address_mask(i);
}

/*
 * Elements that may run as a block: forward, no segment limit to meet, and no wrap of the address
 * register on the way. 0: element by element.
 */
static uint64_t block_elements(const struct cpu *cpu, const struct insn *i, unsigned size,
                               bool with_source)
{
    uint64_t mask = address_mask(i), count = count_left(cpu, i);
    if (cpu->eflags & EFLAGS_DF || !(cpu->mode & (MODE_64 | MODE_FLAT)))
        return 0;
    uint64_t room = mask - (cpu->gpr[RDI] & mask);
    if (with_source && mask - (cpu->gpr[RSI] & mask) < room)
        room = mask - (cpu->gpr[RSI] & mask);
    return count < room / size ? count : room / size;
}

/* Pieces after which a repetition counts as an instruction, so that none can outlast a deadline. */
#define PIECES_MAX 65536u

/* Something wants attention between instructions: a repetition stops where it is. */
static bool disturbed(struct cpu *cpu, unsigned *pieces)
{
    if (++*pieces == PIECES_MAX) {
        cpu->instructions++;
        return true;
    }
    return cpu->deadline == 0;
}

/* Copies as the guest's loop would: an overlap ahead of the source repeats the pattern. */
static void copy_forward(uint8_t *to, const uint8_t *from, uint64_t length, unsigned size)
{
    if (to <= from || (uint64_t)(to - from) >= length) {
        memmove(to, from, length);
        return;
    }
    for (uint64_t at = 0; at < length; at += size)
        memmove(to + at, from + at, size);
}

/*
 * One page under two linear addresses may be wanted in two views (C-bit set and clear): then each
 * access must convert it.
 */
static bool is_alias(const struct cpu *cpu, const struct insn *i, const uint8_t *from,
                     const uint8_t *to)
{
    uint64_t mask = address_mask(i);
    bool one_frame = ((uintptr_t)from ^ (uintptr_t)to) < MEMORY_PAGE_SIZE;
    return one_frame && ((cpu->gpr[RSI] ^ cpu->gpr[RDI]) & mask) >= MEMORY_PAGE_SIZE;
}

/* One piece of REP MOVS; the number of elements done, 0 if it must go element by element. */
static uint64_t move_block(struct cpu *cpu, const struct insn *i, unsigned size)
{
    uint64_t elements = block_elements(cpu, i, size, true), from_run = 0, to_run = 0;
    if (elements < 2)
        return 0;
    const uint8_t *from = mmu_run(cpu, i, source(cpu, i, size), elements * size, false, &from_run);
    if (!from || from_run < size)
        return 0;
    uint8_t *to = mmu_run(cpu, i, destination(cpu, i, size, true), elements * size, true, &to_run);
    /* The second translation may have pushed out what the first one found. */
    from = to ? mmu_run(cpu, i, source(cpu, i, size), elements * size, false, &from_run) : NULL;
    uint64_t done = (from_run < to_run ? from_run : to_run) / size;
    if (!from || !done || is_alias(cpu, i, from, to))
        return 0;
    copy_forward(to, from, done * size, size);
    return done;
}

static void fill(uint8_t *to, uint64_t value, uint64_t elements, unsigned size)
{
    if (size == 1) {
        memset(to, (int)(value & 0xFF), elements);
        return;
    }
    for (uint64_t at = 0; at < elements; at++)
        memcpy(to + at * size, &value, size);
}

static uint64_t store_block(struct cpu *cpu, const struct insn *i, unsigned size)
{
    uint64_t elements = block_elements(cpu, i, size, false), run = 0;
    if (elements < 2)
        return 0;
    uint8_t *to = mmu_run(cpu, i, destination(cpu, i, size, true), elements * size, true, &run);
    if (!to || run < size)
        return 0;
    fill(to, cpu->gpr[RAX], run / size, size);
    return run / size;
}

#define DEFINE(bits)                                                                               \
    static void move_##bits(struct cpu *cpu, const struct insn *i)                                 \
    {                                                                                              \
        uint##bits##_t value = load##bits(cpu, i, source(cpu, i, bits / 8));                       \
        store##bits(cpu, i, destination(cpu, i, bits / 8, true), value);                           \
        advance(cpu, i, RSI, step(cpu, bits / 8));                                                 \
        advance(cpu, i, RDI, step(cpu, bits / 8));                                                 \
    }                                                                                              \
    static void store_##bits(struct cpu *cpu, const struct insn *i)                                \
    {                                                                                              \
        store##bits(cpu, i, destination(cpu, i, bits / 8, true), (uint##bits##_t)cpu->gpr[RAX]);   \
        advance(cpu, i, RDI, step(cpu, bits / 8));                                                 \
    }                                                                                              \
    static void load_##bits(struct cpu *cpu, const struct insn *i)                                 \
    {                                                                                              \
        uint##bits##_t value = load##bits(cpu, i, source(cpu, i, bits / 8));                       \
        uint64_t keep = bits < 32 ? cpu->gpr[RAX] >> (bits % 32) << (bits % 32) : 0;               \
        cpu->gpr[RAX] = keep | value;                                                              \
        advance(cpu, i, RSI, step(cpu, bits / 8));                                                 \
    }                                                                                              \
    static void compare_##bits(struct cpu *cpu, const struct insn *i)                              \
    {                                                                                              \
        uint##bits##_t first = load##bits(cpu, i, source(cpu, i, bits / 8));                       \
        uint##bits##_t second = load##bits(cpu, i, destination(cpu, i, bits / 8, false));          \
        flags_lazy(cpu, LAZY_OP(LAZY_SUB, __builtin_ctz(bits / 8)),                                \
                   (uint##bits##_t)(first - second), first);                                       \
        advance(cpu, i, RSI, step(cpu, bits / 8));                                                 \
        advance(cpu, i, RDI, step(cpu, bits / 8));                                                 \
    }                                                                                              \
    static void scan_##bits(struct cpu *cpu, const struct insn *i)                                 \
    {                                                                                              \
        uint##bits##_t first = (uint##bits##_t)cpu->gpr[RAX];                                      \
        uint##bits##_t second = load##bits(cpu, i, destination(cpu, i, bits / 8, false));          \
        flags_lazy(cpu, LAZY_OP(LAZY_SUB, __builtin_ctz(bits / 8)),                                \
                   (uint##bits##_t)(first - second), first);                                       \
        advance(cpu, i, RDI, step(cpu, bits / 8));                                                 \
    }                                                                                              \
    void op_movs_##bits(struct cpu *cpu, const struct insn *i)                                     \
    {                                                                                              \
        REPEAT(move_##bits, move_block(cpu, i, bits / 8), RSI, RDI, bits / 8);                     \
    }                                                                                              \
    void op_stos_##bits(struct cpu *cpu, const struct insn *i)                                     \
    {                                                                                              \
        REPEAT(store_##bits, store_block(cpu, i, bits / 8), RDI, RDI, bits / 8);                   \
    }                                                                                              \
    void op_lods_##bits(struct cpu *cpu, const struct insn *i)                                     \
    {                                                                                              \
        REPEAT(load_##bits, 0, RSI, RSI, bits / 8);                                                \
    }                                                                                              \
    void op_cmps_##bits(struct cpu *cpu, const struct insn *i)                                     \
    {                                                                                              \
        REPEAT_WHILE(compare_##bits);                                                              \
    }                                                                                              \
    void op_scas_##bits(struct cpu *cpu, const struct insn *i)                                     \
    {                                                                                              \
        REPEAT_WHILE(scan_##bits);                                                                 \
    }

/* A block moved both registers (the same one twice: only it) and the count. */
static void advance_block(struct cpu *cpu, const struct insn *i, enum gpr one, enum gpr other,
                          uint64_t elements, unsigned size)
{
    advance(cpu, i, one, elements * size);
    if (other != one)
        advance(cpu, i, other, elements * size);
    advance(cpu, i, RCX, 0 - elements);
}

/* MOVS, STOS, LODS: REPNE repeats as REP does. */
#define REPEAT(element, block, one, other, size)                                                   \
    if (!repeated(i)) {                                                                            \
        element(cpu, i);                                                                           \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    for (unsigned pieces = 0; count_left(cpu, i);) {                                               \
        uint64_t done = block;                                                                     \
        if (done) {                                                                                \
            advance_block(cpu, i, one, other, done, size);                                         \
        } else {                                                                                   \
            element(cpu, i);                                                                       \
            advance(cpu, i, RCX, UINT64_MAX);                                                      \
        }                                                                                          \
        if (disturbed(cpu, &pieces) && count_left(cpu, i))                                         \
            return repeat_later(cpu, i);                                                              \
    }                                                                                              \
    NEXT(cpu, i)

/* CMPS, SCAS: REPE goes on while equal, REPNE while different. */
#define REPEAT_WHILE(element)                                                                      \
    if (!repeated(i)) {                                                                            \
        element(cpu, i);                                                                           \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    for (unsigned pieces = 0; count_left(cpu, i);) {                                               \
        element(cpu, i);                                                                           \
        advance(cpu, i, RCX, UINT64_MAX);                                                          \
        if (flag_zf(cpu) != !!(i->flags & INSN_REP))                                               \
            break;                                                                                 \
        if (disturbed(cpu, &pieces) && count_left(cpu, i))                                         \
            return repeat_later(cpu, i);                                                              \
    }                                                                                              \
    NEXT(cpu, i)

DEFINE(8)
DEFINE(16)
DEFINE(32)
DEFINE(64)
