/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The guest's time and the host's. */
#include "machine/hypervisor/host_clock.h"

#include <time.h>

#define SECOND_NS  1000000000ull
#define LONGEST_NS 50000000ull /* of one wait, so that a time limit is noticed */
#define AHEAD_NS   1000000ull  /* not worth a wait */

static uint64_t host_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static unsigned no_descriptors(void *context, struct pollfd *fds, unsigned room)
{
    return 0;
}

static void nothing_ready(void *context, const struct pollfd *fds, unsigned count)
{
}

/* What is expected is that time passes: machine/devices/host.h. */
static bool always(void *context)
{
    return true;
}

bool host_clock_add(struct guest *guest)
{
    const struct host_source source = { no_descriptors, nothing_ready, always, NULL };
    return board_add_host_source(guest->board, &source);
}

void host_clock_start(struct guest *guest)
{
    guest->host_start = host_ns() - board_now_ns(guest->board);
}

void host_clock_push(struct guest *guest)
{
    uint64_t host = host_ns() - guest->host_start, now = board_now_ns(guest->board);
    if (host > now)
        board_spend(guest->board, host - now);
}

void host_clock_wait(const struct guest *guest)
{
    uint64_t host = host_ns() - guest->host_start, now = board_now_ns(guest->board);
    if (now < host + AHEAD_NS)
        return;
    uint64_t ahead = now - host < LONGEST_NS ? now - host : LONGEST_NS;
    const struct timespec wait = { .tv_nsec = (long)ahead };
    nanosleep(&wait, NULL);
}
