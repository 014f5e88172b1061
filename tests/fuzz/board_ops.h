/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A hostile driver of the whole board: bytes become port, MMIO and configuration accesses, requests
 * in memory, MSR accesses, time and resets.
 */
#ifndef PRIVET_TESTS_BOARD_OPS_H
#define PRIVET_TESTS_BOARD_OPS_H

#include <stddef.h>
#include <stdint.h>

/* Makes a board, does what the bytes say, takes it apart. Returns the number of accesses. */
unsigned board_ops_run(const uint8_t *data, size_t size);

#endif
