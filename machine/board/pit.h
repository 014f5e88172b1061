/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The 8254 interval timer (ports 0x40 to 0x43) and system control port B (0x61): channel 0 drives
 * IRQ 0, channel 2 has its gate and output in port 0x61. Intel 8254 data sheet; ICH9 13.7.
 */
#ifndef PRIVET_MACHINE_BOARD_PIT_H
#define PRIVET_MACHINE_BOARD_PIT_H

#include "machine/devices/bus.h"

#define PIT_HZ 1193182u

struct pit_channel {
    uint8_t mode; /* 0 to 5 */
    uint8_t access; /* 1: low byte, 2: high byte, 3: low then high */
    bool bcd, gate, loaded; /* loaded: counting since `start` */
    bool high_next_read, high_next_write;
    uint8_t low_written;
    uint32_t reload; /* 1 to 65536 */
    uint64_t start;  /* ns when the counter was loaded */
    uint8_t latched; /* bytes of the latched count still to be read */
    uint16_t latch;
    bool status_latched;
    uint8_t status;
};

struct pit {
    struct bus *bus;
    struct pit_channel channel[3];
    struct clock_timer timer; /* next change of channel 0's output */
    bool speaker;
};

void pit_init(struct pit *pit, struct bus *bus);

#endif
