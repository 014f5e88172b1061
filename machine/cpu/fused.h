/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Fused pairs: an operation that sets the flags and the conditional branch behind it, done as one
 * step; private to machine/cpu. The instructions stay two in the block: counts, faults and addresses
 * are those of the pair, and the flags are left as the pair leaves them.
 */
#ifndef PRIVET_MACHINE_CPU_FUSED_H
#define PRIVET_MACHINE_CPU_FUSED_H

#include "machine/cpu/insn.h"

/* Once, before any decoding (again is harmless): which form takes part. */
void fused_initialise(void);

/*
 * What can stand for `first` when `branch` follows it in the same block: does both and leaves the
 * block. NULL: nothing, they run one by one.
 */
operation *fused_pair(const struct insn *first, const struct insn *branch);

#endif
