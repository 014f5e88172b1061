/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Instruction table: x87, with the encodings that APM 3 reserves but every processor accepts as
 * aliases (DC D0+i and its kin).
 */
#include "machine/cpu/x87.h"

#define COMPARED (EFLAGS_ARITHMETIC)

#define X87(name, code, operands, fn)                                                              \
    {name, code, operands, FN_ALL(fn), 0, 0, 0, FEATURE_FPU, FORM_X87},
#define X87_FLAGS(name, code, operands, fn)                                                        \
    {name, code, operands, FN_ALL(fn), COMPARED, 0, 0, FEATURE_FPU, FORM_X87},
#define X87_CMOV(name, code, fn, flags)                                                            \
    {name, code, "ST0,STi", FN_ALL(fn), 0, 0, flags, FEATURE_FPU, FORM_X87},

/* The regular part: /n in D8 and DC, DA and DE; the register forms swap SUB and SUBR by direction.
 */
#define ARITHMETIC(name, integer, n, n_sti)                                                        \
    X87(#name, "D8 mem /" n, "Md", op_##name##_m32)                                                \
    X87(#name, "DC mem /" n, "Mq", op_##name##_m64)                                                \
    X87(integer, "DA mem /" n, "Md", op_##name##_i32)                                              \
    X87(integer, "DE mem /" n, "Mw", op_##name##_i16)                                              \
    X87(#name, "D8 mod3 /" n, "ST0,STi", op_##name##_st0)                                          \
    X87(#name, "DC mod3 /" n_sti, "STi,ST0", op_##name##_sti)                                      \
    X87(#name "p", "DE mod3 /" n_sti, "STi,ST0", op_##name##p)

static const struct form rows[] = {
    ARITHMETIC(fadd, "fiadd", "0", "0")
    ARITHMETIC(fmul, "fimul", "1", "1")
    ARITHMETIC(fsub, "fisub", "4", "5")
    ARITHMETIC(fsubr, "fisubr", "5", "4")
    ARITHMETIC(fdiv, "fidiv", "6", "7")
    ARITHMETIC(fdivr, "fidivr", "7", "6")

    X87("fcom", "D8 mem /2", "Md", op_fcom_m32)
    X87("fcom", "DC mem /2", "Mq", op_fcom_m64)
    X87("ficom", "DA mem /2", "Md", op_ficom_m32)
    X87("ficom", "DE mem /2", "Mw", op_ficom_m16)
    X87("fcomp", "D8 mem /3", "Md", op_fcomp_m32)
    X87("fcomp", "DC mem /3", "Mq", op_fcomp_m64)
    X87("ficomp", "DA mem /3", "Md", op_ficomp_m32)
    X87("ficomp", "DE mem /3", "Mw", op_ficomp_m16)
    X87("fcom", "D8 mod3 /2", "ST0,STi", op_fcom)
    X87("fcom", "DC mod3 /2", "ST0,STi", op_fcom)
    X87("fcomp", "D8 mod3 /3", "ST0,STi", op_fcomp)
    X87("fcomp", "DC mod3 /3", "ST0,STi", op_fcomp)
    X87("fcomp", "DE mod3 /2", "ST0,STi", op_fcomp)
    X87("fcompp", "DE =D9", "", op_fcompp)
    X87("fucom", "DD mod3 /4", "ST0,STi", op_fucom)
    X87("fucomp", "DD mod3 /5", "ST0,STi", op_fucomp)
    X87("fucompp", "DA =E9", "", op_fucompp)
    X87_FLAGS("fucomi", "DB mod3 /5", "ST0,STi", op_fucomi)
    X87_FLAGS("fcomi", "DB mod3 /6", "ST0,STi", op_fcomi)
    X87_FLAGS("fucomip", "DF mod3 /5", "ST0,STi", op_fucomip)
    X87_FLAGS("fcomip", "DF mod3 /6", "ST0,STi", op_fcomip)

    X87_CMOV("fcmovb", "DA mod3 /0", op_fcmovb, EFLAGS_CF)
    X87_CMOV("fcmove", "DA mod3 /1", op_fcmove, EFLAGS_ZF)
    X87_CMOV("fcmovbe", "DA mod3 /2", op_fcmovbe, EFLAGS_CF | EFLAGS_ZF)
    X87_CMOV("fcmovu", "DA mod3 /3", op_fcmovu, EFLAGS_PF)
    X87_CMOV("fcmovnb", "DB mod3 /0", op_fcmovnb, EFLAGS_CF)
    X87_CMOV("fcmovne", "DB mod3 /1", op_fcmovne, EFLAGS_ZF)
    X87_CMOV("fcmovnbe", "DB mod3 /2", op_fcmovnbe, EFLAGS_CF | EFLAGS_ZF)
    X87_CMOV("fcmovnu", "DB mod3 /3", op_fcmovnu, EFLAGS_PF)

    X87("fld", "D9 mem /0", "Md", op_fld_m32)
    X87("fld", "DD mem /0", "Mq", op_fld_m64)
    X87("fld", "DB mem /5", "Mt", op_fld_m80)
    X87("fild", "DF mem /0", "Mw", op_fild_m16)
    X87("fild", "DB mem /0", "Md", op_fild_m32)
    X87("fild", "DF mem /5", "Mq", op_fild_m64)
    X87("fbld", "DF mem /4", "Mt", op_fbld)
    X87("fst", "D9 mem /2", "Md", op_fst_m32)
    X87("fst", "DD mem /2", "Mq", op_fst_m64)
    X87("fstp", "D9 mem /3", "Md", op_fstp_m32)
    X87("fstp", "DD mem /3", "Mq", op_fstp_m64)
    X87("fstp", "DB mem /7", "Mt", op_fstp_m80)
    X87("fist", "DF mem /2", "Mw", op_fist_m16)
    X87("fist", "DB mem /2", "Md", op_fist_m32)
    X87("fistp", "DF mem /3", "Mw", op_fistp_m16)
    X87("fistp", "DB mem /3", "Md", op_fistp_m32)
    X87("fistp", "DF mem /7", "Mq", op_fistp_m64)
    {"fisttp", "DF mem /1", "Mw", FN_ALL(op_fisttp_m16), 0, 0, 0, FEATURE_SSE3, FORM_X87},
    {"fisttp", "DB mem /1", "Md", FN_ALL(op_fisttp_m32), 0, 0, 0, FEATURE_SSE3, FORM_X87},
    {"fisttp", "DD mem /1", "Mq", FN_ALL(op_fisttp_m64), 0, 0, 0, FEATURE_SSE3, FORM_X87},
    X87("fbstp", "DF mem /6", "Mt", op_fbstp)

    X87("fld", "D9 mod3 /0", "STi", op_fld)
    X87("fst", "DD mod3 /2", "STi", op_fst)
    X87("fstp", "DD mod3 /3", "STi", op_fstp)
    X87("fstp", "D9 mod3 /3", "STi", op_fstp_alias)
    X87("fstp", "DF mod3 /2", "STi", op_fstp)
    X87("fstp", "DF mod3 /3", "STi", op_fstp)
    X87("fxch", "D9 mod3 /1", "STi", op_fxch)
    X87("fxch", "DD mod3 /1", "STi", op_fxch)
    X87("fxch", "DF mod3 /1", "STi", op_fxch)
    X87("ffree", "DD mod3 /0", "STi", op_ffree)
    X87("ffreep", "DF mod3 /0", "STi", op_ffreep)

    X87("fnop", "D9 =D0", "", op_fnop)
    X87("fchs", "D9 =E0", "", op_fchs)
    X87("fabs", "D9 =E1", "", op_fabs)
    X87("ftst", "D9 =E4", "", op_ftst)
    X87("fxam", "D9 =E5", "", op_fxam)
    X87("fld1", "D9 =E8", "", op_fld1)
    X87("fldl2t", "D9 =E9", "", op_fldl2t)
    X87("fldl2e", "D9 =EA", "", op_fldl2e)
    X87("fldpi", "D9 =EB", "", op_fldpi)
    X87("fldlg2", "D9 =EC", "", op_fldlg2)
    X87("fldln2", "D9 =ED", "", op_fldln2)
    X87("fldz", "D9 =EE", "", op_fldz)
    X87("f2xm1", "D9 =F0", "", op_f2xm1)
    X87("fyl2x", "D9 =F1", "", op_fyl2x)
    X87("fptan", "D9 =F2", "", op_fptan)
    X87("fpatan", "D9 =F3", "", op_fpatan)
    X87("fxtract", "D9 =F4", "", op_fxtract)
    X87("fprem1", "D9 =F5", "", op_fprem1)
    X87("fdecstp", "D9 =F6", "", op_fdecstp)
    X87("fincstp", "D9 =F7", "", op_fincstp)
    X87("fprem", "D9 =F8", "", op_fprem)
    X87("fyl2xp1", "D9 =F9", "", op_fyl2xp1)
    X87("fsqrt", "D9 =FA", "", op_fsqrt)
    X87("fsincos", "D9 =FB", "", op_fsincos)
    X87("frndint", "D9 =FC", "", op_frndint)
    X87("fscale", "D9 =FD", "", op_fscale)
    X87("fsin", "D9 =FE", "", op_fsin)
    X87("fcos", "D9 =FF", "", op_fcos)

    X87("fwait", "9B", "", op_fwait)
    X87("fneni", "DB =E0", "", op_fnop_control)
    X87("fndisi", "DB =E1", "", op_fnop_control)
    X87("fnclex", "DB =E2", "", op_fnclex)
    X87("fninit", "DB =E3", "", op_fninit)
    X87("fnsetpm", "DB =E4", "", op_fnop_control)
    X87("fldcw", "D9 mem /5", "Mw", op_fldcw)
    X87("fnstcw", "D9 mem /7", "Mw", op_fnstcw)
    X87("fnstsw", "DD mem /7", "Mw", op_fnstsw)
    X87("fnstsw", "DF =E0", "", op_fnstsw_ax)
    X87("fldenv", "D9 mem /4", "Mx", op_fldenv)
    X87("fnstenv", "D9 mem /6", "Mx", op_fnstenv)
    X87("frstor", "DD mem /4", "Mx", op_frstor)
    X87("fnsave", "DD mem /6", "Mx", op_fnsave)
};

const struct form_table forms_x87 = {rows, sizeof(rows) / sizeof(rows[0])};
