/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Model-specific registers: one table of those that exist, with their values after reset. A vCPU keeps
 * what is written, and as in KVM a transfer ends at the first register that does not exist.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "preload/kvm.h"

/* The one register that tells a feature; the others are told by CPUID. */
#define UCODE_REVISION 0x8bu
#define UCODE_RESET    0x100000000 /* revision 1, in the upper half */

static const struct msr {
    uint32_t first, count;
    uint64_t reset;
} table[] = {
    { 0x10, 1, 0 },                    /* TSC */
    { 0x11, 2, 0 },                    /* KVM: wall clock, system time: QEMU clears them */
    { 0x3b, 1, 0 },                    /* TSC_ADJUST */
    { 0x48, 1, 0 },                    /* SPEC_CTRL */
    { UCODE_REVISION, 1, UCODE_RESET },
    { 0x174, 3, 0 },                   /* SYSENTER_CS, ESP, EIP */
    { 0x17a, 2, 0 },                   /* MCG_STATUS, MCG_CTL */
    { 0x1a0, 1, 1 },                   /* MISC_ENABLE: fast strings */
    { 0x200, 16, 0 },                  /* variable MTRRs */
    { 0x250, 1, 0 },                   /* fixed MTRRs */
    { 0x258, 2, 0 },
    { 0x268, 8, 0 },
    { 0x277, 1, 0x0007040600070406 },  /* PAT */
    { 0x2ff, 1, 0 },                   /* MTRR_DEF_TYPE */
    { 0x400, 40, 0 },                  /* ten banks of machine checks */
    { 0xc0000081, 4, 0 },              /* STAR, LSTAR, CSTAR, SFMASK */
    { 0xc0000102, 1, 0 },              /* KERNEL_GS_BASE */
    { 0xc0000103, 1, 0 },              /* TSC_AUX */
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

struct kvm_msr_values {
    size_t count;
    uint64_t value[];
};

/* The position of a register in the values, -1 if there is none. */
static int position(uint32_t index)
{
    int base = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (index >= table[i].first && index - table[i].first < table[i].count)
            return base + (int)(index - table[i].first);
        base += (int)table[i].count;
    }
    return -1;
}

int kvm_msr_index_list(struct kvm_msr_list *list)
{
    uint32_t room = list->nmsrs, count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        for (uint32_t k = 0; k < table[i].count; k++, count++) {
            if (count < room)
                list->indices[count] = table[i].first + k;
        }
    }
    list->nmsrs = count;
    return count > room ? kvm_error(E2BIG) : 0;
}

int kvm_msr_feature_list(struct kvm_msr_list *list)
{
    uint32_t room = list->nmsrs;
    list->nmsrs = 1;
    if (room < 1)
        return kvm_error(E2BIG);
    list->indices[0] = UCODE_REVISION;
    return 0;
}

int kvm_msr_features(struct kvm_msrs *msrs)
{
    uint32_t i;
    for (i = 0; i < msrs->nmsrs && msrs->entries[i].index == UCODE_REVISION; i++)
        msrs->entries[i].data = UCODE_RESET;
    return (int)i;
}

struct kvm_msr_values *kvm_msr_values_new(void)
{
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++)
        count += table[i].count;
    struct kvm_msr_values *values = calloc(1, sizeof(*values) + count * sizeof(values->value[0]));
    for (size_t i = 0; values != NULL && i < ROWS; i++) {
        for (uint32_t k = 0; k < table[i].count; k++)
            values->value[values->count++] = table[i].reset;
    }
    return values;
}

int kvm_msrs_get(const struct kvm_msr_values *values, struct kvm_msrs *msrs)
{
    uint32_t i;
    for (i = 0; i < msrs->nmsrs; i++) {
        int at = position(msrs->entries[i].index);
        if (at < 0)
            break;
        msrs->entries[i].data = values->value[at];
    }
    return (int)i;
}

int kvm_msrs_set(struct kvm_msr_values *values, const struct kvm_msrs *msrs)
{
    uint32_t i;
    for (i = 0; i < msrs->nmsrs; i++) {
        int at = position(msrs->entries[i].index);
        if (at < 0)
            break;
        values->value[at] = msrs->entries[i].data;
    }
    return (int)i;
}
