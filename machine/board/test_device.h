/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * For test guests, as QEMU's isa-debug-exit and pc-testdev: writing V to the exit port (or the
 * three after it) asks for the exit status V << 1 | 1; writing to port 0x2000 + N drives global
 * system interrupt N; ports 0xE0 to 0xE3 and 64 KiB at 0xFF000000 are devices that keep what is
 * written to them. Private to machine/board.
 */
#ifndef PRIVET_MACHINE_BOARD_TEST_DEVICE_H
#define PRIVET_MACHINE_BOARD_TEST_DEVICE_H

#include "machine/devices/bus.h"

struct test_device {
    struct bus *bus;
    void (*stop)(void *context); /* the processor is to leave its run */
    void *context;
    bool asked; /* for the end of the run */
    uint8_t status;
    uint8_t ports[4];
    uint8_t buffer[65536];
};

/* false: ports or memory are taken. */
bool test_device_init(struct test_device *device, struct bus *bus, uint16_t exit_port,
                      void (*stop)(void *context), void *context);

#endif
