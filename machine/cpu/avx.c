/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* AVX and AVX2 by way of the SSE operations: avx.h tells how. */
#include "machine/cpu/avx.h"

#include "machine/cpu/flags.h"
#include "machine/cpu/mode.h"

static void lane_end(struct cpu *cpu, const struct insn *i)
{
}

/* The SSE operation that a row stands for. */
INLINE operation *lane_operation(const struct insn *i)
{
    return form_by_number(i->form)->fn[0][0];
}

__m128i avx_lane(struct cpu *cpu, const struct insn *i, operation *fn, __m128i a, __m128i b,
                 unsigned imm)
{
    struct insn lane[2] = {*i, {.fn = lane_end}};
    lane[0].reg = SCRATCH_A;
    lane[0].rm = SCRATCH_B;
    lane[0].imm = imm;
    xmm_set(cpu, SCRATCH_A, a);
    xmm_set(cpu, SCRATCH_B, b);
    cpu->lane = lane;
    cpu->lane_of = i;
    fn(cpu, lane);
    cpu->lane = NULL;
    return xmm_get(cpu, SCRATCH_A);
}

/* --- whole vectors --------------------------------------------------------------------------*/

INLINE void lanes(struct cpu *cpu, const struct insn *i, struct ymm a, struct ymm b, unsigned low,
                  unsigned high, bool wide)
{
    operation *fn = lane_operation(i);
    struct ymm result = {avx_lane(cpu, i, fn, a.low, b.low, low), _mm_setzero_si128()};
    if (wide)
        result.high = avx_lane(cpu, i, fn, a.high, b.high, high);
    ymm_set(cpu, i->reg, result, wide);
}

INLINE void three(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm b = ymm_operand(cpu, i, memory, wide);
    lanes(cpu, i, ymm_get(cpu, insn_vvvv(i)), b, immediate(i), immediate(i), wide);
}
DEFINE_HANDLERS(three)

/* Immediates that give each half its own bits: VBLENDPS; VBLENDPD and VSHUFPD. */
INLINE void three_split4(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm b = ymm_operand(cpu, i, memory, wide);
    lanes(cpu, i, ymm_get(cpu, insn_vvvv(i)), b, immediate(i) & 15, immediate(i) >> 4, wide);
}
DEFINE_HANDLERS(three_split4)

INLINE void three_split2(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm b = ymm_operand(cpu, i, memory, wide);
    lanes(cpu, i, ymm_get(cpu, insn_vvvv(i)), b, immediate(i) & 3, immediate(i) >> 2 & 3, wide);
}
DEFINE_HANDLERS(three_split2)

INLINE void mpsadbw(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm b = ymm_operand(cpu, i, memory, wide);
    lanes(cpu, i, ymm_get(cpu, insn_vvvv(i)), b, immediate(i) & 7, immediate(i) >> 3 & 7, wide);
}
DEFINE_HANDLERS(mpsadbw)

INLINE void two(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm b = ymm_operand(cpu, i, memory, wide);
    lanes(cpu, i, b, b, immediate(i), immediate(i), wide);
}
DEFINE_HANDLERS(two)

/* MOVDDUP: the narrow form reads 8 bytes. */
INLINE void duplicate(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm b = {_mm_setzero_si128(), _mm_setzero_si128()};
    if (memory && !wide)
        b.low = sse_load_64(cpu, i);
    else
        b = ymm_operand(cpu, i, memory, wide);
    lanes(cpu, i, b, b, 0, 0, wide);
}
DEFINE_HANDLERS(duplicate)

/* The count is 16 bytes whatever the length. */
INLINE void shift(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm b = ymm_operand(cpu, i, memory, false);
    b.high = b.low;
    lanes(cpu, i, ymm_get(cpu, insn_vvvv(i)), b, 0, 0, wide);
}
DEFINE_HANDLERS(shift)

/* These work in place on the rm register of the SSE form; the destination is vvvv. */
INLINE void shift_imm(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    operation *fn = lane_operation(i);
    struct ymm value = ymm_get(cpu, i->rm), zero = {_mm_setzero_si128(), _mm_setzero_si128()};
    avx_lane(cpu, i, fn, zero.low, value.low, immediate(i));
    struct ymm result = {xmm_get(cpu, SCRATCH_B), zero.low};
    if (wide) {
        avx_lane(cpu, i, fn, zero.low, value.high, immediate(i));
        result.high = xmm_get(cpu, SCRATCH_B);
    }
    ymm_set(cpu, insn_vvvv(i), result, wide);
}
DEFINE_HANDLERS(shift_imm)

/* Sources of a half, a quarter or an eighth of the destination. */
INLINE void widen(struct cpu *cpu, const struct insn *i, bool memory, bool wide, unsigned ratio)
{
    unsigned bytes = (wide ? 32 : 16) / ratio, step = 16 / ratio;
    union xmm source = {.u64 = {0, 0}}, upper = {.u64 = {0, 0}};
    if (!memory) {
        source = cpu->fpu.xmm[i->rm];
    } else {
        uint64_t at = insn_address(cpu, i, bytes, false);
        if (bytes == 16)
            source = to_xmm(sse_load_at(cpu, i, at));
        else if (bytes == 8)
            source.u64[0] = load64(cpu, i, at);
        else
            source.u64[0] = bytes == 4 ? load32(cpu, i, at) : load16(cpu, i, at);
    }
    memcpy(upper.u8, source.u8 + step, 16 - step);
    struct ymm b = {from_xmm(source), from_xmm(upper)};
    lanes(cpu, i, b, b, 0, 0, wide);
}
INLINE void widen2(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    widen(cpu, i, memory, wide, 2);
}
DEFINE_HANDLERS(widen2)
INLINE void widen4(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    widen(cpu, i, memory, wide, 4);
}
DEFINE_HANDLERS(widen4)
INLINE void widen8(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    widen(cpu, i, memory, wide, 8);
}
DEFINE_HANDLERS(widen8)

/* VCVTPD2PS and its kin: each half gives 8 bytes. */
INLINE void narrow(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm b = ymm_operand(cpu, i, memory, wide);
    operation *fn = lane_operation(i);
    __m128i result = avx_lane(cpu, i, fn, b.low, b.low, 0);
    if (wide)
        result = _mm_unpacklo_epi64(result, avx_lane(cpu, i, fn, b.high, b.high, 0));
    ymm_set(cpu, i->reg, (struct ymm){result, result}, false);
}
DEFINE_HANDLERS(narrow)

/* --- scalars --------------------------------------------------------------------------------*/

/* The SSE operation on vvvv and a scalar; what it leaves of its first operand comes from vvvv. */
INLINE void scalar(struct cpu *cpu, const struct insn *i, __m128i b)
{
    __m128i a = xmm_get(cpu, insn_vvvv(i));
    a = avx_lane(cpu, i, lane_operation(i), a, b, immediate(i));
    ymm_set(cpu, i->reg, (struct ymm){a, a}, false);
}
INLINE void scalar32(struct cpu *cpu, const struct insn *i, bool memory)
{
    scalar(cpu, i, memory ? sse_load_32(cpu, i) : xmm_get(cpu, i->rm));
}
DEFINE_SCALAR(scalar32)
INLINE void scalar64(struct cpu *cpu, const struct insn *i, bool memory)
{
    scalar(cpu, i, memory ? sse_load_64(cpu, i) : xmm_get(cpu, i->rm));
}
DEFINE_SCALAR(scalar64)

/* VINSERTPS takes element imm8[7:6] of a register, and memory as it is. */
INLINE void insertps(struct cpu *cpu, const struct insn *i, bool memory)
{
    unsigned imm = memory ? immediate(i) & 0x3F : immediate(i);
    __m128i a = xmm_get(cpu, insn_vvvv(i)), b = memory ? sse_load_32(cpu, i) : xmm_get(cpu, i->rm);
    a = avx_lane(cpu, i, lane_operation(i), a, b, imm);
    ymm_set(cpu, i->reg, (struct ymm){a, a}, false);
}
DEFINE_SCALAR(insertps)

/* VCVTSI2SS, VCVTSI2SD: the lane finds the integer in the register that is zero otherwise. */
INLINE void from_gpr(struct cpu *cpu, const struct insn *i, uint64_t value)
{
    struct insn lane[2] = {*i, {.fn = lane_end}};
    operation *fn = lane_operation(i);
    lane[0].reg = SCRATCH_A;
    lane[0].rm = REG_ZERO;
    xmm_set(cpu, SCRATCH_A, xmm_get(cpu, insn_vvvv(i)));
    cpu->lane = lane;
    cpu->lane_of = i;
    cpu->gpr[REG_ZERO] = value;
    fn(cpu, lane);
    cpu->gpr[REG_ZERO] = 0;
    cpu->lane = NULL;
    __m128i a = xmm_get(cpu, SCRATCH_A);
    ymm_set(cpu, i->reg, (struct ymm){a, a}, false);
}
INLINE void from_gpr32(struct cpu *cpu, const struct insn *i, bool memory)
{
    from_gpr(cpu, i, memory ? load32(cpu, i, insn_address(cpu, i, 4, false)) : cpu->gpr[i->rm]);
}
DEFINE_SCALAR(from_gpr32)
INLINE void from_gpr64(struct cpu *cpu, const struct insn *i, bool memory)
{
    from_gpr(cpu, i, memory ? load64(cpu, i, insn_address(cpu, i, 8, false)) : cpu->gpr[i->rm]);
}
DEFINE_SCALAR(from_gpr64)

#define DEFINE_INSERT(name, bits, count)                                                           \
    INLINE void name(struct cpu *cpu, const struct insn *i, bool memory)                           \
    {                                                                                              \
        uint64_t value = memory ? load##bits(cpu, i, insn_address(cpu, i, bits / 8, false))        \
                                : cpu->gpr[i->rm];                                                 \
        union xmm a = cpu->fpu.xmm[insn_vvvv(i)];                                                  \
        a.u##bits[i->imm & (count - 1)] = (uint##bits##_t)value;                                   \
        ymm_set(cpu, i->reg, (struct ymm){from_xmm(a), from_xmm(a)}, false);                       \
    }                                                                                              \
    DEFINE_SCALAR(name)
DEFINE_INSERT(insertb, 8, 16)
DEFINE_INSERT(insertw, 16, 8)
DEFINE_INSERT(insertd, 32, 4)
DEFINE_INSERT(insertq, 64, 2)

/* PCMPESTRM and PCMPISTRM write XMM0. */
INLINE void string(struct cpu *cpu, const struct insn *i, bool memory)
{
    struct ymm b = ymm_operand(cpu, i, memory, false);
    (void)avx_lane(cpu, i, lane_operation(i), xmm_get(cpu, i->reg), b.low, immediate(i));
    cpu->fpu.ymm_high[0] = to_xmm(_mm_setzero_si128());
}
DEFINE_SCALAR(string)

/* --- moves ----------------------------------------------------------------------------------*/

INLINE void load(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    ymm_set(cpu, i->reg, ymm_operand(cpu, i, memory, wide), wide);
}
DEFINE_HANDLERS(load)

INLINE void check_aligned(struct cpu *cpu, const struct insn *i, bool wide, bool write)
{
    if (insn_address(cpu, i, wide ? 32 : 16, write) & (wide ? 31 : 15))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
}

INLINE void load_aligned(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    if (memory)
        check_aligned(cpu, i, wide, false);
    ymm_set(cpu, i->reg, ymm_operand(cpu, i, memory, wide), wide);
}
DEFINE_HANDLERS(load_aligned)

INLINE void store(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm value = ymm_get(cpu, i->reg);
    if (memory)
        store_memory(cpu, i, value, wide);
    else
        ymm_set(cpu, i->rm, value, wide);
}
DEFINE_HANDLERS(store)

INLINE void store_aligned(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    if (memory)
        check_aligned(cpu, i, wide, true);
    store(cpu, i, memory, wide);
}
DEFINE_HANDLERS(store_aligned)

/* VMOVSS, VMOVSD: a load clears the rest; between registers the rest comes from vvvv. */
INLINE void movss(struct cpu *cpu, const struct insn *i, bool memory)
{
    union xmm value = {.u64 = {0, 0}};
    if (!memory)
        value = cpu->fpu.xmm[insn_vvvv(i)];
    value.u32[0] = memory ? load32(cpu, i, insn_address(cpu, i, 4, false))
                          : cpu->fpu.xmm[i->rm].u32[0];
    ymm_set(cpu, i->reg, (struct ymm){from_xmm(value), from_xmm(value)}, false);
}
DEFINE_SCALAR(movss)

INLINE void movsd(struct cpu *cpu, const struct insn *i, bool memory)
{
    union xmm value = {.u64 = {0, 0}};
    if (!memory)
        value = cpu->fpu.xmm[insn_vvvv(i)];
    value.u64[0] = memory ? load64(cpu, i, insn_address(cpu, i, 8, false))
                          : cpu->fpu.xmm[i->rm].u64[0];
    ymm_set(cpu, i->reg, (struct ymm){from_xmm(value), from_xmm(value)}, false);
}
DEFINE_SCALAR(movsd)

/* VMOVLPS and VMOVHLPS; VMOVHPS and VMOVLHPS. */
INLINE void low64(struct cpu *cpu, const struct insn *i, bool memory)
{
    union xmm value = cpu->fpu.xmm[insn_vvvv(i)];
    value.u64[0] = memory ? load64(cpu, i, insn_address(cpu, i, 8, false))
                          : cpu->fpu.xmm[i->rm].u64[1];
    ymm_set(cpu, i->reg, (struct ymm){from_xmm(value), from_xmm(value)}, false);
}
DEFINE_SCALAR(low64)

INLINE void high64(struct cpu *cpu, const struct insn *i, bool memory)
{
    union xmm value = cpu->fpu.xmm[insn_vvvv(i)];
    value.u64[1] = memory ? load64(cpu, i, insn_address(cpu, i, 8, false))
                          : cpu->fpu.xmm[i->rm].u64[0];
    ymm_set(cpu, i->reg, (struct ymm){from_xmm(value), from_xmm(value)}, false);
}
DEFINE_SCALAR(high64)

INLINE void set_low(struct cpu *cpu, unsigned number, uint64_t value)
{
    __m128i vector = mmx_vector(value);
    ymm_set(cpu, number, (struct ymm){vector, vector}, false);
}
INLINE void movd32(struct cpu *cpu, const struct insn *i, bool memory)
{
    uint64_t value = memory ? load32(cpu, i, insn_address(cpu, i, 4, false)) : cpu->gpr[i->rm];
    set_low(cpu, i->reg, (uint32_t)value);
}
DEFINE_SCALAR(movd32)
INLINE void movd64(struct cpu *cpu, const struct insn *i, bool memory)
{
    set_low(cpu, i->reg,
            memory ? load64(cpu, i, insn_address(cpu, i, 8, false)) : cpu->gpr[i->rm]);
}
DEFINE_SCALAR(movd64)
INLINE void movq(struct cpu *cpu, const struct insn *i, bool memory)
{
    set_low(cpu, i->reg, memory ? load64(cpu, i, insn_address(cpu, i, 8, false))
                                : cpu->fpu.xmm[i->rm].u64[0]);
}
DEFINE_SCALAR(movq)
INLINE void store_q(struct cpu *cpu, const struct insn *i, bool memory)
{
    uint64_t value = cpu->fpu.xmm[i->reg].u64[0];
    if (memory)
        store64(cpu, i, insn_address(cpu, i, 8, true), value);
    else
        set_low(cpu, i->rm, value);
}
DEFINE_SCALAR(store_q)

/* --- signs, tests, zeroes -------------------------------------------------------------------*/

INLINE void movmskps(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm b = ymm_get(cpu, i->rm);
    unsigned high = wide ? (unsigned)_mm_movemask_ps(_mm_castsi128_ps(b.high)) : 0;
    cpu->gpr[i->reg] = (unsigned)_mm_movemask_ps(_mm_castsi128_ps(b.low)) | high << 4;
}
DEFINE_HANDLERS(movmskps)

INLINE void movmskpd(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm b = ymm_get(cpu, i->rm);
    unsigned high = wide ? (unsigned)_mm_movemask_pd(_mm_castsi128_pd(b.high)) : 0;
    cpu->gpr[i->reg] = (unsigned)_mm_movemask_pd(_mm_castsi128_pd(b.low)) | high << 2;
}
DEFINE_HANDLERS(movmskpd)

INLINE void movmskb(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    struct ymm b = ymm_get(cpu, i->rm);
    unsigned high = wide ? (unsigned)_mm_movemask_epi8(b.high) : 0;
    cpu->gpr[i->reg] = (unsigned)_mm_movemask_epi8(b.low) | high << 16;
}
DEFINE_HANDLERS(movmskb)

/* ZF: no bit of the mask in both; CF: none in b alone. */
INLINE void test_masked(struct cpu *cpu, const struct insn *i, bool memory, bool wide,
                        uint64_t mask)
{
    struct ymm b = ymm_operand(cpu, i, memory, wide), a = ymm_get(cpu, i->reg);
    union xmm al = to_xmm(a.low), bl = to_xmm(b.low), ah = to_xmm(a.high), bh = to_xmm(b.high);
    uint64_t both = (al.u64[0] & bl.u64[0]) | (al.u64[1] & bl.u64[1]);
    uint64_t only = (~al.u64[0] & bl.u64[0]) | (~al.u64[1] & bl.u64[1]);
    if (wide) {
        both |= (ah.u64[0] & bh.u64[0]) | (ah.u64[1] & bh.u64[1]);
        only |= (~ah.u64[0] & bh.u64[0]) | (~ah.u64[1] & bh.u64[1]);
    }
    flags_set_arithmetic(cpu, (both & mask ? 0 : EFLAGS_ZF) | (only & mask ? 0 : EFLAGS_CF));
}
INLINE void test(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    test_masked(cpu, i, memory, wide, UINT64_MAX);
}
DEFINE_HANDLERS(test)
INLINE void testps(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    test_masked(cpu, i, memory, wide, 0x8000000080000000);
}
DEFINE_HANDLERS(testps)
INLINE void testpd(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    test_masked(cpu, i, memory, wide, 0x8000000000000000);
}
DEFINE_HANDLERS(testpd)

/* VZEROUPPER and VZEROALL: of the registers that the mode has. */
INLINE void zero(struct cpu *cpu, const struct insn *i, bool memory, bool wide)
{
    size_t size = cpu->mode & MODE_64 ? 256 : 128;
    memset(cpu->fpu.ymm_high, 0, size);
    if (wide)
        memset(cpu->fpu.xmm, 0, size);
}
DEFINE_HANDLERS(zero)
