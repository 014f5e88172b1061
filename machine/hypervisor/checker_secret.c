/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The rule about secrets in shared memory. Shared pages are looked at when it costs little and
 * means something: what a device reads, a page that turns private again, all shared pages in the
 * end; and what goes out through ports and MMIO registers. Bytes that were in shared memory only
 * in between are not seen.
 */
#include <stdlib.h>
#include <string.h>

#include "machine/hypervisor/checker_rules.h"
#include "machine/hypervisor/guest.h"

#define PAGE          MEMORY_PAGE_SIZE
#define OVERLAP       (CHECK_SECRET_PIECE - 1)
#define NAME_LAUNCH   CHECK_MAX_SECRETS

/* --- what is secret ------------------------------------------------------------------------- */

/* The range as its processors see it, where it is private now; false if it is not. */
static bool read_private(struct checker *checker, uint64_t gpa, uint8_t *data, size_t length)
{
    memory_view asid = checker->guest->config.asid;
    return memory_current_view(checker->memory, gpa) == asid &&
           memory_read(checker->memory, gpa, data, length, asid) == 0;
}

/* Adds what a range of --secret-range holds now, page by page. */
static void learn_range(struct checker *checker, unsigned number)
{
    uint64_t gpa = checker->config.secrets[number].gpa;
    uint64_t end = gpa + checker->config.secrets[number].size;
    uint8_t data[OVERLAP + PAGE];
    size_t kept = 0; /* bytes of the page before, so that no piece is cut */
    while (gpa < end) {
        size_t room = PAGE - gpa % PAGE, piece = end - gpa < room ? end - gpa : room;
        if (!read_private(checker, gpa, data + kept, piece)) {
            kept = 0;
        } else {
            check_secret_add(checker->secret, number, data, kept + piece);
            size_t keep = kept + piece < OVERLAP ? kept + piece : OVERLAP;
            memmove(data, data + kept + piece - keep, keep);
            kept = keep;
        }
        gpa += piece;
    }
}

static void learn_ranges(struct checker *checker)
{
    for (unsigned n = 0; n < checker->config.secret_count; n++)
        learn_range(checker, n);
}

/*
 * Entries of the table that guest owners inject (as Linux's efi_secret reads it): GUID, length,
 * data. Only the data is secret. Something else than a table is secret as a whole.
 */
static void learn_table(struct checker *checker, const uint8_t *data, size_t length)
{
    static const uint8_t guid[16] = { 0x42, 0xf5, 0x74, 0x1e, 0xdd, 0x71, 0x66, 0x4d,
                                      0x96, 0x3e, 0xef, 0x42, 0x87, 0xff, 0x17, 0x3b };
    uint32_t total = 0, entry;
    if (length >= 20)
        memcpy(&total, data + 16, sizeof(total));
    if (length < 20 || memcmp(data, guid, sizeof(guid)) != 0 || total > length) {
        check_secret_add(checker->secret, NAME_LAUNCH, data, length);
        return;
    }
    for (size_t at = 20; at + 20 <= total; at += entry) {
        memcpy(&entry, data + at + 16, sizeof(entry));
        if (entry < 20 || entry > total - at)
            return;
        check_secret_add(checker->secret, NAME_LAUNCH, data + at + 20, entry - 20);
    }
}

static void learn_launch(struct checker *checker)
{
    const struct guest *guest = checker->guest;
    size_t length = guest->secret_size;
    uint8_t *data = length ? malloc(length) : NULL;
    if (data && memory_read(checker->memory, guest->secret_gpa, data, length,
                            guest->config.asid) == 0)
        learn_table(checker, data, length);
    free(data);
}

void checker_secret_start(struct checker *checker)
{
    if (!checker_wants(checker, CHECK_SECRET_LEAK))
        return;
    learn_launch(checker);
    learn_ranges(checker);
    checker->has_secrets = checker->config.secret_count || !check_secret_empty(checker->secret);
}

/* --- where it must not be ------------------------------------------------------------------- */

static void report(struct checker *checker, const struct checker_at *at,
                   const struct check_secret_match *match, const char *how)
{
    if (match->name == NAME_LAUNCH)
        checker_report(checker, CHECK_SECRET_LEAK, at,
                       "16 bytes of the launch secret (from %zu on) %s: expected them in private "
                       "memory only", match->offset, how);
    else
        checker_report(checker, CHECK_SECRET_LEAK, at,
                       "16 bytes of the secret range at 0x%llx %s: expected them in private "
                       "memory only",
                       (unsigned long long)checker->config.secrets[match->name].gpa, how);
}

/* Looks at [gpa, gpa + length) of one page that is stored as the host sees it. */
static void look(struct checker *checker, const struct checker_at *at, uint64_t gpa, size_t length,
                 const char *how)
{
    uint8_t data[PAGE];
    struct check_secret_match match;
    if (memory_read(checker->memory, gpa, data, length, MEMORY_RAW) != 0 ||
        !check_secret_find(checker->secret, data, length, &match))
        return;
    uint64_t found = gpa + match.at;
    const struct checker_at there = { at->cpu, at->rip, at->linear, &found };
    report(checker, &there, &match, how);
}

void checker_secret_dma(struct checker *checker, const char *how, uint64_t place, uint64_t gpa,
                        size_t length)
{
    uint64_t page = gpa & ~(uint64_t)(PAGE - 1);
    const struct checker_at at = { NULL, place, NULL, NULL };
    if (!checker->has_secrets || memory_current_view(checker->memory, gpa) != MEMORY_RAW)
        return;
    learn_ranges(checker);
    /* A piece may begin before the buffer: drivers hand pages out in parts. */
    uint64_t from = gpa - page < OVERLAP ? page : gpa - OVERLAP;
    uint64_t to = gpa + length + OVERLAP > page + PAGE ? page + PAGE : gpa + length + OVERLAP;
    look(checker, &at, from, to - from, how);
}

void checker_secret_page(struct checker *checker, const struct checker_at *at, uint64_t gpa)
{
    gpa &= ~(uint64_t)(PAGE - 1);
    if (!checker->has_secrets || memory_current_view(checker->memory, gpa) != MEMORY_RAW ||
        !check_pages_shared(checker->pages, gpa))
        return;
    learn_ranges(checker);
    look(checker, at, gpa, PAGE, "were in shared memory that becomes private now");
}

void checker_secret_end(struct checker *checker)
{
    uint64_t base, size;
    if (!checker->has_secrets)
        return;
    learn_ranges(checker);
    for (unsigned range = 0; memory_ram_range(checker->memory, range, &base, &size); range++) {
        for (uint64_t gpa = base; gpa < base + size; gpa += PAGE) {
            const struct checker_at at = { NULL, gpa, NULL, NULL };
            if (memory_touched(checker->memory, gpa) &&
                memory_current_view(checker->memory, gpa) == MEMORY_RAW)
                look(checker, &at, gpa, PAGE, "are in shared memory in the end");
        }
    }
}

/* Bytes that went out through one port or register, one after the other. */
static void output(struct checker_cpu *watch, const struct checker_at *at, uint64_t place,
                   uint64_t value, unsigned size)
{
    struct checker *checker = watch->checker;
    struct checker_output *out = &checker->outputs[place % CHECKER_OUTPUTS];
    struct check_secret_match match;
    if (out->place != place)
        *out = (struct checker_output){ .place = place };
    for (unsigned n = 0; n < size && n < 8; n++) {
        memmove(out->bytes, out->bytes + 1, CHECK_SECRET_PIECE - 1);
        out->bytes[CHECK_SECRET_PIECE - 1] = (uint8_t)(value >> (8 * n));
        out->count++;
        if (out->count >= CHECK_SECRET_PIECE &&
            check_secret_find(checker->secret, out->bytes, CHECK_SECRET_PIECE, &match))
            report(checker, at, &match, "went out through a port or a device register");
    }
}

void rule_port(void *context, struct cpu *cpu, uint64_t rip, unsigned port, unsigned size,
               uint64_t value, bool write)
{
    struct checker_cpu *watch = context;
    const struct checker_at at = { watch, rip, NULL, NULL };
    if (write && watch->checker->has_secrets)
        output(watch, &at, port, value, size);
}

void checker_secret_mmio(struct checker_cpu *watch, const struct cpu_mmio *mmio)
{
    const struct checker_at at = { watch, mmio->rip, mmio->by_request ? NULL : &mmio->linear,
                                   &mmio->gpa };
    if (mmio->write && watch->checker->has_secrets)
        output(watch, &at, mmio->gpa, mmio->value, mmio->size);
}
