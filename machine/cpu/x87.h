/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * x87: register stack, status and exceptions, as its operations share them; private to machine/cpu.
 *
 * Instruction and data pointers are recorded by every non-control instruction, as AMD processors
 * do. FXSAVE stores them and FXRSTOR loads them only if an unmasked exception is pending (FSW.ES).
 * FOP is recorded when an unmasked exception is found.
 *
 * CR0.NE clear would report exceptions by FERR# and an interrupt controller; no board here has that
 * line, so then a pending exception is ignored.
 */
#ifndef PRIVET_MACHINE_CPU_X87_H
#define PRIVET_MACHINE_CPU_X87_H

#include "machine/cpu/form.h"
#include "machine/cpu/mmu.h"

#define FSW_IE 0x0001u
#define FSW_DE 0x0002u
#define FSW_ZE 0x0004u
#define FSW_OE 0x0008u
#define FSW_UE 0x0010u
#define FSW_PE 0x0020u
#define FSW_SF 0x0040u
#define FSW_ES 0x0080u
#define FSW_C0 0x0100u
#define FSW_C1 0x0200u
#define FSW_C2 0x0400u
#define FSW_TOP 0x3800u
#define FSW_C3 0x4000u
#define FSW_B  0x8000u
#define FSW_EXCEPTIONS 0x003Fu
#define FSW_CONDITIONS (FSW_C0 | FSW_C1 | FSW_C2 | FSW_C3)
#define FCW_INITIAL 0x037Fu

#define X87_SIGN 0x8000u
#define X87_EXPONENT 0x7FFFu

/* x87_state.c: #MF if an unmasked exception is pending and CR0.NE says so. */
void x87_pending(struct cpu *cpu, const struct insn *i);
/* x87_state.c: #NM by CR0.EM or TS, else as x87_pending. */
void x87_check_slow(struct cpu *cpu, const struct insn *i);
/* mmx.c: #UD by CR0.EM, #NM by TS, else as x87_pending. */
void mmx_check_slow(struct cpu *cpu, const struct insn *i);

/* x87_state.c: ES and B follow from flags and masks after either was loaded. */
void x87_update_summary(struct cpu *cpu);
/* x87_state.c: power-up state of x87, XMM registers and MXCSR: APM 2 table 14-1. */
void fpu_reset(struct cpu *cpu);
/* x87_state.c: initial state (FNINIT, FNSAVE): control word, status, tags, pointers. */
void x87_initialize(struct cpu *cpu);
/* x87_state.c: the full tag word, two bits per register, from the abridged one and the contents. */
uint16_t x87_full_tags(const struct cpu *cpu);
uint8_t x87_abridged_tags(uint16_t full);

/*
 * x87_arith.c: merges the exceptions of a host status word and C1. Returns true if the result must
 * not be delivered: an unmasked exception among `stopping`.
 */
bool x87_flags(struct cpu *cpu, const struct insn *i, uint16_t status, unsigned stopping);
/* x87_arith.c: stack fault; true if it is masked and the default NaN must be delivered. */
bool x87_stack_fault(struct cpu *cpu, const struct insn *i, bool overflow);

/* Exceptions found before the computation stop every instruction; stores stop on more. */
#define X87_STOP_OPERANDS (FSW_IE | FSW_DE | FSW_ZE)
#define X87_STOP_STORE (FSW_IE | FSW_DE | FSW_ZE | FSW_OE | FSW_UE)

static const struct x87_register x87_default_nan = {0xC000000000000000, 0xFFFF};

/* Every waiting x87 instruction begins with this one, control instructions with the second. */
static inline void x87_check(struct cpu *cpu, const struct insn *i)
{
    if (__builtin_expect((cpu->cr0 & (CR0_EM | CR0_TS)) | (cpu->fpu.status & FSW_ES), 0))
        x87_check_slow(cpu, i);
}

static inline void x87_check_control(struct cpu *cpu, const struct insn *i)
{
    if (__builtin_expect(cpu->cr0 & (CR0_EM | CR0_TS), 0))
        cpu_raise(cpu, i, VECTOR_NM);
}

/* Check and pointers: register form, and form with a memory operand at linear `address`. */
static inline void x87_begin(struct cpu *cpu, const struct insn *i)
{
    x87_check(cpu, i);
    cpu->fpu.instruction_pointer = insn_rip(cpu, i);
    cpu->fpu.instruction_selector = cpu->seg[CS].selector;
}

static inline void x87_begin_memory(struct cpu *cpu, const struct insn *i, uint64_t address)
{
    cpu->fpu.instruction_pointer = insn_rip(cpu, i);
    cpu->fpu.instruction_selector = cpu->seg[CS].selector;
    cpu->fpu.data_pointer = address - cpu->seg[i->seg].base;
    cpu->fpu.data_selector = cpu->seg[i->seg].selector;
}

static inline unsigned x87_top(const struct cpu *cpu)
{
    return cpu->fpu.status >> 11 & 7;
}

static inline void x87_set_top(struct cpu *cpu, unsigned top)
{
    cpu->fpu.status = (uint16_t)((cpu->fpu.status & ~FSW_TOP) | (top & 7) << 11);
}

static inline struct x87_register *x87_st(struct cpu *cpu, unsigned number)
{
    return &cpu->fpu.st[(x87_top(cpu) + number) & 7];
}

static inline bool x87_empty(const struct cpu *cpu, unsigned number)
{
    return !(cpu->fpu.valid >> ((x87_top(cpu) + number) & 7) & 1);
}

static inline void x87_set(struct cpu *cpu, unsigned number, struct x87_register value)
{
    unsigned physical = (x87_top(cpu) + number) & 7;
    cpu->fpu.st[physical] = value;
    cpu->fpu.valid |= (uint8_t)(1u << physical);
}

static inline void x87_pop(struct cpu *cpu)
{
    unsigned top = x87_top(cpu);
    cpu->fpu.valid &= (uint8_t)~(1u << top);
    x87_set_top(cpu, top + 1);
}

static inline void x87_push(struct cpu *cpu, struct x87_register value)
{
    x87_set_top(cpu, x87_top(cpu) - 1);
    x87_set(cpu, 0, value);
}

static inline void x87_set_conditions(struct cpu *cpu, unsigned conditions)
{
    cpu->fpu.status = (uint16_t)((cpu->fpu.status & ~FSW_CONDITIONS) | conditions);
}

/* Prototypes of every operation that forms_x87.c names. */
#define X87_BINARY_LIST(X) X(fadd) X(fmul) X(fsub) X(fsubr) X(fdiv) X(fdivr)
#define X87_UNARY_LIST(X) X(f2xm1) X(fsqrt) X(fsin) X(fcos) X(frndint)
#define X87_CONSTANT_LIST(X) X(fld1) X(fldl2t) X(fldl2e) X(fldpi) X(fldlg2) X(fldln2) X(fldz)
#define X87_CONDITION_LIST(X)                                                                      \
    X(b, EFLAGS_CF, true)                                                                          \
    X(e, EFLAGS_ZF, true)                                                                          \
    X(be, EFLAGS_CF | EFLAGS_ZF, true)                                                             \
    X(u, EFLAGS_PF, true)                                                                          \
    X(nb, EFLAGS_CF, false)                                                                        \
    X(ne, EFLAGS_ZF, false)                                                                        \
    X(nbe, EFLAGS_CF | EFLAGS_ZF, false)                                                           \
    X(nu, EFLAGS_PF, false)
#define X87_OPERATION_LIST(X)                                                                      \
    X(fcom_m32) X(fcom_m64) X(ficom_m16) X(ficom_m32) X(fcomp_m32) X(fcomp_m64) X(ficomp_m16)      \
    X(ficomp_m32) X(fcom) X(fcomp) X(fcompp) X(fucom) X(fucomp) X(fucompp) X(fcomi) X(fcomip)      \
    X(fucomi) X(fucomip) X(ftst) X(fxam) X(fchs) X(fabs) X(fscale) X(fprem) X(fprem1) X(fpatan)    \
    X(fyl2x) X(fyl2xp1) X(fptan) X(fsincos) X(fxtract) X(fld_m32) X(fld_m64) X(fld_m80)            \
    X(fild_m16) X(fild_m32) X(fild_m64) X(fbld) X(fst_m32) X(fst_m64) X(fstp_m32) X(fstp_m64)      \
    X(fstp_m80) X(fist_m16) X(fist_m32) X(fistp_m16) X(fistp_m32) X(fistp_m64) X(fisttp_m16)       \
    X(fisttp_m32) X(fisttp_m64) X(fbstp) X(fld) X(fst) X(fstp) X(fxch) X(ffree) X(ffreep)          \
    X(fincstp) X(fdecstp) X(fnop) X(fwait) X(fninit) X(fnclex) X(fnstcw) X(fldcw) X(fnstsw)        \
    X(fnstsw_ax) X(fnstenv) X(fldenv) X(fnsave) X(frstor) X(fnop_control) X(fstp_alias)
#define DECLARE_X87_BINARY(name)                                                                   \
    operation op_##name##_st0, op_##name##_sti, op_##name##p, op_##name##_m32, op_##name##_m64,    \
        op_##name##_i16, op_##name##_i32;
#define DECLARE_X87(name) operation op_##name;
#define DECLARE_X87_CONDITION(name, ...) operation op_fcmov##name;
X87_BINARY_LIST(DECLARE_X87_BINARY)
X87_UNARY_LIST(DECLARE_X87)
X87_CONSTANT_LIST(DECLARE_X87)
X87_CONDITION_LIST(DECLARE_X87_CONDITION)
X87_OPERATION_LIST(DECLARE_X87)

#endif
