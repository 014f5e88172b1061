/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The hypervisor's side of VMGEXIT (GHCB, publication 56421, chapters 2 and 4): what a SEV-ES guest
 * asks for by its GHCB page or by the GHCB MSR, answered as KVM answers a guest with SEV-ES. It knows
 * a processor, its I/O interface and memory; the guest is hostile.
 */
#ifndef PRIVET_MACHINE_GHCB_H
#define PRIVET_MACHINE_GHCB_H

#include "machine/cpu/cpu.h"

/* A request and its answer, for whoever listens. */
struct ghcb_told {
    const char *name;      /* of the exit, "cpuid"; NULL: not known */
    bool by_msr;           /* `code` is the MSR's low 12 bits, `info1` all of it */
    bool in_memory;        /* false: the page is 0 or no RAM, and the rest is not known */
    bool of_registers;     /* RCX tells what of it is asked for, and RAX: MSR, CPUID and the like */
    bool page_private;     /* the guest used the page last through the private view: it may be noise */
    uint64_t rip;          /* linear address of the VMGEXIT */
    uint64_t page, code, info1, info2;
    uint64_t result1, result2; /* SW_EXITINFO1 and 2 of the answer; the MSR's answer is result1 */
    uint64_t rax, rcx; /* as asked; with of_registers */
    uint64_t scratch, scratch_read; /* the scratch area; so many bytes of it were read */
};

enum ghcb_end {
    GHCB_END_TERMINATE,   /* the guest asked for its end: set and reason of GHCB 2.3.1 */
    GHCB_END_UNSUPPORTED, /* it gave up on an exit that it cannot handle: its code */
};

struct ghcb_host {
    void *context;
    /* The guest is to end; the processor executes nothing any more. */
    void (*ended)(void *context, unsigned processor, enum ghcb_end end, uint64_t set,
                  uint64_t reason);
    /* After every VMGEXIT; NULL: nobody listens. */
    void (*told)(void *context, unsigned processor, const struct ghcb_told *told);
};

/* What the processors of one guest have in common. */
struct ghcb_common {
    struct memory *memory;
    unsigned c_bit;
    struct ghcb_host host;
    uint64_t jump_table; /* where processors that wait for a startup are to go: GHCB 4.3.1.1 */
};

enum ghcb_hold { GHCB_HOLD_NONE, GHCB_HOLD_BY_PAGE, GHCB_HOLD_BY_MSR };

/* One processor's side. */
struct ghcb {
    struct ghcb_common *common;
    struct cpu *cpu;
    const struct cpu_io *io;
    unsigned processor;
    uint64_t dr7; /* what the guest last said that it is */
    enum ghcb_hold hold; /* it waits to be started (GHCB 4.3.2) */
    uint64_t hold_page, held_at; /* the latter in instructions */
};

void ghcb_init(struct ghcb *ghcb, struct ghcb_common *common, unsigned processor, struct cpu *cpu,
               const struct cpu_io *io);

/* cpu_io.vmgexit: the GHCB MSR's value, then what it is afterwards. */
uint64_t ghcb_exit(struct ghcb *ghcb, uint64_t msr);

/* What the GHCB MSR is before the guest's first VMRUN, the SEV information (GHCB 2.3.1). */
uint64_t ghcb_sev_info(const struct ghcb *ghcb);

/*
 * A startup interrupt: answers the AP reset hold in which the processor waits. If something else woke
 * it meanwhile, nothing is answered, as KVM has it: the page may be used otherwise by now.
 */
void ghcb_start(struct ghcb *ghcb);

#endif
