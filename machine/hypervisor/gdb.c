/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The connection to a debugger: accepting it, stopping the guest for it, letting the guest go on.
 * The debugger is trusted no further than its packets parse: whatever comes, the machine stays
 * whole.
 */
#define _GNU_SOURCE
#include "machine/hypervisor/gdb.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine/hypervisor/gdb_session.h"
#include "machine/hypervisor/gdb_target.h"

/* Signal numbers of the protocol (GDB's own, equal to these of Linux). */
enum { SIGNAL_INTERRUPT = 2, SIGNAL_TRAP = 5, SIGNAL_ABORT = 6 };

struct gdb *gdb_open(struct guest *guest, const char *address, char *error, size_t error_size)
{
    char name[300];
    struct gdb *gdb = calloc(1, sizeof(*gdb));
    if (!gdb) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    gdb->guest = guest;
    gdb->listener = gdb->connection = -1;
    if (gdb_address_parse(address, &gdb->address, error, error_size))
        gdb->listener = gdb_listen(&gdb->address, name, sizeof(name), error, error_size);
    if (gdb->listener < 0) {
        free(gdb);
        return NULL;
    }
    fprintf(stderr, "privet: gdb: listening on %s%s\n", name,
            gdb->address.no_wait ? "" : "; the guest waits for a debugger");
    return gdb;
}

void gdb_close(struct gdb *gdb)
{
    if (!gdb)
        return;
    if (gdb->connection >= 0)
        close(gdb->connection);
    close(gdb->listener);
    if (*gdb->address.path)
        unlink(gdb->address.path);
    free(gdb);
}

/* --- bytes ---------------------------------------------------------------------------------- */

void gdb_disconnect(struct gdb *gdb)
{
    if (gdb->connection >= 0)
        close(gdb->connection);
    gdb->connection = -1;
    gdb->holds = false;
    memset(gdb->action, 0, sizeof(gdb->action));
    gdb_remove_all_points(gdb);
}

static void lost(struct gdb *gdb)
{
    fprintf(stderr, "privet: gdb: the connection ended; the guest goes on\n");
    gdb->resume = true;
    gdb_disconnect(gdb);
}

static void send_bytes(struct gdb *gdb, const char *bytes, size_t length)
{
    while (length && gdb->connection >= 0) {
        ssize_t sent = send(gdb->connection, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0) {
            lost(gdb);
            return;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
}

void gdb_send(struct gdb *gdb)
{
    gdb->out_length = gdb_encode(gdb->answer, gdb->answer_length, gdb->out);
    send_bytes(gdb, gdb->out, gdb->out_length);
}

/* The next byte, waiting for it or (`wait` clear) not. -1: none, or the connection is gone. */
static int next_byte(struct gdb *gdb, bool wait)
{
    if (gdb->bytes_at < gdb->bytes_used)
        return gdb->bytes[gdb->bytes_at++];
    while (gdb->connection >= 0) {
        ssize_t got = recv(gdb->connection, gdb->bytes, sizeof(gdb->bytes),
                           wait ? 0 : MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return -1;
        if (got <= 0) {
            lost(gdb);
            return -1;
        }
        gdb->bytes_used = (size_t)got;
        gdb->bytes_at = 1;
        return gdb->bytes[0];
    }
    return -1;
}

/* --- stopped -------------------------------------------------------------------------------- */

static void note_policy(struct gdb *gdb)
{
    if (gdb->told_of_policy || !gdb_memory_is_sealed(gdb))
        return;
    gdb->told_of_policy = true;
    fprintf(stderr, "privet: gdb: the guest's policy forbids debugging: private memory is shown "
                    "as the ciphertext in DRAM\n");
}

static void take_byte(struct gdb *gdb, uint8_t byte)
{
    switch (gdb_decode(&gdb->in, byte)) {
    case GDB_PACKET:
        if (!gdb->no_acks)
            send_bytes(gdb, "+", 1);
        gdb_serve_packet(gdb);
        break;
    case GDB_DAMAGED:
        if (!gdb->no_acks)
            send_bytes(gdb, "-", 1);
        break;
    case GDB_REJECTED:
        send_bytes(gdb, gdb->out, gdb->out_length);
        break;
    case GDB_NOTHING:
    case GDB_ACCEPTED:
    case GDB_INTERRUPT: /* it is stopped already */
        break;
    }
}

/* Serves packets until the guest is to go on. False: it was killed. */
static bool serve(struct gdb *gdb)
{
    gdb->resume = false;
    gdb->general = gdb->stopped;
    while (!gdb->resume && !gdb->killed && gdb->connection >= 0) {
        int byte = next_byte(gdb, true);
        if (byte >= 0)
            take_byte(gdb, (uint8_t)byte);
    }
    if (gdb->killed)
        gdb_disconnect(gdb);
    return !gdb->killed;
}

/* The reply that names processor, reason and RIP. */
static void make_stop_reply(struct gdb *gdb, unsigned signal, const char *reason)
{
    struct cpu_registers registers;
    uint8_t rip[GDB_REGISTER_MAX];
    char text[2 * GDB_REGISTER_MAX + 1];
    cpu_get_registers(gdb->guest->cpus[gdb->stopped], &registers);
    gdb_to_hex(rip, gdb_register_get(&registers, gdb_register_rip(), rip), text);
    snprintf(gdb->stop_reply, sizeof(gdb->stop_reply), "T%02xthread:%x;%02x:%s;%s", signal,
             gdb->stopped + 1, gdb_register_rip(), text, reason);
}

/* Tells the debugger of a stop and serves it. */
static bool stop(struct gdb *gdb, unsigned index, unsigned signal, const char *reason)
{
    gdb->stopped = index;
    make_stop_reply(gdb, signal, reason);
    gdb->answer_length = (size_t)snprintf(gdb->answer, sizeof(gdb->answer), "%s", gdb->stop_reply);
    gdb_send(gdb);
    return serve(gdb);
}

/* --- connecting ----------------------------------------------------------------------------- */

/* Takes a waiting connection. GDB begins with questions, and wants the guest stopped. */
static bool take_connection(struct gdb *gdb)
{
    int on = 1;
    int fd = accept4(gdb->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return true;
    if (!*gdb->address.path)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    gdb->connection = fd;
    gdb->no_acks = gdb->physical = gdb->reports_kind = false;
    gdb->bytes_used = gdb->bytes_at = gdb->out_length = 0;
    gdb->in = (struct gdb_decoder){ .expand_runs = false };
    gdb->stopped = gdb->guest->current;
    note_policy(gdb);
    make_stop_reply(gdb, SIGNAL_TRAP, "");
    return serve(gdb);
}

bool gdb_start(struct gdb *gdb)
{
    struct pollfd waiting = { .fd = gdb->listener, .events = POLLIN };
    uint64_t limit = gdb->guest->config.timeout_seconds;
    if (gdb->address.no_wait)
        return true;
    /* When nobody came in time the run goes on, to its end at the limit. */
    int milliseconds = limit && limit < INT_MAX / 1000 ? (int)limit * 1000 : -1;
    while (poll(&waiting, 1, milliseconds) < 0 && errno == EINTR)
        ;
    return take_connection(gdb);
}

bool gdb_poll(struct gdb *gdb)
{
    int byte;
    if (gdb->connection < 0)
        return take_connection(gdb);
    while ((byte = next_byte(gdb, false)) >= 0) {
        if (gdb_decode(&gdb->in, (uint8_t)byte) == GDB_INTERRUPT)
            return stop(gdb, gdb->guest->current, SIGNAL_INTERRUPT, "");
    }
    return true;
}

/* --- running -------------------------------------------------------------------------------- */

enum cpu_stop gdb_run_processor(struct gdb *gdb, unsigned index, uint64_t deadline)
{
    struct cpu *cpu = gdb->guest->cpus[index];
    return gdb->action[index] == GDB_STEP ? cpu_step(cpu) : cpu_run(cpu, deadline);
}

bool gdb_holds(const struct gdb *gdb, unsigned index)
{
    return gdb->action[index] == GDB_HOLD;
}

bool gdb_holds_any(const struct gdb *gdb)
{
    return gdb->holds;
}

bool gdb_after_run(struct gdb *gdb, unsigned index, enum cpu_stop stop_reason)
{
    char reason[64];
    if (gdb->connection < 0)
        return true;
    if (stop_reason == CPU_STOP_BREAKPOINT) {
        gdb_describe_hit(gdb, gdb->guest->cpus[index], reason, sizeof(reason));
        return stop(gdb, index, SIGNAL_TRAP, reason);
    }
    /* A halted processor steps when something wakes it. */
    if (gdb->action[index] == GDB_STEP && stop_reason == CPU_STOP_DEADLINE)
        return stop(gdb, index, SIGNAL_TRAP, "");
    return true;
}

void gdb_end(struct gdb *gdb, bool dead)
{
    if (gdb->connection >= 0 && dead)
        stop(gdb, gdb->guest->current, SIGNAL_ABORT, "");
    if (gdb->connection < 0)
        return;
    gdb->answer_length = (size_t)snprintf(gdb->answer, sizeof(gdb->answer), dead ? "X06" : "W00");
    gdb_send(gdb);
    gdb_disconnect(gdb);
}
