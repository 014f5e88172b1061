/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A bus, its clock and the devices; nothing that executes.
 */
#include "tests/fuzz/timers_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/board/hpet.h"
#include "machine/board/i8042.h"
#include "machine/board/pit.h"
#include "machine/board/tco.h"

#define PM_BASE 0x600u
#define RCBA    0xFED1C000u
/* The shortest period of any timer is 20 us, so a millisecond has at most 50 of each of seven. */
#define STEP_NS           UINT64_C(1000000)
#define INTERRUPTS_A_STEP 1000u

struct harness {
    struct memory *memory;
    struct clock clock;
    struct bus bus;
    struct hpet hpet;
    struct tco tco;
    struct i8042 i8042;
    struct pit pit;
    uint64_t ns, interrupts;
    unsigned pulses, expired;
    const uint8_t *data;
    size_t size;
};

static uint64_t nanoseconds(void *context)
{
    const struct harness *h = context;

    return h->ns;
}

static void no_hurry(void *context)
{
}

static void line(void *context, unsigned gsi, bool level)
{
    struct harness *h = context;

    h->interrupts += level;
}

static void no_message(void *context, uint64_t address, uint32_t data)
{
}

static void pulse(void *context)
{
    ((struct harness *)context)->pulses++;
}

static void expired(void *context)
{
    ((struct harness *)context)->expired++;
}

static uint32_t take(struct harness *h, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes && h->size; i++, h->size--)
        value = value << 8 | *h->data++;
    return value;
}

/* Registers that exist are likely. */
static const struct {
    enum bus_space space;
    uint64_t base;
    uint32_t mask;
} areas[] = {
    { BUS_MMIO, HPET_BASE, 0x1FF }, { BUS_MMIO, HPET_BASE + 0x100, 0x7F },
    { BUS_MMIO, HPET_BASE, HPET_SIZE - 1 }, { BUS_PORTS, PM_BASE + TCO_OFFSET, TCO_SIZE - 1 },
    { BUS_MMIO, RCBA + 0x3410, 3 }, { BUS_MMIO, RCBA, 0x3FFF }, { BUS_PORTS, 0x60, 7 },
    { BUS_PORTS, 0x64, 0 }, { BUS_PORTS, 0x60, 0 }, { BUS_PORTS, 0x40, 3 },
};

static uint64_t address(struct harness *h, enum bus_space *space)
{
    unsigned area = take(h, 1) % (sizeof(areas) / sizeof(areas[0]));

    *space = areas[area].space;
    return areas[area].base + (take(h, 2) & areas[area].mask);
}

static void any_write(struct harness *h)
{
    enum bus_space space;
    uint64_t at = address(h, &space), value = take(h, 1);
    unsigned size = 1u << take(h, 1) % 4;

    if (value & 0x80)
        value = (uint64_t)take(h, 4) << 32 | take(h, 4);
    bus_write(&h->bus, space, at, value, size);
}

static void any_read(struct harness *h)
{
    enum bus_space space;
    uint64_t at = address(h, &space);

    bus_read(&h->bus, space, at, 1u << take(h, 1) % 4);
}

/* Time goes on by a step, timer by timer, as it does for an idle guest. */
static void step(struct harness *h)
{
    uint64_t end = clock_now(&h->clock) + STEP_NS, due, before = h->interrupts;

    while (clock_next(&h->clock, &due) && due <= end) {
        clock_skip_to(&h->clock, due);
        clock_run(&h->clock);
        if (h->interrupts - before > INTERRUPTS_A_STEP) {
            fprintf(stderr, "timers harness: a storm of interrupts\n");
            abort();
        }
    }
    clock_skip_to(&h->clock, end);
}

/* Late by any time. */
static void jump(struct harness *h)
{
    h->ns += (uint64_t)take(h, 4) << take(h, 1) % 24;
    clock_run(&h->clock);
}

static void reset(struct harness *h)
{
    bus_reset(&h->bus);
}

static void map(struct harness *h)
{
    tco_map(&h->tco, take(h, 1) & 1 ? PM_BASE : (uint16_t)(take(h, 2) & 0xFF80));
    tco_map_chipset(&h->tco, take(h, 1) & 1 ? RCBA : take(h, 4) & 0xFFFFC000u);
}

static void (*const operations[])(struct harness *h) = {
    any_write, any_write, any_write, any_write, any_write, any_write, any_write, any_write,
    any_read, any_read, any_read, step, step, jump, map, reset,
};

uint64_t timers_harness_run(const uint8_t *data, size_t size)
{
    static const uint8_t seed[32];
    struct harness *h = calloc(1, sizeof(*h));
    const struct bus_sinks sinks = { .line = line, .message = no_message, .context = h };
    uint64_t interrupts;

    if (!h)
        abort();
    h->data = data;
    h->size = size;
    h->memory = memory_create(seed);
    clock_init(&h->clock, nanoseconds, no_hurry, h);
    bus_init(&h->bus, h->memory, &h->clock, &sinks);
    hpet_init(&h->hpet, &h->bus);
    tco_init(&h->tco, &h->bus, expired, h);
    i8042_init(&h->i8042, &h->bus, pulse, h);
    pit_init(&h->pit, &h->bus);
    tco_map(&h->tco, PM_BASE);
    tco_map_chipset(&h->tco, RCBA);
    while (h->size)
        operations[take(h, 1) % (sizeof(operations) / sizeof(operations[0]))](h);
    interrupts = h->interrupts;
    memory_destroy(h->memory);
    free(h);
    return interrupts;
}
