/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CFI flash state machine: Intel application note 646 (CFI), command set 0001. Byte accesses as
 * from an 8-bit chip; wider ones arrive in pieces. Programming clears bits only, as flash does.
 *
 * One thing is QEMU's, because OVMF tells flash from ROM by it: Clear Status clears the ready bit
 * too and the next command sets it again, and it goes back to the array, so that RAM is told from
 * flash.
 *
 * While not in array mode the chip's pages are no memory for the processor, so its reads come
 * here. The mode returns to array on 0xFF only; a row of program commands leaves it once.
 */
#include "machine/board/pflash.h"

#include <string.h>

enum { CMD_PROGRAM_ALT = 0x10, CMD_ERASE = 0x20, CMD_PROGRAM = 0x40, CMD_CLEAR_STATUS = 0x50,
       CMD_LOCK = 0x60, CMD_READ_STATUS = 0x70, CMD_READ_ID = 0x90, CMD_QUERY = 0x98,
       CMD_CONFIRM = 0xD0, CMD_BUFFER = 0xE8, CMD_READ_ARRAY = 0xFF, CMD_READ_ARRAY_AMD = 0xF0 };
enum { STATUS_PROGRAM_ERROR = 0x10, STATUS_ERASE_ERROR = 0x20, STATUS_READY = 0x80 };

#define MANUFACTURER 0x89u
#define DEVICE       0x18u

static void set_mode(struct pflash *pflash, enum pflash_mode mode)
{
    if ((mode == PFLASH_ARRAY) != (pflash->mode == PFLASH_ARRAY))
        memory_rom_readable(pflash->bus->memory, pflash->base, pflash->size,
                            mode == PFLASH_ARRAY);
    pflash->mode = mode;
}

static uint8_t log2_of(uint64_t value)
{
    return (uint8_t)(63 - __builtin_clzll(value));
}

/* CFI query structure, JEDEC JESD68.01. */
static uint8_t query_byte(const struct pflash *pflash, uint64_t offset)
{
    uint64_t blocks = pflash->size / PFLASH_BLOCK - 1;
    const uint8_t table[] = {
        'Q', 'R', 'Y', 0x01, 0x00, 0x31, 0x00, 0, 0, 0, 0, /* 0x10: command set, tables */
        0x45, 0x55, 0, 0, 7, 7, 10, 0, 4, 4, 4, 0,         /* 0x1B: voltages, times */
        (uint8_t)(log2_of(pflash->size) + ((pflash->size & (pflash->size - 1)) != 0)),
        0, 0, log2_of(PFLASH_BLOCK), 0, 1,                 /* 0x28: width, buffer, regions */
        (uint8_t)blocks, (uint8_t)(blocks >> 8), PFLASH_BLOCK >> 8, 0,
        'P', 'R', 'I', '1', '0', 0, 0, 0, 0, 0, 0, 0,      /* 0x31: primary table */
    };

    return offset >= 0x10 && offset - 0x10 < sizeof(table) ? table[offset - 0x10] : 0;
}

static uint64_t mmio_read(void *context, uint64_t offset, unsigned size)
{
    struct pflash *pflash = context;
    uint8_t byte = 0xFF;

    switch (pflash->mode) {
    case PFLASH_STATUS:
        return pflash->status;
    case PFLASH_ID:
        return (offset & 0xFF) == 0 ? MANUFACTURER : (offset & 0xFF) == 1 ? DEVICE : 0;
    case PFLASH_QUERY:
        return query_byte(pflash, offset & 0xFF);
    case PFLASH_ARRAY:
        break;
    }
    memory_read(pflash->bus->memory, pflash->base + offset, &byte, 1, MEMORY_RAW);
    return byte;
}

/* A chip that may not change: the command ends at once, with its error bit. */
static bool refused(struct pflash *pflash, uint8_t error)
{
    if (!pflash->config.read_only)
        return false;
    pflash->status |= error;
    bus_complain_once(pflash->bus, &pflash->said_read_only, pflash->config.name,
                      "the guest programs or erases read-only flash");
    return true;
}

static void keep(struct pflash *pflash, uint64_t offset, const uint8_t *data, size_t length,
                 uint8_t error)
{
    const struct pflash_config *config = &pflash->config;

    if (config->store && !config->store(config->context, offset, data, length))
        pflash->status |= error;
}

static void program_byte(struct pflash *pflash, uint64_t offset, uint8_t value)
{
    struct memory *memory = pflash->bus->memory;
    uint8_t old;

    if (refused(pflash, STATUS_PROGRAM_ERROR) ||
        memory_read(memory, pflash->base + offset, &old, 1, MEMORY_RAW) != 0)
        return;
    old &= value;
    memory_write(memory, pflash->base + offset, &old, 1, MEMORY_RAW);
    keep(pflash, offset, &old, 1, STATUS_PROGRAM_ERROR);
}

static void erase_block(struct pflash *pflash, uint64_t offset)
{
    uint8_t blank[PFLASH_BLOCK];

    if (refused(pflash, STATUS_ERASE_ERROR))
        return;
    offset &= ~(uint64_t)(PFLASH_BLOCK - 1);
    memset(blank, 0xFF, sizeof(blank));
    memory_write(pflash->bus->memory, pflash->base + offset, blank, sizeof(blank), MEMORY_RAW);
    keep(pflash, offset, blank, sizeof(blank), STATUS_ERASE_ERROR);
}

static void sequence_error(struct pflash *pflash)
{
    pflash->status |= STATUS_PROGRAM_ERROR | STATUS_ERASE_ERROR;
    pflash->step = PFLASH_IDLE;
    bus_complain_once(pflash->bus, &pflash->said_sequence, pflash->config.name,
                      "a flash command is not confirmed");
}

static void command(struct pflash *pflash, uint8_t value)
{
    switch (value) {
    case CMD_PROGRAM:
    case CMD_PROGRAM_ALT:
        pflash->step = PFLASH_PROGRAM;
        set_mode(pflash, PFLASH_STATUS);
        break;
    case CMD_ERASE:
        pflash->step = PFLASH_ERASE;
        set_mode(pflash, PFLASH_STATUS);
        break;
    case CMD_BUFFER:
        pflash->step = PFLASH_BUFFER_COUNT;
        set_mode(pflash, PFLASH_STATUS);
        break;
    case CMD_LOCK:
        pflash->step = PFLASH_LOCK;
        set_mode(pflash, PFLASH_STATUS);
        break;
    case CMD_CLEAR_STATUS:
        pflash->status = 0;
        set_mode(pflash, PFLASH_ARRAY);
        break;
    case CMD_READ_STATUS:
        set_mode(pflash, PFLASH_STATUS);
        break;
    case CMD_READ_ID:
        set_mode(pflash, PFLASH_ID);
        break;
    case CMD_QUERY:
        set_mode(pflash, PFLASH_QUERY);
        break;
    case CMD_READ_ARRAY:
    case CMD_READ_ARRAY_AMD:
        set_mode(pflash, PFLASH_ARRAY);
        break;
    default: /* an unknown command leaves the chip readable */
        set_mode(pflash, PFLASH_ARRAY);
    }
}

static void buffer_start(struct pflash *pflash, uint64_t offset, uint8_t count)
{
    pflash->buffer_block = offset & ~(uint64_t)(PFLASH_BLOCK - 1);
    pflash->buffer_left = count + 1u;
    memset(pflash->buffer_used, 0, sizeof(pflash->buffer_used));
    pflash->step = PFLASH_BUFFER_DATA;
}

static void buffer_byte(struct pflash *pflash, uint64_t offset, uint8_t value)
{
    if (offset - pflash->buffer_block >= PFLASH_BLOCK) {
        sequence_error(pflash);
        return;
    }
    pflash->buffer[offset - pflash->buffer_block] = value;
    pflash->buffer_used[offset - pflash->buffer_block] = true;
    if (--pflash->buffer_left == 0)
        pflash->step = PFLASH_BUFFER_CONFIRM;
}

static void buffer_commit(struct pflash *pflash)
{
    for (unsigned i = 0; i < PFLASH_BLOCK; i++)
        if (pflash->buffer_used[i])
            program_byte(pflash, pflash->buffer_block + i, pflash->buffer[i]);
}

static void mmio_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct pflash *pflash = context;
    uint8_t byte = (uint8_t)value;
    enum pflash_step step = pflash->step;

    pflash->step = PFLASH_IDLE;
    if (step != PFLASH_IDLE || byte == CMD_BUFFER)
        pflash->status |= STATUS_READY;
    switch (step) {
    case PFLASH_IDLE:
        command(pflash, byte);
        break;
    case PFLASH_PROGRAM:
        program_byte(pflash, offset, byte);
        break;
    case PFLASH_ERASE:
        if (byte == CMD_CONFIRM)
            erase_block(pflash, offset);
        else if (byte == CMD_READ_ARRAY)
            set_mode(pflash, PFLASH_ARRAY);
        else
            sequence_error(pflash);
        break;
    case PFLASH_BUFFER_COUNT:
        buffer_start(pflash, offset, byte);
        break;
    case PFLASH_BUFFER_DATA:
        pflash->step = PFLASH_BUFFER_DATA;
        buffer_byte(pflash, offset, byte);
        break;
    case PFLASH_BUFFER_CONFIRM:
        if (byte == CMD_CONFIRM)
            buffer_commit(pflash);
        else
            sequence_error(pflash);
        break;
    case PFLASH_LOCK: /* lock bits are accepted; no block of this chip can be locked */
        if (byte != 0x01 && byte != CMD_CONFIRM)
            sequence_error(pflash);
        break;
    }
}

static void reset(void *context)
{
    struct pflash *pflash = context;

    pflash->step = PFLASH_IDLE;
    pflash->status = STATUS_READY;
    set_mode(pflash, PFLASH_ARRAY);
}

int pflash_init(struct pflash *pflash, struct bus *bus, const struct pflash_config *config)
{
    const struct bus_range range = { config->base, config->size, 1, mmio_read, mmio_write, pflash };

    memset(pflash, 0, sizeof(*pflash));
    pflash->bus = bus;
    pflash->config = *config;
    pflash->base = config->base;
    pflash->size = config->size;
    pflash->status = STATUS_READY;
    if (memory_add_rom(bus->memory, config->base, config->size, config->data) != 0)
        return -1;
    if (config->rom)
        return 0;
    bus_claim(bus, BUS_MMIO, &range);
    bus_on_reset(bus, reset, pflash);
    return 0;
}
