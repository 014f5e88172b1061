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
    bool replaced; /* there is C code for hosts without it */
};

bool hostfp_absent[FEATURE_COUNT];

static const struct host_bit host_bits[] = {
    {FEATURE_SSE3, 1, true, 0},   {FEATURE_SSSE3, 1, true, 9},
    {FEATURE_SSE41, 1, true, 19}, {FEATURE_SSE42, 1, true, 20},
    {FEATURE_AES, 1, true, 25, true}, {FEATURE_PCLMULQDQ, 1, true, 1, true},
    {FEATURE_SHA, 7, false, 29, true},
};

static bool host_has(const struct host_bit *entry)
{
    unsigned eax, ebx, ecx, edx;

    if (!__get_cpuid_count(entry->leaf, 0, &eax, &ebx, &ecx, &edx))
        return false;
    return (entry->ecx ? ecx : ebx) >> entry->bit & 1;
}

#define HOST_BITS (sizeof(host_bits) / sizeof(host_bits[0]))

void hostfp_initialise(void)
{
    static bool done;
    for (size_t k = 0; !done && k < HOST_BITS; k++)
        hostfp_absent[host_bits[k].feature] = !host_has(&host_bits[k]);
    done = true;
}

void hostfp_pretend_plain(void)
{
    hostfp_initialise();
    for (size_t k = 0; k < HOST_BITS; k++) {
        if (host_bits[k].replaced)
            hostfp_absent[host_bits[k].feature] = true;
    }
}

bool hostfp_supports(enum cpu_feature feature)
{
    hostfp_initialise();
    for (size_t k = 0; k < HOST_BITS; k++) {
        if (host_bits[k].feature == feature)
            return host_bits[k].replaced || hostfp_native(feature);
    }
    return true;
}
