/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * All form tables in one numbering, and what this CPU model offers. A feature is listed only when
 * every form that it promises is there.
 */
#include "machine/cpu/form.h"
#include "machine/cpu/hostfp.h"

const struct form_table *const form_tables[] = {
    &forms_arith,  &forms_shift, &forms_muldiv, &forms_bit,    &forms_move, &forms_stack,
    &forms_branch, &forms_bcd,   &forms_string, &forms_system, &forms_x87,  &forms_simd,
    &forms_bmi,
};
const unsigned form_table_count = sizeof(form_tables) / sizeof(form_tables[0]);

unsigned form_total(void)
{
    unsigned total = 0;
    for (unsigned k = 0; k < form_table_count; k++)
        total += form_tables[k]->count;
    return total;
}

const struct form *form_by_number(unsigned number)
{
    for (unsigned k = 0; k < form_table_count; k++) {
        if (number < form_tables[k]->count)
            return &form_tables[k]->forms[number];
        number -= form_tables[k]->count;
    }
    return NULL;
}

bool cpu_has_feature(const struct cpu *cpu, enum cpu_feature feature)
{
    static const bool offered[FEATURE_COUNT] = {
        [FEATURE_BASE] = true,     [FEATURE_FPU] = true,       [FEATURE_MMX] = true,
        [FEATURE_FXSR] = true,     [FEATURE_SSE] = true,       [FEATURE_SSE2] = true,
        [FEATURE_CX16] = true,     [FEATURE_RDRAND] = true,    [FEATURE_RDSEED] = true,
        [FEATURE_RDTSCP] = true,   [FEATURE_SYSCALL] = true,   [FEATURE_FSGSBASE] = true,
        [FEATURE_SMAP] = true,     [FEATURE_CLFLUSH] = true,   [FEATURE_CLFLUSHOPT] = true,
        [FEATURE_UMIP] = true,     [FEATURE_RDPID] = true,     [FEATURE_PREFETCHW] = true,
        [FEATURE_POPCNT] = true,   [FEATURE_MOVBE] = true,     [FEATURE_SSE3] = true,
        [FEATURE_SSSE3] = true,    [FEATURE_SSE41] = true,     [FEATURE_SSE42] = true,
        [FEATURE_AES] = true,      [FEATURE_PCLMULQDQ] = true, [FEATURE_SHA] = true,
        [FEATURE_LZCNT] = true,    [FEATURE_ADX] = true,
        [FEATURE_BMI1] = true,     [FEATURE_BMI2] = true,
    };
    return offered[feature] && hostfp_supports(feature);
}
