/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Which of the features that run on the host's own unit the host has: hostfp.h.
 */
#include "machine/cpu/hostfp.h"

#include <cpuid.h>

/* CPUID leaf and register (0 EBX, 1 ECX) that tell: APM 3 appendix E. */
struct host_bit {
    uint8_t feature;
    uint8_t leaf;
    bool ecx;
    uint8_t bit;
};

static const struct host_bit host_bits[] = {
    {FEATURE_SSE3, 1, true, 0},   {FEATURE_SSSE3, 1, true, 9},
    {FEATURE_SSE41, 1, true, 19}, {FEATURE_SSE42, 1, true, 20},
    {FEATURE_AES, 1, true, 25},   {FEATURE_PCLMULQDQ, 1, true, 1},
    {FEATURE_SHA, 7, false, 29},
};

static bool host_has(const struct host_bit *entry)
{
    unsigned eax, ebx, ecx, edx;

    if (!__get_cpuid_count(entry->leaf, 0, &eax, &ebx, &ecx, &edx))
        return false;
    return (entry->ecx ? ecx : ebx) >> entry->bit & 1;
}

bool hostfp_supports(enum cpu_feature feature)
{
    static bool missing[FEATURE_COUNT], known;

    if (!known) {
        for (size_t k = 0; k < sizeof(host_bits) / sizeof(host_bits[0]); k++)
            missing[host_bits[k].feature] = !host_has(&host_bits[k]);
        known = true;
    }
    return !missing[feature];
}
