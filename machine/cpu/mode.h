/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The decode mode key: everything besides its bytes that decides how an instruction decodes.
 * cpu->mode holds it; mode.c computes it, the decoder and the block cache read it. Blocks of
 * different keys never mix. Private to machine/cpu.
 */
#ifndef PRIVET_MACHINE_CPU_MODE_H
#define PRIVET_MACHINE_CPU_MODE_H

enum mode_bit {
    MODE_64 = 0x001,        /* 64-bit code segment in long mode */
    MODE_CODE32 = 0x002,    /* CS.D: 32-bit operands and addresses by default (clear: 16) */
    MODE_STACK32 = 0x004,   /* SS.B: ESP is the stack pointer (clear and not MODE_64: SP) */
    MODE_FLAT = 0x008,      /* CS DS ES SS are base 0, limit 4 GiB, readable, data writable */
    MODE_PROTECTED = 0x010, /* CR0.PE without EFLAGS.VM (clear: real or virtual-8086 mode) */
    MODE_USER = 0x020,      /* CPL 3: keys the linear shortcuts of the block cache as well */
    MODE_FPU_EM = 0x040,    /* CR0.EM */
    MODE_FPU_TS = 0x080,    /* CR0.TS */
    MODE_SSE = 0x100,       /* CR4.OSFXSR and not CR0.EM */
    MODE_STEP = 0x200,      /* EFLAGS.TF */
    MODE_AVX = 0x800,       /* CR4.OSXSAVE, and XCR0 has SSE and YMM state */
    MODE_FPU_MP = 0x400,    /* CR0.MP: WAIT obeys CR0.TS */
};

#endif
