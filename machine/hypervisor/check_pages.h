/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Who wrote what, and what may be in a cache: the checker's record of guest memory.
 *
 * A page has one owner as long as everything in it was written through one view. When it is used
 * through the other view as well, each block of 16 bytes (the engine's unit) has an owner of its
 * own, until one view owns all of them again. Reading a block through the view that does not own it
 * yields ciphertext or garbage; writing it is how a page changes sides, and is fine.
 *
 * For chips without coherency between views (APM 2 7.10.6) the record also says through which view
 * lines of the page may be cached and which of them were flushed since.
 */
#ifndef PRIVET_MACHINE_CHECK_PAGES_H
#define PRIVET_MACHINE_CHECK_PAGES_H

#include "machine/memory/memory.h"

enum page_owner {
    OWNER_NONE,    /* never written: reading it is the guest's business */
    OWNER_PRIVATE,
    OWNER_SHARED,  /* by a processor, with C clear */
    OWNER_DEVICE,  /* by a device: this and the numbers above it say which */
    OWNER_LAST = 255,
};

struct check_pages;

struct page_verdict {
    bool foreign;         /* a block that was read belongs to the other view */
    uint8_t owner;        /* of the first such block */
    uint64_t gpa;         /* its first byte that was asked for */
    bool stale;           /* the page was used through the other view and not flushed since */
    unsigned stale_lines; /* how many of its 64 lines were not */
    bool settled;         /* one owner: the view's own accesses need not be watched */
    bool written;         /* the page has an owner at all */
};

/* `memory` says what a page is stored as when it is first asked about. NULL: out of memory. */
struct check_pages *check_pages_create(const struct memory *memory);
void check_pages_destroy(struct check_pages *pages);

/*
 * A processor touches [gpa, gpa + length) of one page; length 0 touches nothing and only asks
 * whether the page is settled for this view.
 */
void check_pages_access(struct check_pages *pages, unsigned processor, uint64_t gpa, size_t length,
                        bool write, bool private_view, struct page_verdict *ret);

/* What a read by the processor itself (a fetch, a page walk) would find. Changes nothing. */
void check_pages_look(struct check_pages *pages, uint64_t gpa, size_t length, bool private_view,
                      struct page_verdict *ret);

/* A device touches [gpa, gpa + length) of one page; `owner` is OWNER_DEVICE or above. */
void check_pages_device(struct check_pages *pages, uint64_t gpa, size_t length, bool write,
                        uint8_t owner, struct page_verdict *ret);

/* CLFLUSH of a line through a view; WBINVD of a processor. */
void check_pages_flush_line(struct check_pages *pages, uint64_t gpa, bool private_view);
void check_pages_flush_all(struct check_pages *pages, unsigned processor);

/* Is a page written through the shared view, whole or in part? For the sweep at the end. */
bool check_pages_shared(struct check_pages *pages, uint64_t gpa);

#endif
