/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The rule about stale translations. A change of the C-bit in a table that a walk has used makes
 * the processors' software TLBs forget, so that the next use walks again and is compared with what
 * the hardware's TLB may still hold.
 */
#include <string.h>

#include "machine/hypervisor/checker_rules.h"
#include "machine/hypervisor/guest.h"

#define ENTRY_P 1ull

/* A page with so many stores since a walk used it is hardly a table any more: not watched. */
#define STORES_MAX 8192u

void checker_tlb_use(struct checker_cpu *watch, const struct cpu_access *access)
{
    bool private_view = access->view != MEMORY_RAW;
    const struct checker_at at = { watch, access->rip, &access->linear, &access->gpa };
    uint64_t rip;
    if (!access->paged || !check_tlb_use(watch->tlb, access, &rip))
        return;
    checker_report(watch->checker, CHECK_TLB_STALE, &at,
                   "used as %s while the TLB may hold it as %s since RIP 0x%llx: expected INVLPG, "
                   "or another flush, between the change of the C-bit and the use",
                   checker_view(private_view), checker_view(!private_view),
                   (unsigned long long)rip);
}

void rule_tlb_flushed(void *context, struct cpu *cpu, enum cpu_flush_kind kind, uint64_t value,
                      unsigned pcid)
{
    struct checker_cpu *watch = context;
    check_tlb_flush(watch->tlb, kind, value, pcid);
}

static struct checker_table *table_of(struct checker *checker, uint64_t gpa)
{
    uint64_t page = gpa / MEMORY_PAGE_SIZE;
    return &checker->tables[page * 0x9E3779B97F4A7C15ull >> (64 - CHECKER_TABLE_BITS)];
}

void checker_watch_table(struct checker *checker, uint64_t gpa)
{
    gpa &= ~(uint64_t)(MEMORY_PAGE_SIZE - 1);
    if (memory_is_watched(checker->memory, gpa))
        return;
    *table_of(checker, gpa) = (struct checker_table){ .gpa = gpa };
    for (unsigned n = 0; n < checker->cpu_count; n++)
        cpu_watch_stores(checker->cpus[n].cpu, gpa);
}

/* The 8 bytes around `gpa` as they were and as they are. */
static void entry_change(struct checker *checker, uint64_t gpa, const void *old, unsigned size,
                         uint64_t *ret_old, uint64_t *ret_new)
{
    uint64_t start = gpa & ~7ull;
    unsigned offset = (unsigned)(gpa - start), room = 8 - offset;
    uint8_t bytes[8];
    if (memory_read(checker->memory, start, bytes, sizeof(bytes),
                    memory_current_view(checker->memory, start)) != 0)
        memset(bytes, 0, sizeof(bytes));
    memcpy(ret_new, bytes, sizeof(bytes));
    memcpy(bytes + offset, old, size < room ? size : room);
    memcpy(ret_old, bytes, sizeof(bytes));
}

void rule_stored(void *context, struct cpu *cpu, uint64_t gpa, const void *old, unsigned size)
{
    struct checker_cpu *watch = context;
    struct checker *checker = watch->checker;
    uint64_t page = gpa & ~(uint64_t)(MEMORY_PAGE_SIZE - 1), before, after;
    struct checker_table *table = table_of(checker, page);
    if (table->gpa != page)
        *table = (struct checker_table){ .gpa = page };
    if (++table->stores > STORES_MAX) {
        memory_mark_watched(checker->memory, page, false);
        return;
    }
    entry_change(checker, gpa, old, size, &before, &after);
    if (!(before & after & ENTRY_P) ||
        !((before ^ after) >> checker->guest->config.c_bit & 1))
        return;
    for (unsigned n = 0; n < checker->cpu_count; n++)
        cpu_forget_translations(checker->cpus[n].cpu);
}
