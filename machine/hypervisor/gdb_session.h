/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A debugger's connection, as the files of the server share it; private to gdb*.c. */
#ifndef PRIVET_MACHINE_GDB_SESSION_H
#define PRIVET_MACHINE_GDB_SESSION_H

#include <stdio.h>

#include "machine/cpu/inspect.h"
#include "machine/hypervisor/gdb.h"
#include "machine/hypervisor/gdb_packet.h"
#include "machine/hypervisor/gdb_socket.h"

/* What a processor does while the guest runs. */
enum gdb_action { GDB_CONTINUE, GDB_STEP, GDB_HOLD };

struct gdb_breakpoint {
    enum cpu_breakpoint_kind kind; /* CPU_BREAKPOINT_NONE: slot is free */
    uint64_t address;
    unsigned size;
    bool software; /* as GDB calls it; both kinds are the processor's */
};

struct gdb {
    struct guest *guest;
    struct gdb_address address;
    int listener, connection; /* connection -1: none */
    bool no_acks;             /* QStartNoAckMode */
    bool physical;            /* memory packets mean physical addresses */
    bool reports_kind;        /* GDB understands swbreak and hwbreak */
    bool told_of_policy;      /* the note about private memory was given */
    bool resume, killed;      /* what the packet just served asked for */
    unsigned general, stopped; /* processor of g, m, ...; the one that the stop is about */
    enum gdb_action action[BOARD_MAX_PROCESSORS];
    bool holds; /* some processor is held */
    struct gdb_breakpoint breakpoints[CPU_BREAKPOINTS];
    struct gdb_decoder in;
    uint8_t bytes[4096]; /* received and not yet decoded */
    size_t bytes_used, bytes_at;
    char answer[GDB_PACKET_MAX + 1];
    size_t answer_length;
    char out[GDB_ENCODED_SIZE(GDB_PACKET_MAX)];
    size_t out_length; /* the last answer, framed, for when it is asked for again */
    char stop_reply[160];
};

static inline struct cpu *gdb_cpu(struct gdb *gdb)
{
    return gdb->guest->cpus[gdb->general];
}

/* gdb_serve.c: serves one packet (gdb->in) and sends the answer. */
void gdb_serve_packet(struct gdb *gdb);

/* In gdb->answer_length: there is nothing to send. An answer of length 0 is sent. */
#define GDB_NO_ANSWER SIZE_MAX

/* gdb.c: frames and sends gdb->answer. Without a connection it does nothing. */
void gdb_send(struct gdb *gdb);

/* gdb.c: ends the connection; breakpoints go and every processor runs. */
void gdb_disconnect(struct gdb *gdb);

/*
 * gdb_memory.c: guest memory as the debugger may see it, at linear addresses of the processor or
 * physical ones. Returns how many bytes could be read from the start on.
 */
size_t gdb_memory_read(struct gdb *gdb, uint64_t address, uint8_t *data, size_t length);
/* All of it, or false; nothing is written to ROM, devices, or forbidden private memory. */
bool gdb_memory_write(struct gdb *gdb, uint64_t address, const uint8_t *data, size_t length);
/* Private memory cannot be shown: the guest's policy forbids debugging. */
bool gdb_memory_is_sealed(const struct gdb *gdb);

/* gdb_monitor.c: `monitor COMMAND`; the text goes to *out. */
void gdb_monitor(struct gdb *gdb, const char *command, FILE *out);

/* gdb_points.c: Z and z packets. The kind is the packet's digit. False: cannot be done. */
bool gdb_insert_point(struct gdb *gdb, char kind, uint64_t address, uint64_t size);
bool gdb_remove_point(struct gdb *gdb, char kind, uint64_t address, uint64_t size);
void gdb_remove_all_points(struct gdb *gdb);
/* Part of a stop reply: why the processor stopped at a breakpoint. */
void gdb_describe_hit(const struct gdb *gdb, struct cpu *cpu, char *text, size_t size);

#endif
