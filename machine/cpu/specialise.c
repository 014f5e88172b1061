/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Cheaper handlers for instructions whose neighbours are known. */
#include "machine/cpu/block.h"

void decode_specialise(struct block *block)
{
    (void)block;
}
