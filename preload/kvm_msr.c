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
#include "preload/user_memory.h"

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

enum { ROWS = sizeof(table) / sizeof(table[0]), INDICES_MAX = 256 /* linux: MAX_IO_MSRS */ };

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

/* The program's count becomes ours; then the indices, if there is room for them. */
static int give_indices(struct kvm_msr_list *list, const uint32_t *indices, uint32_t count)
{
    struct kvm_msr_list head;
    if (!user_read(&head, (uintptr_t)list, sizeof(head)))
        return -1;
    bool fits = head.nmsrs >= count;
    head.nmsrs = count;
    if (!user_write((uintptr_t)list, &head, sizeof(head)))
        return -1;
    if (!fits)
        return kvm_error(E2BIG);
    return user_write((uintptr_t)list + sizeof(head), indices, count * sizeof(indices[0])) ? 0 : -1;
}

int kvm_msr_index_list(struct kvm_msr_list *list)
{
    uint32_t indices[INDICES_MAX], count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        for (uint32_t k = 0; k < table[i].count && count < INDICES_MAX; k++)
            indices[count++] = table[i].first + k;
    }
    return give_indices(list, indices, count);
}

int kvm_msr_feature_list(struct kvm_msr_list *list)
{
    const uint32_t index = UCODE_REVISION;
    return give_indices(list, &index, 1);
}

/* One register between an entry and `values`; false: it does not exist. */
typedef bool msr_transfer(struct kvm_msr_values *values, struct kvm_msr_entry *entry);

/* How many were done before the first that does not exist. */
static int each_msr(struct kvm_msrs *msrs, msr_transfer *transfer, struct kvm_msr_values *values,
                    bool gives_back)
{
    struct kvm_msrs head;
    struct kvm_msr_entry entries[INDICES_MAX];
    uint32_t i;
    if (!user_read(&head, (uintptr_t)msrs, sizeof(head)))
        return -1;
    if (head.nmsrs >= INDICES_MAX)
        return kvm_error(E2BIG);
    size_t size = head.nmsrs * sizeof(entries[0]);
    if (!user_read(entries, (uintptr_t)msrs + sizeof(head), size))
        return -1;
    for (i = 0; i < head.nmsrs && transfer(values, &entries[i]); i++)
        continue;
    if (gives_back && !user_write((uintptr_t)msrs + sizeof(head), entries, size))
        return -1;
    return (int)i;
}

static bool get_feature(struct kvm_msr_values *values, struct kvm_msr_entry *entry)
{
    (void)values;
    entry->data = UCODE_RESET;
    return entry->index == UCODE_REVISION;
}

int kvm_msr_features(struct kvm_msrs *msrs)
{
    return each_msr(msrs, get_feature, NULL, true);
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

static bool get_value(struct kvm_msr_values *values, struct kvm_msr_entry *entry)
{
    int at = position(entry->index);
    if (at >= 0)
        entry->data = values->value[at];
    return at >= 0;
}

static bool set_value(struct kvm_msr_values *values, struct kvm_msr_entry *entry)
{
    int at = position(entry->index);
    if (at >= 0)
        values->value[at] = entry->data;
    return at >= 0;
}

int kvm_msrs_get(struct kvm_msr_values *values, struct kvm_msrs *msrs)
{
    return each_msr(msrs, get_value, values, true);
}

int kvm_msrs_set(struct kvm_msr_values *values, struct kvm_msrs *msrs)
{
    return each_msr(msrs, set_value, values, false);
}

uint64_t kvm_msr_value(const struct kvm_msr_values *values, uint32_t index)
{
    return values->value[position(index)];
}
