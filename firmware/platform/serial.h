/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The first serial port (16550 at 0x3F8, 115200 8N1 at first) and the debug port 0x402. Both polled. */
#ifndef PRIVET_FIRMWARE_SERIAL_H
#define PRIVET_FIRMWARE_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void serial_init(void); /* also looks whether the debug port exists */
/* As it is, without newline translation. Bytes that went out: fewer when the receiver hangs. */
size_t serial_write(const char *text, size_t length);
bool serial_read(uint8_t *ret); /* false: nothing waiting */
bool serial_there(void);

/* Registers for serial I/O: line control and divisor, modem control. */
enum { SERIAL_DTR = 1, SERIAL_RTS = 2, SERIAL_LOOP = 0x10 };
struct serial_state {
    uint8_t outputs, inputs; /* modem control and modem status registers */
    bool received, sent;     /* a byte waits; all bytes are out */
};
void serial_set_line(uint16_t divisor, uint8_t line);
void serial_set_modem(uint8_t outputs);
struct serial_state serial_state(void);
void debug_write(const char *text, size_t length);

#endif
