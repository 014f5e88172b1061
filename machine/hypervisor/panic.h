/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Did the guest's kernel panic? Two witnesses: the pvpanic device, and the lines that Linux writes
 * on a console,
 *     Kernel panic - not syncing: WHY            the panic
 *     ---[ end Kernel panic - not syncing: ...   it will not restart by itself
 * with printk's time stamp before them or not. Any program of the guest can write such a line: it
 * never ends a run by itself, only says what a reset, a halt or the second line mean.
 */
#ifndef PRIVET_MACHINE_PANIC_H
#define PRIVET_MACHINE_PANIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PANIC_LINE_SIZE 256
#define PANIC_CONSOLES  2

struct panic_watch {
    struct {
        char text[PANIC_LINE_SIZE];
        size_t length;
    } line[PANIC_CONSOLES];    /* being written, cut at the buffer's end */
    char why[PANIC_LINE_SIZE]; /* the panic's line; "" : none since power-on or reset */
    bool final;                /* the kernel said that it stays where it is */
};

enum panic_news { PANIC_NOTHING, PANIC_SEEN, PANIC_FINAL };

/* A character of console `index`. What it completes, if that is news. */
enum panic_news panic_character(struct panic_watch *watch, unsigned index, char c);

/* The guest starts again: what was seen is past. */
void panic_forget(struct panic_watch *watch);

#endif
