/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The page walk (APM 2 5); private to machine/cpu. It knows the tables and the rights, not the TLB.
 */
#ifndef PRIVET_MACHINE_CPU_WALK_H
#define PRIVET_MACHINE_CPU_WALK_H

#include "machine/cpu/state.h"

/* Page-fault error code (APM 2 8.4.2); an access is described by the same bits. */
enum page_fault_bit {
    PF_PRESENT = 0x01,
    PF_WRITE = 0x02,
    PF_USER = 0x04,
    PF_RESERVED = 0x08,
    PF_FETCH = 0x10,
    ACCESS_AC = 0x100,   /* SMAP is suspended by EFLAGS.AC */
    ACCESS_PEEK = 0x200, /* no rights, no accessed and dirty bits: for the debugger */
};

struct translation {
    uint64_t gpa; /* page address, without the C-bit */
    memory_view view;
    unsigned page_shift; /* log2 of the page's size */
    bool user, writable, no_execute, dirty;
    bool global;      /* the leaf's G bit, where CR4.PGE honours it */
    memory_view leaf; /* what the leaf says; `view` of a fetch is private all the same */
};

/*
 * Translates a linear address (canonical, or below 4 GiB outside 64-bit mode) and sets accessed and
 * dirty bits. Returns false with the #PF error code if the access is not allowed.
 */
bool walk_translate(struct cpu *cpu, uint64_t linear, unsigned access, struct translation *ret,
                    uint32_t *ret_error);

/* Would this access be allowed by the rights in the translation? */
bool walk_permits(const struct cpu *cpu, const struct translation *translation, unsigned access);

/* Reads the four PDPTEs for legacy PAE at `cr3`; false if a reserved bit is set: #GP(0). */
bool walk_load_pdptes(struct cpu *cpu, uint64_t cr3);

#endif
