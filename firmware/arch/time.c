/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Time: the ACPI PM timer (ACPI 6.5 4.8.3.3) is the only clock, the local APIC timer gives the
 * tick, the CMOS clock the calendar. The tick reads the PM timer often enough to see every wrap of
 * its 24 bits (4.7 s).
 */
#include "firmware/arch/time.h"

#include <stdbool.h>
#include <stddef.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/interrupts.h"
#include "firmware/arch/io.h"
#include "firmware/lib/log.h"
#include "firmware/platform/q35.h"

enum {
    PM_HERTZ = 3579545, PM_MASK = 0xFFFFFF,
    APIC_EOI = 0xB0, APIC_SPURIOUS = 0xF0, APIC_LVT_TIMER = 0x320, APIC_LVT_LINT0 = 0x350,
    APIC_INITIAL = 0x380, APIC_CURRENT = 0x390, APIC_DIVIDE = 0x3E0,
    APIC_ENABLE = 0x100, LVT_MASKED = 0x10000, LVT_PERIODIC = 0x20000, DIVIDE_BY_16 = 3,
    TICKS_PER_SECOND = 100, CALIBRATION_PM_TICKS = 1000, /* 280 microseconds */
};

static uint32_t pm_last;
static uint64_t pm_total;
static uint32_t tick_count;
static void (*tick_handler)(void);

static uint64_t pm_now(void)
{
    bool enabled = interrupts_disable();
    uint32_t now = in32(Q35_PM_TIMER) & PM_MASK;

    pm_total += (now - pm_last) & PM_MASK;
    pm_last = now;
    uint64_t total = pm_total;
    interrupts_set(enabled);
    return total;
}

void time_init(void)
{
    pm_last = in32(Q35_PM_TIMER) & PM_MASK;
}

uint64_t time_now_100ns(void)
{
    uint64_t ticks = pm_now();

    return ticks / PM_HERTZ * 10000000 + ticks % PM_HERTZ * 10000000 / PM_HERTZ;
}

void time_delay_us(uint64_t microseconds)
{
    uint64_t seconds = microseconds / 1000000;
    uint64_t end = pm_now() + seconds * PM_HERTZ
                   + (microseconds % 1000000 * PM_HERTZ + 999999) / 1000000;

    while (pm_now() < end) {
        cpu_pause();
    }
}

static void apic_write(unsigned offset, uint32_t value)
{
    mmio_write32(Q35_APIC_BASE + offset, value);
}

static void spurious(void)
{
}

static void tick(void)
{
    (void)pm_now();
    apic_write(APIC_EOI, 0);
    if (tick_handler != NULL) {
        tick_handler();
    }
}

/* The timer's frequency is the host's affair: measured against the PM timer. */
static uint32_t calibrate(void)
{
    uint64_t begin = pm_now(), now;

    apic_write(APIC_INITIAL, UINT32_MAX);
    do {
        now = pm_now();
    } while (now - begin < CALIBRATION_PM_TICKS);
    uint64_t spent = UINT32_MAX - mmio_read32(Q35_APIC_BASE + APIC_CURRENT);
    uint64_t count = spent * PM_HERTZ / (now - begin) / TICKS_PER_SECOND;
    return count < 1000 ? 1000 : count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

void time_start_tick(void (*handler)(void))
{
    bool enabled = interrupts_disable();

    tick_handler = handler;
    interrupts_handle(VECTOR_TIMER, tick);
    interrupts_handle(VECTOR_SPURIOUS, spurious);
    apic_write(APIC_SPURIOUS, APIC_ENABLE | VECTOR_SPURIOUS);
    apic_write(APIC_LVT_LINT0, LVT_MASKED); /* nothing is wanted from the 8259s */
    apic_write(APIC_DIVIDE, DIVIDE_BY_16);
    apic_write(APIC_LVT_TIMER, LVT_MASKED | LVT_PERIODIC | VECTOR_TIMER);
    if (tick_count == 0) {
        tick_count = calibrate();
    }
    apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR_TIMER);
    apic_write(APIC_INITIAL, tick_count);
    interrupts_set(enabled);
}

void time_stop_tick(void)
{
    apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    apic_write(APIC_INITIAL, 0);
}

/* MC146818: index 0x70, data 0x71; a notification that asks for the time must not come between. */
enum {
    RTC_SECOND = 0, RTC_MINUTE = 2, RTC_HOUR = 4, RTC_DAY = 7, RTC_MONTH = 8, RTC_YEAR = 9,
    RTC_A = 0x0A, RTC_B = 0x0B, RTC_CENTURY = 0x32,
    RTC_UPDATING = 0x80, RTC_SET = 0x80, RTC_BINARY = 0x04, RTC_24_HOURS = 0x02, RTC_PM = 0x80,
    RTC_TRIES = 100, /* the host's clock may do as it likes, but not hang the guest */
};

static uint8_t rtc_read(uint8_t index)
{
    bool enabled = interrupts_disable();
    out8(0x70, index);
    uint8_t value = in8(0x71);
    interrupts_set(enabled);
    return value;
}

static void rtc_write(uint8_t index, uint8_t value)
{
    bool enabled = interrupts_disable();
    out8(0x70, index);
    out8(0x71, value);
    interrupts_set(enabled);
}

static uint8_t from_clock(uint8_t value, uint8_t mode)
{
    return (mode & RTC_BINARY) ? value : (uint8_t)((value >> 4) * 10 + (value & 15));
}

static uint8_t to_clock(unsigned value, uint8_t mode)
{
    return (uint8_t)((mode & RTC_BINARY) ? value : (value / 10 % 10) << 4 | value % 10);
}

void rtc_get(struct calendar_time *ret)
{
    uint8_t mode = rtc_read(RTC_B), hour;
    unsigned tries = 0;

    /* An update takes 2 ms at most; read until two readings agree on the second. */
    for (unsigned i = 0; i < 10000 && (rtc_read(RTC_A) & RTC_UPDATING) != 0; i++) {
    }
    do {
        ret->second = from_clock(rtc_read(RTC_SECOND), mode);
        ret->minute = from_clock(rtc_read(RTC_MINUTE), mode);
        hour = rtc_read(RTC_HOUR);
        ret->day = from_clock(rtc_read(RTC_DAY), mode);
        ret->month = from_clock(rtc_read(RTC_MONTH), mode);
        ret->year = from_clock(rtc_read(RTC_YEAR), mode);
        ret->year = (uint16_t)(ret->year + from_clock(rtc_read(RTC_CENTURY), mode) * 100);
    } while (ret->second != from_clock(rtc_read(RTC_SECOND), mode) && ++tries < RTC_TRIES);
    ret->hour = from_clock(hour & (uint8_t)~RTC_PM, mode);
    if ((mode & RTC_24_HOURS) == 0) {
        ret->hour = (uint8_t)(ret->hour % 12 + ((hour & RTC_PM) ? 12 : 0));
    } else {
        ret->hour = from_clock(hour, mode);
    }
}

void rtc_set(const struct calendar_time *time)
{
    uint8_t mode = rtc_read(RTC_B) | RTC_24_HOURS;

    rtc_write(RTC_B, mode | RTC_SET);
    rtc_write(RTC_SECOND, to_clock(time->second, mode));
    rtc_write(RTC_MINUTE, to_clock(time->minute, mode));
    rtc_write(RTC_HOUR, to_clock(time->hour, mode));
    rtc_write(RTC_DAY, to_clock(time->day, mode));
    rtc_write(RTC_MONTH, to_clock(time->month, mode));
    rtc_write(RTC_YEAR, to_clock(time->year % 100u, mode));
    rtc_write(RTC_CENTURY, to_clock(time->year / 100u, mode));
    rtc_write(RTC_B, mode & (uint8_t)~RTC_SET);
}

enum { RESET_PORT = 0xCF9, RESET_HARD = 0x06, PM_SLEEP_ENABLE = 0x2000, KEYBOARD_PORT = 0x64 };

void platform_reset(enum reset_kind kind)
{
    if (kind == RESET_SHUTDOWN) {
        out16(Q35_PM_CONTROL, PM_SLEEP_ENABLE); /* SLP_TYP 0 is S5 on this board */
    } else {
        out8(RESET_PORT, RESET_HARD);
        out8(KEYBOARD_PORT, 0xFE);
    }
    cpu_stop();
}
