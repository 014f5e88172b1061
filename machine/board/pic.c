/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * 8259A pair: fully nested, rotating and special mask modes, automatic EOI, poll command.
 */
#include "machine/board/pic.h"

#include <string.h>

#define SLAVE_INPUT 2u
#define ELCR_MASTER 0xF8u /* inputs 0, 1 and 2 are always edge triggered */
#define ELCR_SLAVE  0xDEu /* 8 and 13 too */

enum { ICW1_START = 0x10, ICW1_LEVEL = 8, ICW1_SINGLE = 2, ICW1_NEEDS_4 = 1, OCW3 = 8 };

/* Distance from the input of highest priority of the first set bit, or 8. */
static unsigned best(const struct pic_chip *chip, uint8_t mask)
{
    unsigned rank;

    for (rank = 0; rank < 8; rank++)
        if (mask >> ((chip->lowest + 1 + rank) & 7) & 1)
            break;
    return rank;
}

static unsigned input_at(const struct pic_chip *chip, unsigned rank)
{
    return (chip->lowest + 1 + rank) & 7;
}

/* Input that the chip requests for, or -1. */
static int request(const struct pic_chip *chip)
{
    uint8_t in_service = chip->isr;
    unsigned rank = best(chip, chip->irr & (uint8_t)~chip->imr);

    if (chip->init_step || rank == 8)
        return -1;
    if (chip->special_mask)
        in_service &= (uint8_t)~chip->imr;
    if (chip->special_nested)
        in_service &= (uint8_t)~chip->cascade;
    return rank < best(chip, in_service) ? (int)input_at(chip, rank) : -1;
}

static void chip_line(struct pic_chip *chip, unsigned input, bool level)
{
    uint8_t bit = (uint8_t)(1u << input);
    bool rising = level && !(chip->line & bit);

    chip->line = level ? chip->line | bit : chip->line & (uint8_t)~bit;
    if (level && (rising || (chip->elcr & bit)))
        chip->irr |= bit;
    else if (!level && chip->elcr & bit)
        chip->irr &= (uint8_t)~bit; /* a request that goes away becomes a spurious one */
}

static void update(struct pic *pic)
{
    bool out;

    chip_line(&pic->chip[0], SLAVE_INPUT, request(&pic->chip[1]) >= 0);
    out = request(&pic->chip[0]) >= 0;
    if (out != pic->out) {
        pic->out = out;
        pic->output(pic->context, out);
    }
}

void pic_line(struct pic *pic, unsigned irq, bool level)
{
    if (irq == SLAVE_INPUT)
        return; /* the cascade: nothing else is wired there */
    chip_line(&pic->chip[irq / 8], irq % 8, level);
    update(pic);
}

bool pic_pending(const struct pic *pic)
{
    return pic->out;
}

static void chip_accept(struct pic_chip *chip, unsigned input)
{
    uint8_t bit = (uint8_t)(1u << input);

    if (!(chip->elcr & bit))
        chip->irr &= (uint8_t)~bit;
    if (!chip->auto_eoi)
        chip->isr |= bit;
    else if (chip->rotate_on_aeoi)
        chip->lowest = (uint8_t)input;
}

static uint8_t chip_acknowledge(struct pic_chip *chip)
{
    int input = request(chip);

    if (input < 0)
        return chip->vector_base | 7; /* spurious: no in-service bit (data sheet, IR7) */
    chip_accept(chip, (unsigned)input);
    return chip->vector_base | (uint8_t)input;
}

uint8_t pic_acknowledge(struct pic *pic)
{
    int input = request(&pic->chip[0]);
    uint8_t vector;

    if (input == (int)SLAVE_INPUT) {
        chip_accept(&pic->chip[0], SLAVE_INPUT);
        vector = chip_acknowledge(&pic->chip[1]);
        chip_line(&pic->chip[0], SLAVE_INPUT, false);
    } else {
        vector = chip_acknowledge(&pic->chip[0]);
    }
    update(pic);
    return vector;
}

static void write_icw1(struct pic_chip *chip, uint8_t value)
{
    chip->imr = chip->isr = chip->irr = 0;
    chip->lowest = 7;
    chip->auto_eoi = chip->rotate_on_aeoi = false;
    chip->special_mask = chip->special_nested = false;
    chip->read_isr = chip->poll = false;
    chip->single = value & ICW1_SINGLE;
    chip->init_needs_4 = value & ICW1_NEEDS_4;
    chip->init_step = 2;
}

/* OCW2: end of interrupt and rotation. */
static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
    bool rotate = value & 0x80, specific = value & 0x40, end = value & 0x20;
    unsigned rank = specific ? 0 : best(chip, chip->isr);
    unsigned input = specific ? value & 7u : input_at(chip, rank);

    if (!end && !specific) {
        chip->rotate_on_aeoi = rotate;
        return;
    }
    if (rank == 8)
        return;
    if (end)
        chip->isr &= (uint8_t) ~(1u << input);
    if (rotate)
        chip->lowest = (uint8_t)input;
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
    chip->poll = value & 4;
    if (value & 2)
        chip->read_isr = value & 1;
    if (value & 0x40)
        chip->special_mask = value & 0x20;
}

static void write_data(struct pic_chip *chip, uint8_t value)
{
    switch (chip->init_step) {
    case 2:
        chip->vector_base = value & 0xF8;
        chip->init_step = chip->single ? (chip->init_needs_4 ? 4 : 0) : 3;
        break;
    case 3: /* the wiring of the cascade is fixed */
        chip->init_step = chip->init_needs_4 ? 4 : 0;
        break;
    case 4:
        chip->special_nested = value & 0x10;
        chip->auto_eoi = value & 2;
        chip->init_step = 0;
        break;
    default:
        chip->imr = value;
    }
}


static uint64_t port_read(struct pic *pic, unsigned which, uint64_t offset)
{
    struct pic_chip *chip = &pic->chip[which];
    int input = request(chip);

    if (chip->poll) {
        chip->poll = false;
        if (input >= 0)
            chip_accept(chip, (unsigned)input);
        update(pic);
        return input < 0 ? 0 : 0x80u | (unsigned)input;
    }
    if (offset == 1)
        return chip->imr;
    return chip->read_isr ? chip->isr : chip->irr;
}

static void port_write(struct pic *pic, unsigned which, uint64_t offset, uint8_t value)
{
    struct pic_chip *chip = &pic->chip[which];

    if (offset == 1)
        write_data(chip, value);
    else if (value & ICW1_START)
        write_icw1(chip, value);
    else if (value & OCW3)
        write_ocw3(chip, value);
    else
        write_ocw2(chip, value);
    update(pic);
}

static uint64_t master_read(void *context, uint64_t offset, unsigned size)
{
    return port_read(context, 0, offset);
}

static void master_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    port_write(context, 0, offset, (uint8_t)value);
}

static uint64_t slave_read(void *context, uint64_t offset, unsigned size)
{
    return port_read(context, 1, offset);
}

static void slave_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    port_write(context, 1, offset, (uint8_t)value);
}

static uint64_t elcr_read(void *context, uint64_t offset, unsigned size)
{
    struct pic *pic = context;

    return pic->chip[offset].elcr;
}

static void elcr_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct pic *pic = context;

    pic->chip[offset].elcr = (uint8_t)(value & (offset ? ELCR_SLAVE : ELCR_MASTER));
    update(pic);
}

static void reset(void *context)
{
    struct pic *pic = context;

    for (unsigned i = 0; i < 2; i++) {
        uint8_t line = pic->chip[i].line;

        memset(&pic->chip[i], 0, sizeof(pic->chip[i]));
        pic->chip[i].line = line;
        pic->chip[i].lowest = 7;
        pic->chip[i].imr = 0xFF;
    }
    pic->chip[0].cascade = 1u << SLAVE_INPUT;
    update(pic);
}

void pic_init(struct pic *pic, struct bus *bus, void (*output)(void *context, bool level),
              void *context)
{
    const struct bus_range ranges[] = {
        { 0x20, 2, 1, master_read, master_write, pic },
        { 0xA0, 2, 1, slave_read, slave_write, pic },
        { 0x4D0, 2, 1, elcr_read, elcr_write, pic },
    };

    memset(pic, 0, sizeof(*pic));
    pic->output = output;
    pic->context = context;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        bus_claim(bus, BUS_PORTS, &ranges[i]);
    bus_on_reset(bus, reset, pic);
    reset(pic);
}
