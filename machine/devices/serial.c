/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * 16550A. The line is infinitely fast: the transmitter is always empty, the baud rate is kept and
 * has no effect. National Semiconductor PC16550D data sheet.
 */
#include "machine/devices/serial.h"

#include <string.h>

enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCRATCH };
enum { IER_RECEIVED = 1, IER_TRANSMIT = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { IIR_NONE = 1, IIR_MODEM = 0, IIR_TRANSMIT = 2, IIR_RECEIVED = 4, IIR_LINE = 6,
       IIR_TIMEOUT = 12, IIR_FIFO = 0xC0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RECEIVE = 2 };
enum { LCR_DLAB = 0x80 };
enum { MCR_OUT2 = 8, MCR_LOOP = 16 };
enum { LSR_READY = 1, LSR_OVERRUN = 2, LSR_EMPTY = 0x60 };
#define MSR_CONNECTED 0xB0u /* carrier, data set ready, clear to send */

static unsigned capacity(const struct serial *serial)
{
    return serial->fcr & FCR_ENABLE ? SERIAL_FIFO_SIZE : 1;
}

static unsigned trigger(const struct serial *serial)
{
    static const uint8_t level[4] = { 1, 4, 8, 14 };

    return serial->fcr & FCR_ENABLE ? level[serial->fcr >> 6] : 1;
}

/* Highest pending interrupt, as the low bits of IIR. */
static uint8_t identify(const struct serial *serial)
{
    if ((serial->ier & IER_LINE) && serial->overrun)
        return IIR_LINE;
    if ((serial->ier & IER_RECEIVED) && serial->count >= trigger(serial))
        return IIR_RECEIVED;
    if ((serial->ier & IER_RECEIVED) && serial->count)
        return IIR_TIMEOUT; /* the line is fast: four character times are over at once */
    if ((serial->ier & IER_TRANSMIT) && serial->thr_interrupt)
        return IIR_TRANSMIT;
    if ((serial->ier & IER_MODEM) && serial->msr_delta)
        return IIR_MODEM;
    return IIR_NONE;
}

static void update(struct serial *serial)
{
    bool level = identify(serial) != IIR_NONE && (serial->mcr & MCR_OUT2);

    bus_line(serial->bus, serial->gsi, BUS_DRIVER_DEVICE, level);
}

static void receive(struct serial *serial, uint8_t byte)
{
    if (serial->count == capacity(serial)) {
        serial->overrun = true;
        return;
    }
    serial->fifo[(serial->head + serial->count++) % SERIAL_FIFO_SIZE] = byte;
}

/* Flow control that no line has: the FIFO takes typed bytes as the guest makes room. */
static void refill(struct serial *serial)
{
    while (serial->input_count && serial->count < capacity(serial) && !(serial->mcr & MCR_LOOP)) {
        receive(serial, serial->input[serial->input_head]);
        serial->input_head = (serial->input_head + 1) % SERIAL_INPUT_SIZE;
        serial->input_count--;
    }
}

size_t serial_input(struct serial *serial, const uint8_t *bytes, size_t length)
{
    size_t taken = 0;

    while (taken < length && serial->input_count < SERIAL_INPUT_SIZE) {
        unsigned tail = (serial->input_head + serial->input_count++) % SERIAL_INPUT_SIZE;

        serial->input[tail] = bytes[taken++];
    }
    refill(serial);
    update(serial);
    return taken;
}

static uint8_t read_data(struct serial *serial)
{
    uint8_t byte = 0;

    if (serial->count) {
        byte = serial->fifo[serial->head];
        serial->head = (serial->head + 1) % SERIAL_FIFO_SIZE;
        serial->count--;
    }
    refill(serial);
    return byte;
}

static void transmit(struct serial *serial, uint8_t byte)
{
    if (serial->mcr & MCR_LOOP)
        receive(serial, byte);
    else
        serial->output(serial->context, &byte, 1);
    serial->thr_interrupt = true;
}

static uint8_t modem_status(const struct serial *serial)
{
    uint8_t mcr = serial->mcr;

    if (!(mcr & MCR_LOOP))
        return MSR_CONNECTED | serial->msr_delta;
    /* Loop-back: DTR, RTS, OUT1, OUT2 appear as DSR, CTS, RI, DCD. */
    return (uint8_t)((mcr & 1) << 5 | (mcr & 2) << 3 | (mcr & 4) << 4 | (mcr & 8) << 4);
}

static uint8_t read_line_status(struct serial *serial)
{
    uint8_t value = (uint8_t)(LSR_EMPTY | (serial->count ? LSR_READY : 0) |
                              (serial->overrun ? LSR_OVERRUN : 0));

    serial->overrun = false;
    return value;
}

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
    struct serial *serial = context;
    bool dlab = serial->lcr & LCR_DLAB;
    uint8_t value = 0;

    switch (offset) {
    case REG_DATA:
        value = dlab ? (uint8_t)serial->divisor : read_data(serial);
        break;
    case REG_IER:
        value = dlab ? (uint8_t)(serial->divisor >> 8) : serial->ier;
        break;
    case REG_IIR_FCR:
        value = identify(serial);
        if (value == IIR_TRANSMIT)
            serial->thr_interrupt = false;
        value |= serial->fcr & FCR_ENABLE ? IIR_FIFO : 0;
        break;
    case REG_LCR:
        value = serial->lcr;
        break;
    case REG_MCR:
        value = serial->mcr;
        break;
    case REG_LSR:
        value = read_line_status(serial);
        break;
    case REG_MSR:
        value = modem_status(serial);
        serial->msr_delta = 0;
        break;
    case REG_SCRATCH:
        value = serial->scratch;
        break;
    }
    update(serial);
    return value;
}

static void write_fcr(struct serial *serial, uint8_t value)
{
    bool toggled = (serial->fcr ^ value) & FCR_ENABLE;

    if (toggled || (value & FCR_CLEAR_RECEIVE))
        serial->count = serial->head = 0;
    serial->fcr = value & FCR_ENABLE ? value & 0xC9 : 0;
}

static void port_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct serial *serial = context;
    uint8_t byte = (uint8_t)value;
    bool dlab = serial->lcr & LCR_DLAB;

    switch (offset) {
    case REG_DATA:
        if (dlab)
            serial->divisor = (serial->divisor & 0xFF00) | byte;
        else
            transmit(serial, byte);
        break;
    case REG_IER:
        if (dlab) {
            serial->divisor = (uint16_t)((serial->divisor & 0xFF) | byte << 8);
            break;
        }
        if ((byte & IER_TRANSMIT) && !(serial->ier & IER_TRANSMIT))
            serial->thr_interrupt = true; /* enabling it while empty interrupts at once */
        serial->ier = byte & 0xF;
        break;
    case REG_IIR_FCR:
        write_fcr(serial, byte);
        break;
    case REG_LCR:
        serial->lcr = byte;
        break;
    case REG_MCR:
        serial->mcr = byte & 0x1F;
        break;
    case REG_SCRATCH:
        serial->scratch = byte;
        break;
    }
    update(serial);
}

static void reset(void *context)
{
    struct serial *serial = context;

    serial->ier = serial->fcr = serial->lcr = serial->mcr = serial->msr_delta = 0;
    serial->divisor = 12; /* 9600 baud */
    serial->head = serial->count = 0;
    serial->overrun = serial->thr_interrupt = false;
    update(serial);
}

void serial_init(struct serial *serial, struct bus *bus, uint16_t port, unsigned gsi,
                 device_output *output, void *context)
{
    const struct bus_range range = { port, 8, 1, port_read, port_write, serial };

    memset(serial, 0, sizeof(*serial));
    serial->bus = bus;
    serial->gsi = gsi;
    serial->output = output;
    serial->context = context;
    bus_claim(bus, BUS_PORTS, &range);
    bus_on_reset(bus, reset, serial);
    reset(serial);
}

static uint64_t debugcon_read(void *context, uint64_t offset, unsigned size)
{
    return 0xE9;
}

static void debugcon_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct debugcon *debugcon = context;
    uint8_t byte = (uint8_t)value;

    if (debugcon->output)
        debugcon->output(debugcon->context, &byte, 1);
}

void debugcon_init(struct debugcon *debugcon, struct bus *bus, uint16_t port,
                   device_output *output, void *context)
{
    const struct bus_range range = { port, 1, 1, debugcon_read, debugcon_write, debugcon };

    debugcon->output = output;
    debugcon->context = context;
    bus_claim(bus, BUS_PORTS, &range);
}
