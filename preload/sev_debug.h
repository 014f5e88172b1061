/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * KVM_SEV_DBG_DECRYPT and KVM_SEV_DBG_ENCRYPT at any address and of any length (linux:
 * arch/x86/kvm/svm/sev.c, sev_dbg_crypt), of which the chip does whole blocks. As exchange.h.
 */
#ifndef PRIVET_PRELOAD_SEV_DEBUG_H
#define PRIVET_PRELOAD_SEV_DEBUG_H

#include "preload/exchange.h"

int sev_debug_decrypt(struct exchange *x);
int sev_debug_encrypt(struct exchange *x);

#endif
