/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A 16550A UART: transmits at once, receives from a buffer that the host fills. And the debug
 * console port, a byte sink that reads 0xE9.
 */
#ifndef PRIVET_MACHINE_DEVICES_SERIAL_H
#define PRIVET_MACHINE_DEVICES_SERIAL_H

#include "machine/devices/bus.h"

#define SERIAL_FIFO_SIZE  16u
#define SERIAL_INPUT_SIZE 1024u /* typed ahead of the guest */

typedef void device_output(void *context, const uint8_t *bytes, size_t length);

struct serial {
    struct bus *bus;
    unsigned gsi;
    device_output *output;
    void *context;
    uint8_t ier, fcr, lcr, mcr, msr_delta, scratch;
    uint16_t divisor;
    uint8_t fifo[SERIAL_FIFO_SIZE];
    unsigned head, count;
    bool overrun, thr_interrupt;
    uint8_t input[SERIAL_INPUT_SIZE];
    unsigned input_head, input_count;
};

void serial_init(struct serial *serial, struct bus *bus, uint16_t port, unsigned gsi,
                 device_output *output, void *context);
/*
 * Bytes that came in on the line. They wait in a buffer until the FIFO has room, so that nothing
 * typed is lost; returns how many the buffer took.
 */
size_t serial_input(struct serial *serial, const uint8_t *bytes, size_t length);

struct debugcon {
    device_output *output; /* NULL: the port still answers, the bytes are lost */
    void *context;
};

void debugcon_init(struct debugcon *debugcon, struct bus *bus, uint16_t port,
                   device_output *output, void *context);

#endif
