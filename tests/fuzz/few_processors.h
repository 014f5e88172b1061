/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Included before any source of fuzz_owner_mismatch: the search tries each number of processors, which
 * with all of them is a second of SHA-256.
 */
#ifndef PRIVET_FUZZ_FEW_PROCESSORS_H
#define PRIVET_FUZZ_FEW_PROCESSORS_H

#include "owner/measure.h"

#undef OWNER_PROCESSORS
#define OWNER_PROCESSORS 6u

#endif
