/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Extended processor state (APM 2 11.5): XCR0 and the area that XSAVE and its kin write; private to
 * machine/cpu.
 */
#ifndef PRIVET_MACHINE_CPU_XSAVE_H
#define PRIVET_MACHINE_CPU_XSAVE_H

#include "machine/cpu/form.h"

#define XSAVE_HEADER     512u
#define XSAVE_LEGACY_END 576u
#define XSAVE_YMM_OFFSET 576u /* in the standard form, and in ours of the compacted one */
#define XSAVE_YMM_SIZE   256u

/* The state components of this processor, as bits of XCR0. */
static inline uint64_t xsave_supported(const struct cpu *cpu)
{
    return XCR0_X87 | XCR0_SSE | (cpu_has_feature(cpu, FEATURE_AVX) ? XCR0_YMM : 0u);
}

/* XSETBV takes it: APM 2 11.5.2. */
static inline bool xcr0_is_valid(const struct cpu *cpu, uint64_t value)
{
    return value & XCR0_X87 && !(value & ~xsave_supported(cpu)) &&
           (value & XCR0_SSE || !(value & XCR0_YMM));
}

/* Bytes of the area that holds these components. */
static inline uint32_t xsave_size(uint64_t components, bool compacted)
{
    (void)compacted; /* YMM is the only component beyond the legacy ones: no gaps */
    return components & XCR0_YMM ? XSAVE_YMM_OFFSET + XSAVE_YMM_SIZE : XSAVE_LEGACY_END;
}

/*
 * fxsave.c: the x87 part of the legacy area, bytes 0 to 23 and 32 to 159 of an image of at least
 * 160 bytes that is zero before. `wide`: 64-bit pointers (REX.W).
 */
void fx_put_x87(struct cpu *cpu, uint8_t *image, bool wide);
void fx_get_x87(struct cpu *cpu, const uint8_t *image, bool wide);
/* fxsave.c: a range of guest memory in pieces of 8 bytes. Stores: probe the whole before. */
void fx_store(struct cpu *cpu, const struct insn *i, uint64_t address, const void *data,
              unsigned size);
void fx_load(struct cpu *cpu, const struct insn *i, uint64_t address, void *data, unsigned size);

operation op_xsave, op_xsaveopt, op_xsavec, op_xsaves, op_xrstor, op_xrstors;
operation op_xgetbv, op_xsetbv;

#endif
