/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * KVM_GET_SUPPORTED_CPUID: the host's CPUID, less what only a kernel could virtualize (nested
 * virtualization, performance counters, MONITOR, deadline timer and x2APIC, which need an APIC in the
 * kernel) and less XSAVE states that do not fit struct kvm_xsave.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>

#include "preload/cpuid.h"
#include "preload/kvm.h"
#include "preload/user_memory.h"

enum {
    HYPERVISOR_PRESENT = 1u << 31,
    SUBLEAF_LIMIT = 64,
    ENTRIES_MAX = 256, /* linux: KVM_MAX_CPUID_ENTRIES */
    EXTENDED = 0x80000000,
    XSAVE_LEAF = 0xd,
    /* x87, SSE, AVX, AVX-512's three, PKRU: below 4096 bytes together. */
    XSAVE_COMPONENTS = 0x2e7,
    XSAVE_HEADER_END = 576,
};

/* What is kept of a leaf; leaves without a row are kept whole. */
static const struct leaf_mask {
    uint32_t leaf;
    struct cpuid_result keep;
} masks[] = {
    /* ECX without DTES64, MONITOR, DS-CPL, VMX, SMX, EIST, TM2, CNXT-ID, SDBG, xTPR, PDCM, DCA,
       x2APIC, TSC-deadline; EDX without DS, ACPI, TM, PBE */
    { 1, { ~0u, ~0u, 0xfedb3203, ~(1u << 21 | 1u << 22 | 1u << 29 | 1u << 31) } },
    { 5, { 0 } },
    { 6, { 1 << 2, 0, 0, 0 } }, /* ARAT */
    { 7, { ~0u, ~(1u << 2 | 1u << 12 | 1u << 15 | 1u << 25), ~(1u << 5 | 1u << 7 | 1u << 23),
           1u << 4 | 1u << 14 } },
    { 0xa, { 0 } },  { 0xf, { 0 } },  { 0x10, { 0 } }, { 0x12, { 0 } }, { 0x14, { 0 } },
    { 0x1b, { 0 } }, { 0x1c, { 0 } }, { 0x1d, { 0 } }, { 0x1e, { 0 } },
    { 0x80000001, { ~0u, ~0u, ~(1u << 2 | 1u << 10 | 1u << 12 | 1u << 23 | 1u << 24), ~0u } },
    { 0x8000000a, { 0 } },
};

static struct cpuid_result mask(uint32_t leaf, struct cpuid_result r)
{
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        const struct cpuid_result *keep = &masks[i].keep;
        if (masks[i].leaf == leaf)
            return (struct cpuid_result){ r.eax & keep->eax, r.ebx & keep->ebx, r.ecx & keep->ecx,
                                          r.edx & keep->edx };
    }
    return r;
}

/* Bytes of the standard form with all kept components (SDM 1 13.4.2). */
static uint32_t xsave_size(uint32_t components)
{
    uint32_t size = XSAVE_HEADER_END;
    for (uint32_t i = 2; i < 32; i++) {
        if ((components >> i & 1) == 0)
            continue;
        struct cpuid_result r = cpuid_presented(XSAVE_LEAF, i);
        if (r.eax + r.ebx > size)
            size = r.eax + r.ebx;
    }
    return size;
}

static struct cpuid_result xsave_leaf(uint32_t subleaf)
{
    struct cpuid_result r = cpuid_presented(XSAVE_LEAF, subleaf);
    uint32_t components = cpuid_presented(XSAVE_LEAF, 0).eax & XSAVE_COMPONENTS;
    if (subleaf == 0) {
        uint32_t size = xsave_size(components);
        return (struct cpuid_result){ .eax = components, .ebx = size, .ecx = size };
    }
    if (subleaf == 1) /* XSAVEOPT, XSAVEC, XGETBV; no supervisor state */
        return (struct cpuid_result){ .eax = r.eax & 7 };
    return subleaf < 32 && (components >> subleaf & 1) ? r : (struct cpuid_result){ 0 };
}

static struct cpuid_result supported(uint32_t leaf, uint32_t subleaf)
{
    if (leaf == XSAVE_LEAF)
        return xsave_leaf(subleaf);
    struct cpuid_result r = mask(leaf, cpuid_presented(leaf, subleaf));
    if (leaf == 1)
        r.ecx |= HYPERVISOR_PRESENT;
    return r;
}

static bool is_empty(struct cpuid_result r)
{
    return (r.eax | r.ebx | r.ecx | r.edx) == 0;
}

/* How many subleaves are listed (SDM 2A, CPUID: each leaf says it in its own way); 0: it has none. */
static uint32_t subleaves(uint32_t leaf)
{
    uint32_t n = 0;
    switch (leaf) {
    case 4:
    case 0x8000001d: /* a cache type of 0 ends the caches */
        while (n < SUBLEAF_LIMIT && (supported(leaf, n).eax & 0x1f) != 0)
            n++;
        return n + 1;
    case 7:
        return supported(leaf, 0).eax + 1;
    case 0xb:
    case 0x1f: /* a level type of 0 ends the levels */
        while (n < SUBLEAF_LIMIT && (supported(leaf, n).ecx >> 8 & 0xff) != 0)
            n++;
        return n + 1;
    case XSAVE_LEAF:
        return SUBLEAF_LIMIT;
    default:
        return 0;
    }
}

struct list {
    struct kvm_cpuid_entry2 entries[ENTRIES_MAX];
    uint32_t count;
};

static void add(struct list *list, uint32_t leaf, uint32_t subleaf, uint32_t flags)
{
    struct cpuid_result r = supported(leaf, subleaf);
    if (subleaf > 1 && leaf == XSAVE_LEAF && is_empty(r))
        return;
    if (list->count < ENTRIES_MAX)
        list->entries[list->count] = (struct kvm_cpuid_entry2){
            .function = leaf, .index = subleaf, .flags = flags,
            .eax = r.eax, .ebx = r.ebx, .ecx = r.ecx, .edx = r.edx,
        };
    list->count++;
}

static void add_range(struct list *list, uint32_t first)
{
    uint32_t last = supported(first, 0).eax;
    for (uint32_t leaf = first; leaf >= first && leaf <= last; leaf++) {
        uint32_t n = subleaves(leaf);
        if (n == 0)
            add(list, leaf, 0, 0);
        for (uint32_t i = 0; i < n; i++)
            add(list, leaf, i, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
    }
}

int kvm_supported_cpuid(struct kvm_cpuid2 *cpuid)
{
    struct list list = { .count = 0 };
    struct kvm_cpuid2 head;
    if (!user_read(&head, (uintptr_t)cpuid, sizeof(head)))
        return -1;
    add_range(&list, 0);
    add_range(&list, EXTENDED);
    if (list.count > head.nent || list.count > ENTRIES_MAX)
        return kvm_error(E2BIG);
    head.nent = list.count;
    bool given = user_write((uintptr_t)cpuid, &head, sizeof(head)) &&
                 user_write((uintptr_t)cpuid + sizeof(head), list.entries,
                            list.count * sizeof(list.entries[0]));
    return given ? 0 : -1;
}
