/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a SEV-ES guest has beside a SEV guest: the pages with its processors' registers, VMRUN from
 * them, VMGEXIT, startup without a look at registers. Private to machine/hypervisor.
 */
#ifndef PRIVET_MACHINE_ES_H
#define PRIVET_MACHINE_ES_H

#include "machine/hypervisor/ghcb.h"
#include "machine/hypervisor/guest.h"

struct es;

/* Before the processors; NULL with one line in `error`. */
struct es *es_create(struct guest *guest, char *error, size_t error_size);
/* NULL is allowed. After the chip was closed, which knows the memory. */
void es_destroy(struct es *es);

/* For INIT: memory of the Secure Processor's own (SEV API, INIT, TMR); its physical address. */
uint64_t es_tmr(const struct es *es);

/* Processor `index` exists, and which I/O interface it was given. */
void es_attach(struct es *es, unsigned index, const struct cpu_io *io);
/* board_watch.vmgexit; context: the guest. */
uint64_t es_vmgexit(void *context, unsigned processor, uint64_t ghcb);

/*
 * Builds the processors' pages, for the signature of this CPU. False with one line in `error`: the
 * firmware does not say where more than one processor begins.
 */
bool es_build(struct es *es, uint32_t *ret_signature, char *error, size_t error_size);
/* The page of processor `index`, physical address for LAUNCH_UPDATE_VMSA. */
uint64_t es_vmsa(const struct es *es, unsigned index);

/* VMRUN of a processor for the first time. False with guest->detail: the chip or VMRUN refuses. */
bool es_enter(struct es *es, unsigned index);
/* A startup interrupt came to it. */
bool es_startup(struct es *es, unsigned index);
/* It has run: what the chip keeps of its registers is true now. */
bool es_was_started(const struct es *es, unsigned index);
/* The last exit of all: their registers go back to their pages. */
void es_leave(struct es *es);

/* The guest asked for its end, or cannot go on: guest->detail. */
bool es_ended(const struct es *es);

#define ES_HISTORY 16

struct es_exit {
    uint64_t instructions; /* of the processor, at the VMGEXIT */
    struct ghcb_told told;
};

/* The last VMGEXITs of a processor, newest first; returns how many were written to `ret`. */
unsigned es_last_exits(const struct es *es, unsigned index, struct es_exit ret[ES_HISTORY]);

#endif
