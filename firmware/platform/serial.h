/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The first serial port (16550 at 0x3F8, 115200 8N1) and the debug port 0x402. Both polled. */
#ifndef PRIVET_FIRMWARE_SERIAL_H
#define PRIVET_FIRMWARE_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void serial_init(void); /* also looks whether the debug port exists */
void serial_write(const char *text, size_t length); /* as it is: no newline translation */
bool serial_read(uint8_t *ret); /* false: nothing waiting */
void debug_write(const char *text, size_t length);

#endif
