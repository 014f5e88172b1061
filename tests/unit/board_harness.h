/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A board with processors that execute nothing: tests advance their instruction count and use the
 * callbacks that a processor would use.
 */
#ifndef PRIVET_TESTS_BOARD_HARNESS_H
#define PRIVET_TESTS_BOARD_HARNESS_H

#include "machine/board/board.h"

struct cpu {
    uint64_t instructions;
    bool interrupt;
    bool interrupts_off; /* RFLAGS.IF clear */
    unsigned kicks, nmis;
};

struct harness {
    struct board_config config;
    struct memory *memory;
    struct board *board;
    const struct cpu_io *io;
    struct cpu cpu;       /* processor 0 */
    struct cpu others[3]; /* and from 1 on, as many as the configuration asks for */
    uint8_t firmware[65536], variables[16384];
    char output[256];
    size_t output_length;
    char notice[512]; /* every line that the board told the host */
    unsigned stores;  /* of flash; the last one is described below */
    enum board_flash_unit stored_unit;
    uint64_t stored_offset;
    size_t stored_length;
    uint8_t stored_first;
    bool store_fails;
};

/* Everything with defaults: 64 MiB, one processor, both flash units filled with a pattern. */
struct harness *harness_create(void (*adjust)(struct harness *harness));
void harness_destroy(struct harness *harness);

uint32_t in(struct harness *harness, uint16_t port, unsigned size);
void out(struct harness *harness, uint16_t port, uint32_t value, unsigned size);
uint32_t config_read(struct harness *harness, unsigned devfn, unsigned offset, unsigned size);
void config_write(struct harness *harness, unsigned devfn, unsigned offset, uint32_t value,
                  unsigned size);
/* Idles and acknowledges: the vector, or -1 if nothing wakes the processor. */
int next_interrupt(struct harness *harness);

#endif
