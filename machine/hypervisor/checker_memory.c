/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Rules about who may read what: processors through the two views, devices through the raw one,
 * code and page tables, which are private whatever their mapping says (APM 2 15.34.5).
 */
#include <stdio.h>

#include "machine/hypervisor/checker_rules.h"
#include "machine/hypervisor/guest.h"

const char *checker_view(bool private_view)
{
    return private_view ? "private (C=1)" : "shared (C=0)";
}

/* "virtio-blk queue 0", or who else wrote. */
static const char *owner_name(const struct checker *checker, uint8_t owner, char *text, size_t size)
{
    if (owner < OWNER_DEVICE)
        return checker_view(owner == OWNER_PRIVATE);
    unsigned actor = owner - OWNER_DEVICE;
    if (checker->actors[actor].queue < 0)
        snprintf(text, size, "%s", checker->actors[actor].name);
    else
        snprintf(text, size, "%s queue %d", checker->actors[actor].name,
                 checker->actors[actor].queue);
    return text;
}

/* --- processors ----------------------------------------------------------------------------- */

static void report_foreign(struct checker_cpu *watch, const struct cpu_access *access,
                           const struct page_verdict *verdict, bool private_view)
{
    struct checker *checker = watch->checker;
    const uint64_t linear = access->linear + (verdict->gpa - access->gpa);
    const struct checker_at at = { watch, access->rip, &linear, &verdict->gpa };
    char name[64];
    if (verdict->owner >= OWNER_DEVICE)
        checker_report(checker, CHECK_DMA_PRIVATE, &at,
                       "read as private (C=1) what the device %s wrote: expected a shared "
                       "buffer for it",
                       owner_name(checker, verdict->owner, name, sizeof(name)));
    else
        checker_report(checker, CHECK_CIPHERTEXT_READ, &at,
                       "read as %s what was last written as %s: expected the same C-bit, or a "
                       "write first",
                       checker_view(private_view), checker_view(!private_view));
}

static void report_stale(struct checker_cpu *watch, const struct cpu_access *access,
                         const struct page_verdict *verdict, bool private_view)
{
    const struct checker_at at = { watch, access->rip, &access->linear, &access->gpa };
    checker_report(watch->checker, CHECK_CACHE_STALE, &at,
                   "used as %s while %u of the page's 64 lines may still be cached as %s: "
                   "expected CLFLUSH of the page, or WBINVD, before the C-bit changes",
                   checker_view(private_view), verdict->stale_lines, checker_view(!private_view));
}

enum cpu_keep rule_accessed(void *context, struct cpu *cpu, const struct cpu_access *access)
{
    struct checker_cpu *watch = context;
    bool private_view = access->view != MEMORY_RAW;
    struct page_verdict verdict;
    checker_tlb_use(watch, access);
    if (!access->memory)
        return CPU_KEEP;
    if (private_view && watch->checker->has_secrets) {
        const struct checker_at at = { watch, access->rip, &access->linear, NULL };
        checker_secret_page(watch->checker, &at, access->gpa);
    }
    check_pages_access(watch->checker->pages, watch->number, access->gpa, access->size,
                       access->write, private_view, &verdict);
    if (verdict.foreign)
        report_foreign(watch, access, &verdict, private_view);
    if (verdict.stale)
        report_stale(watch, access, &verdict, private_view);
    if (!verdict.settled)
        return CPU_KEEP_NEVER;
    return verdict.written ? CPU_KEEP : CPU_KEEP_READ;
}

/* Only what is fetched first is looked at: the decoder reads on by itself. */
void rule_fetched(void *context, struct cpu *cpu, uint64_t linear, uint64_t gpa, memory_view leaf)
{
    struct checker_cpu *watch = context;
    const struct checker_at at = { watch, linear, &linear, &gpa };
    struct page_verdict verdict;
    char name[64];
    if (memory_page_kind(watch->checker->memory, gpa) == MEMORY_NONE)
        return;
    check_pages_look(watch->checker->pages, gpa, 1, true, &verdict);
    if (verdict.foreign)
        checker_report(watch->checker, CHECK_CIPHERTEXT_READ, &at,
                       "code is fetched as private (C=1), these bytes were last written %s%s: "
                       "expected code written as private",
                       verdict.owner >= OWNER_DEVICE ? "by the device " : "as ",
                       owner_name(watch->checker, verdict.owner, name, sizeof(name)));
    if (leaf == MEMORY_RAW)
        checker_report(watch->checker, CHECK_SHARED_CODE, &at,
                       "code fetched through a mapping with C=0: hardware fetches as private "
                       "all the same; expected C=1");
}

void rule_walked(void *context, struct cpu *cpu, uint64_t rip, uint64_t linear, uint64_t gpa,
                 unsigned size)
{
    struct checker_cpu *watch = context;
    const struct checker_at at = { watch, rip, &linear, &gpa };
    struct page_verdict verdict;
    char name[64];
    if (memory_page_kind(watch->checker->memory, gpa) == MEMORY_NONE)
        return;
    checker_watch_table(watch->checker, gpa);
    check_pages_look(watch->checker->pages, gpa, size, true, &verdict);
    if (verdict.foreign)
        checker_report(watch->checker, CHECK_SHARED_CODE, &at,
                       "the page walk reads a table entry as private (C=1) that was last written "
                       "%s%s: expected page tables written as private",
                       verdict.owner >= OWNER_DEVICE ? "by the device " : "as ",
                       owner_name(watch->checker, verdict.owner, name, sizeof(name)));
}

/* --- caches --------------------------------------------------------------------------------- */

void rule_line_flushed(void *context, struct cpu *cpu, uint64_t gpa, memory_view view)
{
    struct checker_cpu *watch = context;
    check_pages_flush_line(watch->checker->pages, gpa, view != MEMORY_RAW);
}

void rule_caches_flushed(void *context, struct cpu *cpu)
{
    struct checker_cpu *watch = context;
    check_pages_flush_all(watch->checker->pages, watch->number);
}

/* --- devices -------------------------------------------------------------------------------- */

/* The owner that stands for a device's queue; the last one when the table is full. */
static uint8_t actor(struct checker *checker, const char *device, int queue)
{
    for (unsigned n = 0; n < checker->actor_count; n++) {
        if (checker->actors[n].name == device && checker->actors[n].queue == queue)
            return (uint8_t)(OWNER_DEVICE + n);
    }
    if (checker->actor_count == CHECKER_MAX_ACTORS)
        return OWNER_LAST;
    checker->actors[checker->actor_count].name = device;
    checker->actors[checker->actor_count].queue = queue;
    return (uint8_t)(OWNER_DEVICE + checker->actor_count++);
}

void rule_dma(void *context, const char *device, int queue, uint64_t gpa, size_t length,
              bool write)
{
    struct checker *checker = context;
    uint8_t owner = actor(checker, device ? device : "a device", queue);
    char name[64];
    while (length) {
        size_t room = MEMORY_PAGE_SIZE - gpa % MEMORY_PAGE_SIZE;
        size_t piece = length < room ? length : room;
        struct page_verdict verdict;
        if (memory_page_kind(checker->memory, gpa) != MEMORY_RAM)
            return;
        check_pages_device(checker->pages, gpa, piece, write, owner, &verdict);
        const struct checker_at at = { NULL, owner, NULL, &verdict.gpa };
        if (verdict.foreign)
            checker_report(checker, CHECK_DMA_PRIVATE, &at,
                           "the device %s reads what was last written as private (C=1): it gets "
                           "ciphertext; expected shared memory",
                           owner_name(checker, owner, name, sizeof(name)));
        if (!write && checker->has_secrets) {
            char how[96];
            snprintf(how, sizeof(how), "are read by the device %s",
                     owner_name(checker, owner, name, sizeof(name)));
            checker_secret_dma(checker, how, owner, gpa, piece);
        }
        gpa += piece;
        length -= piece;
    }
}
