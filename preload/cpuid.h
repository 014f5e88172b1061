/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The CPUID that a program under `privet chip exec` sees: the host's, with the leaves of memory
 * encryption as an EPYC answers them (APM 3 E.4.17). The instruction is trapped by Linux'
 * arch_prctl(ARCH_SET_CPUID), which needs a processor with CPUID faulting.
 */
#ifndef PRIVET_PRELOAD_CPUID_H
#define PRIVET_PRELOAD_CPUID_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CPUID_C_BIT = 51,
    CPUID_REDUCED_BITS = 5,
    CPUID_ASIDS = 509, /* of EPYC 7002 */
    CPUID_FIRST_SEV_ASID = 100, /* those before are for SEV-ES guests */
};

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

/* What the trapped instruction answers. Works whether it is trapped or not. */
struct cpuid_result cpuid_presented(uint32_t leaf, uint32_t subleaf);

/*
 * Traps CPUID in this thread and all that it starts, with a handler of SIGSEGV that hands every other
 * fault to the program's own. False: kernel or processor cannot; the program then sees the host's.
 */
bool cpuid_trap(void);

#endif
