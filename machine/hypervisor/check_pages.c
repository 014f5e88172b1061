/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The record of owners and cached lines: two levels of tables, filled as pages are touched. */
#include "machine/hypervisor/check_pages.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK         16u
#define BLOCKS        (MEMORY_PAGE_SIZE / BLOCK)
#define LINE          64u
#define CHUNK_PAGES   512u
#define CHUNK_COUNT   (1u << 19) /* 2 MiB each: 1 TiB */
#define PROCESSORS    64u

struct page {
    uint8_t *blocks;       /* owner of each block; NULL: all belong to `owner` */
    uint64_t lines;        /* that may be cached through `cached_private`'s view */
    uint64_t processors;   /* whose caches they may be in */
    uint64_t cached_at;    /* value of pages->flushes at the last access */
    uint8_t owner;
    bool known;
    bool cached_private;
};

struct chunk {
    struct page page[CHUNK_PAGES];
};

struct check_pages {
    const struct memory *memory;
    struct chunk **chunks;
    uint64_t flushes;                /* WBINVDs so far */
    uint64_t flushed_at[PROCESSORS]; /* ... at the last one of each processor */
};

struct check_pages *check_pages_create(const struct memory *memory)
{
    struct check_pages *pages = calloc(1, sizeof(*pages));
    if (!pages)
        return NULL;
    pages->memory = memory;
    pages->chunks = calloc(CHUNK_COUNT, sizeof(struct chunk *));
    if (pages->chunks)
        return pages;
    free(pages);
    return NULL;
}

void check_pages_destroy(struct check_pages *pages)
{
    if (!pages)
        return;
    for (unsigned c = 0; c < CHUNK_COUNT; c++) {
        for (unsigned p = 0; pages->chunks[c] && p < CHUNK_PAGES; p++)
            free(pages->chunks[c]->page[p].blocks);
        free(pages->chunks[c]);
    }
    free(pages->chunks);
    free(pages);
}

/* The record of a page. What it is stored as when it is first met, it was written as. */
static struct page *find(struct check_pages *pages, uint64_t gpa)
{
    uint64_t number = gpa / MEMORY_PAGE_SIZE;
    if (number / CHUNK_PAGES >= CHUNK_COUNT)
        return NULL;
    struct chunk **chunk = &pages->chunks[number / CHUNK_PAGES];
    if (!*chunk) { /* a guest may walk and point anywhere: only memory gets a record */
        if (memory_page_kind(pages->memory, gpa) == MEMORY_NONE)
            return NULL;
        *chunk = calloc(1, sizeof(**chunk));
        if (!*chunk)
            return NULL;
    }
    struct page *page = &(*chunk)->page[number % CHUNK_PAGES];
    if (!page->known) {
        page->known = true;
        if (memory_current_view(pages->memory, gpa) != MEMORY_RAW)
            page->owner = OWNER_PRIVATE;
    }
    return page;
}

static bool same_side(uint8_t owner, bool private_view)
{
    return owner == OWNER_NONE || (owner == OWNER_PRIVATE) == private_view;
}

static bool split(struct page *page)
{
    if (page->blocks)
        return true;
    page->blocks = malloc(BLOCKS);
    if (page->blocks)
        memset(page->blocks, page->owner, BLOCKS);
    return page->blocks;
}

/* One owner again? Blocks that nobody wrote go with the others. */
static void join(struct page *page)
{
    uint8_t owner = OWNER_NONE;
    for (unsigned b = 0; b < BLOCKS; b++) {
        if (page->blocks[b] == OWNER_NONE)
            continue;
        if (owner != OWNER_NONE && (owner == OWNER_PRIVATE) != (page->blocks[b] == OWNER_PRIVATE))
            return;
        owner = page->blocks[b];
    }
    free(page->blocks);
    page->blocks = NULL;
    page->owner = owner;
}

static void write_blocks(struct page *page, unsigned offset, size_t length, uint8_t owner)
{
    bool private_view = owner == OWNER_PRIVATE;
    if (!page->blocks && same_side(page->owner, private_view)) {
        page->owner = owner;
        return;
    }
    if (!split(page))
        return;
    unsigned first = offset / BLOCK, last = (offset + (unsigned)length - 1) / BLOCK;
    memset(page->blocks + first, owner, last - first + 1);
    join(page);
}

/* The first block of the range that belongs to the other side. */
static void read_blocks(const struct page *page, uint64_t gpa, size_t length, bool private_view,
                        struct page_verdict *ret)
{
    unsigned offset = gpa % MEMORY_PAGE_SIZE;
    unsigned first = offset / BLOCK, last = (offset + (unsigned)length - 1) / BLOCK;
    for (unsigned b = first; b <= last; b++) {
        uint8_t owner = page->blocks ? page->blocks[b] : page->owner;
        if (same_side(owner, private_view))
            continue;
        ret->foreign = true;
        ret->owner = owner;
        ret->gpa = b == first ? gpa : gpa - offset + b * BLOCK;
        return;
    }
}

/* --- caches --------------------------------------------------------------------------------- */

static bool all_flushed(const struct check_pages *pages, const struct page *page)
{
    for (unsigned n = 0; n < PROCESSORS; n++) {
        if (page->processors >> n & 1 && pages->flushed_at[n] <= page->cached_at)
            return false;
    }
    return true;
}

static void cache_access(struct check_pages *pages, struct page *page, unsigned processor,
                         bool private_view, struct page_verdict *ret)
{
    uint64_t bit = (uint64_t)1 << processor % PROCESSORS;
    if (page->lines && page->cached_private != private_view) {
        ret->stale = !all_flushed(pages, page);
        ret->stale_lines = (unsigned)__builtin_popcountll(page->lines);
        page->processors = 0;
    }
    page->processors |= bit;
    page->cached_private = private_view;
    page->lines = UINT64_MAX;
    page->cached_at = pages->flushes;
}

void check_pages_flush_line(struct check_pages *pages, uint64_t gpa, bool private_view)
{
    struct page *page = find(pages, gpa);
    if (page && page->cached_private == private_view)
        page->lines &= ~((uint64_t)1 << gpa % MEMORY_PAGE_SIZE / LINE);
}

void check_pages_flush_all(struct check_pages *pages, unsigned processor)
{
    pages->flushed_at[processor % PROCESSORS] = ++pages->flushes;
}

/* --- accesses ------------------------------------------------------------------------------- */

static void settle(const struct page *page, bool private_view, struct page_verdict *ret)
{
    ret->settled = !page->blocks && same_side(page->owner, private_view);
    ret->written = page->blocks || page->owner != OWNER_NONE;
}

void check_pages_access(struct check_pages *pages, unsigned processor, uint64_t gpa, size_t length,
                        bool write, bool private_view, struct page_verdict *ret)
{
    struct page *page = find(pages, gpa);
    *ret = (struct page_verdict){ .settled = true };
    if (!page)
        return;
    if (length) {
        cache_access(pages, page, processor, private_view, ret);
        if (write)
            write_blocks(page, gpa % MEMORY_PAGE_SIZE, length,
                         private_view ? OWNER_PRIVATE : OWNER_SHARED);
        else
            read_blocks(page, gpa, length, private_view, ret);
    }
    settle(page, private_view, ret);
}

void check_pages_look(struct check_pages *pages, uint64_t gpa, size_t length, bool private_view,
                      struct page_verdict *ret)
{
    const struct page *page = find(pages, gpa);
    *ret = (struct page_verdict){ .settled = true };
    if (!page)
        return;
    read_blocks(page, gpa, length, private_view, ret);
    settle(page, private_view, ret);
}

void check_pages_device(struct check_pages *pages, uint64_t gpa, size_t length, bool write,
                        uint8_t owner, struct page_verdict *ret)
{
    struct page *page = find(pages, gpa);
    *ret = (struct page_verdict){ .settled = true };
    if (!page || !length)
        return;
    if (write)
        write_blocks(page, gpa % MEMORY_PAGE_SIZE, length, owner);
    else
        read_blocks(page, gpa, length, false, ret);
    settle(page, false, ret);
}

bool check_pages_shared(struct check_pages *pages, uint64_t gpa)
{
    const struct page *page = find(pages, gpa);
    return page && (page->blocks || page->owner > OWNER_PRIVATE);
}
