/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * 16550 and debug port. A port without a chip reads as all ones and is then left alone, so a
 * machine without a serial port costs nothing.
 */
#include "firmware/platform/serial.h"

#include "firmware/arch/cpu.h"
#include "firmware/arch/io.h"

enum {
    SERIAL_BASE = 0x3F8, REG_DATA = 0, REG_DIVISOR_LOW = 0, REG_INTERRUPTS = 1,
    REG_DIVISOR_HIGH = 1, REG_FIFO = 2, REG_LINE = 3, REG_MODEM = 4, REG_STATUS = 5,
    REG_MODEM_STATUS = 6,
    LINE_DIVISOR = 0x80, LINE_8N1 = 0x03, FIFO_ENABLE_CLEAR = 0x07,
    STATUS_DATA = 0x01, STATUS_EMPTY = 0x20, STATUS_IDLE = 0x40,
    DEBUG_PORT = 0x402, DEBUG_PRESENT = 0xE9,
    WAIT_LIMIT = 1000000, /* polls; a receiver that never drains must not stop the boot */
};

static bool serial_present, debug_present;

void serial_set_line(uint16_t divisor, uint8_t line)
{
    out8(SERIAL_BASE + REG_LINE, LINE_DIVISOR);
    out8(SERIAL_BASE + REG_DIVISOR_LOW, (uint8_t)divisor);
    out8(SERIAL_BASE + REG_DIVISOR_HIGH, (uint8_t)(divisor >> 8));
    out8(SERIAL_BASE + REG_LINE, line);
}

void serial_set_modem(uint8_t outputs)
{
    out8(SERIAL_BASE + REG_MODEM, outputs);
}

void serial_init(void)
{
    out8(SERIAL_BASE + REG_INTERRUPTS, 0);
    serial_set_line(1, LINE_8N1);
    out8(SERIAL_BASE + REG_FIFO, FIFO_ENABLE_CLEAR);
    serial_set_modem(SERIAL_DTR | SERIAL_RTS);
    serial_present = in8(SERIAL_BASE + REG_LINE) == LINE_8N1;
    debug_present = in8(DEBUG_PORT) == DEBUG_PRESENT;
}

static bool wait_empty(void)
{
    for (unsigned i = 0; i < WAIT_LIMIT; i++) {
        if ((in8(SERIAL_BASE + REG_STATUS) & STATUS_EMPTY) != 0) {
            return true;
        }
        cpu_pause();
    }
    return false;
}

size_t serial_write(const char *text, size_t length)
{
    size_t written = 0;
    for (; written < length && serial_present; written++) {
        serial_present = wait_empty();
        out8(SERIAL_BASE + REG_DATA, (uint8_t)text[written]);
    }
    return written;
}

bool serial_read(uint8_t *ret)
{
    if (!serial_present || (in8(SERIAL_BASE + REG_STATUS) & STATUS_DATA) == 0) {
        return false;
    }
    *ret = in8(SERIAL_BASE + REG_DATA);
    return true;
}

bool serial_there(void)
{
    return serial_present;
}

struct serial_state serial_state(void)
{
    uint8_t status = in8(SERIAL_BASE + REG_STATUS);
    return (struct serial_state){ .outputs = in8(SERIAL_BASE + REG_MODEM),
                                  .inputs = in8(SERIAL_BASE + REG_MODEM_STATUS),
                                  .received = status & STATUS_DATA,
                                  .sent = status & STATUS_IDLE };
}

void debug_write(const char *text, size_t length)
{
    for (size_t i = 0; i < length && debug_present; i++) {
        out8(DEBUG_PORT, (uint8_t)text[i]);
    }
}
