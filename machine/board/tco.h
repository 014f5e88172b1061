/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The watchdog of the ICH9 (TCO timer, ICH9 13.9): 32 ports behind the power management block, and
 * the register in the chipset's memory (RCBA + 0x3410) that allows it to reset. Counts in steps of
 * 0.6 s; runs out once and sets a status bit, runs out again and resets the guest.
 */
#ifndef PRIVET_MACHINE_BOARD_TCO_H
#define PRIVET_MACHINE_BOARD_TCO_H

#include "machine/devices/bus.h"

#define TCO_OFFSET 0x60u /* from PMBASE */
#define TCO_SIZE   0x20u

struct tco {
    struct bus *bus;
    void (*expired)(void *context); /* told when it resets the guest */
    void *context;
    uint8_t registers[TCO_SIZE];
    bool no_reboot; /* of GCS; QEMU's default and a strap of the board: on */
    uint64_t due;   /* ns, while running */
    uint16_t left;  /* ticks, while halted */
    struct clock_timer timer;
    uint16_t base;  /* where the ports are claimed; 0: nowhere */
    uint32_t rcba;  /* where the chipset's memory is; 0: nowhere */
};

void tco_init(struct tco *tco, struct bus *bus, void (*expired)(void *context), void *context);
/* From the LPC bridge: the power management block's base, 0: not decoded. */
void tco_map(struct tco *tco, uint16_t pm_base);
/* From the LPC bridge: RCBA's address, 0: not decoded. */
void tco_map_chipset(struct tco *tco, uint32_t rcba);

#endif
