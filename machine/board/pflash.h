/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A parallel flash chip below 4 GiB: CFI with the Intel command set, 4 KiB blocks. Its content
 * lives in `memory` as ROM, so that array reads and execution cost nothing and the launch can
 * encrypt it in place; only commands arrive here.
 */
#ifndef PRIVET_MACHINE_BOARD_PFLASH_H
#define PRIVET_MACHINE_BOARD_PFLASH_H

#include "machine/devices/bus.h"

#define PFLASH_BLOCK 4096u

enum pflash_mode { PFLASH_ARRAY, PFLASH_STATUS, PFLASH_ID, PFLASH_QUERY };
enum pflash_step { PFLASH_IDLE, PFLASH_PROGRAM, PFLASH_ERASE, PFLASH_BUFFER_COUNT,
                   PFLASH_BUFFER_DATA, PFLASH_BUFFER_CONFIRM, PFLASH_LOCK };

/*
 * Called with what a command has just put at `offset`, as DRAM holds it. false: it could not be
 * kept, which the guest sees as a failed command.
 */
typedef bool pflash_store(void *context, uint64_t offset, const uint8_t *data, size_t length);

struct pflash_config {
    uint64_t base, size;
    const uint8_t *data; /* copied into memory */
    const char *name;    /* in notices; stays with the caller */
    bool read_only;      /* commands are answered; program and erase report an error */
    bool rom;            /* no commands at all: writes are lost */
    pflash_store *store; /* NULL: changes stay in memory */
    void *context;
};

struct pflash {
    struct bus *bus;
    struct pflash_config config;
    uint64_t base, size;
    enum pflash_mode mode;
    enum pflash_step step;
    uint8_t status;
    bool said_sequence, said_read_only;
    uint64_t buffer_block;
    unsigned buffer_left;
    bool buffer_used[PFLASH_BLOCK];
    uint8_t buffer[PFLASH_BLOCK];
};

/* Puts the chip on the bus. 0, or -1 with errno as memory_add_rom. */
int pflash_init(struct pflash *pflash, struct bus *bus, const struct pflash_config *config);

#endif
