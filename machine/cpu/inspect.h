/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Looking into a processor from outside: registers, page walk, TLB, disassembly. For the debugger
 * and the reports. Nothing here changes the guest but cpu_set_registers. Only between runs.
 */
#ifndef PRIVET_MACHINE_CPU_INSPECT_H
#define PRIVET_MACHINE_CPU_INSPECT_H

#include "machine/cpu/cpu.h"

struct cpu_segment {
    uint16_t selector;
    uint16_t attributes; /* as in the VMCB: descriptor bits 47:40 and 55:52, packed */
    uint32_t limit;
    uint64_t base;
};

/* Order of cpu_registers.seg. */
enum { CPU_ES, CPU_CS, CPU_SS, CPU_DS, CPU_FS, CPU_GS, CPU_SEGMENTS };

struct cpu_registers {
    uint64_t gpr[16]; /* RAX RCX RDX RBX RSP RBP RSI RDI R8 ... R15 */
    uint64_t rip;     /* offset in CS */
    uint64_t linear_rip;
    uint64_t rflags;
    struct cpu_segment seg[CPU_SEGMENTS], ldtr, tr;
    uint64_t gdt_base, idt_base;
    uint16_t gdt_limit, idt_limit;
    uint64_t cr0, cr2, cr3, cr4, cr8;
    uint64_t dr[8];
    uint64_t efer, kernel_gs_base, star, lstar, cstar, sfmask, pat, xcr0, tsc_aux;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint8_t st[8][10]; /* ST(0) first, as FSAVE stores it */
    uint16_t fpu_control, fpu_status, fpu_tags, fpu_opcode;
    uint16_t fpu_instruction_selector, fpu_data_selector;
    uint64_t fpu_instruction, fpu_data;
    uint8_t xmm[16][16];
    uint32_t mxcsr;
    unsigned cpl;
    unsigned code_bits; /* 16, 32 or 64: how the bytes at RIP decode */
    bool halted;
};

void cpu_get_registers(struct cpu *cpu, struct cpu_registers *ret);

/*
 * Takes over what a debugger may change without leaving the architecture's states: general
 * registers, RIP, flags (CF PF AF ZF SF TF IF DF OF IOPL NT RF AC ID), bases of FS and GS,
 * kernel_gs_base, CR2, x87, XMM and MXCSR (reserved bits dropped). The rest of *from is ignored.
 */
void cpu_set_registers(struct cpu *cpu, const struct cpu_registers *from);

struct cpu_walk_level {
    const char *name; /* "PML4E", "PDPE", "PDE", "PTE" */
    uint64_t gpa;     /* of the entry */
    uint64_t value;
    bool memory;      /* false: there is no memory at gpa; value is 0 */
};

struct cpu_walk {
    struct cpu_walk_level level[4]; /* from the top */
    unsigned levels;                /* entries that were looked at */
    bool paging;                    /* false: linear is physical */
    bool mapped;
    bool reserved;       /* an entry has a reserved bit set */
    uint64_t gpa;        /* mapped: physical address of the linear one, without the C-bit */
    unsigned page_shift; /* mapped: 12, 21, 22 or 30 */
    memory_view view;    /* mapped: how data accesses see the page; fetches are always private */
    bool user, writable, no_execute;
};

/* Walks the page tables in force, without rights and without setting accessed and dirty bits. */
void cpu_walk(struct cpu *cpu, uint64_t linear, struct cpu_walk *ret);

/* Mask of the C-bit in a table entry; 0 without SEV. */
uint64_t cpu_c_mask(const struct cpu *cpu);

struct cpu_tlb_line {
    const char *bank; /* "fetch", "supervisor", "user", ... */
    uint64_t linear, gpa;
    bool device, read, write;
    bool watched;        /* the page holds decoded code: writes are looked at */
    unsigned page_shift; /* of the guest's page: 12, 21 (also 22) or 30 */
};

typedef void cpu_tlb_visitor(void *context, const struct cpu_tlb_line *line);

/* Every valid entry of the software TLB, bank by bank. */
void cpu_tlb_visit(const struct cpu *cpu, cpu_tlb_visitor *visitor, void *context);

/*
 * The instruction at `rip` (an offset in the current CS, in the current mode) as text. Returns its
 * length in bytes; 0 if it cannot be read or decoded (then `text` says which).
 */
unsigned cpu_disassemble(struct cpu *cpu, uint64_t rip, char *text, size_t size);

#endif
