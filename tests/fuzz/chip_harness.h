/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Chips for fuzz targets: one identity, made once in a folder that is removed at the end. */
#ifndef PRIVET_TESTS_FUZZ_CHIP_HARNESS_H
#define PRIVET_TESTS_FUZZ_CHIP_HARNESS_H

#include "machine/chip/chip.h"

#define CHIP_HARNESS_ASIDS 20u

/* Once; aborts where a chip cannot be made, as the others do. */
void chip_harness_start(void);
/* Memory with `ram` bytes from 0; 0: empty. */
struct memory *chip_harness_memory(uint64_t ram);
/* Deterministic, with the store that it had at first; ASIDs below `first_asid` are SEV-ES guests'. */
struct chip *chip_harness_open(struct memory *memory, unsigned first_asid);
/* With what the folder has now, ASIDs for plain guests. NULL: refused, in a line that says why. */
struct chip *chip_harness_try(struct memory *memory);
const char *chip_harness_folder(void);

#endif
