/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What can be told about a guest from outside, as lines of text: for the debugger's monitor
 * commands and the report of a guest that died. Private to machine/hypervisor.
 */
#ifndef PRIVET_MACHINE_DESCRIBE_H
#define PRIVET_MACHINE_DESCRIBE_H

#include <stdio.h>

#include "machine/cpu/inspect.h"
#include "machine/hypervisor/ghcb.h"
#include "machine/hypervisor/guest.h"

#define DESCRIBE_VMGEXIT_SIZE 200

/* "raw", or "ASID 1 (private)". */
const char *describe_view(memory_view view, char text[32]);

/*
 * A request and its answer: "ioio info 3f80010 0 answer 0 0", "cpuid rax 1 rcx 0 info 0 0 answer 0 0",
 * by the GHCB MSR "msr cpuid value 4 answer 5".
 */
const char *describe_vmgexit(const struct ghcb_told *told, char text[DESCRIBE_VMGEXIT_SIZE]);

/* General registers, RIP, flags, CR0 to CR4. */
void describe_general_registers(FILE *out, struct cpu *cpu);

/* General registers, segments, control and system registers. */
void describe_registers(FILE *out, struct cpu *cpu);

/* Every entry from CR3 to the leaf, with C-bits, and the view in which each page is stored. */
void describe_walk(FILE *out, struct guest *guest, struct cpu *cpu, uint64_t linear);

/* A page of guest-physical memory: kind, view, whether touched, whether it holds decoded code. */
void describe_page(FILE *out, struct guest *guest, uint64_t gpa);

/* The software TLB; only entries of the page at *linear unless that is NULL. */
void describe_tlb(FILE *out, struct guest *guest, struct cpu *cpu, const uint64_t *linear);

/* Platform and guest state, as the chip's own status commands tell it. */
void describe_chip(FILE *out, struct guest *guest);

/* A line per processor. */
void describe_processors(FILE *out, struct guest *guest);

#endif
