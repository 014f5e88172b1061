/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The pair of 8259A interrupt controllers of the ICH9: master at 0x20, slave at 0xA0 on the
 * master's input 2, edge/level registers at 0x4D0. Intel 8259A data sheet.
 */
#ifndef PRIVET_MACHINE_BOARD_PIC_H
#define PRIVET_MACHINE_BOARD_PIC_H

#include "machine/devices/bus.h"

struct pic_chip {
    uint8_t line, irr, isr, imr, elcr;
    uint8_t vector_base;
    uint8_t lowest; /* input of lowest priority: 7 after initialisation */
    uint8_t init_step; /* next ICW expected: 2, 3, 4; 0: initialised */
    bool init_needs_4, single, auto_eoi, rotate_on_aeoi, special_mask, special_nested;
    bool read_isr, poll;
    uint8_t cascade; /* master: mask of slave inputs; slave: 0 */
};

struct pic {
    struct pic_chip chip[2];
    void (*output)(void *context, bool level); /* INTR of the master, told on each change */
    void *context;
    bool out;
};

void pic_init(struct pic *pic, struct bus *bus, void (*output)(void *context, bool level),
              void *context);
/* Input lines 0 to 15. */
void pic_line(struct pic *pic, unsigned irq, bool level);
bool pic_pending(const struct pic *pic);
/* The processor's acknowledge cycle: a vector, the spurious one if the request went away. */
uint8_t pic_acknowledge(struct pic *pic);

#endif
