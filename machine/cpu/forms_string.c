/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Table rows of the string instructions. INS and OUTS belong to the system table. */
#include "machine/cpu/form.h"
#include "machine/cpu/string_ops.h"

#define BYTE(op) FN_ALL(op_##op##_8)
#define WIDE(op)                                                                                   \
    {                                                                                              \
        {NULL, op_##op##_16, op_##op##_32, op_##op##_64}, {NULL, op_##op##_16, op_##op##_32,      \
                                                           op_##op##_64}                           \
    }
#define COMPARES EFLAGS_ARITHMETIC, 0

static const struct form forms[] = {
    {"movsb", "A4", "Yb,Xb", BYTE(movs), 0, 0, EFLAGS_DF, FEATURE_BASE, FORM_REP | FORM_BYTE},
    {"movs", "A5", "Yv,Xv", WIDE(movs), 0, 0, EFLAGS_DF, FEATURE_BASE, FORM_REP},
    {"cmpsb", "A6", "Xb,Yb", BYTE(cmps), COMPARES, EFLAGS_DF, FEATURE_BASE, FORM_REP | FORM_BYTE},
    {"cmps", "A7", "Xv,Yv", WIDE(cmps), COMPARES, EFLAGS_DF, FEATURE_BASE, FORM_REP},
    {"stosb", "AA", "Yb,AL", BYTE(stos), 0, 0, EFLAGS_DF, FEATURE_BASE, FORM_REP | FORM_BYTE},
    {"stos", "AB", "Yv,rAX", WIDE(stos), 0, 0, EFLAGS_DF, FEATURE_BASE, FORM_REP},
    {"lodsb", "AC", "AL,Xb", BYTE(lods), 0, 0, EFLAGS_DF, FEATURE_BASE, FORM_REP | FORM_BYTE},
    {"lods", "AD", "rAX,Xv", WIDE(lods), 0, 0, EFLAGS_DF, FEATURE_BASE, FORM_REP},
    {"scasb", "AE", "AL,Yb", BYTE(scas), COMPARES, EFLAGS_DF, FEATURE_BASE, FORM_REP | FORM_BYTE},
    {"scas", "AF", "rAX,Yv", WIDE(scas), COMPARES, EFLAGS_DF, FEATURE_BASE, FORM_REP},
};

const struct form_table forms_string = {forms, sizeof(forms) / sizeof(forms[0])};
