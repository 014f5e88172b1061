/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR, XRSTORS, XGETBV and XSETBV: APM 2 11.5, APM 4.
 *
 * A component counts as in use when it differs from its initial configuration, found out at the
 * save. There is no supervisor state: XSAVES and XRSTORS differ in privilege and format alone.
 */
#include "machine/cpu/xsave.h"

#include "machine/cpu/simd.h"
#include "machine/cpu/system.h"

#define COMPACTED (1ull << 63) /* of XCOMP_BV */

struct header {
    uint64_t xstate_bv, xcomp_bv, reserved[6];
};
_Static_assert(sizeof(struct header) == XSAVE_LEGACY_END - XSAVE_HEADER, "APM 2 table 11-1");

static void require_enabled(struct cpu *cpu, const struct insn *i)
{
    if (!(cpu->cr4 & CR4_OSXSAVE))
        cpu_raise(cpu, i, VECTOR_UD);
}

/* Checks common to all, and the operand's address. */
static uint64_t area_address(struct cpu *cpu, const struct insn *i, bool write)
{
    require_enabled(cpu, i);
    if (cpu->cr0 & CR0_TS)
        cpu_raise(cpu, i, VECTOR_NM);
    uint64_t address = insn_address(cpu, i, xsave_size(cpu->xcr0, false), write);
    if (address & 63)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    return address;
}

static uint64_t requested(const struct cpu *cpu)
{
    return cpu->xcr0 & ((uint64_t)(uint32_t)cpu->gpr[RDX] << 32 | (uint32_t)cpu->gpr[RAX]);
}

/* Registers that the mode has: the others are neither saved nor restored. */
static unsigned register_count(const struct cpu *cpu)
{
    return cpu_64bit(cpu) ? 16 : 8;
}

static bool all_zero(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

static bool x87_in_use(const struct fpu *fpu)
{
    if (fpu->control != FCW_INITIAL || fpu->status || fpu->valid || fpu->opcode ||
        fpu->instruction_pointer || fpu->data_pointer)
        return true;
    for (unsigned k = 0; k < 8; k++) {
        if (fpu->st[k].mantissa || fpu->st[k].exponent)
            return true;
    }
    return false;
}

static uint64_t in_use(const struct cpu *cpu)
{
    const struct fpu *fpu = &cpu->fpu;
    return (x87_in_use(fpu) ? XCR0_X87 : 0u) |
           (all_zero(fpu->xmm, XMM_COUNT * sizeof(fpu->xmm[0])) ? 0u : XCR0_SSE) |
           (all_zero(fpu->ymm_high, sizeof(fpu->ymm_high)) ? 0u : XCR0_YMM);
}

static void save_components(struct cpu *cpu, const struct insn *i, uint64_t address,
                            uint64_t components)
{
    if (components & XCR0_X87) {
        uint8_t image[160] = {0};
        fx_put_x87(cpu, image, i->flags & INSN_OP64);
        fx_store(cpu, i, address, image, 24);
        fx_store(cpu, i, address + 32, image + 32, 128);
    }
    if (components & XCR0_SSE)
        fx_store(cpu, i, address + 160, cpu->fpu.xmm, 16 * register_count(cpu));
    if (components & XCR0_YMM)
        fx_store(cpu, i, address + XSAVE_YMM_OFFSET, cpu->fpu.ymm_high, 16 * register_count(cpu));
}

static void save_mxcsr(struct cpu *cpu, const struct insn *i, uint64_t address)
{
    store32(cpu, i, address + 24, cpu->fpu.mxcsr);
    store32(cpu, i, address + 28, MXCSR_VALID);
}

/* XSAVE saves what was asked for; XSAVEOPT leaves out what is in its initial configuration. */
static void save_standard(struct cpu *cpu, const struct insn *i, bool optimise)
{
    uint64_t address = area_address(cpu, i, true), wanted = requested(cpu), used = in_use(cpu);
    hostfp_collect(cpu);
    mmu_probe_write(cpu, i, address, xsave_size(wanted, false));
    uint64_t xstate_bv = load64(cpu, i, address + XSAVE_HEADER);
    save_components(cpu, i, address, optimise ? wanted & used : wanted);
    if (wanted & (XCR0_SSE | XCR0_YMM))
        save_mxcsr(cpu, i, address);
    store64(cpu, i, address + XSAVE_HEADER, (xstate_bv & ~wanted) | (used & wanted));
}

static void save_compacted(struct cpu *cpu, const struct insn *i)
{
    uint64_t address = area_address(cpu, i, true), wanted = requested(cpu);
    hostfp_collect(cpu);
    uint64_t used = wanted & in_use(cpu);
    if (wanted & XCR0_SSE && cpu->fpu.mxcsr != MXCSR_DEFAULT)
        used |= XCR0_SSE;
    mmu_probe_write(cpu, i, address, xsave_size(wanted, true));
    save_components(cpu, i, address, used);
    if (used & XCR0_SSE)
        save_mxcsr(cpu, i, address);
    store64(cpu, i, address + XSAVE_HEADER, used);
    store64(cpu, i, address + XSAVE_HEADER + 8, wanted | COMPACTED);
}

void op_xsave(struct cpu *cpu, const struct insn *i)
{
    save_standard(cpu, i, false);
    NEXT(cpu, i);
}

void op_xsaveopt(struct cpu *cpu, const struct insn *i)
{
    save_standard(cpu, i, true);
    NEXT(cpu, i);
}

void op_xsavec(struct cpu *cpu, const struct insn *i)
{
    save_compacted(cpu, i);
    NEXT(cpu, i);
}

void op_xsaves(struct cpu *cpu, const struct insn *i)
{
    require_enabled(cpu, i);
    require_cpl0(cpu, i);
    save_compacted(cpu, i);
    NEXT(cpu, i);
}

/* What XRSTOR accepts in a header: APM 2 11.5.5. */
static bool header_valid(const struct cpu *cpu, const struct header *h)
{
    if (h->xstate_bv & ~cpu->xcr0)
        return false;
    if (!(h->xcomp_bv & COMPACTED))
        return !h->xcomp_bv && !h->reserved[0];
    return cpu_has_feature(cpu, FEATURE_XSAVEC) && !(h->xcomp_bv & ~COMPACTED & ~cpu->xcr0) &&
           !(h->xstate_bv & ~h->xcomp_bv) && all_zero(h->reserved, sizeof(h->reserved));
}

static void initialise_x87(struct cpu *cpu)
{
    x87_initialize(cpu);
    memset(cpu->fpu.st, 0, sizeof(cpu->fpu.st));
}

struct area {
    struct header header;
    uint8_t x87[160];
    union xmm xmm[16], ymm_high[16];
    uint32_t mxcsr;
};

/* Reads what will be loaded, so that no fault can come after the first change. */
static void read_area(struct cpu *cpu, const struct insn *i, uint64_t address, uint64_t present,
                      struct area *area)
{
    unsigned bytes = 16 * register_count(cpu);
    if (present & XCR0_X87)
        fx_load(cpu, i, address, area->x87, sizeof(area->x87));
    if (present & XCR0_SSE)
        fx_load(cpu, i, address + 160, area->xmm, bytes);
    if (present & XCR0_YMM)
        fx_load(cpu, i, address + XSAVE_YMM_OFFSET, area->ymm_high, bytes);
}

/*
 * MXCSR: the standard form always takes it from memory, the compacted one only with the SSE
 * component, whose initial configuration it shares.
 */
static bool choose_mxcsr(struct cpu *cpu, const struct insn *i, uint64_t address, uint64_t wanted,
                         struct area *area)
{
    bool compacted = area->header.xcomp_bv & COMPACTED;
    if (!(wanted & (compacted ? XCR0_SSE : XCR0_SSE | XCR0_YMM)))
        return false;
    area->mxcsr = MXCSR_DEFAULT;
    if (!compacted || area->header.xstate_bv & XCR0_SSE)
        area->mxcsr = load32(cpu, i, address + 24);
    if (area->mxcsr & ~MXCSR_VALID)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    return true;
}

static void restore(struct cpu *cpu, const struct insn *i, bool only_compacted)
{
    uint64_t address = area_address(cpu, i, false), wanted = requested(cpu);
    struct area area = {.mxcsr = 0};
    fx_load(cpu, i, address + XSAVE_HEADER, &area.header, sizeof(area.header));
    if (!header_valid(cpu, &area.header) ||
        (only_compacted && !(area.header.xcomp_bv & COMPACTED)))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    uint64_t present = wanted & area.header.xstate_bv;
    bool has_mxcsr = choose_mxcsr(cpu, i, address, wanted, &area);
    read_area(cpu, i, address, present, &area);

    unsigned bytes = 16 * register_count(cpu);
    if (present & XCR0_X87)
        fx_get_x87(cpu, area.x87, i->flags & INSN_OP64);
    else if (wanted & XCR0_X87)
        initialise_x87(cpu);
    if (has_mxcsr)
        hostfp_load_guest(cpu, area.mxcsr);
    if (wanted & XCR0_SSE)
        memcpy(cpu->fpu.xmm, area.xmm, bytes);
    if (wanted & XCR0_YMM)
        memcpy(cpu->fpu.ymm_high, area.ymm_high, bytes);
}

void op_xrstor(struct cpu *cpu, const struct insn *i)
{
    restore(cpu, i, false);
    NEXT(cpu, i);
}

void op_xrstors(struct cpu *cpu, const struct insn *i)
{
    require_enabled(cpu, i);
    require_cpl0(cpu, i);
    restore(cpu, i, true);
    NEXT(cpu, i);
}

/* Index 1 tells which components of XCR0 are in use. */
void op_xgetbv(struct cpu *cpu, const struct insn *i)
{
    uint32_t index = (uint32_t)cpu->gpr[RCX];
    uint64_t value = cpu->xcr0;
    require_enabled(cpu, i);
    if (index > (cpu_has_feature(cpu, FEATURE_XGETBV1) ? 1u : 0u))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    if (index == 1)
        value &= in_use(cpu);
    cpu->gpr[RAX] = (uint32_t)value;
    cpu->gpr[RDX] = value >> 32;
    NEXT(cpu, i);
}

void op_xsetbv(struct cpu *cpu, const struct insn *i)
{
    uint64_t value = (uint32_t)cpu->gpr[RAX] | cpu->gpr[RDX] << 32;
    require_enabled(cpu, i);
    require_cpl0(cpu, i);
    if ((uint32_t)cpu->gpr[RCX] || !xcr0_is_valid(cpu, value))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    cpu->xcr0 = value;
    uint64_t rip = insn_return_rip(cpu, i);
    cpu_update_mode(cpu);
    leave_block(cpu, i, rip);
}
