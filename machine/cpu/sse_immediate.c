/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Vector operations steered by an immediate: shuffles, blends, inserts and extracts, and those that
 * have one host instruction per value of a few immediate bits.
 */
#include "machine/cpu/simd.h"

static union xmm pshufd(union xmm a, union xmm b, unsigned imm)
{
    for (unsigned k = 0; k < 4; k++)
        a.u32[k] = b.u32[imm >> 2 * k & 3];
    return a;
}

static union xmm pshuflw(union xmm a, union xmm b, unsigned imm)
{
    a = b;
    for (unsigned k = 0; k < 4; k++)
        a.u16[k] = b.u16[imm >> 2 * k & 3];
    return a;
}

static union xmm pshufhw(union xmm a, union xmm b, unsigned imm)
{
    a = b;
    for (unsigned k = 0; k < 4; k++)
        a.u16[4 + k] = b.u16[4 + (imm >> 2 * k & 3)];
    return a;
}

static union xmm shufps(union xmm a, union xmm b, unsigned imm)
{
    return (union xmm){.u32 = {a.u32[imm & 3], a.u32[imm >> 2 & 3], b.u32[imm >> 4 & 3],
                               b.u32[imm >> 6 & 3]}};
}

static union xmm shufpd(union xmm a, union xmm b, unsigned imm)
{
    return (union xmm){.u64 = {a.u64[imm & 1], b.u64[imm >> 1 & 1]}};
}

static union xmm blendps(union xmm a, union xmm b, unsigned imm)
{
    for (unsigned k = 0; k < 4; k++)
        if (imm >> k & 1)
            a.u32[k] = b.u32[k];
    return a;
}

static union xmm blendpd(union xmm a, union xmm b, unsigned imm)
{
    for (unsigned k = 0; k < 2; k++)
        if (imm >> k & 1)
            a.u64[k] = b.u64[k];
    return a;
}

static union xmm pblendw(union xmm a, union xmm b, unsigned imm)
{
    for (unsigned k = 0; k < 8; k++)
        if (imm >> k & 1)
            a.u16[k] = b.u16[k];
    return a;
}

static union xmm palignr(union xmm a, union xmm b, unsigned imm)
{
    uint8_t bytes[48] = {0};
    memcpy(bytes, b.u8, 16);
    memcpy(bytes + 16, a.u8, 16);
    memcpy(a.u8, bytes + (imm > 32 ? 32 : imm), 16);
    return a;
}

static union xmm mpsadbw(union xmm a, union xmm b, unsigned imm)
{
    const uint8_t *left = a.u8 + (imm >> 2 & 1) * 4, *right = b.u8 + (imm & 3) * 4;
    union xmm result;

    for (unsigned k = 0; k < 8; k++) {
        unsigned sum = 0;
        for (unsigned m = 0; m < 4; m++) {
            int difference = left[k + m] - right[m];
            sum += (unsigned)(difference < 0 ? -difference : difference);
        }
        result.u16[k] = (uint16_t)sum;
    }
    return result;
}

static union xmm pclmulqdq(union xmm a, union xmm b, unsigned imm)
{
    return to_xmm(crypto_pclmulqdq_0(mmx_vector(a.u64[imm & 1]), mmx_vector(b.u64[imm >> 4 & 1])));
}

static union xmm sha1rnds4(union xmm a, union xmm b, unsigned imm)
{
    return to_xmm(crypto_sha1rnds4(from_xmm(a), from_xmm(b), imm));
}

/* The round constant is XORed into dwords 1 and 3 of what the constant 0 gives. */
static union xmm aeskeygenassist(union xmm a, union xmm b, unsigned imm)
{
    a = to_xmm(crypto_aeskeygenassist_0(from_xmm(a), from_xmm(b)));
    a.u32[1] ^= imm;
    a.u32[3] ^= imm;
    return a;
}

#define DEFINE_IMMEDIATE(name, code, operands, memory, feature)                                    \
    void op_##name##_r(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        cpu->fpu.xmm[i->reg] =                                                                     \
            name(cpu->fpu.xmm[i->reg], cpu->fpu.xmm[i->rm], (uint8_t)i->imm);                      \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##_m(struct cpu *cpu, const struct insn *i)                                      \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        union xmm b = to_xmm(sse_load_##memory(cpu, i));                                           \
        cpu->fpu.xmm[i->reg] = name(cpu->fpu.xmm[i->reg], b, (uint8_t)i->imm);                     \
        NEXT(cpu, i);                                                                              \
    }
SSE_IMMEDIATE_LIST(DEFINE_IMMEDIATE)

/* Inserts an element, from a general register or memory. */
#define DEFINE_INSERT(name, bits, r, m, count)                                                     \
    void op_##name##r(struct cpu *cpu, const struct insn *i)                                       \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        cpu->fpu.xmm[i->reg].u##bits[i->imm & (count - 1)] = (uint##bits##_t)cpu->gpr[i->rm];      \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##m(struct cpu *cpu, const struct insn *i)                                       \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        uint##bits##_t value = load##bits(cpu, i, insn_address(cpu, i, bits / 8, false));          \
        cpu->fpu.xmm[i->reg].u##bits[i->imm & (count - 1)] = value;                                \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_INSERT(pinsrb_, 8, r, m, 16)
DEFINE_INSERT(pinsrw_, 16, r, m, 8)
DEFINE_INSERT(pinsrd_32, 32, r, m, 4)
DEFINE_INSERT(pinsrd_64, 64, r, m, 2)

/* Extracts an element, zero-extended, to a general register or memory: the E operand. */
#define DEFINE_EXTRACT(name, bits, count)                                                          \
    void op_##name##r(struct cpu *cpu, const struct insn *i)                                       \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        cpu->gpr[i->rm] = cpu->fpu.xmm[i->reg].u##bits[i->imm & (count - 1)];                      \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_##name##m(struct cpu *cpu, const struct insn *i)                                       \
    {                                                                                              \
        sse_check(cpu, i);                                                                         \
        uint64_t address = insn_address(cpu, i, bits / 8, true);                                   \
        store##bits(cpu, i, address, cpu->fpu.xmm[i->reg].u##bits[i->imm & (count - 1)]);          \
        NEXT(cpu, i);                                                                              \
    }
DEFINE_EXTRACT(pextrb_, 8, 16)
DEFINE_EXTRACT(pextrw_e_, 16, 8)
DEFINE_EXTRACT(pextrd_32, 32, 4)
DEFINE_EXTRACT(pextrd_64, 64, 2)
DEFINE_EXTRACT(extractps_, 32, 4)

/* The older PEXTRW has its operands the other way round. */
void op_pextrw_r(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    cpu->gpr[i->reg] = cpu->fpu.xmm[i->rm].u16[i->imm & 7];
    NEXT(cpu, i);
}

/* INSERTPS: element imm8[7:6] (of a register source) to imm8[5:4], then zero by imm8[3:0]. */
static void do_insertps(struct cpu *cpu, const struct insn *i, uint32_t value)
{
    union xmm *a = &cpu->fpu.xmm[i->reg];

    a->u32[i->imm >> 4 & 3] = value;
    for (unsigned k = 0; k < 4; k++)
        if (i->imm >> k & 1)
            a->u32[k] = 0;
}

void op_insertps_r(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    do_insertps(cpu, i, cpu->fpu.xmm[i->rm].u32[i->imm >> 6 & 3]);
    NEXT(cpu, i);
}

void op_insertps_m(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    do_insertps(cpu, i, load32(cpu, i, insn_address(cpu, i, 4, false)));
    NEXT(cpu, i);
}
