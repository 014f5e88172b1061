/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SSE4.2: string compares (APM 4 PCMPESTRI and kin) and CRC32 with the Castagnoli polynomial.
 */
#include "machine/cpu/flags.h"
#include "machine/cpu/simd.h"

/* imm8: [0] words, [1] signed, [3:2] aggregation, [5:4] polarity, [6] last index or whole mask. */
enum aggregation { EQUAL_ANY, RANGES, EQUAL_EACH, EQUAL_ORDERED };

struct text {
    int32_t element[16];
    unsigned length; /* valid elements */
};

static void text_unpack(struct text *text, union xmm value, unsigned imm)
{
    unsigned count = imm & 1 ? 8 : 16;

    for (unsigned k = 0; k < count; k++) {
        if (imm & 1)
            text->element[k] = imm & 2 ? (int16_t)value.u16[k] : value.u16[k];
        else
            text->element[k] = imm & 2 ? (int8_t)value.u8[k] : value.u8[k];
    }
}

/* Implicit length: up to the first zero. */
static unsigned text_implicit(const struct text *text, unsigned count)
{
    unsigned length = 0;

    while (length < count && text->element[length])
        length++;
    return length;
}

/* Explicit length: the absolute value of rAX or rDX, saturated. */
static unsigned text_explicit(uint64_t reg, bool wide, unsigned count)
{
    int64_t value = wide ? (int64_t)reg : (int32_t)(uint32_t)reg;

    if (value > (int64_t)count || value < -(int64_t)count)
        return count;
    return (unsigned)(value < 0 ? -value : value);
}

static bool in_any(const struct text *a, int32_t element)
{
    for (unsigned k = 0; k < a->length; k++)
        if (a->element[k] == element)
            return true;
    return false;
}

static bool in_ranges(const struct text *a, int32_t element)
{
    for (unsigned k = 0; k + 1 < a->length; k += 2)
        if (a->element[k] <= element && element <= a->element[k + 1])
            return true;
    return false;
}

/* The pattern a matches at position `start` of b, as far as b's vector goes. */
static bool matches_at(const struct text *a, const struct text *b, unsigned start, unsigned count)
{
    for (unsigned k = 0; k < a->length && start + k < count; k++)
        if (start + k >= b->length || a->element[k] != b->element[start + k])
            return false;
    return true;
}

static uint32_t aggregate(const struct text *a, const struct text *b, unsigned imm, unsigned count)
{
    uint32_t result = 0;

    for (unsigned k = 0; k < count; k++) {
        bool valid = k < b->length, bit = false;
        switch ((enum aggregation)(imm >> 2 & 3)) {
        case EQUAL_ANY:
            bit = valid && in_any(a, b->element[k]);
            break;
        case RANGES:
            bit = valid && in_ranges(a, b->element[k]);
            break;
        case EQUAL_EACH:
            /* Both past the end count as equal, one past the end as different. */
            bit = valid && k < a->length ? a->element[k] == b->element[k]
                                         : !valid && k >= a->length;
            break;
        case EQUAL_ORDERED:
            bit = matches_at(a, b, k, count);
            break;
        }
        result |= (uint32_t)bit << k;
    }
    return result;
}

/* Compares, sets the flags, and returns the mask after polarity. */
static uint32_t compare_texts(struct cpu *cpu, const struct text *a, const struct text *b,
                              unsigned imm)
{
    unsigned count = imm & 1 ? 8 : 16;
    uint32_t all = (1u << count) - 1, mask = aggregate(a, b, imm, count);

    if ((imm >> 4 & 3) == 1)
        mask ^= all;
    else if ((imm >> 4 & 3) == 3)
        mask ^= (1u << b->length) - 1;
    flags_set_arithmetic(cpu, (mask ? EFLAGS_CF : 0) | (b->length < count ? EFLAGS_ZF : 0) |
                                  (a->length < count ? EFLAGS_SF : 0) |
                                  (mask & 1 ? EFLAGS_OF : 0));
    return mask;
}

static void write_index(struct cpu *cpu, uint32_t mask, unsigned imm)
{
    unsigned count = imm & 1 ? 8 : 16;

    if (!mask)
        cpu->gpr[RCX] = count;
    else
        cpu->gpr[RCX] = imm & 0x40 ? 31u - (unsigned)__builtin_clz(mask)
                                   : (unsigned)__builtin_ctz(mask);
}

static void write_mask(struct cpu *cpu, uint32_t mask, unsigned imm)
{
    union xmm result = {.u64 = {mask, 0}};

    if (imm & 0x40)
        for (unsigned k = 0; k < 16; k++) {
            unsigned element = imm & 1 ? k / 2 : k;
            result.u8[k] = mask >> element & 1 ? 0xFF : 0;
        }
    cpu->fpu.xmm[0] = result;
}

static uint32_t compare_explicit(struct cpu *cpu, const struct insn *i, union xmm b)
{
    unsigned imm = (uint8_t)i->imm, count = imm & 1 ? 8 : 16;
    bool wide = i->flags & INSN_OP64;
    struct text left = {.length = text_explicit(cpu->gpr[RAX], wide, count)};
    struct text right = {.length = text_explicit(cpu->gpr[RDX], wide, count)};

    text_unpack(&left, cpu->fpu.xmm[i->reg], imm);
    text_unpack(&right, b, imm);
    return compare_texts(cpu, &left, &right, imm);
}

static uint32_t compare_implicit(struct cpu *cpu, const struct insn *i, union xmm b)
{
    unsigned imm = (uint8_t)i->imm, count = imm & 1 ? 8 : 16;
    struct text left = {0}, right = {0};

    text_unpack(&left, cpu->fpu.xmm[i->reg], imm);
    text_unpack(&right, b, imm);
    left.length = text_implicit(&left, count);
    right.length = text_implicit(&right, count);
    return compare_texts(cpu, &left, &right, imm);
}

#define DEFINE_STRING(name, compare, write)                                                        \
    void op_##name##_r(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        write(cpu, compare(cpu, i, cpu->fpu.xmm[i->rm]), (uint8_t)i->imm);                         \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        union xmm b = to_xmm(sse_load_any(cpu, i));                                                \
        write(cpu, compare(cpu, i, b), (uint8_t)i->imm);                                           \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_STRING(pcmpestri, compare_explicit, write_index)
DEFINE_STRING(pcmpestrm, compare_explicit, write_mask)
DEFINE_STRING(pcmpistri, compare_implicit, write_index)
DEFINE_STRING(pcmpistrm, compare_implicit, write_mask)

/* CRC32: no EM, TS or OSFXSR check, it uses general registers only. */
#define DEFINE_CRC32(bits, suffix, value, accumulator)                                             \
    static void do_crc32_##bits(struct cpu *cpu, const struct insn *i, uint##bits##_t data)        \
    {                                                                                              \
        accumulator crc = (uint32_t)cpu->gpr[i->reg];                                              \
        __asm__("crc32" suffix " %1, %0" : "+r"(crc) : value(data));                               \
        cpu->gpr[i->reg] = crc;                                                                    \
    }                                                                                              \
    void op_crc32_##bits##m(struct cpu *cpu, const struct insn *i)                                 \
    {                                                                                              \
        uint64_t address = insn_address(cpu, i, bits / 8, false);                                  \
        do_crc32_##bits(cpu, i, load##bits(cpu, i, address));                                      \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_crc32_##bits##r(struct cpu *cpu, const struct insn *i)                                 \
    {                                                                                              \
        uint##bits##_t data;                                                                       \
        memcpy(&data, CRC32_SOURCE_##bits(cpu, i), sizeof(data));                                  \
        do_crc32_##bits(cpu, i, data);                                                             \
        NEXT(cpu, i);                                                                              \
    }
/* A byte register is given by its offset in the register file: insn.h. */
#define CRC32_SOURCE_8(cpu, i)  ((const uint8_t *)(cpu)->gpr + (i)->rm)
#define CRC32_SOURCE_16(cpu, i) (&(cpu)->gpr[(i)->rm])
#define CRC32_SOURCE_32(cpu, i) (&(cpu)->gpr[(i)->rm])
#define CRC32_SOURCE_64(cpu, i) (&(cpu)->gpr[(i)->rm])
DEFINE_CRC32(8, "b", "q", uint32_t)
DEFINE_CRC32(16, "w", "r", uint32_t)
DEFINE_CRC32(32, "l", "r", uint32_t)
DEFINE_CRC32(64, "q", "r", uint64_t)
