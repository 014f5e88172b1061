/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a processor's TLB may hold: every translation used since the last flush that covers it. The
 * hardware drops entries when it likes, so software may rely on neither their presence nor their
 * absence (APM 2 5.5); this record drops them only when it must.
 */
#ifndef PRIVET_MACHINE_CHECK_TLB_H
#define PRIVET_MACHINE_CHECK_TLB_H

#include "machine/cpu/observer.h"

struct check_tlb;

/* NULL: out of memory. */
struct check_tlb *check_tlb_create(void);
void check_tlb_destroy(struct check_tlb *tlb);

/*
 * A translation is used: true if the TLB may hold one of the same address to the same frame with
 * the other C-bit; *ret_rip is then where that was used first. It replaces what was there.
 */
bool check_tlb_use(struct check_tlb *tlb, const struct cpu_access *access, uint64_t *ret_rip);

/* As cpu_observer.tlb_flushed. */
void check_tlb_flush(struct check_tlb *tlb, enum cpu_flush_kind kind, uint64_t value,
                     unsigned pcid);

#endif
