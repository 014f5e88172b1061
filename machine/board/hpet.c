/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Nothing counts: the counter follows from virtual time, and a timer is armed for the moment at
 * which the counter will equal its comparator.
 */
#include "machine/board/hpet.h"

#include <string.h>

enum { REG_CAPABILITIES = 0x00, REG_CONFIG = 0x10, REG_STATUS = 0x20, REG_COUNTER = 0xF0,
       REG_TIMERS = 0x100 };
enum { TIMER_CONFIG = 0x00, TIMER_COMPARATOR = 0x08, TIMER_STRIDE = 0x20 };
enum { CONFIG_ENABLE = 1, CONFIG_LEGACY = 2 };
enum { TIMER_LEVEL = 1 << 1, TIMER_ENABLE = 1 << 2, TIMER_PERIODIC = 1 << 3,
       TIMER_CAN_PERIODIC = 1 << 4, TIMER_64_BITS = 1 << 5, TIMER_SET_VALUE = 1 << 6,
       TIMER_32_BITS = 1 << 8, TIMER_ROUTE = 31 << 9 };

#define PERIOD_FS       (UINT64_C(1000000000000000) / HPET_HZ)
#define ROUTES          UINT64_C(0x00F00000) /* GSI 20 to 23, which PCI does not use here */
#define TIMER_WRITABLE  (TIMER_LEVEL | TIMER_ENABLE | TIMER_PERIODIC | TIMER_SET_VALUE | \
                         TIMER_32_BITS | TIMER_ROUTE)
/* A hostile guest may ask for an interrupt per 10 ns: shorter periods arrive at this one. */
#define MIN_PERIOD      2000u
#define GSI_PIT         0u
#define GSI_RTC         8u

static bool enabled(const struct hpet *hpet)
{
    return hpet->config & CONFIG_ENABLE;
}

static bool legacy(const struct hpet *hpet)
{
    return hpet->config & CONFIG_LEGACY;
}

static uint64_t counter(const struct hpet *hpet)
{
    if (!enabled(hpet))
        return hpet->counter;
    return hpet->counter + clock_ticks(clock_now(hpet->bus->clock) - hpet->start, HPET_HZ);
}

/* --- interrupts --- */

static unsigned index_of(const struct hpet_timer *timer)
{
    return (unsigned)(timer - timer->hpet->timer);
}

/* Timers 0 and 1 take the place of the 8254 and the RTC (2.3.5). -1: routed nowhere. */
static int route(const struct hpet_timer *timer)
{
    unsigned index = index_of(timer), gsi = (timer->config & TIMER_ROUTE) >> 9;

    if (legacy(timer->hpet) && index < 2)
        return index == 0 ? GSI_PIT : GSI_RTC;
    return ROUTES >> gsi & 1 ? (int)gsi : -1;
}

/* Level-triggered timers hold their line while their status bit is set (2.3.6). */
static void update_lines(struct hpet *hpet)
{
    uint32_t high = 0;

    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        const struct hpet_timer *timer = &hpet->timer[i];
        int gsi = route(timer);

        if (gsi >= 0 && (hpet->status >> i & 1) && (timer->config & TIMER_LEVEL) &&
            (timer->config & TIMER_ENABLE) && enabled(hpet))
            high |= 1u << gsi;
    }
    for (unsigned gsi = 0; gsi < BUS_GSI_COUNT; gsi++)
        if (gsi == GSI_PIT || gsi == GSI_RTC || (ROUTES >> gsi & 1))
            bus_line(hpet->bus, gsi, BUS_DRIVER_HPET, high >> gsi & 1);
}

static void interrupt(struct hpet_timer *timer)
{
    struct hpet *hpet = timer->hpet;
    int gsi = route(timer);

    if (timer->config & TIMER_LEVEL) {
        hpet->status |= 1u << index_of(timer);
        update_lines(hpet);
    } else if (gsi >= 0 && (timer->config & TIMER_ENABLE)) {
        bus_line(hpet->bus, (unsigned)gsi, BUS_DRIVER_HPET, true);
        bus_line(hpet->bus, (unsigned)gsi, BUS_DRIVER_HPET, false);
    }
}

/* --- comparators --- */

static uint64_t mask(const struct hpet_timer *timer)
{
    return timer->config & TIMER_32_BITS ? UINT32_MAX : UINT64_MAX;
}

/* Arms the timer for the next time at which the counter comes to the comparator. */
static void schedule(struct hpet_timer *timer)
{
    struct hpet *hpet = timer->hpet;
    struct clock *clock = hpet->bus->clock;
    uint64_t now, ticks;
    unsigned __int128 due;

    clock_cancel(clock, &timer->timer);
    if (!enabled(hpet) || !(timer->config & (TIMER_ENABLE | TIMER_LEVEL)))
        return;
    now = counter(hpet);
    ticks = (timer->comparator - now) & mask(timer);
    if (ticks == 0 && (timer->config & TIMER_32_BITS))
        ticks = UINT64_C(1) << 32; /* it was equal a moment ago */
    due = (unsigned __int128)(now - hpet->counter) + ticks;
    if (ticks && due < UINT64_C(1) << 60)
        clock_arm(clock, &timer->timer,
                  hpet->start + clock_ticks_to_ns((uint64_t)due, HPET_HZ));
}

/* A periodic timer's comparator moves on until it is ahead of the counter (2.3.9.2.2). */
static void advance(struct hpet_timer *timer)
{
    uint64_t period = timer->period & mask(timer), late;

    if (!(timer->config & TIMER_PERIODIC) || period == 0)
        return;
    if (period < MIN_PERIOD)
        period *= (MIN_PERIOD + period - 1) / period;
    late = (counter(timer->hpet) - timer->comparator) & mask(timer);
    timer->comparator = (timer->comparator + (late / period + 1) * period) & mask(timer);
}

static void fire(void *context)
{
    struct hpet_timer *timer = context;

    advance(timer);
    schedule(timer);
    interrupt(timer);
}

/* --- registers --- */

static uint64_t timer_read(const struct hpet_timer *timer, unsigned reg)
{
    if (reg == TIMER_CONFIG)
        return ROUTES << 32 | TIMER_CAN_PERIODIC | TIMER_64_BITS | timer->config;
    return reg == TIMER_COMPARATOR ? timer->comparator : 0;
}

static uint64_t register_read(struct hpet *hpet, unsigned reg)
{
    if (reg >= REG_TIMERS && reg < REG_TIMERS + HPET_TIMERS * TIMER_STRIDE)
        return timer_read(&hpet->timer[(reg - REG_TIMERS) / TIMER_STRIDE], reg % TIMER_STRIDE);
    switch (reg) {
    case REG_CAPABILITIES:
        return PERIOD_FS << 32 | HPET_ID;
    case REG_CONFIG:
        return hpet->config;
    case REG_STATUS:
        return hpet->status;
    case REG_COUNTER:
        return counter(hpet);
    default:
        return 0;
    }
}

/*
 * In periodic mode a write is the period; with the set-value bit, which it clears, it is also the
 * comparator (2.3.9.2.2).
 */
static void write_comparator(struct hpet_timer *timer, uint64_t value)
{
    if (timer->config & TIMER_PERIODIC)
        timer->period = value & mask(timer);
    if (!(timer->config & TIMER_PERIODIC) || (timer->config & TIMER_SET_VALUE))
        timer->comparator = value & mask(timer);
    timer->config &= ~(uint64_t)TIMER_SET_VALUE;
    schedule(timer);
}

static void timer_write(struct hpet_timer *timer, unsigned reg, uint64_t value)
{
    if (reg == TIMER_COMPARATOR) {
        write_comparator(timer, value);
    } else if (reg == TIMER_CONFIG) {
        timer->config = value & TIMER_WRITABLE;
        if (!(timer->config & TIMER_LEVEL))
            timer->hpet->status &= ~(UINT64_C(1) << index_of(timer));
        timer->comparator &= mask(timer);
        schedule(timer);
        update_lines(timer->hpet);
    }
}

static void write_config(struct hpet *hpet, uint64_t value)
{
    uint64_t now = counter(hpet);

    hpet->config = value & (CONFIG_ENABLE | CONFIG_LEGACY);
    hpet->counter = now;
    hpet->start = clock_now(hpet->bus->clock);
    bus_mute(hpet->bus, GSI_PIT, BUS_DRIVER_DEVICE, legacy(hpet));
    bus_mute(hpet->bus, GSI_RTC, BUS_DRIVER_DEVICE, legacy(hpet));
    for (unsigned i = 0; i < HPET_TIMERS; i++)
        schedule(&hpet->timer[i]);
    update_lines(hpet);
}

static void register_write(struct hpet *hpet, unsigned reg, uint64_t value)
{
    if (reg >= REG_TIMERS && reg < REG_TIMERS + HPET_TIMERS * TIMER_STRIDE) {
        timer_write(&hpet->timer[(reg - REG_TIMERS) / TIMER_STRIDE], reg % TIMER_STRIDE, value);
    } else if (reg == REG_CONFIG) {
        write_config(hpet, value);
    } else if (reg == REG_STATUS) {
        hpet->status &= ~value;
        update_lines(hpet);
    } else if (reg == REG_COUNTER && !enabled(hpet)) {
        hpet->counter = value; /* may be written only while halted (2.3.7) */
    }
}

static uint64_t mmio_read(void *context, uint64_t offset, unsigned size)
{
    struct hpet *hpet = context;
    unsigned reg = (unsigned)offset & ~7u;

    if (reg == REG_COUNTER)
        clock_poll(hpet->bus->clock);
    return register_read(hpet, reg) >> (offset & 7) * 8;
}

/* What a write of one half leaves in the other. */
static uint64_t other_half(struct hpet *hpet, unsigned reg)
{
    const struct hpet_timer *timer = &hpet->timer[(reg - REG_TIMERS) / TIMER_STRIDE % HPET_TIMERS];

    if (reg == REG_STATUS)
        return 0; /* only the written half is cleared */
    if (reg >= REG_TIMERS && reg % TIMER_STRIDE == TIMER_COMPARATOR &&
        (timer->config & (TIMER_PERIODIC | TIMER_SET_VALUE)) == TIMER_PERIODIC)
        return timer->period;
    return register_read(hpet, reg);
}

/* Registers are written whole or by halves; other sizes change nothing (2.3.2). */
static void mmio_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct hpet *hpet = context;
    unsigned reg = (unsigned)offset & ~7u, shift = (offset & 4) * 8;

    if (size == 4) {
        uint64_t old = other_half(hpet, reg);

        value = (old & ~(UINT64_C(0xFFFFFFFF) << shift)) | (value & UINT32_MAX) << shift;
    }
    if (size >= 4)
        register_write(hpet, reg, value);
}

static void reset(void *context)
{
    struct hpet *hpet = context;

    hpet->config = hpet->status = hpet->counter = hpet->start = 0;
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        struct hpet_timer *timer = &hpet->timer[i];

        clock_cancel(hpet->bus->clock, &timer->timer);
        timer->config = timer->period = 0;
        timer->comparator = UINT64_MAX;
    }
    write_config(hpet, 0);
}

void hpet_init(struct hpet *hpet, struct bus *bus)
{
    const struct bus_range range = { HPET_BASE, HPET_SIZE, 8, mmio_read, mmio_write, hpet };

    memset(hpet, 0, sizeof(*hpet));
    hpet->bus = bus;
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        hpet->timer[i].hpet = hpet;
        clock_timer_init(&hpet->timer[i].timer, fire, &hpet->timer[i]);
    }
    bus_claim(bus, BUS_MMIO, &range);
    bus_on_reset(bus, reset, hpet);
    reset(hpet);
}
