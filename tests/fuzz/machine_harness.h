/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A machine that runs hostile bytes for a bounded number of instructions. */
#ifndef PRIVET_TESTS_MACHINE_HARNESS_H
#define PRIVET_TESTS_MACHINE_HARNESS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Byte 0 chooses the mode (real, protected, long; with and without SEV, at CPL 0 or 3), the rest is
 * code, descriptor tables, page tables and stack at once. Returns the instructions that ran.
 */
uint64_t machine_harness_run(const uint8_t *data, size_t size);

/*
 * The same with breakpoints of the host where `seed` says (0: none), over which the run goes on.
 * The guest must not notice: *ret_digest is of its registers at the end, or 0 if it ran until the
 * limit.
 */
void machine_harness_watch(const uint8_t *data, size_t size, uint64_t seed, uint64_t *ret_digest);

#endif
