/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the files of the system side share: descriptors, segment loads, stacks, transfers; private
 * to machine/cpu.
 */
#ifndef PRIVET_MACHINE_CPU_SYSTEM_H
#define PRIVET_MACHINE_CPU_SYSTEM_H

#include "machine/cpu/flags.h"
#include "machine/cpu/mmu.h"

/* Descriptor types: APM 2 tables 4-3 to 4-6. System types are those with SEG_S clear. */
enum descriptor_type {
    TYPE_TSS16 = 1,
    TYPE_LDT = 2,
    TYPE_TSS16_BUSY = 3,
    TYPE_CALL16 = 4,
    TYPE_TASK_GATE = 5,
    TYPE_INTERRUPT16 = 6,
    TYPE_TRAP16 = 7,
    TYPE_TSS32 = 9, /* also the 64-bit TSS */
    TYPE_TSS32_BUSY = 11,
    TYPE_CALL32 = 12, /* also the 64-bit call gate */
    TYPE_INTERRUPT32 = 14,
    TYPE_TRAP32 = 15,
    TYPE_CODE = 8,         /* with SEG_S: code segment */
    TYPE_WRITABLE = 2,     /* data */
    TYPE_EXPAND_DOWN = 4,  /* data */
    TYPE_READABLE = 2,     /* code */
    TYPE_CONFORMING = 4,   /* code */
    TYPE_ACCESSED = 1,
    TYPE_BUSY = 2, /* TSS */
};

struct descriptor {
    uint32_t low, high;
    uint64_t address;  /* linear, of the entry */
    uint16_t selector;
};

static inline unsigned descriptor_type(const struct descriptor *d)
{
    return d->high >> 8 & 15;
}

static inline unsigned descriptor_dpl(const struct descriptor *d)
{
    return d->high >> 13 & 3;
}

static inline bool descriptor_present(const struct descriptor *d)
{
    return d->high & 0x8000;
}

static inline bool descriptor_is_system(const struct descriptor *d)
{
    return !(d->high & 0x1000);
}

static inline bool descriptor_is_code(const struct descriptor *d)
{
    return !descriptor_is_system(d) && descriptor_type(d) & TYPE_CODE;
}

static inline bool descriptor_is_conforming(const struct descriptor *d)
{
    return descriptor_is_code(d) && descriptor_type(d) & TYPE_CONFORMING;
}

static inline bool selector_is_null(unsigned selector)
{
    return !(selector & 0xFFFC);
}

static inline unsigned segment_dpl(const struct segment *segment)
{
    return segment->attributes >> 5 & 3;
}

static inline bool is_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static inline unsigned cpu_iopl(const struct cpu *cpu)
{
    return cpu->eflags >> 12 & 3;
}

/* Protected mode proper: CR0.PE without V86. */
static inline bool cpu_protected(const struct cpu *cpu)
{
    return cpu->cr0 & CR0_PE && !(cpu->eflags & EFLAGS_VM);
}

/* --- segment.c ---------------------------------------------------------------------------- */

/* Raises `vector` with the error code of a selector: its index and TI, and EXT while delivering. */
_Noreturn void raise_selector(struct cpu *cpu, const struct insn *i, unsigned vector,
                              unsigned selector);

/* Reads the descriptor of a selector that is not null; false if it lies beyond its table. */
bool descriptor_read(struct cpu *cpu, const struct insn *i, unsigned selector,
                     struct descriptor *ret);
/* As descriptor_read; null and beyond the table raise `vector`. */
struct descriptor descriptor_require(struct cpu *cpu, const struct insn *i, unsigned selector,
                                     unsigned vector);
struct segment descriptor_unpack(const struct descriptor *descriptor);
/* Base of a system descriptor: 16 bytes long in long mode. Raises #GP if the upper half is bad. */
uint64_t descriptor_system_base(struct cpu *cpu, const struct insn *i,
                                const struct descriptor *descriptor);
/* Sets a bit of the type field in memory, if it is clear: accessed, busy. */
void descriptor_set_type_bit(struct cpu *cpu, const struct insn *i, struct descriptor *descriptor,
                             unsigned bit);

/* Real and V86 mode: base from the selector. */
void segment_set_real(struct cpu *cpu, unsigned segment, unsigned selector);
/* MOV, POP, LDS ... to ES SS DS FS GS in the current mode with all checks. */
void segment_load(struct cpu *cpu, const struct insn *i, unsigned segment, unsigned selector);
/* DS ES FS GS of a new task: what is #GP elsewhere is #TS here. */
void segment_load_of_task(struct cpu *cpu, unsigned segment, unsigned selector);
/* Checks a stack segment for `cpl`; faults raise `vector` (#TS or #GP), #SS if not present. */
struct segment segment_check_stack(struct cpu *cpu, const struct insn *i, unsigned selector,
                                   unsigned cpl, unsigned vector);
/* After a return to less privilege: data segments that CPL may not use become null. */
void segment_drop_privileged(struct cpu *cpu, unsigned cpl);
/* True if [offset, offset + size) lies inside the limit. */
bool segment_contains(const struct segment *segment, uint32_t offset, unsigned size);

/* --- observer.c --------------------------------------------------------------------------- */

/* Instruction `i` is about to raise #VC; IRET is about to go on at `offset`: tell the observer. */
void cpu_observe_intercept(struct cpu *cpu, const struct insn *i, uint32_t exit);
void cpu_observe_return(struct cpu *cpu, uint64_t offset);

/* --- exceptions.c ------------------------------------------------------------------------- */

/* INT n, INT3, INTO and INT1 from inside a block; leaves it. */
void deliver_software(struct cpu *cpu, const struct insn *i, unsigned vector, bool is_int_n);

/* A stack that is not in force yet: event delivery, call gates, task switch. */
struct stack {
    struct cpu *cpu;
    const struct insn *insn;
    struct segment ss; /* not looked at in long mode */
    uint64_t sp, mask;
    unsigned cpl;
    bool is_new;      /* not the one in force: #SS names it */
    bool check_limit;
};

struct stack stack_current(struct cpu *cpu, const struct insn *i);
void stack_push(struct stack *stack, unsigned size, uint64_t value);
uint64_t stack_pop(struct stack *stack, unsigned size);
/* RSP after the transfer: only the bits that the stack size covers change. */
void stack_commit(const struct stack *stack);

/* SS:RSP of an inner level from the TSS (RSP alone in long mode): APM 2 8.7.3, 12.2. */
struct stack stack_of_tss(struct cpu *cpu, const struct insn *i, unsigned cpl);

/* --- task.c ------------------------------------------------------------------------------- */

enum task_reason { TASK_JUMP, TASK_CALL, TASK_RETURN };
/*
 * Hardware task switch, not in long mode; `next_rip` is saved in the old task: APM 2 12.3. The new
 * task's address is in cpu->rip then.
 */
void task_switch(struct cpu *cpu, const struct insn *i, const struct descriptor *tss,
                 enum task_reason reason, uint64_t next_rip, bool has_error, uint32_t error);

/* --- control.c, msr.c ---------------------------------------------------------------------- */

/* Bits of CR4 (APM 2 3.1.3) and EFER that this processor has; a PAT without reserved memory types. */
uint64_t cpu_known_cr4(const struct cpu *cpu);
uint64_t msr_efer_writable(const struct cpu *cpu);
bool msr_pat_is_valid(uint64_t value);

/*
 * msr.c: SYSCFG, whose bit 23 makes the C-bit of a host with SME work (APM 2 7.10.1). Platforms set
 * it before the first instruction. The caller flushes the TLB.
 */
#define SYSCFG_MEM_ENCRYPT (1u << 23)
void cpu_set_syscfg(struct cpu *cpu, uint64_t value);

/* mode.c: a new code segment with its CPL, then the mode that follows from it. */
void cpu_set_code(struct cpu *cpu, const struct segment *cs, unsigned cpl);

/* mode.c: EFLAGS for POPF and IRET: `size` bytes of `image`, as far as CPL and IOPL allow. */
void cpu_load_flags(struct cpu *cpu, uint32_t image, unsigned size, unsigned cpl);

static inline void require_cpl0(struct cpu *cpu, const struct insn *i)
{
    if (cpu->cpl)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
}

/* Effective operand size in bytes of an instruction whose handler is told at run time. */
static inline unsigned insn_operand_size(const struct insn *i)
{
    return i->flags & INSN_OP64 ? 8 : i->flags & INSN_OP16 ? 2 : 4;
}

/*
 * The address of the next instruction in a row. 16-bit code goes on beyond 64 KiB if its segment does:
 * only branches truncate.
 */
static inline uint64_t wrap_rip(const struct cpu *cpu, uint64_t rip)
{
    return cpu_64bit(cpu) ? rip : (uint32_t)rip;
}

static inline uint64_t insn_return_rip(const struct cpu *cpu, const struct insn *i)
{
    return wrap_rip(cpu, insn_next_rip(cpu, i));
}

#endif
