/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Virtual time: nanoseconds = retired instructions + what idling and polling skipped. There is no
 * other time in the machine. Timers sit in a heap; ties fire in the order they were armed.
 *
 * Polling moves time: a guest that reads a clock-like register waits for something, so each such
 * read advances time by CLOCK_POLL_NS. That ends delay loops after a bounded number of reads and is
 * small against the 10 ms windows in which operating systems calibrate one clock against another.
 */
#ifndef PRIVET_MACHINE_CLOCK_H
#define PRIVET_MACHINE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_POLL_NS    1000u
#define CLOCK_SECOND     UINT64_C(1000000000)
#define CLOCK_MAX_TIMERS 160 /* APIC timers of 64 processors and the board's own */

typedef uint64_t clock_source(void *context); /* instructions retired, never decreasing */
typedef void clock_callback(void *context);

struct clock_timer {
    uint64_t due;
    uint64_t order;
    unsigned slot; /* position in the heap plus one; 0: not armed */
    clock_callback *fire;
    void *context;
};

struct clock {
    clock_source *source;
    clock_callback *hurry; /* the deadline that was given out is stale: leave the run loop */
    void *context;
    uint64_t skipped;           /* ns */
    uint64_t skipped_unnoticed; /* ns since clock_next was last asked */
    uint64_t next_order;
    struct clock_timer *heap[CLOCK_MAX_TIMERS];
    unsigned count;
};

void clock_init(struct clock *clock, clock_source *source, clock_callback *hurry, void *context);
uint64_t clock_now(const struct clock *clock);
/* A clock-like register is being read. */
void clock_poll(struct clock *clock);
/* Moves time forward to `ns`; does nothing if that is past. */
void clock_skip_to(struct clock *clock, uint64_t ns);

void clock_timer_init(struct clock_timer *timer, clock_callback *fire, void *context);
/* (Re)arms; a due time that is past fires at the next clock_run. */
void clock_arm(struct clock *clock, struct clock_timer *timer, uint64_t due);
void clock_cancel(struct clock *clock, struct clock_timer *timer);
/* Earliest due time; false: no timer is armed. */
bool clock_next(struct clock *clock, uint64_t *due);
/* Fires what is due now; what a callback arms anew fires at the next call at the earliest. */
void clock_run(struct clock *clock);

/* Whole ticks of a `hz` counter after `ns`, and the earliest ns at which it shows `ticks`. */
uint64_t clock_ticks(uint64_t ns, uint64_t hz);
uint64_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz);

#endif
