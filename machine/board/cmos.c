/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * MC146818 with the PC's extended bytes: memory sizes as firmware expects them, century at 0x32.
 */
#include "machine/board/cmos.h"

#include <string.h>
#include <time.h>

#define IRQ        8u
#define UPDATE_NS  244000u /* UIP precedes the update by 244 us */
#define PERIODIC_0 32768u

enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH,
       YEAR, REG_A, REG_B, REG_C, REG_D, CENTURY = 0x32 };
enum { A_UIP = 0x80, B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_UIE = 0x10, B_BINARY = 4,
       B_24H = 2, C_IRQF = 0x80, C_PF = 0x40, C_AF = 0x20, C_UF = 0x10, D_VALID = 0x80 };

static uint8_t encode(const struct cmos *cmos, unsigned value)
{
    return (uint8_t)(cmos->ram[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static unsigned decode(const struct cmos *cmos, uint8_t value)
{
    return cmos->ram[REG_B] & B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

static uint8_t encode_hour(const struct cmos *cmos, unsigned hour)
{
    if (cmos->ram[REG_B] & B_24H)
        return encode(cmos, hour);
    return (uint8_t)(encode(cmos, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0));
}

static unsigned decode_hour(const struct cmos *cmos, uint8_t value)
{
    if (cmos->ram[REG_B] & B_24H)
        return decode(cmos, value);
    return decode(cmos, value & 0x7F) % 12 + (value & 0x80 ? 12 : 0);
}

static uint64_t now_ns(const struct cmos *cmos)
{
    return clock_now(cmos->bus->clock);
}

/* Copies the running time into the registers, unless the guest holds them (SET). */
static void show_time(struct cmos *cmos)
{
    time_t seconds = (time_t)(cmos->offset + (int64_t)(now_ns(cmos) / CLOCK_SECOND));
    struct tm tm;

    if ((cmos->ram[REG_B] & B_SET) || !gmtime_r(&seconds, &tm))
        return;
    cmos->ram[SECONDS] = encode(cmos, (unsigned)tm.tm_sec);
    cmos->ram[MINUTES] = encode(cmos, (unsigned)tm.tm_min);
    cmos->ram[HOURS] = encode_hour(cmos, (unsigned)tm.tm_hour);
    cmos->ram[WEEKDAY] = encode(cmos, (unsigned)tm.tm_wday + 1);
    cmos->ram[DAY] = encode(cmos, (unsigned)tm.tm_mday);
    cmos->ram[MONTH] = encode(cmos, (unsigned)tm.tm_mon + 1);
    cmos->ram[YEAR] = encode(cmos, (unsigned)(tm.tm_year + 1900) % 100);
    cmos->ram[CENTURY] = encode(cmos, (unsigned)(tm.tm_year + 1900) / 100 % 100);
}

/* Makes the running time what the registers say. */
static void take_time(struct cmos *cmos)
{
    struct tm tm = {
        .tm_sec = (int)decode(cmos, cmos->ram[SECONDS]),
        .tm_min = (int)decode(cmos, cmos->ram[MINUTES]),
        .tm_hour = (int)decode_hour(cmos, cmos->ram[HOURS]),
        .tm_mday = (int)decode(cmos, cmos->ram[DAY]),
        .tm_mon = (int)decode(cmos, cmos->ram[MONTH]) - 1,
        .tm_year = (int)(decode(cmos, cmos->ram[CENTURY]) * 100 +
                         decode(cmos, cmos->ram[YEAR])) - 1900,
    };

    cmos->offset = (int64_t)timegm(&tm) - (int64_t)(now_ns(cmos) / CLOCK_SECOND);
}

static void raise_flag(struct cmos *cmos, uint8_t flag)
{
    cmos->ram[REG_C] |= flag;
    if (cmos->ram[REG_B] & cmos->ram[REG_C] & (C_PF | C_AF | C_UF)) {
        cmos->ram[REG_C] |= C_IRQF;
        bus_line(cmos->bus, IRQ, BUS_DRIVER_DEVICE, true);
    }
}

static uint64_t periodic_ticks(const struct cmos *cmos)
{
    unsigned rate = cmos->ram[REG_A] & 15;

    if (rate == 0)
        return 0;
    return UINT64_C(1) << (rate <= 2 ? rate + 6 : rate - 1); /* of the 32,768 Hz crystal */
}

static void schedule(struct cmos *cmos)
{
    struct clock *clock = cmos->bus->clock;
    uint64_t period = periodic_ticks(cmos), now = clock_now(clock);

    clock_cancel(clock, &cmos->periodic);
    clock_cancel(clock, &cmos->second);
    if (period && (cmos->ram[REG_B] & B_PIE)) {
        uint64_t ticks = clock_ticks(now, PERIODIC_0);

        clock_arm(clock, &cmos->periodic,
                  clock_ticks_to_ns((ticks / period + 1) * period, PERIODIC_0));
    }
    if ((cmos->ram[REG_B] & (B_UIE | B_AIE)) && !(cmos->ram[REG_B] & B_SET))
        clock_arm(clock, &cmos->second, (now / CLOCK_SECOND + 1) * CLOCK_SECOND);
}

static void periodic_fire(void *context)
{
    raise_flag(context, C_PF);
    schedule(context);
}

static bool alarm_field(const struct cmos *cmos, unsigned value, unsigned alarm)
{
    return cmos->ram[alarm] >= 0xC0 || cmos->ram[alarm] == cmos->ram[value]; /* C0-FF: any */
}

static void second_fire(void *context)
{
    struct cmos *cmos = context;

    show_time(cmos);
    if (alarm_field(cmos, SECONDS, SECONDS_ALARM) && alarm_field(cmos, MINUTES, MINUTES_ALARM) &&
        alarm_field(cmos, HOURS, HOURS_ALARM))
        raise_flag(cmos, C_AF);
    raise_flag(cmos, C_UF);
    schedule(cmos);
}

static bool update_in_progress(const struct cmos *cmos)
{
    return !(cmos->ram[REG_B] & B_SET) && now_ns(cmos) % CLOCK_SECOND >= CLOCK_SECOND - UPDATE_NS;
}

static uint8_t read_flags(struct cmos *cmos)
{
    uint8_t value = cmos->ram[REG_C];

    cmos->ram[REG_C] = 0;
    bus_line(cmos->bus, IRQ, BUS_DRIVER_DEVICE, false);
    return value;
}

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
    struct cmos *cmos = context;

    if (offset == 0)
        return 0xFF; /* the index cannot be read back */
    switch (cmos->index) {
    case REG_A:
        clock_poll(cmos->bus->clock);
        return cmos->ram[REG_A] | (update_in_progress(cmos) ? A_UIP : 0);
    case REG_C:
        return read_flags(cmos);
    case REG_D:
        return D_VALID;
    case SECONDS:
        clock_poll(cmos->bus->clock);
        break;
    }
    show_time(cmos);
    return cmos->ram[cmos->index];
}

static bool is_time(uint8_t index)
{
    return index == CENTURY || (index <= YEAR && index != SECONDS_ALARM &&
                                index != MINUTES_ALARM && index != HOURS_ALARM);
}

static void write_b(struct cmos *cmos, uint8_t value)
{
    bool held = cmos->ram[REG_B] & B_SET;

    show_time(cmos);
    cmos->ram[REG_B] = value;
    if (held && !(value & B_SET))
        take_time(cmos);
    schedule(cmos);
}

static void port_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct cmos *cmos = context;
    uint8_t byte = (uint8_t)value;

    if (offset == 0) {
        cmos->index = byte & 0x7F; /* bit 7 masks NMI, of which this board has none */
        return;
    }
    switch (cmos->index) {
    case REG_A:
        cmos->ram[REG_A] = byte & 0x7F;
        schedule(cmos);
        return;
    case REG_B:
        write_b(cmos, byte);
        return;
    case REG_C:
    case REG_D:
        return;
    }
    show_time(cmos);
    cmos->ram[cmos->index] = byte;
    if (is_time(cmos->index) && !(cmos->ram[REG_B] & B_SET))
        take_time(cmos);
}

static void reset(void *context)
{
    struct cmos *cmos = context;

    cmos->ram[REG_A] = 0x26;
    cmos->ram[REG_B] = B_24H;
    cmos->ram[REG_C] = 0;
    bus_line(cmos->bus, IRQ, BUS_DRIVER_DEVICE, false);
    schedule(cmos);
}

static void put16(struct cmos *cmos, unsigned index, uint64_t value)
{
    if (value > 0xFFFF)
        value = 0xFFFF;
    cmos->ram[index] = (uint8_t)value;
    cmos->ram[index + 1] = (uint8_t)(value >> 8);
}

static uint64_t above(uint64_t size, uint64_t limit)
{
    return size > limit ? size - limit : 0;
}

void cmos_init(struct cmos *cmos, struct bus *bus, uint64_t rtc_start, uint64_t ram_low,
               uint64_t ram_high, unsigned processors)
{
    const struct bus_range range = { 0x70, 2, 1, port_read, port_write, cmos };
    uint64_t extended = above(ram_low, 1 << 20) >> 10;

    memset(cmos, 0, sizeof(*cmos));
    cmos->bus = bus;
    cmos->offset = (int64_t)(rtc_start & INT64_MAX >> 8);
    clock_timer_init(&cmos->periodic, periodic_fire, cmos);
    clock_timer_init(&cmos->second, second_fire, cmos);
    put16(cmos, 0x15, 640);                            /* KiB below 640 K */
    put16(cmos, 0x17, extended);                       /* KiB above 1 MiB */
    put16(cmos, 0x30, extended);                       /* the same, as POST measured it */
    put16(cmos, 0x34, above(ram_low, 16 << 20) >> 16); /* 64 KiB units above 16 MiB */
    cmos->ram[0x5B] = (uint8_t)(ram_high >> 16); /* 64 KiB units above 4 GiB, 24 bits */
    cmos->ram[0x5C] = (uint8_t)(ram_high >> 24);
    cmos->ram[0x5D] = (uint8_t)(ram_high >> 32);
    cmos->ram[0x38] = 0x30; /* BIOS: boot from disk, floppy, CD, in this order, as QEMU has it */
    cmos->ram[0x3D] = 0x12;
    cmos->ram[0x5F] = (uint8_t)(processors - 1);
    bus_claim(bus, BUS_PORTS, &range);
    bus_on_reset(bus, reset, cmos);
    reset(cmos);
}
