/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * High precision event timers, IA-PC HPET 1.0a: a 64-bit counter of 100 MHz, three timers, of which
 * each can be periodic, and legacy replacement routing. No interrupts by message.
 */
#ifndef PRIVET_MACHINE_BOARD_HPET_H
#define PRIVET_MACHINE_BOARD_HPET_H

#include "machine/devices/bus.h"

#define HPET_BASE   0xFED00000u
#define HPET_SIZE   0x400u
#define HPET_HZ     100000000u
#define HPET_TIMERS 3u
#define HPET_ID     0x8086A201u /* low half of the capabilities: vendor, legacy routing, 64 bits */

struct hpet;

struct hpet_timer {
    struct hpet *hpet;
    struct clock_timer timer;
    uint64_t config; /* the writable bits */
    uint64_t comparator, period;
};

struct hpet {
    struct bus *bus;
    uint64_t config, status;
    uint64_t counter; /* while halted; while it runs, what it was at `start` ns */
    uint64_t start;
    struct hpet_timer timer[HPET_TIMERS];
};

void hpet_init(struct hpet *hpet, struct bus *bus);

#endif
