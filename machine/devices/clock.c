/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Virtual time and the timer heap: a binary heap whose timers know their position, so that
 * cancelling costs a logarithm, too.
 */
#include "machine/devices/clock.h"

#include <assert.h>
#include <string.h>

/* Largest lateness that polling may cause before the run loop is told of it. */
#define UNNOTICED_LIMIT_NS 20000u

void clock_init(struct clock *clock, clock_source *source, clock_callback *hurry, void *context)
{
    memset(clock, 0, sizeof(*clock));
    clock->source = source;
    clock->hurry = hurry;
    clock->context = context;
}

uint64_t clock_now(const struct clock *clock)
{
    return clock->source(clock->context) + clock->skipped;
}

static void skip(struct clock *clock, uint64_t ns)
{
    clock->skipped += ns;
    clock->skipped_unnoticed += ns;
    if (clock->count && (clock->skipped_unnoticed > UNNOTICED_LIMIT_NS ||
                         clock->heap[0]->due <= clock_now(clock)))
        clock->hurry(clock->context);
}

void clock_poll(struct clock *clock)
{
    skip(clock, CLOCK_POLL_NS);
}

void clock_skip_to(struct clock *clock, uint64_t ns)
{
    uint64_t now = clock_now(clock);

    if (ns > now)
        skip(clock, ns - now);
}

void clock_timer_init(struct clock_timer *timer, clock_callback *fire, void *context)
{
    memset(timer, 0, sizeof(*timer));
    timer->fire = fire;
    timer->context = context;
}

static bool earlier(const struct clock_timer *a, const struct clock_timer *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void place(struct clock *clock, struct clock_timer *timer, unsigned index)
{
    clock->heap[index] = timer;
    timer->slot = index + 1;
}

static void sift_up(struct clock *clock, struct clock_timer *timer, unsigned index)
{
    while (index > 0 && earlier(timer, clock->heap[(index - 1) / 2])) {
        place(clock, clock->heap[(index - 1) / 2], index);
        index = (index - 1) / 2;
    }
    place(clock, timer, index);
}

static void sift_down(struct clock *clock, struct clock_timer *timer, unsigned index)
{
    for (;;) {
        unsigned child = 2 * index + 1;

        if (child + 1 < clock->count && earlier(clock->heap[child + 1], clock->heap[child]))
            child++;
        if (child >= clock->count || !earlier(clock->heap[child], timer))
            break;
        place(clock, clock->heap[child], index);
        index = child;
    }
    place(clock, timer, index);
}

void clock_cancel(struct clock *clock, struct clock_timer *timer)
{
    unsigned index = timer->slot - 1;
    struct clock_timer *last;

    if (timer->slot == 0)
        return;
    timer->slot = 0;
    last = clock->heap[--clock->count];
    if (last == timer)
        return;
    if (index > 0 && earlier(last, clock->heap[(index - 1) / 2]))
        sift_up(clock, last, index);
    else
        sift_down(clock, last, index);
}

void clock_arm(struct clock *clock, struct clock_timer *timer, uint64_t due)
{
    clock_cancel(clock, timer);
    assert(clock->count < CLOCK_MAX_TIMERS);
    timer->due = due;
    timer->order = clock->next_order++;
    clock->count++;
    sift_up(clock, timer, clock->count - 1);
    if (clock->heap[0] == timer)
        clock->hurry(clock->context);
}

bool clock_next(struct clock *clock, uint64_t *due)
{
    clock->skipped_unnoticed = 0;
    if (clock->count == 0)
        return false;
    *due = clock->heap[0]->due;
    return true;
}

void clock_run(struct clock *clock)
{
    uint64_t now = clock_now(clock), order = clock->next_order;

    while (clock->count && clock->heap[0]->due <= now && clock->heap[0]->order < order) {
        struct clock_timer *timer = clock->heap[0];

        clock_cancel(clock, timer);
        timer->fire(timer->context);
    }
}

uint64_t clock_ticks(uint64_t ns, uint64_t hz)
{
    return (uint64_t)((unsigned __int128)ns * hz / CLOCK_SECOND);
}

uint64_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz)
{
    unsigned __int128 ns = ((unsigned __int128)ticks * CLOCK_SECOND + hz - 1) / hz;

    return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}
