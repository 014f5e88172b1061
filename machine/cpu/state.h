/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The processor's architectural and execution state; private to machine/cpu.
 *
 * Conventions that every operation relies on:
 *  - cpu->rip is valid only between blocks. While a block runs, the address of instruction i is
 *    insn_rip(cpu, i): the block's start (gpr[REG_RIP]) plus i->ip.
 *  - An operation that faults calls cpu_raise*(), which does not return (longjmp to the run loop);
 *    nothing architectural may have been changed before, except what the manual allows.
 *  - Arithmetic flags are lazy: use flags.h, never eflags directly, for CF PF AF ZF SF OF.
 */
#ifndef PRIVET_MACHINE_CPU_STATE_H
#define PRIVET_MACHINE_CPU_STATE_H

#include <setjmp.h>

#include "machine/cpu/breakpoint.h"
#include "machine/cpu/cpu.h"
#include "machine/cpu/tracer.h"
#include "sev/ghcb.h"

enum gpr {
    RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15,
    REG_ZERO, /* always 0: "no base", "no index" */
    REG_RIP,  /* linear offset of the running block's first instruction: RIP-relative base */
    GPR_COUNT,
};

enum segment_name {
    ES, CS, SS, DS, FS, GS,
    SEG_FLAT, /* base 0, no checks: what ES CS SS DS are in 64-bit mode */
    SEGMENT_COUNT,
};

/* Attributes as in a descriptor's bits 47:40 and 55:52, packed (the VMCB form): APM 2 4.8. */
enum segment_attribute {
    SEG_TYPE = 0x00F,
    SEG_S = 0x010,
    SEG_DPL = 0x060,
    SEG_P = 0x080,
    SEG_AVL = 0x100,
    SEG_L = 0x200,
    SEG_DB = 0x400,
    SEG_G = 0x800,
};

struct segment {
    uint64_t base;
    uint32_t limit; /* in bytes, granularity applied */
    uint16_t selector;
    uint16_t attributes; /* 0: null selector, unusable */
};

struct table_register {
    uint64_t base;
    uint16_t limit;
};

#define EFLAGS_CF (1u << 0)
#define EFLAGS_PF (1u << 2)
#define EFLAGS_AF (1u << 4)
#define EFLAGS_ZF (1u << 6)
#define EFLAGS_SF (1u << 7)
#define EFLAGS_TF (1u << 8)
#define EFLAGS_IF (1u << 9)
#define EFLAGS_DF (1u << 10)
#define EFLAGS_OF (1u << 11)
#define EFLAGS_IOPL (3u << 12)
#define EFLAGS_NT (1u << 14)
#define EFLAGS_RF (1u << 16)
#define EFLAGS_VM (1u << 17)
#define EFLAGS_AC (1u << 18)
#define EFLAGS_VIF (1u << 19)
#define EFLAGS_VIP (1u << 20)
#define EFLAGS_ID (1u << 21)
#define EFLAGS_ARITHMETIC                                                                          \
    (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | EFLAGS_SF | EFLAGS_OF)

#define CR0_PE (1u << 0)
#define CR0_MP (1u << 1)
#define CR0_EM (1u << 2)
#define CR0_TS (1u << 3)
#define CR0_ET (1u << 4)
#define CR0_NE (1u << 5)
#define CR0_WP (1u << 16)
#define CR0_AM (1u << 18)
#define CR0_NW (1u << 29)
#define CR0_CD (1u << 30)
#define CR0_PG (1u << 31)
#define CR4_VME (1u << 0)
#define CR4_PVI (1u << 1)
#define CR4_TSD (1u << 2)
#define CR4_DE (1u << 3)
#define CR4_PSE (1u << 4)
#define CR4_PAE (1u << 5)
#define CR4_MCE (1u << 6)
#define CR4_PGE (1u << 7)
#define CR4_PCE (1u << 8)
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_UMIP (1u << 11)
#define CR4_FSGSBASE (1u << 16)
#define CR4_PCIDE (1u << 17)
#define CR4_OSXSAVE (1u << 18)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)
#define EFER_SCE (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define EFER_NXE (1u << 11)
#define EFER_SVME (1u << 12)
#define EFER_FFXSR (1u << 14)

enum vector {
    VECTOR_DE = 0, VECTOR_DB = 1, VECTOR_NMI = 2, VECTOR_BP = 3, VECTOR_OF = 4, VECTOR_BR = 5,
    VECTOR_UD = 6, VECTOR_NM = 7, VECTOR_DF = 8, VECTOR_TS = 10, VECTOR_NP = 11, VECTOR_SS = 12,
    VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_MF = 16, VECTOR_AC = 17, VECTOR_MC = 18, VECTOR_XF = 19,
    VECTOR_VC = 29,
};

union xmm {
    uint8_t u8[16];
    uint16_t u16[8];
    uint32_t u32[4];
    uint64_t u64[2];
    float f32[4];
    double f64[2];
};

/* An 80-bit x87 register as FXSAVE stores it. The low 64 bits are the MMX register. */
struct x87_register {
    uint64_t mantissa;
    uint16_t exponent; /* with sign in bit 15 */
};

struct fpu {
    struct x87_register st[8]; /* physical registers R0 to R7: ST(i) is st[(top + i) & 7] */
    uint16_t control;
    uint16_t status; /* TOP kept in bits 13:11 */
    uint8_t valid;   /* abridged tag word as in FXSAVE: bit set = not empty */
    uint16_t opcode;
    uint16_t instruction_selector, data_selector;
    uint64_t instruction_pointer, data_pointer;
    uint32_t mxcsr;      /* flags may lag while running: hostfp.h */
    uint32_t host_mxcsr; /* of the host, while the processor runs */
    union xmm xmm[18]; /* the last two: SCRATCH_A and SCRATCH_B of avx.h */
    union xmm ymm_high[16]; /* bits 255:128 of YMM registers */
};

/* XCR0: APM 2 11.5.2. */
#define XCR0_X87 (1u << 0)
#define XCR0_SSE (1u << 1)
#define XCR0_YMM (1u << 2)

enum { XMM_COUNT = 16, SCRATCH_A = 16, SCRATCH_B = 17 };

#define TLB_BITS 10
#define TLB_SIZE (1u << TLB_BITS)

/*
 * One translation of 4 KiB. `read` and `write` hold the page's linear address when that access may
 * use the fast path, else ~0: MMIO, watched code, wrong view and missing permission all show as a
 * tag that cannot match. Host address = linear address + addend.
 */
struct tlb_entry {
    uint64_t read;
    uint64_t write;
    uintptr_t addend;
    uint64_t gpa; /* page address; the low bits are flags of mmu.c */
};

/* A bank per way of looking at the user bit; cpu->tlb points to the one in force. */
enum tlb_bank {
    TLB_SUPERVISOR,
    TLB_USER,
    TLB_SUPERVISOR_AC, /* SMAP suspended by EFLAGS.AC */
    TLB_CHECKED,       /* alignment checks on: never filled, so every access is looked at */
    TLB_BANKS
};

/* Fetches have their own small cache; bit 0 of `read` says user, the other members as above. */
#define FETCH_TLB_SIZE 256u

/* A page that changes is looked for in the TLB only if its bit is set: most are not there. */
#define TLB_FILTER_BITS 4096u

struct insn;
struct block;
struct block_cache;

struct cpu {
    /* Hot: touched by nearly every operation. */
    uint64_t gpr[GPR_COUNT];
    uint64_t lazy_result; /* see flags.h */
    uint64_t lazy_source;
    uint32_t lazy_op;
    uint32_t eflags; /* all but the arithmetic flags, which flags.h owns; bit 1 always set */
    struct tlb_entry *tlb;
    struct block *block;       /* running block, for exact instruction counts; NULL between */
    uint64_t instructions;     /* retired before the running block was entered */
    uint64_t deadline;         /* compared at block entry; 0 when something needs attention */
    struct segment seg[SEGMENT_COUNT];

    /* Between blocks. */
    uint64_t rip;
    uint64_t run_deadline;      /* as given to cpu_run */
    const struct insn *lane, *lane_of; /* an SSE operation as part of an AVX one: avx.h */
    const struct insn *current; /* set by slow paths that may fault */
    const struct insn *next;    /* to run next, in builds without chaining */
    bool interrupt_pending, nmi_pending, kicked, halted;
    bool pause_yields, yielded; /* cpu_yield_on_pause; a PAUSE was executed */
    bool interrupt_shadow; /* STI or MOV SS was the previous instruction */
    bool debug_shadow;     /* MOV SS: also holds off #DB */
    bool nmi_blocked;
    uint8_t cpl;
    uint32_t mode; /* decode mode key: mode.h */
    enum cpu_stop stop;

    struct segment ldtr, tr;
    struct table_register gdtr, idtr;
    uint64_t cr0, cr2, cr3, cr4;
    uint64_t pdpte[4]; /* legacy PAE: loaded with CR3, APM 2 5.2.3 */
    uint64_t dr[8];
    uint64_t xcr0, xss;
    uint64_t efer, star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t pat, tsc_aux, tsc_offset;
    uint64_t mtrr_default, mtrr_variable[16], mtrr_fixed[11];
    uint64_t syscfg, hwcr, decode_config, debug_control;
    uint64_t ghcb; /* the GHCB MSR of a SEV-ES guest */
    struct fpu fpu;

    /* Pending fault: filled by cpu_raise, consumed by the run loop. */
    jmp_buf fault_exit;
    struct {
        unsigned vector;
        uint32_t error;
        bool has_error;
        bool delivering; /* an exception is being delivered: contributory faults make #DF */
        unsigned delivering_vector;
        bool external; /* EXT bit of selector error codes raised meanwhile */
    } fault;

    struct breakpoints watch;

    struct cpu_config config;
    uint64_t missing; /* features that this processor lacks: a bit for each enum cpu_feature */
    struct cpu_io io;
    const struct cpu_observer *observer; /* NULL: nobody watches. observer.h */
    uint64_t observed_rip;               /* whose walk it is; only with an observer */
    const struct cpu_tracer *tracer;     /* NULL: nobody listens. tracer.h */
    bool traces_instructions;
    struct cpu_event history[CPU_HISTORY]; /* of handler entries, a ring */
    uint64_t history_used;
    struct cpu_branch branches[CPU_HISTORY]; /* a ring */
    uint64_t branches_used;
    struct memory *memory;
    uint64_t c_mask;          /* 1 << c_bit when SEV or SME is on, else 0 */
    memory_view forced_view;  /* of walks and fetches under SEV, and without paging */
    uint64_t physical_mask;   /* address bits of an entry below MAXPHYADDR */
    struct block_cache *blocks;
    char error[256];
    bool tlb_used[TLB_BANKS]; /* the bank holds something since its last flush */
    bool tlb_alias;           /* outside 64-bit mode an entry got a tag above 32 bits */
    uint64_t tlb_pages[TLB_FILTER_BITS / 64]; /* which physical pages may have entries: mmu.c */
    struct tlb_entry tlb_banks[TLB_BANKS][TLB_SIZE];
    struct tlb_entry tlb_fetch[FETCH_TLB_SIZE];
    struct tlb_entry tlb_unkept; /* serves one access that the observer wants to see again */
};

/* Values that arrive at cpu->fault_exit by longjmp. */
enum fault_exit {
    FAULT_EXCEPTION = 1, /* call cpu_deliver_fault: it may arrive here again */
    FAULT_STOP = 2,      /* cpu->stop says why: shutdown, unimplemented */
};

/*
 * exceptions.c: none of these returns. Error code variants per APM 2 table 8-1. They set
 * cpu->current to `i`, cpu->rip to its address (`i` NULL: leave cpu->rip alone) and cpu->fault, and
 * longjmp to cpu->fault_exit with FAULT_EXCEPTION.
 */
_Noreturn void cpu_raise(struct cpu *cpu, const struct insn *i, unsigned vector);
_Noreturn void cpu_raise_error(struct cpu *cpu, const struct insn *i, unsigned vector,
                               uint32_t error);
/*
 * An exit that the hypervisor asked for: in a SEV-ES guest those that it would have to emulate are #VC
 * with the exit's code (APM 2 15.35.4), in other guests they are not intercepted here.
 */
void cpu_intercept(struct cpu *cpu, const struct insn *i, enum sev_exit exit);

/* The processor cannot go on: cpu_run ends, and cpu_error is `why`. */
_Noreturn void cpu_shut_down(struct cpu *cpu, const struct insn *i, const char *why);

/* An instruction that hardware has and Privet lacks: stops the machine, with bytes and address. */
_Noreturn void cpu_unimplemented(struct cpu *cpu, const struct insn *i, const char *what);

/*
 * exceptions.c: enters the handler of a vector from between instructions (cpu->rip is the return
 * address). Handles privilege change, IST, task gates, real mode. A fault on the way ends in
 * cpu->fault_exit like any other, already combined to #DF where the manual says so; the third one
 * is FAULT_STOP with CPU_STOP_SHUTDOWN. EVENT_SOFTWARE is INT n, INT3, INTO (DPL is checked, no
 * EXT bit). Call only where cpu->fault_exit is set.
 */
enum event_kind { EVENT_EXCEPTION, EVENT_INTERRUPT, EVENT_NMI, EVENT_SOFTWARE };
void cpu_deliver(struct cpu *cpu, unsigned vector, enum event_kind kind, bool has_error,
                 uint32_t error);

/* Delivers what cpu_raise left in cpu->fault: the run loop's answer to FAULT_EXCEPTION. */
void cpu_deliver_fault(struct cpu *cpu);

/* mode.c: only the TLB bank, after CPL, EFLAGS.AC, CR0.AM or CR4.SMAP. */
void cpu_update_bank(struct cpu *cpu);

/* mode.c: recomputes cpu->mode, tlb bank and flat-segment facts after CR0/CR4/EFER/CS/CPL/AC. */
void cpu_update_mode(struct cpu *cpu);

static inline bool cpu_long_mode(const struct cpu *cpu)
{
    return cpu->efer & EFER_LMA;
}

static inline bool cpu_64bit(const struct cpu *cpu)
{
    return (cpu->efer & EFER_LMA) && (cpu->seg[CS].attributes & SEG_L);
}

static inline bool cpu_real_mode(const struct cpu *cpu)
{
    return !(cpu->cr0 & CR0_PE);
}

static inline bool cpu_v86(const struct cpu *cpu)
{
    return cpu->eflags & EFLAGS_VM;
}

#endif
