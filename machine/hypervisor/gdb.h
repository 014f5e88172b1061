/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The debugger's side of the run loop: a server of GDB's remote protocol. All processors are
 * threads and stop together. Private to machine/hypervisor.
 *
 * Breakpoints and watchpoints are the processor's (cpu.h): guest memory is never patched. A guest
 * without a debugger on it runs exactly the same instructions.
 */
#ifndef PRIVET_MACHINE_GDB_H
#define PRIVET_MACHINE_GDB_H

#include "machine/hypervisor/guest.h"

struct gdb;

/* Listens at `address` (gdb_socket.h). NULL with one line in `error`. */
struct gdb *gdb_open(struct guest *guest, const char *address, char *error, size_t error_size);
void gdb_close(struct gdb *gdb);

/*
 * Before the first instruction: waits for a connection, unless the address said not to, and serves
 * it until the guest is to run. False: the debugger killed the guest.
 */
bool gdb_start(struct gdb *gdb);

/* cpu_run, or one step if that is what the debugger wants. Not for a held processor. */
enum cpu_stop gdb_run_processor(struct gdb *gdb, unsigned index, uint64_t deadline);

/* The debugger lets others run but not this processor / some processor. */
bool gdb_holds(const struct gdb *gdb, unsigned index);
bool gdb_holds_any(const struct gdb *gdb);

/*
 * After gdb_run_processor: serves the debugger if it is to be told of something. False: it killed
 * the guest.
 */
bool gdb_after_run(struct gdb *gdb, unsigned index, enum cpu_stop stop);

/* Now and then: a new connection or Ctrl-C. False: the debugger killed the guest. */
bool gdb_poll(struct gdb *gdb);

/*
 * The guest came to its end; `dead` if it died: then the debugger may look at it first. Tells the
 * debugger and ends the connection.
 */
void gdb_end(struct gdb *gdb, bool dead);

#endif
