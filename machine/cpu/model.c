/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Processor models: names of features, what needs what, and which of them this program and the host
 * can give. A feature is offered only when every form that it promises is there.
 */
#include "machine/cpu/model.h"

#include <stdio.h>
#include <string.h>

#include "machine/cpu/hostfp.h"

#define BIT(feature) (1ull << FEATURE_##feature)

struct feature {
    const char *name, *other; /* the kernel's name; QEMU's where it differs */
    uint64_t needs;
    bool baseline; /* part of the smallest model */
};

/* Without a name: not offered. */
static const struct feature table[FEATURE_COUNT] = {
    [FEATURE_FPU] = {"fpu", NULL, 0, true},
    [FEATURE_MMX] = {"mmx", NULL, BIT(FPU), true},
    [FEATURE_FXSR] = {"fxsr", NULL, BIT(FPU), true},
    [FEATURE_SSE] = {"sse", NULL, BIT(FXSR) | BIT(MMX), true},
    [FEATURE_SSE2] = {"sse2", NULL, BIT(SSE), true},
    [FEATURE_SSE3] = {"pni", "sse3", BIT(SSE2), false},
    [FEATURE_SSSE3] = {"ssse3", NULL, BIT(SSE3), false},
    [FEATURE_SSE41] = {"sse4_1", NULL, BIT(SSSE3), false},
    [FEATURE_SSE42] = {"sse4_2", NULL, BIT(SSE41), false},
    [FEATURE_POPCNT] = {"popcnt", NULL, 0, false},
    [FEATURE_LZCNT] = {"abm", "lzcnt", 0, false},
    [FEATURE_BMI1] = {"bmi1", NULL, 0, false},
    [FEATURE_BMI2] = {"bmi2", NULL, 0, false},
    [FEATURE_MOVBE] = {"movbe", NULL, 0, false},
    [FEATURE_ADX] = {"adx", NULL, 0, false},
    [FEATURE_AES] = {"aes", NULL, BIT(SSE2), false},
    [FEATURE_PCLMULQDQ] = {"pclmulqdq", NULL, BIT(SSE2), false},
    [FEATURE_SHA] = {"sha_ni", NULL, BIT(SSE2), false},
    [FEATURE_CX16] = {"cx16", NULL, 0, false},
    [FEATURE_RDRAND] = {"rdrand", NULL, 0, false},
    [FEATURE_RDSEED] = {"rdseed", NULL, 0, false},
    [FEATURE_RDTSCP] = {"rdtscp", NULL, 0, false},
    [FEATURE_SYSCALL] = {"syscall", NULL, 0, true},
    [FEATURE_FSGSBASE] = {"fsgsbase", NULL, 0, false},
    [FEATURE_SMAP] = {"smap", NULL, 0, false},
    [FEATURE_CLFLUSH] = {"clflush", NULL, 0, true},
    [FEATURE_CLFLUSHOPT] = {"clflushopt", NULL, BIT(CLFLUSH), false},
    [FEATURE_CLWB] = {"clwb", NULL, BIT(CLFLUSH), false},
    [FEATURE_RDPID] = {"rdpid", NULL, 0, false},
    [FEATURE_UMIP] = {"umip", NULL, 0, false},
    [FEATURE_PREFETCHW] = {"3dnowprefetch", NULL, 0, false},
    [FEATURE_LAHF] = {"lahf_lm", NULL, 0, false},
    [FEATURE_NX] = {"nx", NULL, 0, true},
    [FEATURE_SMEP] = {"smep", NULL, 0, false},
    [FEATURE_PDPE1GB] = {"pdpe1gb", NULL, 0, false},
    [FEATURE_X2APIC] = {"x2apic", NULL, 0, false},
    [FEATURE_TSC_DEADLINE] = {"tsc_deadline_timer", "tsc_deadline", 0, false},
    [FEATURE_INVTSC] = {"nonstop_tsc", "invtsc", 0, true},
    [FEATURE_CLZERO] = {"clzero", NULL, 0, false},
    [FEATURE_XSAVE] = {"xsave", NULL, BIT(FXSR), false},
    [FEATURE_XSAVEOPT] = {"xsaveopt", NULL, BIT(XSAVE), false},
    [FEATURE_XSAVEC] = {"xsavec", NULL, BIT(XSAVE), false},
    [FEATURE_XGETBV1] = {"xgetbv1", NULL, BIT(XSAVE), false},
    [FEATURE_XSAVES] = {"xsaves", NULL, BIT(XSAVEC), false},
    [FEATURE_AVX] = {"avx", NULL, BIT(XSAVE) | BIT(SSE42), false},
    [FEATURE_AVX2] = {"avx2", NULL, BIT(AVX), false},
    [FEATURE_PCID] = {"pcid", NULL, 0, false},
    [FEATURE_INVPCID] = {"invpcid", NULL, 0, false},
    [FEATURE_TSC_ADJUST] = {"tsc_adjust", NULL, 0, false},
    [FEATURE_FXSR_OPT] = {"fxsr_opt", NULL, BIT(FXSR), false},
    [FEATURE_HYPERVISOR] = {"hypervisor", NULL, 0, true},
};

static bool offered(enum cpu_feature feature)
{
    return feature == FEATURE_BASE || (table[feature].name && hostfp_supports(feature));
}

const char *model_feature_name(enum cpu_feature feature)
{
    return table[feature].name;
}

/* Takes away whatever needs something that is missing. */
static uint64_t close_missing(uint64_t missing)
{
    uint64_t before;
    do {
        before = missing;
        for (unsigned k = 0; k < FEATURE_COUNT; k++) {
            if (table[k].needs & missing)
                missing |= 1ull << k;
        }
    } while (missing != before);
    return missing;
}

uint64_t model_missing(const struct cpu_model *model)
{
    uint64_t missing = model->off;
    for (unsigned k = 0; k < FEATURE_COUNT; k++) {
        if (!offered((enum cpu_feature)k))
            missing |= 1ull << k;
    }
    return close_missing(missing);
}

/* Everything that the feature needs, itself included. */
static uint64_t needs_of(unsigned feature)
{
    uint64_t needs = 1ull << feature, before;
    do {
        before = needs;
        for (unsigned k = 0; k < FEATURE_COUNT; k++) {
            if (needs >> k & 1)
                needs |= table[k].needs;
        }
    } while (needs != before);
    return needs;
}

/* Names differ in their separators: sse4_1, sse4.1, sse4-1. */
static bool same_name(const char *name, const char *text, size_t length)
{
    if (!name || strlen(name) != length)
        return false;
    for (size_t k = 0; k < length; k++) {
        char c = text[k] == '.' || text[k] == '-' ? '_' : text[k];
        if (c != name[k])
            return false;
    }
    return true;
}

static int find_feature(const char *text, size_t length)
{
    for (int k = 0; k < FEATURE_COUNT; k++) {
        if (same_name(table[k].name, text, length) || same_name(table[k].other, text, length))
            return k;
    }
    return -1;
}

static void list_names(char *text, size_t size)
{
    size_t used = 0;
    for (unsigned k = 0; k < FEATURE_COUNT && used < size; k++) {
        if (table[k].name)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "",
                                     table[k].name);
    }
}

static bool start_model(const char *text, size_t length, struct cpu_model *model)
{
    *model = (struct cpu_model){.baseline = length == 8 && !memcmp(text, "baseline", 8)};
    for (unsigned k = 1; model->baseline && k < FEATURE_COUNT; k++) {
        if (!table[k].baseline)
            model->off |= 1ull << k;
    }
    return model->baseline || (length == 4 && !memcmp(text, "epyc", 4));
}

static bool change(struct cpu_model *model, const char *text, size_t length, char *error,
                   size_t error_size)
{
    char names[1024];
    int feature = find_feature(text + 1, length - 1);
    if (feature < 0) {
        list_names(names, sizeof(names));
        snprintf(error, error_size, "unknown feature '%.*s'; there are: %s", (int)(length - 1),
                 text + 1, names);
        return false;
    }
    if (*text == '-') {
        model->off |= 1ull << feature;
        model->off = close_missing(model->off);
        return true;
    }
    if (!offered((enum cpu_feature)feature)) {
        snprintf(error, error_size, "feature '%s' needs a host that has it",
                 table[feature].name);
        return false;
    }
    model->off &= ~needs_of((unsigned)feature);
    return true;
}

bool cpu_model_parse(const char *text, struct cpu_model *ret, char *error, size_t error_size)
{
    size_t length = strcspn(text, ",");
    struct cpu_model model = {.off = 0};
    if (*text != '+' && *text != '-') {
        if (!start_model(text, length, &model)) {
            snprintf(error, error_size, "unknown model '%.*s': epyc or baseline, then a list such "
                                        "as ,+name,-name", (int)length, text);
            return false;
        }
        text += length;
        text += *text == ',';
    }
    while (*text) {
        length = strcspn(text, ",");
        if (length < 2 || (*text != '+' && *text != '-')) {
            snprintf(error, error_size, "'%.*s' is not +feature or -feature", (int)length, text);
            return false;
        }
        if (!change(&model, text, length, error, error_size))
            return false;
        text += length;
        text += *text == ',';
    }
    *ret = model;
    return true;
}
