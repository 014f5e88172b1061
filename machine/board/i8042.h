/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The keyboard controller at ports 0x60 and 0x64 with a keyboard on which nobody types, and no
 * mouse. Firmware and memory testers look for it; it answers so that none of them runs into a time
 * limit. A20 is always open here: its gate can be read back, that is all. Intel 8042 as in the IBM
 * PC AT technical reference; keyboard commands of the PS/2 reference.
 */
#ifndef PRIVET_MACHINE_BOARD_I8042_H
#define PRIVET_MACHINE_BOARD_I8042_H

#include "machine/devices/bus.h"

#define I8042_QUEUE 16u

struct i8042 {
    struct bus *bus;
    void (*pulse)(void *context); /* the reset line */
    void *context;
    uint8_t command_byte, output_port, ram[31];
    uint8_t pending;          /* the command that waits for a byte on port 0x60; 0: none */
    uint8_t keyboard_pending; /* the keyboard's */
    uint8_t scan_set;
    bool system_flag;         /* self test passed */
    bool timed_out;           /* the byte at the front says that a device did not answer */
    uint8_t queue[I8042_QUEUE];
    bool auxiliary[I8042_QUEUE]; /* where each came from */
    unsigned first, count;
};

void i8042_init(struct i8042 *i8042, struct bus *bus, void (*pulse)(void *context),
                void *context);

#endif
