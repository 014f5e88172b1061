/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The instruction table: one row per instruction form. It drives the decoder, the interpreter's
 * choice of handler, the disassembler and the generator of differential tests; private to
 * machine/cpu and tests/cpu. The rows live beside their operations or in forms_*.c, by family.
 *
 * code: the encoding, blank separated, as in the manuals (APM 3 1.1, 2.5):
 *   NP 66 F2 F3     mandatory prefix (NP: none of 66 F2 F3 allowed as selector). Only for forms
 *                   where a prefix selects the instruction; without one, 66 is operand size.
 *   0F, 0F 38, 0F 3A  opcode map; then the opcode byte in hexadecimal
 *   +r              low three opcode bits (and REX.B) are a register: the row covers 8 opcodes
 *   +c              low four opcode bits are a condition: the row covers 16 opcodes
 *   /r              ModRM follows     /0 ... /7   ModRM follows, reg field extends the opcode
 *   mod3, mem       only register / only memory forms (default: as the operands allow)
 *   =XX             the whole ModRM byte is fixed (0F 01 =D0, D9 =E8)
 *   W0 W1           REX.W must be clear / set
 *   VEX             behind a VEX prefix; NP 66 F2 F3 and the map are fields of it then
 *   VSIB            the index of the memory operand is a vector register
 *   L0 L1 Lx        VEX.L must be clear / set / chooses the handler: the slots of 32 and 64 bits
 *                   stand for 128 and 256; without any of them L is ignored
 *   NR              neither F2 nor F3 allowed
 *   NB              REX.B must be clear (F3 90 is PAUSE, with REX.B it is XCHG)
 *
 * operands: comma separated codes of the manuals' opcode maps:
 *   first letter: E general register or memory, G register of ModRM.reg, I immediate,
 *   J relative branch, M memory only, R register only (rm), O absolute offset, Z register from
 *   +r, S segment register of reg, C control, D debug register, X string source DS:rSI, Y string
 *   destination ES:rDI, P/Q MMX register (reg / rm or memory), N MMX register (rm only), V/W XMM
 *   (reg / rm or memory), U XMM register (rm only), F far pointer ptr16:16/32,
 *   B general register of VEX.vvvv, H XMM register of VEX.vvvv (insn_vvvv), L XMM register in bits
 *   7:4 of an immediate byte,
 *   ST0 STi x87, AL AX eAX rAX CL DX 1 fixed operands
 *   second letter(s): b byte, w word, d dword, q qword, v 16/32/64 by operand size,
 *   z 16/32 immediates (sign-extended to 64), s sign-extended byte (Ibs), y 32 or 64 (REX.W),
 *   dq 16 bytes, ps pd ss sd, p far pointer in memory, t 80-bit real, x state area, plain M: size
 * by handler
 *
 * Handlers are chosen by fn[memory form][log2 of operand size in bytes]; a form without
 * operand-size variants fills every slot it can reach by FN_ALL or FN_RM.
 */
#ifndef PRIVET_MACHINE_CPU_FORM_H
#define PRIVET_MACHINE_CPU_FORM_H

#include "machine/cpu/insn.h"

enum form_attribute {
    FORM_LOCK = 0x0001,   /* LOCK allowed with a memory destination */
    FORM_REP = 0x0002,    /* F2/F3 are repeat prefixes */
    FORM_NO64 = 0x0004,   /* #UD in 64-bit mode */
    FORM_ONLY64 = 0x0008, /* #UD outside 64-bit mode */
    FORM_D64 = 0x0010,    /* operand size 64 by default in 64-bit mode, 32 not encodable */
    FORM_F64 = 0x0020,    /* operand size forced to 64 in 64-bit mode (near branches) */
    FORM_CPL0 = 0x0040,   /* #GP(0) above CPL 0, checked by the handler; for the test generator */
    FORM_ENDS_BLOCK = 0x0080, /* last instruction of its block */
    FORM_NO_TEST = 0x0100,    /* not for differential tests: privileged, or not deterministic */
    FORM_BYTE = 0x0200,       /* operand size 8 */
    FORM_IOPL = 0x0400,       /* depends on IOPL or the I/O bitmap */
    FORM_X87 = 0x0800,        /* #NM by CR0.EM/TS, pending x87 exception */
    FORM_MMX = 0x1000,        /* #UD by CR0.EM, #NM by CR0.TS, pending x87 exception */
    FORM_SSE = 0x2000,        /* #UD by CR0.EM or no CR4.OSFXSR, #NM by CR0.TS */
    FORM_ALIGN16 = 0x4000,    /* memory operand of 16 bytes must be aligned, else #GP(0) */
};

/*
 * What a processor model may have or lack. A form whose feature is absent raises #UD; a few
 * features are no instructions but bits of control registers, MSRs or page tables. FEATURE_BASE is
 * there always.
 */
enum cpu_feature {
    FEATURE_BASE, FEATURE_FPU, FEATURE_MMX, FEATURE_FXSR, FEATURE_SSE, FEATURE_SSE2, FEATURE_SSE3,
    FEATURE_SSSE3, FEATURE_SSE41, FEATURE_SSE42, FEATURE_POPCNT, FEATURE_LZCNT, FEATURE_BMI1,
    FEATURE_BMI2, FEATURE_MOVBE, FEATURE_ADX, FEATURE_AES, FEATURE_PCLMULQDQ, FEATURE_SHA,
    FEATURE_CX16, FEATURE_RDRAND, FEATURE_RDSEED, FEATURE_RDTSCP, FEATURE_SYSCALL,
    FEATURE_FSGSBASE, FEATURE_SMAP, FEATURE_XSAVE, FEATURE_CLFLUSH, FEATURE_CLFLUSHOPT,
    FEATURE_CLWB, FEATURE_INVPCID, FEATURE_RDPID, FEATURE_UMIP, FEATURE_MONITOR,
    FEATURE_PREFETCHW, FEATURE_LAHF, FEATURE_CLZERO, FEATURE_XSAVEOPT, FEATURE_XSAVEC,
    FEATURE_XGETBV1, FEATURE_XSAVES, FEATURE_AVX, FEATURE_AVX2, FEATURE_FMA, FEATURE_F16C,
    FEATURE_NX, FEATURE_SMEP, FEATURE_PCID, FEATURE_PDPE1GB, FEATURE_X2APIC, FEATURE_TSC_DEADLINE,
    FEATURE_TSC_ADJUST, FEATURE_INVTSC, FEATURE_HYPERVISOR, FEATURE_FXSR_OPT, FEATURE_COUNT,
};
_Static_assert(FEATURE_COUNT <= 64, "a bit for each in a uint64_t");

struct form {
    const char *name;
    const char *code;
    const char *operands;
    operation *fn[2][4];
    uint32_t writes;    /* EFLAGS written with a defined value (or cleared) */
    uint32_t undefined; /* EFLAGS left undefined: masked in comparisons */
    uint32_t reads;     /* EFLAGS read */
    uint8_t feature;    /* enum cpu_feature */
    uint16_t attributes;
};

/* Operand-size families: name##_8r is the register form on bytes, name##_64m memory on qwords. */
#define FN_SIZES(f)                                                                                \
    {                                                                                              \
        {NULL, f##_16r, f##_32r, f##_64r}, {NULL, f##_16m, f##_32m, f##_64m}                       \
    }
#define FN_BYTE(f)                                                                                 \
    {                                                                                              \
        {f##_8r, f##_8r, f##_8r, f##_8r}, {f##_8m, f##_8m, f##_8m, f##_8m}                         \
    }
#define FN_ALL(f)                                                                                  \
    {                                                                                              \
        {f, f, f, f}, {f, f, f, f}                                                                 \
    }
#define FN_RM(r, m)                                                                                \
    {                                                                                              \
        {r, r, r, r}, {m, m, m, m}                                                                 \
    }

struct form_table {
    const struct form *forms;
    unsigned count;
};

/* forms.c: all tables; form numbers count through them in order. */
extern const struct form_table *const form_tables[];
extern const unsigned form_table_count;
extern const struct form_table forms_arith, forms_shift, forms_muldiv, forms_bit, forms_move,
    forms_stack, forms_branch, forms_bcd, forms_string, forms_system, forms_x87, forms_simd,
    forms_bmi, forms_avx, forms_avx2;

const struct form *form_by_number(unsigned number);
unsigned form_total(void);

/* Is the feature there on this processor? CPUID (cpuid.c) is computed from the same. */
static inline bool cpu_has_feature(const struct cpu *cpu, enum cpu_feature feature)
{
    return !(cpu->missing >> feature & 1);
}

#endif
