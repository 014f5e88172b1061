/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The hypervisor of a SEV-ES guest, and its processor, behind firmware/sev/ghcb.c (GHCB 2.03, from the
 * host's side): keeps what was asked and answers what the test says. A request with interrupts on ends
 * the test program.
 */
#ifndef PRIVET_TESTS_GHCB_MODEL_H
#define PRIVET_TESTS_GHCB_MODEL_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

enum { GHCB_MODEL_RAX, GHCB_MODEL_RCX, GHCB_MODEL_RDX, GHCB_MODEL_RBX, GHCB_MODEL_REGISTERS };

struct ghcb_model {
    uint64_t msr;
    bool interrupts, osxsave, code32;
    /* The last request, and their number. */
    unsigned requests;
    uint64_t code, info_1, info_2, data, scratch, registers[GHCB_MODEL_REGISTERS], xcr0;
    uint64_t valid[2];
    uint16_t version;
    uint32_t usage;
    uint8_t cpl;
    /*
     * The answer: results, registers and whether they count. `serve` is called for each request, if
     * there is one, and may change it.
     */
    void (*serve)(void);
    uint64_t result, event, gives[GHCB_MODEL_REGISTERS], gives_data;
    bool withholds[GHCB_MODEL_REGISTERS];
    uint64_t sev_info; /* of the MSR protocol; 0: versions 1 to 2 */
    /* The guest ended: what it wrote to the MSR then, else 0. */
    uint64_t terminated;
    jmp_buf end; /* where it goes then */
};
extern struct ghcb_model ghcb_model;

/* Makes the page and the model anew; the MSR is the page's address. */
void ghcb_model_reset(void);
/* The page that the MSR names at first is where firmware/arch/layout.h has it: this one. */
uint8_t *ghcb_model_page(void);

#endif
