/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's random numbers: one DRBG, seeded by the processor and mixed with what the host and
 * the clocks give. Without RDSEED and RDRAND it works in plain guests only, where the host may be
 * the source.
 */
#ifndef PRIVET_FIRMWARE_ENTROPY_H
#define PRIVET_FIRMWARE_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void entropy_init(void);
/*
 * A device of the host's that gives random bytes; called once with it, later only where the
 * processor has none. True: it was needed.
 */
bool entropy_add_host(bool (*read)(uint8_t *bytes, size_t size));
/* Is there a source that may be trusted as far as the host? */
bool entropy_available(void);
/*
 * Random bytes, from a DRBG that was seeded anew for this call, or with `direct` for each 32 bytes
 * of it. False: a source failed.
 */
bool entropy_fill(uint8_t *bytes, size_t size, bool direct);

#endif
