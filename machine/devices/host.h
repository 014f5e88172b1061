/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The few places where the machine listens to its host: sockets of the user-mode network, terminals
 * behind serial lines. Everything else about time is virtual; here host time comes in, by one rule:
 * while a source says that it expects something, an idle guest waits for it in host time instead of
 * skipping to its next timer. Without such sources runs repeat bit for bit.
 */
#ifndef PRIVET_MACHINE_DEVICES_HOST_H
#define PRIVET_MACHINE_DEVICES_HOST_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "machine/devices/clock.h"

#define HOST_MAX_SOURCES 8u
#define HOST_MAX_FDS     4096u

struct host_source {
    /* Appends what it wants polled to `fds`, at most `room`; returns how many. */
    unsigned (*fill)(void *context, struct pollfd *fds, unsigned room);
    /* The same entries after the poll. Called at each poll, also when none is ready. */
    void (*ready)(void *context, const struct pollfd *fds, unsigned count);
    /* Something may come that the guest could be idle for. */
    bool (*expects)(void *context);
    void *context;
};

struct host {
    struct clock *clock;
    struct host_source source[HOST_MAX_SOURCES];
    unsigned source_count;
    struct pollfd fds[HOST_MAX_FDS];
};

void host_init(struct host *host, struct clock *clock);
/* The source is copied. false: the table is full. */
bool host_add(struct host *host, const struct host_source *source);
bool host_expects(const struct host *host);
/* Takes in what is there, without waiting. */
void host_poll(struct host *host);
/*
 * The guest is idle for `ns` of its time: waits for a source at most that long (and at most 50 ms)
 * and moves virtual time by what passed on the host.
 */
void host_wait(struct host *host, uint64_t ns);

#endif
