/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Privet's processor is one of AMD's. Hosts of other makers differ from it by design in a few places;
 * there, and on such hosts only, the differential tests leave the outcome open.
 */
#ifndef PRIVET_TESTS_CPU_VENDOR_H
#define PRIVET_TESTS_CPU_VENDOR_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/cpu/case.h"

/* Is the host's processor not one of AMD's (or of Hygon's, which are AMD's)? */
bool vendor_is_other(void);

/* Do another maker's vector and ours differ by design? Nothing else of the case can be compared. */
bool vendor_leaves_vector(const struct test_case *test, const struct outcome *native,
                          const struct outcome *ours);
/* Takes over from ours what another maker's processor may have otherwise, the vector being equal. */
void vendor_adjust(const struct test_case *test, struct outcome *native,
                   const struct outcome *ours);
/*
 * DPPS, DPPD: which of several NaNs comes out. Each number of `width` bytes that is one in both becomes
 * what it is in `ours`.
 */
void vendor_take_nans(uint8_t *native, const uint8_t *ours, size_t size, size_t width);

#endif
