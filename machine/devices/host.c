/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * One poll over all sources.
 */
#define _GNU_SOURCE /* ppoll */
#include "machine/devices/host.h"

#include <string.h>
#include <time.h>

/* Short enough that a time limit on the host is noticed. */
#define LONGEST_WAIT_NS UINT64_C(50000000)

void host_init(struct host *host, struct clock *clock)
{
    memset(host, 0, sizeof(*host));
    host->clock = clock;
}

bool host_add(struct host *host, const struct host_source *source)
{
    if (host->source_count == HOST_MAX_SOURCES)
        return false;
    host->source[host->source_count++] = *source;
    return true;
}

bool host_expects(const struct host *host)
{
    for (unsigned i = 0; i < host->source_count; i++)
        if (host->source[i].expects(host->source[i].context))
            return true;
    return false;
}

static uint64_t host_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * CLOCK_SECOND + (uint64_t)now.tv_nsec;
}

static void poll_all(struct host *host, uint64_t ns)
{
    struct timespec wait = { .tv_sec = 0, .tv_nsec = (long)ns };
    unsigned count[HOST_MAX_SOURCES], total = 0;
    int ready;

    for (unsigned i = 0; i < host->source_count; i++) {
        struct host_source *source = &host->source[i];

        count[i] = source->fill(source->context, host->fds + total, HOST_MAX_FDS - total);
        total += count[i];
    }
    ready = ppoll(host->fds, total, &wait, NULL);
    total = 0;
    for (unsigned i = 0; i < host->source_count; i++) {
        struct host_source *source = &host->source[i];

        for (unsigned j = 0; ready <= 0 && j < count[i]; j++)
            host->fds[total + j].revents = 0;
        source->ready(source->context, host->fds + total, count[i]);
        total += count[i];
    }
}

void host_poll(struct host *host)
{
    if (host->source_count)
        poll_all(host, 0);
}

void host_wait(struct host *host, uint64_t ns)
{
    uint64_t start = host_ns(), virtual_start = clock_now(host->clock);

    poll_all(host, ns < LONGEST_WAIT_NS ? ns : LONGEST_WAIT_NS);
    clock_skip_to(host->clock, virtual_start + (host_ns() - start));
}
