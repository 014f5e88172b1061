/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A direct-mapped table by address and page size; flushes are generations. What another translation
 * pushes out of the table is forgotten, so a stale one may go unseen, but none is made up.
 */
#include "machine/hypervisor/check_tlb.h"

#include <stdlib.h>

#define SLOT_BITS 15
#define SLOTS     (1u << SLOT_BITS)
#define PCIDS     4096u

static const unsigned page_shifts[] = { 12, 21, 22, 30 };
#define SHIFTS (sizeof(page_shifts) / sizeof(page_shifts[0]))

struct slot {
    uint64_t page;    /* linear >> shift */
    uint64_t frame;   /* gpa >> shift */
    uint64_t rip;
    uint64_t all, part; /* generations: of everything, of not global ones */
    uint64_t context;   /* generation of its PCID */
    uint16_t pcid;
    uint8_t shift;      /* 0: empty */
    bool private_view, global;
};

struct check_tlb {
    struct slot slot[SLOTS];
    uint64_t all, part, context[PCIDS];
};

struct check_tlb *check_tlb_create(void)
{
    return calloc(1, sizeof(struct check_tlb));
}

void check_tlb_destroy(struct check_tlb *tlb)
{
    free(tlb);
}

static struct slot *slot_of(struct check_tlb *tlb, uint64_t page, unsigned shift)
{
    uint64_t hash = (page ^ (uint64_t)shift << 58) * 0x9E3779B97F4A7C15ull;
    return &tlb->slot[hash >> (64 - SLOT_BITS)];
}

static bool is_live(const struct check_tlb *tlb, const struct slot *slot, unsigned pcid)
{
    if (!slot->shift || slot->all != tlb->all)
        return false;
    return slot->global || (slot->part == tlb->part && slot->pcid == pcid &&
                            slot->context == tlb->context[pcid]);
}

/* The live translation of `linear` by a page of this size, or NULL. */
static struct slot *find(struct check_tlb *tlb, uint64_t linear, unsigned shift, unsigned pcid)
{
    struct slot *slot = slot_of(tlb, linear >> shift, shift);
    return slot->shift == shift && slot->page == linear >> shift && is_live(tlb, slot, pcid)
               ? slot
               : NULL;
}

bool check_tlb_use(struct check_tlb *tlb, const struct cpu_access *access, uint64_t *ret_rip)
{
    unsigned pcid = access->pcid % PCIDS, shift = access->page_shift;
    bool private_view = access->view != MEMORY_RAW, stale = false;
    for (size_t n = 0; n < SHIFTS; n++) {
        struct slot *slot = find(tlb, access->linear, page_shifts[n], pcid);
        if (!slot || slot->private_view == private_view)
            continue;
        unsigned smaller = shift < slot->shift ? shift : slot->shift;
        uint64_t offset = access->linear & (((uint64_t)1 << slot->shift) - 1);
        if (((slot->frame << slot->shift) + offset) >> smaller == access->gpa >> smaller) {
            stale = true;
            *ret_rip = slot->rip;
        }
        slot->shift = 0;
    }
    struct slot *slot = slot_of(tlb, access->linear >> shift, shift);
    if (slot->page == access->linear >> shift && slot->shift == shift &&
        is_live(tlb, slot, pcid) && slot->private_view == private_view)
        return stale;
    *slot = (struct slot){
        .page = access->linear >> shift, .frame = access->gpa >> shift, .rip = access->rip,
        .all = tlb->all, .part = tlb->part, .context = tlb->context[pcid],
        .pcid = (uint16_t)pcid, .shift = (uint8_t)shift, .private_view = private_view,
        .global = access->global,
    };
    return stale;
}

/* INVLPG drops global entries, too, and those of every size (APM 3, INVLPG). */
static void drop_page(struct check_tlb *tlb, uint64_t linear, unsigned pcid, bool global)
{
    for (size_t n = 0; n < SHIFTS; n++) {
        struct slot *slot = find(tlb, linear, page_shifts[n], pcid);
        if (slot && (global || !slot->global))
            slot->shift = 0;
    }
}

void check_tlb_flush(struct check_tlb *tlb, enum cpu_flush_kind kind, uint64_t value,
                     unsigned pcid)
{
    pcid %= PCIDS;
    switch (kind) {
    case CPU_FLUSH_PAGE:
        drop_page(tlb, value, pcid, true);
        break;
    case CPU_FLUSH_PCID_PAGE:
        drop_page(tlb, value, pcid, false);
        break;
    case CPU_FLUSH_CR3:
        if (!(value >> 63))
            tlb->context[pcid]++;
        break;
    case CPU_FLUSH_PCID:
        tlb->context[pcid]++;
        break;
    case CPU_FLUSH_NOT_GLOBAL:
        tlb->part++;
        break;
    case CPU_FLUSH_ALL:
        tlb->all++;
        break;
    }
}
