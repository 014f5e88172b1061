/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Table rows of the system instructions: APM 3 chapter 4, and the segment and I/O parts of 3. */
#include "machine/cpu/form.h"
#include "machine/cpu/operations.h"
#include "machine/cpu/xsave.h"

/* Operand sizes 16, 32, 64; for what has no 8-bit form. */
#define R_AND_M(name) FN_RM(name##_r, name##_m)
#define M_ONLY(name)                                                                               \
    {                                                                                              \
        {NULL, NULL, NULL, NULL}, {name, name, name, name}                                         \
    }
#define NO_FLAGS 0, 0, 0
#define ALL_FLAGS EFLAGS_ARITHMETIC, 0, 0

#define PRIVILEGED (FORM_CPL0 | FORM_NO_TEST)
#define LEAVES     (FORM_ENDS_BLOCK | FORM_NO_TEST)

static const struct form forms[] = {
    /* Control and debug registers. */
    {"mov", "0F 20 /r", "Rq,Cq", FN_ALL(op_mov_from_cr), NO_FLAGS, FEATURE_BASE,
     PRIVILEGED | FORM_F64},
    {"mov", "0F 22 /r", "Cq,Rq", FN_ALL(op_mov_to_cr), NO_FLAGS, FEATURE_BASE,
     PRIVILEGED | LEAVES | FORM_F64},
    {"mov", "0F 21 /r", "Rq,Dq", FN_ALL(op_mov_from_dr), NO_FLAGS, FEATURE_BASE,
     PRIVILEGED | FORM_F64},
    {"mov", "0F 23 /r", "Dq,Rq", FN_ALL(op_mov_to_dr), NO_FLAGS, FEATURE_BASE,
     PRIVILEGED | LEAVES | FORM_F64},
    {"clts", "0F 06", "", FN_ALL(op_clts), NO_FLAGS, FEATURE_BASE, PRIVILEGED | LEAVES},
    {"lmsw", "0F 01 /6", "Ew", R_AND_M(op_lmsw), NO_FLAGS, FEATURE_BASE, PRIVILEGED | LEAVES},
    {"smsw", "0F 01 /4", "Ev", R_AND_M(op_smsw), NO_FLAGS, FEATURE_BASE, FORM_NO_TEST},

    /* Descriptor tables. */
    {"sgdt", "0F 01 mem /0", "M", M_ONLY(op_sgdt), NO_FLAGS, FEATURE_BASE, FORM_NO_TEST},
    {"sidt", "0F 01 mem /1", "M", M_ONLY(op_sidt), NO_FLAGS, FEATURE_BASE, FORM_NO_TEST},
    {"lgdt", "0F 01 mem /2", "M", M_ONLY(op_lgdt), NO_FLAGS, FEATURE_BASE, PRIVILEGED},
    {"lidt", "0F 01 mem /3", "M", M_ONLY(op_lidt), NO_FLAGS, FEATURE_BASE, PRIVILEGED},
    {"sldt", "0F 00 /0", "Ev", R_AND_M(op_sldt), NO_FLAGS, FEATURE_BASE, FORM_NO_TEST},
    {"str", "0F 00 /1", "Ev", R_AND_M(op_str), NO_FLAGS, FEATURE_BASE, FORM_NO_TEST},
    {"lldt", "0F 00 /2", "Ew", R_AND_M(op_lldt), NO_FLAGS, FEATURE_BASE, PRIVILEGED},
    {"ltr", "0F 00 /3", "Ew", R_AND_M(op_ltr), NO_FLAGS, FEATURE_BASE, PRIVILEGED},
    {"verr", "0F 00 /4", "Ew", R_AND_M(op_verr), EFLAGS_ZF, 0, 0, FEATURE_BASE, FORM_NO_TEST},
    {"verw", "0F 00 /5", "Ew", R_AND_M(op_verw), EFLAGS_ZF, 0, 0, FEATURE_BASE, FORM_NO_TEST},
    {"lar", "0F 02 /r", "Gv,Ew", R_AND_M(op_lar), EFLAGS_ZF, 0, 0, FEATURE_BASE, FORM_NO_TEST},
    {"lsl", "0F 03 /r", "Gv,Ew", R_AND_M(op_lsl), EFLAGS_ZF, 0, 0, FEATURE_BASE, FORM_NO_TEST},
    {"arpl", "63 /r", "Ew,Gw", R_AND_M(op_arpl), EFLAGS_ZF, 0, 0, FEATURE_BASE,
     FORM_NO64 | FORM_NO_TEST},

    /* Segment registers. */
    {"mov", "8C /r", "Ev,Sw", R_AND_M(op_mov_from_seg), NO_FLAGS, FEATURE_BASE, FORM_NO_TEST},
    {"mov", "8E /r", "Sw,Ew", R_AND_M(op_mov_to_seg), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"push es", "06", "", FN_ALL(op_push_es), NO_FLAGS, FEATURE_BASE, FORM_NO64 | FORM_NO_TEST},
    {"push cs", "0E", "", FN_ALL(op_push_cs), NO_FLAGS, FEATURE_BASE, FORM_NO64 | FORM_NO_TEST},
    {"push ss", "16", "", FN_ALL(op_push_ss), NO_FLAGS, FEATURE_BASE, FORM_NO64 | FORM_NO_TEST},
    {"push ds", "1E", "", FN_ALL(op_push_ds), NO_FLAGS, FEATURE_BASE, FORM_NO64 | FORM_NO_TEST},
    {"push fs", "0F A0", "", FN_ALL(op_push_fs), NO_FLAGS, FEATURE_BASE, FORM_D64 | FORM_NO_TEST},
    {"push gs", "0F A8", "", FN_ALL(op_push_gs), NO_FLAGS, FEATURE_BASE, FORM_D64 | FORM_NO_TEST},
    {"pop es", "07", "", FN_ALL(op_pop_es), NO_FLAGS, FEATURE_BASE, FORM_NO64 | LEAVES},
    {"pop ss", "17", "", FN_ALL(op_pop_ss), NO_FLAGS, FEATURE_BASE, FORM_NO64 | LEAVES},
    {"pop ds", "1F", "", FN_ALL(op_pop_ds), NO_FLAGS, FEATURE_BASE, FORM_NO64 | LEAVES},
    {"pop fs", "0F A1", "", FN_ALL(op_pop_fs), NO_FLAGS, FEATURE_BASE, FORM_D64 | LEAVES},
    {"pop gs", "0F A9", "", FN_ALL(op_pop_gs), NO_FLAGS, FEATURE_BASE, FORM_D64 | LEAVES},
    {"les", "C4 mem /r", "Gv,Mp", M_ONLY(op_les), NO_FLAGS, FEATURE_BASE, FORM_NO64 | LEAVES},
    {"lds", "C5 mem /r", "Gv,Mp", M_ONLY(op_lds), NO_FLAGS, FEATURE_BASE, FORM_NO64 | LEAVES},
    {"lss", "0F B2 mem /r", "Gv,Mp", M_ONLY(op_lss), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"lfs", "0F B4 mem /r", "Gv,Mp", M_ONLY(op_lfs), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"lgs", "0F B5 mem /r", "Gv,Mp", M_ONLY(op_lgs), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"swapgs", "0F 01 =F8", "", FN_ALL(op_swapgs), NO_FLAGS, FEATURE_BASE,
     PRIVILEGED | FORM_ONLY64},
    {"rdfsbase", "F3 0F AE mod3 /0", "Ry", FN_ALL(op_rdfsbase), NO_FLAGS, FEATURE_FSGSBASE,
     FORM_ONLY64 | FORM_NO_TEST},
    {"rdgsbase", "F3 0F AE mod3 /1", "Ry", FN_ALL(op_rdgsbase), NO_FLAGS, FEATURE_FSGSBASE,
     FORM_ONLY64 | FORM_NO_TEST},
    {"wrfsbase", "F3 0F AE mod3 /2", "Ry", FN_ALL(op_wrfsbase), NO_FLAGS, FEATURE_FSGSBASE,
     FORM_ONLY64 | FORM_NO_TEST},
    {"wrgsbase", "F3 0F AE mod3 /3", "Ry", FN_ALL(op_wrgsbase), NO_FLAGS, FEATURE_FSGSBASE,
     FORM_ONLY64 | FORM_NO_TEST},

    /* Far transfers. */
    {"jmp far", "EA", "Fp", FN_ALL(op_jmp_far_imm), NO_FLAGS, FEATURE_BASE, FORM_NO64 | LEAVES},
    {"call far", "9A", "Fp", FN_ALL(op_call_far_imm), NO_FLAGS, FEATURE_BASE, FORM_NO64 | LEAVES},
    {"jmp far", "FF mem /5", "Mp", M_ONLY(op_jmp_far_mem), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"call far", "FF mem /3", "Mp", M_ONLY(op_call_far_mem), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"retf", "CB", "", FN_ALL(op_ret_far), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"retf", "CA", "Iw", FN_ALL(op_ret_far_imm), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"iret", "CF", "", FN_ALL(op_iret), ALL_FLAGS, FEATURE_BASE, LEAVES},
    {"int", "CD", "Ib", FN_ALL(op_int), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"int3", "CC", "", FN_ALL(op_int3), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"int1", "F1", "", FN_ALL(op_int1), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"into", "CE", "", FN_ALL(op_into), 0, 0, EFLAGS_OF, FEATURE_BASE, FORM_NO64 | LEAVES},
    {"syscall", "0F 05", "", FN_ALL(op_syscall), NO_FLAGS, FEATURE_SYSCALL, LEAVES},
    {"sysret", "0F 07", "", FN_ALL(op_sysret), ALL_FLAGS, FEATURE_SYSCALL, PRIVILEGED | LEAVES},
    {"sysenter", "0F 34", "", FN_ALL(op_sysenter), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"sysexit", "0F 35", "", FN_ALL(op_sysexit), NO_FLAGS, FEATURE_BASE, PRIVILEGED | LEAVES},

    /* Port I/O. */
    {"in", "E4", "AL,Ib", FN_ALL(op_in_imm_byte), NO_FLAGS, FEATURE_BASE,
     FORM_IOPL | FORM_BYTE | FORM_NO_TEST},
    {"in", "E5", "eAX,Ib", FN_ALL(op_in_imm_wide), NO_FLAGS, FEATURE_BASE,
     FORM_IOPL | FORM_NO_TEST},
    {"out", "E6", "Ib,AL", FN_ALL(op_out_imm_byte), NO_FLAGS, FEATURE_BASE,
     FORM_IOPL | FORM_BYTE | FORM_NO_TEST},
    {"out", "E7", "Ib,eAX", FN_ALL(op_out_imm_wide), NO_FLAGS, FEATURE_BASE,
     FORM_IOPL | FORM_NO_TEST},
    {"in", "EC", "AL,DX", FN_ALL(op_in_dx_byte), NO_FLAGS, FEATURE_BASE,
     FORM_IOPL | FORM_BYTE | FORM_NO_TEST},
    {"in", "ED", "eAX,DX", FN_ALL(op_in_dx_wide), NO_FLAGS, FEATURE_BASE,
     FORM_IOPL | FORM_NO_TEST},
    {"out", "EE", "DX,AL", FN_ALL(op_out_dx_byte), NO_FLAGS, FEATURE_BASE,
     FORM_IOPL | FORM_BYTE | FORM_NO_TEST},
    {"out", "EF", "DX,eAX", FN_ALL(op_out_dx_wide), NO_FLAGS, FEATURE_BASE,
     FORM_IOPL | FORM_NO_TEST},
    {"insb", "6C", "Yb,DX", FN_ALL(op_insb), 0, 0, EFLAGS_DF, FEATURE_BASE,
     FORM_REP | FORM_BYTE | FORM_IOPL | LEAVES},
    {"ins", "6D", "Yv,DX", FN_ALL(op_ins), 0, 0, EFLAGS_DF, FEATURE_BASE,
     FORM_REP | FORM_IOPL | LEAVES},
    {"outsb", "6E", "DX,Xb", FN_ALL(op_outsb), 0, 0, EFLAGS_DF, FEATURE_BASE,
     FORM_REP | FORM_BYTE | FORM_IOPL | LEAVES},
    {"outs", "6F", "DX,Xv", FN_ALL(op_outs), 0, 0, EFLAGS_DF, FEATURE_BASE,
     FORM_REP | FORM_IOPL | LEAVES},

    /* Flags. */
    {"cli", "FA", "", FN_ALL(op_cli), NO_FLAGS, FEATURE_BASE, FORM_IOPL | FORM_NO_TEST},
    {"sti", "FB", "", FN_ALL(op_sti), NO_FLAGS, FEATURE_BASE, FORM_IOPL | LEAVES},
    {"clac", "NP 0F 01 =CA", "", FN_ALL(op_clac), NO_FLAGS, FEATURE_SMAP, PRIVILEGED},
    {"stac", "NP 0F 01 =CB", "", FN_ALL(op_stac), NO_FLAGS, FEATURE_SMAP, PRIVILEGED},
    {"pushf", "9C", "", FN_ALL(op_pushf), 0, 0, EFLAGS_ARITHMETIC, FEATURE_BASE,
     FORM_D64 | FORM_NO_TEST},
    {"popf", "9D", "", FN_ALL(op_popf), ALL_FLAGS, FEATURE_BASE, FORM_D64 | LEAVES},

    /* The rest. */
    {"pause", "F3 90 NB", "", FN_ALL(op_pause), NO_FLAGS, FEATURE_BASE, FORM_ENDS_BLOCK},
    {"hlt", "F4", "", FN_ALL(op_hlt), NO_FLAGS, FEATURE_BASE, PRIVILEGED | LEAVES},
    {"cpuid", "0F A2", "", FN_ALL(op_cpuid), NO_FLAGS, FEATURE_BASE, FORM_NO_TEST},
    {"rdmsr", "0F 32", "", FN_ALL(op_rdmsr), NO_FLAGS, FEATURE_BASE, PRIVILEGED},
    {"wrmsr", "0F 30", "", FN_ALL(op_wrmsr), NO_FLAGS, FEATURE_BASE, PRIVILEGED | LEAVES},
    {"rdpmc", "0F 33", "", FN_ALL(op_rdpmc), NO_FLAGS, FEATURE_BASE, FORM_NO_TEST},
    {"rdtsc", "0F 31", "", FN_ALL(op_rdtsc), NO_FLAGS, FEATURE_BASE, FORM_NO_TEST},
    {"rdtscp", "0F 01 =F9", "", FN_ALL(op_rdtscp), NO_FLAGS, FEATURE_RDTSCP, FORM_NO_TEST},
    {"rdpid", "F3 0F C7 mod3 /7", "Rq", FN_ALL(op_rdpid), NO_FLAGS, FEATURE_RDPID, FORM_NO_TEST},
    {"rdrand", "NR 0F C7 mod3 /6", "Rv", FN_ALL(op_rdrand), ALL_FLAGS, FEATURE_RDRAND,
     FORM_NO_TEST},
    {"rdseed", "NR 0F C7 mod3 /7", "Rv", FN_ALL(op_rdseed), ALL_FLAGS, FEATURE_RDSEED,
     FORM_NO_TEST},
    {"invlpg", "0F 01 mem /7", "M", M_ONLY(op_invlpg), NO_FLAGS, FEATURE_BASE,
     PRIVILEGED | LEAVES},
    {"invd", "0F 08", "", FN_ALL(op_invd), NO_FLAGS, FEATURE_BASE, PRIVILEGED},
    {"wbinvd", "0F 09", "", FN_ALL(op_wbinvd), NO_FLAGS, FEATURE_BASE, PRIVILEGED},
    {"clflush", "NP 0F AE mem /7", "Mb", M_ONLY(op_cache_line), NO_FLAGS, FEATURE_CLFLUSH,
     FORM_NO_TEST},
    {"clflushopt", "66 0F AE mem /7", "Mb", M_ONLY(op_cache_line), NO_FLAGS, FEATURE_CLFLUSHOPT,
     FORM_NO_TEST},
    {"lfence", "NP 0F AE mod3 /5", "", FN_ALL(op_fence), NO_FLAGS, FEATURE_SSE2, 0},
    {"mfence", "NP 0F AE mod3 /6", "", FN_ALL(op_fence), NO_FLAGS, FEATURE_SSE2, 0},
    {"sfence", "NP 0F AE mod3 /7", "", FN_ALL(op_fence), NO_FLAGS, FEATURE_SSE, 0},
    {"clzero", "NP 0F 01 =FC", "", FN_ALL(op_clzero), NO_FLAGS, FEATURE_CLZERO, FORM_NO_TEST},
    {"invpcid", "66 0F 38 82 mem /r", "Gq,Mdq", M_ONLY(op_invpcid), NO_FLAGS, FEATURE_INVPCID,
     PRIVILEGED | LEAVES},

    {"vmmcall", "NR 0F 01 =D9", "", FN_ALL(op_vmmcall), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"vmgexit", "F3 0F 01 =D9", "", FN_ALL(op_vmgexit), NO_FLAGS, FEATURE_BASE, LEAVES},
    {"vmgexit", "F2 0F 01 =D9", "", FN_ALL(op_vmgexit), NO_FLAGS, FEATURE_BASE, LEAVES},

    /* Extended state. */
    {"xgetbv", "NP 0F 01 =D0", "", FN_ALL(op_xgetbv), NO_FLAGS, FEATURE_XSAVE, FORM_NO_TEST},
    {"xsetbv", "NP 0F 01 =D1", "", FN_ALL(op_xsetbv), NO_FLAGS, FEATURE_XSAVE,
     PRIVILEGED | LEAVES},
    {"xsave", "NP 0F AE mem /4", "Mx", M_ONLY(op_xsave), NO_FLAGS, FEATURE_XSAVE, FORM_NO_TEST},
    {"xrstor", "NP 0F AE mem /5", "Mx", M_ONLY(op_xrstor), NO_FLAGS, FEATURE_XSAVE, FORM_NO_TEST},
    {"xsaveopt", "NP 0F AE mem /6", "Mx", M_ONLY(op_xsaveopt), NO_FLAGS, FEATURE_XSAVEOPT,
     FORM_NO_TEST},
    {"xsavec", "NP 0F C7 mem /4", "Mx", M_ONLY(op_xsavec), NO_FLAGS, FEATURE_XSAVEC, FORM_NO_TEST},
    {"xsaves", "NP 0F C7 mem /5", "Mx", M_ONLY(op_xsaves), NO_FLAGS, FEATURE_XSAVES, PRIVILEGED},
    {"xrstors", "NP 0F C7 mem /3", "Mx", M_ONLY(op_xrstors), NO_FLAGS, FEATURE_XSAVES,
     PRIVILEGED},
    {"clwb", "66 0F AE mem /6", "Mb", M_ONLY(op_cache_line), NO_FLAGS, FEATURE_CLWB, FORM_NO_TEST},
};

const struct form_table forms_system = {forms, sizeof(forms) / sizeof(forms[0])};
