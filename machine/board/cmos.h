/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CMOS memory and real-time clock (MC146818) at ports 0x70/0x71, IRQ 8. Time of day is the start
 * time of the configuration plus virtual time.
 */
#ifndef PRIVET_MACHINE_BOARD_CMOS_H
#define PRIVET_MACHINE_BOARD_CMOS_H

#include "machine/devices/bus.h"

struct cmos {
    struct bus *bus;
    uint8_t ram[128];
    uint8_t index;
    int64_t offset; /* seconds since 1970 at virtual time 0 */
    struct clock_timer periodic, second;
};

/* `ram_low` and `ram_high`: bytes of RAM below and above 4 GiB. */
void cmos_init(struct cmos *cmos, struct bus *bus, uint64_t rtc_start, uint64_t ram_low,
               uint64_t ram_high, unsigned processors);

#endif
