/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* All form tables in one numbering. */
#include "machine/cpu/form.h"

const struct form_table *const form_tables[] = {
    &forms_arith,  &forms_shift, &forms_muldiv, &forms_bit,    &forms_move, &forms_stack,
    &forms_branch, &forms_bcd,   &forms_string, &forms_system, &forms_x87,  &forms_simd,
    &forms_bmi,    &forms_avx,   &forms_avx2,
};
const unsigned form_table_count = sizeof(form_tables) / sizeof(form_tables[0]);

unsigned form_total(void)
{
    unsigned total = 0;
    for (unsigned k = 0; k < form_table_count; k++)
        total += form_tables[k]->count;
    return total;
}

#define FORMS_KNOWN 4096u

/* Remembers what it found: AVX operations ask while they run. */
const struct form *form_by_number(unsigned number)
{
    static const struct form *all[FORMS_KNOWN];
    if (number < FORMS_KNOWN && all[number])
        return all[number];
    unsigned rest = number;
    for (unsigned k = 0; k < form_table_count; k++) {
        if (rest < form_tables[k]->count) {
            const struct form *form = &form_tables[k]->forms[rest];
            if (number < FORMS_KNOWN)
                all[number] = form;
            return form;
        }
        rest -= form_tables[k]->count;
    }
    return NULL;
}
