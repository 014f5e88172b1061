/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands answer at once: the input buffer is never seen full.
 */
#include "machine/board/i8042.h"

#include <string.h>

enum { STATUS_OUTPUT = 1 << 0, STATUS_SYSTEM = 1 << 2, STATUS_UNLOCKED = 1 << 4,
       STATUS_AUXILIARY = 1 << 5, STATUS_TIMEOUT = 1 << 6 };
enum { BYTE_IRQ1 = 1 << 0, BYTE_IRQ12 = 1 << 1, BYTE_SYSTEM = 1 << 2, BYTE_NO_KEYBOARD = 1 << 4,
       BYTE_NO_AUXILIARY = 1 << 5, BYTE_TRANSLATE = 1 << 6 };
enum { PORT_NOT_RESET = 1 << 0, PORT_A20 = 1 << 1 };
enum {
    COMMAND_READ = 0x20, COMMAND_WRITE = 0x60, COMMAND_NO_AUXILIARY = 0xA7,
    COMMAND_AUXILIARY = 0xA8, COMMAND_TEST_AUXILIARY = 0xA9, COMMAND_SELF_TEST = 0xAA,
    COMMAND_TEST_KEYBOARD = 0xAB, COMMAND_NO_KEYBOARD = 0xAD, COMMAND_KEYBOARD = 0xAE,
    COMMAND_READ_INPUT = 0xC0, COMMAND_READ_OUTPUT = 0xD0, COMMAND_WRITE_OUTPUT = 0xD1,
    COMMAND_AS_KEYBOARD = 0xD2, COMMAND_AS_AUXILIARY = 0xD3, COMMAND_TO_AUXILIARY = 0xD4,
    COMMAND_A20_OFF = 0xDD, COMMAND_A20_ON = 0xDF, COMMAND_PULSE = 0xF0,
};
enum { SELF_TEST_GOOD = 0x55, INTERFACE_GOOD = 0x00, INTERFACE_CLOCK_LOW = 0x01 };
enum { KEYBOARD_ACK = 0xFA, KEYBOARD_RESEND = 0xFE, KEYBOARD_GOOD = 0xAA };

#define IRQ_KEYBOARD  1u
#define IRQ_AUXILIARY 12u

static void update(struct i8042 *i8042)
{
    bool auxiliary = i8042->count && i8042->auxiliary[i8042->first];
    bool keyboard = i8042->count && !auxiliary;

    bus_line(i8042->bus, IRQ_KEYBOARD, BUS_DRIVER_DEVICE,
             keyboard && (i8042->command_byte & BYTE_IRQ1));
    bus_line(i8042->bus, IRQ_AUXILIARY, BUS_DRIVER_DEVICE,
             auxiliary && (i8042->command_byte & BYTE_IRQ12));
}

/* What does not fit is lost, as in the controller. */
static void reply(struct i8042 *i8042, uint8_t byte, bool auxiliary)
{
    unsigned last = (i8042->first + i8042->count) % I8042_QUEUE;

    if (i8042->count == I8042_QUEUE)
        return;
    i8042->queue[last] = byte;
    i8042->auxiliary[last] = auxiliary;
    i8042->count++;
    update(i8042);
}

/* --- the keyboard --- */

/* Commands that are followed by a byte of their own. */
static bool keyboard_parameter(struct i8042 *i8042, uint8_t byte)
{
    uint8_t command = i8042->keyboard_pending;

    i8042->keyboard_pending = 0;
    if (command == 0)
        return false;
    reply(i8042, KEYBOARD_ACK, false);
    if (command == 0xF0 && byte == 0)
        reply(i8042, i8042->scan_set, false);
    else if (command == 0xF0 && byte <= 3)
        i8042->scan_set = byte;
    return true;
}

static void keyboard_write(struct i8042 *i8042, uint8_t byte)
{
    if (byte < 0xED && keyboard_parameter(i8042, byte))
        return;
    i8042->keyboard_pending = 0;
    switch (byte) {
    case 0xED: /* lights */
    case 0xF0: /* scan code set */
    case 0xF3: /* typematic rate */
        i8042->keyboard_pending = byte;
        reply(i8042, KEYBOARD_ACK, false);
        break;
    case 0xEE: /* echo */
        reply(i8042, 0xEE, false);
        break;
    case 0xF2: /* identify: an MF2 keyboard, as it looks through translation or not */
        reply(i8042, KEYBOARD_ACK, false);
        reply(i8042, 0xAB, false);
        reply(i8042, i8042->command_byte & BYTE_TRANSLATE ? 0x41 : 0x83, false);
        break;
    case 0xF4: /* enable, disable, defaults, and which keys repeat */
    case 0xF5:
    case 0xF6:
    case 0xF7:
    case 0xF8:
    case 0xF9:
    case 0xFA:
        reply(i8042, KEYBOARD_ACK, false);
        break;
    case 0xFF:
        i8042->scan_set = 2;
        reply(i8042, KEYBOARD_ACK, false);
        reply(i8042, KEYBOARD_GOOD, false);
        break;
    default:
        reply(i8042, KEYBOARD_RESEND, false);
    }
}

/* --- the controller --- */

static void write_output_port(struct i8042 *i8042, uint8_t value)
{
    i8042->output_port = value;
    if (!(value & PORT_NOT_RESET))
        i8042->pulse(i8042->context);
}

/* The byte that follows a command. */
static void parameter(struct i8042 *i8042, uint8_t command, uint8_t value)
{
    switch (command) {
    case COMMAND_WRITE:
        i8042->command_byte = value;
        i8042->system_flag = value & BYTE_SYSTEM;
        update(i8042);
        break;
    case COMMAND_WRITE_OUTPUT:
        write_output_port(i8042, value);
        break;
    case COMMAND_AS_KEYBOARD:
        reply(i8042, value, false);
        break;
    case COMMAND_AS_AUXILIARY:
        reply(i8042, value, true);
        break;
    case COMMAND_TO_AUXILIARY: /* nobody is there */
        reply(i8042, KEYBOARD_RESEND, true);
        i8042->timed_out = true;
        break;
    default:
        i8042->ram[command - COMMAND_WRITE - 1] = value;
    }
}

static void set_byte(struct i8042 *i8042, uint8_t bit, bool on)
{
    i8042->command_byte = (uint8_t)((i8042->command_byte & ~bit) | (on ? bit : 0));
}

static bool takes_parameter(uint8_t command)
{
    return (command >= COMMAND_WRITE && command < COMMAND_WRITE + 0x20) ||
           (command >= COMMAND_WRITE_OUTPUT && command <= COMMAND_TO_AUXILIARY);
}

static uint8_t answer(const struct i8042 *i8042, uint8_t command)
{
    switch (command) {
    case COMMAND_READ:
        return i8042->command_byte;
    case COMMAND_TEST_AUXILIARY:
        return INTERFACE_CLOCK_LOW;
    case COMMAND_SELF_TEST:
        return SELF_TEST_GOOD;
    case COMMAND_READ_OUTPUT:
        return i8042->output_port;
    default:
        return INTERFACE_GOOD;
    }
}

static void command(struct i8042 *i8042, uint8_t value)
{
    i8042->pending = 0;
    if (takes_parameter(value)) {
        i8042->pending = value;
        return;
    }
    if (value > COMMAND_READ && value < COMMAND_READ + 0x20) {
        reply(i8042, i8042->ram[value - COMMAND_READ - 1], false);
        return;
    }
    if (value >= COMMAND_PULSE) {
        if (!(value & PORT_NOT_RESET))
            i8042->pulse(i8042->context);
        return;
    }
    switch (value) {
    case COMMAND_NO_AUXILIARY:
    case COMMAND_AUXILIARY:
        set_byte(i8042, BYTE_NO_AUXILIARY, value == COMMAND_NO_AUXILIARY);
        break;
    case COMMAND_NO_KEYBOARD:
    case COMMAND_KEYBOARD:
        set_byte(i8042, BYTE_NO_KEYBOARD, value == COMMAND_NO_KEYBOARD);
        break;
    case COMMAND_A20_OFF:
    case COMMAND_A20_ON:
        i8042->output_port = (uint8_t)((i8042->output_port & ~PORT_A20) |
                                       (value == COMMAND_A20_ON ? PORT_A20 : 0));
        break;
    case COMMAND_SELF_TEST:
        i8042->first = i8042->count = 0;
        i8042->system_flag = true;
        i8042->command_byte |= BYTE_SYSTEM;
        reply(i8042, SELF_TEST_GOOD, false);
        break;
    case COMMAND_READ:
    case COMMAND_TEST_AUXILIARY:
    case COMMAND_TEST_KEYBOARD:
    case COMMAND_READ_INPUT:
    case COMMAND_READ_OUTPUT:
        reply(i8042, answer(i8042, value), false);
        break;
    }
}

/* --- ports --- */

static uint64_t data_read(void *context, uint64_t offset, unsigned size)
{
    struct i8042 *i8042 = context;
    uint8_t byte = i8042->queue[i8042->first];

    if (i8042->count) {
        i8042->first = (i8042->first + 1) % I8042_QUEUE;
        i8042->count--;
        i8042->timed_out = false;
        /* The next byte is an edge of its own. */
        bus_line(i8042->bus, IRQ_KEYBOARD, BUS_DRIVER_DEVICE, false);
        bus_line(i8042->bus, IRQ_AUXILIARY, BUS_DRIVER_DEVICE, false);
        update(i8042);
    }
    return byte;
}

static void data_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8042 *i8042 = context;
    uint8_t pending = i8042->pending;

    i8042->pending = 0;
    if (pending) {
        parameter(i8042, pending, (uint8_t)value);
        return;
    }
    i8042->command_byte &= (uint8_t)~BYTE_NO_KEYBOARD; /* sending enables the line */
    keyboard_write(i8042, (uint8_t)value);
}

/* Whoever reads the status waits for something. */
static uint64_t status_read(void *context, uint64_t offset, unsigned size)
{
    struct i8042 *i8042 = context;
    bool auxiliary = i8042->count && i8042->auxiliary[i8042->first];

    clock_poll(i8042->bus->clock);
    return (uint64_t)((i8042->count ? STATUS_OUTPUT : 0) |
                      (i8042->system_flag ? STATUS_SYSTEM : 0) | STATUS_UNLOCKED |
                      (auxiliary ? STATUS_AUXILIARY : 0) |
                      (auxiliary && i8042->timed_out ? STATUS_TIMEOUT : 0));
}

static void command_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    command(context, (uint8_t)value);
}

static void reset(void *context)
{
    struct i8042 *i8042 = context;

    i8042->command_byte = BYTE_NO_KEYBOARD | BYTE_NO_AUXILIARY;
    i8042->output_port = PORT_NOT_RESET | PORT_A20;
    i8042->pending = i8042->keyboard_pending = 0;
    i8042->scan_set = 2;
    i8042->system_flag = i8042->timed_out = false;
    i8042->first = i8042->count = 0;
    memset(i8042->ram, 0, sizeof(i8042->ram));
    update(i8042);
}

void i8042_init(struct i8042 *i8042, struct bus *bus, void (*pulse)(void *context), void *context)
{
    const struct bus_range ranges[] = {
        { 0x60, 1, 1, data_read, data_write, i8042 },
        { 0x64, 1, 1, status_read, command_write, i8042 },
    };

    memset(i8042, 0, sizeof(*i8042));
    i8042->bus = bus;
    i8042->pulse = pulse;
    i8042->context = context;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        bus_claim(bus, BUS_PORTS, &ranges[i]);
    bus_on_reset(bus, reset, i8042);
    reset(i8042);
}
