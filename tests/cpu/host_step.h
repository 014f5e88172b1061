/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Runs one instruction on the host's own processor: general registers, flags, FXSAVE image and
 * a page of memory in, the same and the exception out. For the differential tests.
 */
#ifndef PRIVET_TESTS_CPU_HOST_STEP_H
#define PRIVET_TESTS_CPU_HOST_STEP_H

#include <stdint.h>

#define HOST_PAGE 4096u

struct host_state {
    uint8_t fx[512] __attribute__((aligned(16)));
    uint64_t gpr[16]; /* in encoding order; RSP is neither loaded nor stored */
    uint64_t flags;
};

struct host_step {
    struct host_state in, out;
    uint8_t *page; /* data at a host address below 2 GiB, for the instruction's use */
    uint64_t code; /* address of the instruction, valid after the run */
    int vector;    /* of the exception that the instruction raised, -1 if none */
};

/* Sets up the pages and the signal handlers. Returns 0 if the host does not allow that. */
struct host_step *host_step_create(void);

/* Runs the instruction from step->in and fills step->out and step->vector. */
void host_step_run(struct host_step *step, const uint8_t *insn, unsigned length);

#endif
