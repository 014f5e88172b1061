/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * `--trace`: what happens in a run, a line each, beginning with the processor's number and its
 * instruction count, so that two runs can be compared line by line. Private to
 * machine/hypervisor.
 */
#ifndef PRIVET_MACHINE_TRACE_H
#define PRIVET_MACHINE_TRACE_H

#include "machine/hypervisor/ghcb.h"
#include "machine/hypervisor/guest.h"

struct trace;

/*
 * By config.trace: opens the file and knows what to listen to. NULL with one line in `error`:
 * an unknown word, or the file cannot be written.
 */
struct trace *trace_open(struct guest *guest, char *error, size_t error_size);
/* False with errno if lines were lost. */
bool trace_flush(struct trace *trace);
/* After the processors are gone. `trace` may be NULL. */
void trace_close(struct trace *trace);

/*
 * While the guest is made: the I/O interface that processor `index` is to be given instead of `io`,
 * and then the processor.
 */
const struct cpu_io *trace_io(struct trace *trace, unsigned index, const struct cpu_io *io);
void trace_attach(struct trace *trace, unsigned index, struct cpu *cpu);

/* A command was sent to the chip. */
void trace_command(struct trace *trace, const char *name, uint16_t status);

/* Processor `index` is about to run up to `deadline`, and why it stopped. */
void trace_before_run(struct trace *trace, unsigned index, uint64_t deadline);
void trace_after_run(struct trace *trace, unsigned index, enum cpu_stop stop);

/* INIT, startup, reset: `what` names it. */
void trace_wake(struct trace *trace, unsigned index, const char *what);

/* What a VMGEXIT was. */
void trace_vmgexit(struct trace *trace, unsigned index, const struct ghcb_told *told);

#endif
