/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * AVX and AVX2 integer operations with three operands, half by half with the host's instruction:
 * string functions of C libraries are made of these, so they do without the lanes of avx.h.
 */
#include "machine/cpu/avx.h"

#define DEFINE_INTEGER(name, ...)                                                                  \
    HOST_VECTOR2(name)                                                                             \
    INLINE void name(struct cpu *cpu, const struct insn *i, bool memory, bool wide)                \
    {                                                                                              \
        struct ymm a = ymm_get(cpu, insn_vvvv(i)), b = ymm_operand(cpu, i, memory, wide);          \
        a.low = host_##name(a.low, b.low);                                                         \
        if (wide)                                                                                  \
            a.high = host_##name(a.high, b.high);                                                  \
        ymm_set(cpu, i->reg, a, wide);                                                             \
    }                                                                                              \
    DEFINE_HANDLERS(name)
SIMD_BOTH_LIST_3(DEFINE_INTEGER)
