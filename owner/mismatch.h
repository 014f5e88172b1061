/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Why a reported measurement is not the expected one. A measurement says nothing but "equal" or
 * "different", so each usual mistake is computed anew: up to one in what was measured, together with
 * up to one in the platform's values and one in the keys. What fits is certain: it is a MAC.
 */
#ifndef PRIVET_OWNER_MISMATCH_H
#define PRIVET_OWNER_MISMATCH_H

#include "owner/measure.h"

#define OWNER_REASON_SIZE 512u

/* What the owner expected, and what was reported. */
struct owner_claim {
    const struct owner_guest *guest;
    struct owner_blob variables; /* the image of the variable store, which is not measured; may be
                                    absent */
    const uint8_t *tik;          /* OWNER_KEY_SIZE bytes; NULL: no session */
    const uint8_t *tek;          /* the same; NULL: not known */
    const uint8_t *reported;     /* measure, then nonce */
};

/* False: none of the mistakes fits. Else `reason` is a sentence without quotes or user's text. */
bool owner_mismatch_find(const struct owner_claim *claim, char reason[OWNER_REASON_SIZE]);

#endif
