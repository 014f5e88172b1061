/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Delays and the timer tick: ACPI PM timer and TSC for delays, local APIC timer for events. */
#ifndef PRIVET_FIRMWARE_TIME_H
#define PRIVET_FIRMWARE_TIME_H

#include <stdint.h>

void time_init(void);
void time_delay_us(uint64_t microseconds);
uint64_t time_now_100ns(void); /* since reset, monotonic */

/* Starts the periodic tick that calls `tick` (interrupt context) every 10 ms; stop masks it. */
void time_start_tick(void (*tick)(void));
void time_stop_tick(void);

struct calendar_time {
    uint16_t year;
    uint8_t month, day, hour, minute, second;
};
void rtc_get(struct calendar_time *ret); /* usable at runtime: ports only */
void rtc_set(const struct calendar_time *time);

enum reset_kind { RESET_COLD, RESET_WARM, RESET_SHUTDOWN };
_Noreturn void platform_reset(enum reset_kind kind); /* usable at runtime: ports only */

#endif
