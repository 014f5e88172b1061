/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The operations that forms_system.c names, by file; private to machine/cpu. Suffixes _r and _m:
 * the E operand is a register, is in memory.
 */
#ifndef PRIVET_MACHINE_CPU_OPERATIONS_H
#define PRIVET_MACHINE_CPU_OPERATIONS_H

#include "machine/cpu/insn.h"

/* control.c */
operation op_mov_from_cr, op_mov_to_cr, op_mov_from_dr, op_mov_to_dr;
operation op_clts, op_lmsw_r, op_lmsw_m, op_smsw_r, op_smsw_m;
operation op_lgdt, op_lidt, op_sgdt, op_sidt;
operation op_lldt_r, op_lldt_m, op_ltr_r, op_ltr_m, op_sldt_r, op_sldt_m, op_str_r, op_str_m;
operation op_mov_from_seg_r, op_mov_from_seg_m;

/* cpuid.c, msr.c */
operation op_cpuid, op_rdmsr, op_wrmsr;

/* far.c */
operation op_jmp_far_imm, op_jmp_far_mem, op_call_far_imm, op_call_far_mem;
operation op_ret_far, op_ret_far_imm, op_iret;
operation op_lds, op_les, op_lfs, op_lgs, op_lss;
operation op_int, op_int1, op_int3, op_into;
operation op_syscall, op_sysret, op_sysenter, op_sysexit;

/* io.c */
operation op_in_imm_byte, op_in_imm_wide, op_in_dx_byte, op_in_dx_wide;
operation op_out_imm_byte, op_out_imm_wide, op_out_dx_byte, op_out_dx_wide;
operation op_insb, op_ins, op_outsb, op_outs;

/* selectors.c */
operation op_mov_to_seg_r, op_mov_to_seg_m;
operation op_push_es, op_push_cs, op_push_ss, op_push_ds, op_push_fs, op_push_gs;
operation op_pop_es, op_pop_ss, op_pop_ds, op_pop_fs, op_pop_gs;
operation op_lar_r, op_lar_m, op_lsl_r, op_lsl_m, op_verr_r, op_verr_m, op_verw_r, op_verw_m;
operation op_arpl_r, op_arpl_m;

/* system.c */
operation op_hlt, op_pause, op_cli, op_sti, op_clac, op_stac, op_pushf, op_popf;
operation op_swapgs, op_rdfsbase, op_rdgsbase, op_wrfsbase, op_wrgsbase;
operation op_rdtsc, op_rdtscp, op_rdpid, op_rdpmc, op_rdrand, op_rdseed;
operation op_invlpg, op_invpcid, op_invd, op_wbinvd, op_cache_line, op_clzero, op_fence;
operation op_vmmcall, op_vmgexit;

#endif
