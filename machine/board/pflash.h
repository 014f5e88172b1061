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

struct pflash {
    struct bus *bus;
    uint64_t base, size;
    bool locked; /* commands are ignored: a ROM */
    enum pflash_mode mode;
    enum pflash_step step;
    uint8_t status;
    uint64_t buffer_block;
    unsigned buffer_left;
    bool buffer_used[PFLASH_BLOCK];
    uint8_t buffer[PFLASH_BLOCK];
};

/* `data` is copied into memory as ROM at `base`. 0, or -1 with errno as memory_add_rom. */
int pflash_init(struct pflash *pflash, struct bus *bus, uint64_t base, uint64_t size,
                const uint8_t *data, bool locked);

#endif
