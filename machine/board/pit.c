/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * 8254: nothing counts here; count and output follow from the time since the counter was loaded.
 */
#include "machine/board/pit.h"

#include <string.h>

/* A hostile guest may ask for an interrupt per microsecond: shorter periods arrive at this one. */
#define MIN_PERIOD_TICKS 24u

static uint64_t elapsed_ticks(const struct pit *pit, const struct pit_channel *channel)
{
    return clock_ticks(clock_now(pit->bus->clock) - channel->start, PIT_HZ);
}

/* Modes 2 and 3 start over by themselves. */
static bool periodic(const struct pit_channel *channel)
{
    return channel->mode == 2 || channel->mode == 3;
}

/* Level of OUT, `ticks` after the load (data sheet, mode definitions). */
static bool output_at(const struct pit_channel *channel, uint64_t ticks)
{
    uint32_t n = channel->reload;

    if (!channel->loaded)
        return channel->mode != 0;
    switch (channel->mode) {
    case 0:
    case 1:
        return ticks >= n;
    case 2:
        return !channel->gate || ticks % n != n - 1;
    case 3:
        return !channel->gate || ticks % n < (n + 1) / 2;
    default:
        return ticks != n; /* one tick low at the end of modes 4 and 5 */
    }
}

static uint16_t count_now(const struct pit *pit, const struct pit_channel *channel)
{
    uint32_t n = channel->reload, count;
    uint64_t ticks = elapsed_ticks(pit, channel);

    if (!channel->loaded)
        ticks = 0;
    if (channel->mode == 3)
        count = n - (uint32_t)(2 * ticks % n);
    else if (channel->mode == 2)
        count = n - (uint32_t)(ticks % n);
    else
        count = (uint32_t)(n - ticks) & 0xFFFF;
    if (channel->bcd) {
        uint32_t value = count % 10000, digits = 0;

        for (unsigned shift = 0; shift < 16; shift += 4, value /= 10)
            digits |= value % 10 << shift;
        return (uint16_t)digits;
    }
    return (uint16_t)count;
}

/* Ticks after the load at which the output rises next, later than `ticks`; 0: never again. */
static uint64_t next_rise(const struct pit_channel *channel, uint64_t ticks)
{
    uint32_t n = channel->reload;

    switch (channel->mode) {
    case 0:
    case 1:
        return ticks < n ? n : 0;
    case 2:
    case 3:
        return (ticks / n + 1) * n;
    default:
        return ticks <= n ? (uint64_t)n + 1 : 0;
    }
}

static void schedule(struct pit *pit)
{
    const struct pit_channel *channel = &pit->channel[0];
    struct clock *clock = pit->bus->clock;
    uint64_t ticks, rise;

    clock_cancel(clock, &pit->timer);
    if (!channel->loaded || (channel->mode & 3) == 1)
        return; /* modes 1 and 5 need a gate edge that channel 0 does not have */
    ticks = elapsed_ticks(pit, channel);
    rise = next_rise(channel, ticks);
    if (rise == 0)
        return;
    if (periodic(channel) && channel->reload < MIN_PERIOD_TICKS)
        rise = ticks + MIN_PERIOD_TICKS;
    clock_arm(clock, &pit->timer, channel->start + clock_ticks_to_ns(rise, PIT_HZ));
}

/* OUT of channel 0 rises: an edge for IRQ 0, which GSI 2 carries on the I/O APIC. */
static void fire(void *context)
{
    struct pit *pit = context;

    bus_line(pit->bus, 0, BUS_DRIVER_DEVICE, false);
    bus_line(pit->bus, 0, BUS_DRIVER_DEVICE, true);
    schedule(pit);
}

static void load(struct pit *pit, unsigned index, uint16_t value)
{
    struct pit_channel *channel = &pit->channel[index];
    uint32_t count = value;

    if (channel->bcd)
        count = (value >> 12) % 10 * 1000u + (value >> 8 & 15) % 10 * 100u +
                (value >> 4 & 15) % 10 * 10u + (value & 15) % 10;
    channel->reload = count ? count : channel->bcd ? 10000 : 65536;
    if (periodic(channel) && channel->reload == 1)
        channel->reload = 2; /* 1 is illegal in modes 2 and 3 */
    channel->start = clock_now(pit->bus->clock);
    channel->loaded = channel->gate || channel->mode == 0 || channel->mode == 4;
    if (index == 0) {
        if (!output_at(channel, 0))
            bus_line(pit->bus, 0, BUS_DRIVER_DEVICE, false);
        schedule(pit);
    }
}

static uint8_t status_of(const struct pit *pit, const struct pit_channel *channel)
{
    return (uint8_t)(output_at(channel, elapsed_ticks(pit, channel)) << 7 |
                     !channel->loaded << 6 | channel->access << 4 | channel->mode << 1 |
                     channel->bcd);
}

static void latch_count(struct pit *pit, struct pit_channel *channel)
{
    if (channel->latched)
        return;
    channel->latch = count_now(pit, channel);
    channel->latched = channel->access == 3 ? 2 : 1;
    channel->high_next_read = false;
}

static void read_back(struct pit *pit, uint8_t command)
{
    for (unsigned i = 0; i < 3; i++) {
        struct pit_channel *channel = &pit->channel[i];

        if (!(command & (2u << i)))
            continue;
        if (!(command & 0x20))
            latch_count(pit, channel);
        if (!(command & 0x10) && !channel->status_latched) {
            channel->status = status_of(pit, channel);
            channel->status_latched = true;
        }
    }
}

static void write_control(struct pit *pit, uint8_t value)
{
    struct pit_channel *channel;

    if (value >> 6 == 3) {
        read_back(pit, value);
        return;
    }
    channel = &pit->channel[value >> 6];
    if ((value >> 4 & 3) == 0) {
        latch_count(pit, channel);
        return;
    }
    channel->access = value >> 4 & 3;
    channel->mode = value >> 1 & 7;
    if (channel->mode > 5)
        channel->mode -= 4; /* 6 and 7 are 2 and 3 */
    channel->bcd = value & 1;
    channel->loaded = false;
    channel->latched = 0;
    channel->status_latched = channel->high_next_read = channel->high_next_write = false;
    if (channel == &pit->channel[0]) {
        schedule(pit);
        bus_line(pit->bus, 0, BUS_DRIVER_DEVICE, channel->mode != 0);
    }
}

static uint8_t read_count(struct pit *pit, struct pit_channel *channel)
{
    uint16_t count = channel->latched ? channel->latch : count_now(pit, channel);
    bool high = channel->access == 2 || (channel->access == 3 && channel->high_next_read);

    if (channel->access == 3)
        channel->high_next_read = !channel->high_next_read;
    if (channel->latched)
        channel->latched--;
    return (uint8_t)(high ? count >> 8 : count);
}

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
    struct pit *pit = context;
    struct pit_channel *channel;

    if (offset == 3)
        return 0; /* the control word cannot be read */
    clock_poll(pit->bus->clock);
    channel = &pit->channel[offset];
    if (channel->status_latched) {
        channel->status_latched = false;
        return channel->status;
    }
    return read_count(pit, channel);
}

static void port_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct pit *pit = context;
    struct pit_channel *channel;

    if (offset == 3) {
        write_control(pit, (uint8_t)value);
        return;
    }
    channel = &pit->channel[offset];
    if (channel->access == 1) {
        load(pit, (unsigned)offset, (uint8_t)value);
    } else if (channel->access == 2) {
        load(pit, (unsigned)offset, (uint16_t)(value << 8));
    } else if (channel->high_next_write) {
        channel->high_next_write = false;
        load(pit, (unsigned)offset, (uint16_t)(value << 8 | channel->low_written));
    } else {
        channel->low_written = (uint8_t)value;
        channel->high_next_write = true;
    }
}

/* Port 0x61: bit 0 gate 2, 1 speaker, 4 refresh toggle (15 us), 5 OUT of channel 2. */
static uint64_t control_read(void *context, uint64_t offset, unsigned size)
{
    struct pit *pit = context;
    const struct pit_channel *channel = &pit->channel[2];

    clock_poll(pit->bus->clock);
    return (uint64_t)channel->gate | (uint64_t)pit->speaker << 1 |
           (clock_now(pit->bus->clock) / 15085 & 1) << 4 |
           (uint64_t)output_at(channel, elapsed_ticks(pit, channel)) << 5;
}

static void control_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct pit *pit = context;
    struct pit_channel *channel = &pit->channel[2];
    bool gate = value & 1;

    pit->speaker = value & 2;
    if (gate && !channel->gate && channel->reload && channel->mode != 0 && channel->mode != 4) {
        channel->start = clock_now(pit->bus->clock); /* a rising gate starts 1, 2, 3 and 5 over */
        channel->loaded = true;
    }
    channel->gate = gate;
}

static void reset(void *context)
{
    struct pit *pit = context;

    memset(pit->channel, 0, sizeof(pit->channel));
    for (unsigned i = 0; i < 3; i++) {
        pit->channel[i].mode = 3;
        pit->channel[i].access = 3;
        pit->channel[i].reload = 65536;
        pit->channel[i].gate = i != 2;
    }
    pit->speaker = false;
    clock_cancel(pit->bus->clock, &pit->timer);
    bus_line(pit->bus, 0, BUS_DRIVER_DEVICE, true); /* OUT is high in mode 3 */
}

void pit_init(struct pit *pit, struct bus *bus)
{
    const struct bus_range counters = { 0x40, 4, 1, port_read, port_write, pit };
    const struct bus_range control = { 0x61, 1, 1, control_read, control_write, pit };

    memset(pit, 0, sizeof(*pit));
    pit->bus = bus;
    clock_timer_init(&pit->timer, fire, pit);
    bus_claim(bus, BUS_PORTS, &counters);
    bus_claim(bus, BUS_PORTS, &control);
    bus_on_reset(bus, reset, pit);
    reset(pit);
}
