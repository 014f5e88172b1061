/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A port by which a test guest ends the run with a result, as QEMU's isa-debug-exit: four ports
 * from a base; writing `value` asks for the exit status value << 1 | 1. Private to machine/board.
 */
#ifndef PRIVET_MACHINE_BOARD_DEBUG_EXIT_H
#define PRIVET_MACHINE_BOARD_DEBUG_EXIT_H

#include "machine/devices/bus.h"

struct debug_exit {
    void (*stop)(void *context); /* the processor is to leave its run */
    void *context;
    bool asked;
    uint8_t status;
};

/* false: the ports are taken. */
bool debug_exit_init(struct debug_exit *device, struct bus *bus, uint16_t port,
                     void (*stop)(void *context), void *context);

#endif
