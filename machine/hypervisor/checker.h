/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The checker's inside: the guest's run calls checker_*, the rules call checker_report; private to
 * machine/hypervisor.
 */
#ifndef PRIVET_MACHINE_CHECKER_H
#define PRIVET_MACHINE_CHECKER_H

#include "machine/cpu/observer.h"
#include "machine/hypervisor/check.h"
#include "machine/hypervisor/check_pages.h"
#include "machine/hypervisor/check_secret.h"
#include "machine/hypervisor/check_tlb.h"

struct guest;
struct checker;
struct ghcb_told;

/* An instruction that raised #VC, until its handler returns. */
struct checker_trap {
    struct cpu_intercepted what;
    uint64_t gpr[16], rflags, cr3;
    bool answered; /* the hypervisor has read a device's memory since */
    uint64_t gpa, value;
};

#define CHECKER_TRAPS 4u /* a handler inside of a handler is seldom, and one that does not return, too */

/* A processor under watch: the context of its observer. */
struct checker_cpu {
    struct checker *checker;
    struct cpu *cpu;
    unsigned number;
    struct check_tlb *tlb;
    struct cpu_observer observer;
    struct checker_trap traps[CHECKER_TRAPS]; /* the newest last */
    unsigned trap_count;
};

struct checker_place {
    enum check_rule rule;
    int processor;
    uint64_t place, rip, times;
};

/* A page of the guest's page tables, and the stores to it since it was known to be one. */
struct checker_table {
    uint64_t gpa;
    unsigned stores;
};

/* The last bytes that went out through a port or a device register. */
struct checker_output {
    uint64_t place, count;
    uint8_t bytes[CHECK_SECRET_PIECE];
};

/* The search for UEFI's hand-over: checker_exit.c. */
struct checker_exit {
    bool found, done;
    uint64_t base;      /* instructions at the last reset */
    uint64_t next_scan; /* instructions since then */
    uint64_t pages_left; /* of the memory map, to look at */
    uint64_t map, map_size, descriptor_size; /* linear: arguments of the last GetMemoryMap */
};

#define CHECKER_OUTPUTS    64u
#define CHECKER_MAX_PLACES 256u
#define CHECKER_TABLE_BITS 12
#define CHECKER_MAX_ACTORS (OWNER_LAST - OWNER_DEVICE + 1)

struct checker {
    struct check_config config;
    struct guest *guest;
    struct memory *memory;
    struct check_pages *pages;
    struct checker_cpu *cpus;
    unsigned cpu_count;
    struct checker_place places[CHECKER_MAX_PLACES];
    unsigned place_count;
    uint64_t findings, unlisted; /* in all but notes; at places beyond the table */
    struct {
        const char *name;
        int queue;
    } actors[CHECKER_MAX_ACTORS]; /* devices that wrote memory: owner OWNER_DEVICE + index */
    unsigned actor_count;
    struct check_secret *secret;
    bool has_secrets;
    struct checker_exit exit;
    struct checker_output outputs[CHECKER_OUTPUTS];
    struct checker_table tables[1u << CHECKER_TABLE_BITS];
};

/*
 * Watches a guest's processors and devices from now on. What the launch encrypts counts as written
 * through the private view. NULL: out of memory.
 */
struct checker *checker_create(struct guest *guest, const struct check_config *config);
/* After the launch: learns its secret. */
void checker_start(struct checker *checker);
/* The guest was reset: caches and TLBs are empty, firmware starts again. */
void checker_reset(struct checker *checker);
/* Now and then between runs of a processor. */
void checker_look(struct checker *checker, uint64_t instructions);
/* A processor's VMGEXIT. */
void checker_vmgexit(struct checker *checker, unsigned processor, const struct ghcb_told *told);
/* A processor stopped at a breakpoint. False: it is not the checker's. */
bool checker_breakpoint(struct checker *checker, unsigned processor);
/* What can only be looked at in the end. */
void checker_finish(struct checker *checker);
/* NULL is allowed. */
void checker_destroy(struct checker *checker);

/*
 * Counts a finding; the first of a rule at one RIP is reported, and under CHECK_FATAL it asks the
 * guest to stop. The text is printf-like.
 */
struct checker_at {
    const struct checker_cpu *cpu;
    uint64_t rip;
    const uint64_t *linear, *gpa; /* NULL: unknown */
    uint64_t place;               /* tells places apart; 0: the RIP does */
};
__attribute__((format(printf, 4, 5)))
void checker_report(struct checker *checker, enum check_rule rule, const struct checker_at *at,
                    const char *format, ...);

/* "private (C=1)" or "shared (C=0)". */
const char *checker_view(bool private_view);

/* Is the rule looked at? */
bool checker_wants(const struct checker *checker, enum check_rule rule);

#endif
