/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Timers and the keyboard controller of the board behind a bus, driven by hostile bytes.
 */
#ifndef PRIVET_TESTS_TIMERS_HARNESS_H
#define PRIVET_TESTS_TIMERS_HARNESS_H

#include <stddef.h>
#include <stdint.h>

/*
 * HPET, TCO watchdog, keyboard controller and 8254: each operation is an access of any size, a step of
 * time or a reset. Returns how many interrupts came; aborts if a moment of time
 * brings interrupts without end.
 */
uint64_t timers_harness_run(const uint8_t *data, size_t size);

#endif
