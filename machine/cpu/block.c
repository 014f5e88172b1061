/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The cache of decoded blocks: by physical address and mode key, with the jump cache and the links
 * in front. Stores to pages with code are checked at a grain of 64 bytes, then block by block.
 */
#include <stdlib.h>
#include <string.h>

#include "machine/cpu/block.h"
#include "machine/cpu/fused.h"
#include "machine/cpu/lean.h"
#include "machine/cpu/mmu.h"
#include "machine/cpu/trace.h"

#define HASH_BITS   16
#define PAGES_MAX   16384u
#define PAGE_HASH   16384u
#define ARENA_BYTES (48u << 20)
#define GRAIN_SHIFT 6

/* A physical page that holds decoded code. */
struct block_page {
    uint64_t gpa;
    uint64_t grains; /* bit per 64 bytes that live blocks cover (a superset) */
    struct block *blocks;
    uint32_t next; /* in its hash bucket, plus one */
};

struct block_store {
    struct block **hash;
    struct block_page *pages; /* pool */
    uint32_t *page_hash;      /* first page of the bucket, plus one */
    uint32_t pages_used;
    uint8_t *arena;
    size_t arena_used;
    struct cpu *members; /* the processors that share it, by block_cache.next */
    bool execute_armed;  /* one of them has a breakpoint on execution, */
    bool data_armed;     /* on data */
    bool traced;         /* one of them traces instructions */
    operation **originals; /* of traced instructions, by place in the arena; NULL: never traced */
};

static void store_destroy(struct block_store *store)
{
    free(store->hash);
    free(store->pages);
    free(store->page_hash);
    free(store->arena);
    free(store->originals);
    free(store);
}

static struct block_store *store_create(void)
{
    struct block_store *store = calloc(1, sizeof(*store));
    if (!store)
        return NULL;
    store->hash = calloc(1u << HASH_BITS, sizeof(*store->hash));
    store->pages = calloc(PAGES_MAX, sizeof(*store->pages));
    store->page_hash = calloc(PAGE_HASH, sizeof(*store->page_hash));
    store->arena = malloc(ARENA_BYTES);
    if (store->hash && store->pages && store->page_hash && store->arena)
        return store;
    store_destroy(store);
    return NULL;
}

bool blocks_create(struct cpu *cpu, struct cpu *sibling)
{
    struct block_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return false;
    cache->generation = 1;
    cache->store = sibling ? sibling->blocks->store : store_create();
    if (!cache->store) {
        free(cache);
        return false;
    }
    cache->next = cache->store->members;
    cache->store->members = cpu;
    cpu->blocks = cache;
    return true;
}

void blocks_destroy(struct cpu *cpu)
{
    struct block_cache *cache = cpu->blocks;
    if (!cache)
        return;
    struct cpu **at = &cache->store->members;
    while (*at != cpu)
        at = &(*at)->blocks->next;
    *at = cache->next;
    if (!cache->store->members)
        store_destroy(cache->store);
    free(cache);
    cpu->blocks = NULL;
}

static unsigned page_bucket(uint64_t gpa)
{
    return (unsigned)((gpa >> 12) ^ (gpa >> 26)) & (PAGE_HASH - 1);
}

static unsigned block_bucket(uint64_t gpa, uint32_t mode)
{
    uint64_t key = (gpa ^ (uint64_t)mode << 40) * 0x9E3779B97F4A7C15ull;
    return (unsigned)(key >> (64 - HASH_BITS));
}

static struct block_page *page_find(const struct block_store *store, uint64_t gpa)
{
    gpa &= ~PAGE_OFFSET;
    for (uint32_t k = store->page_hash[page_bucket(gpa)]; k; k = store->pages[k - 1].next) {
        if (store->pages[k - 1].gpa == gpa)
            return &store->pages[k - 1];
    }
    return NULL;
}

/* The pool was checked for room by the caller. */
static struct block_page *page_get(struct cpu *cpu, uint64_t gpa)
{
    struct block_store *store = cpu->blocks->store;
    gpa &= ~PAGE_OFFSET;
    struct block_page *page = page_find(store, gpa);
    if (!page) {
        page = &store->pages[store->pages_used++];
        *page = (struct block_page){ .gpa = gpa, .next = store->page_hash[page_bucket(gpa)] };
        store->page_hash[page_bucket(gpa)] = store->pages_used;
    }
    if (!page->blocks) {
        memory_mark_code(cpu->memory, gpa, true);
        for (struct cpu *other = store->members; other; other = other->blocks->next)
            mmu_watch_page(other, gpa);
    }
    return page;
}

void blocks_flush(struct cpu *cpu)
{
    struct block_store *store = cpu->blocks->store;
    for (uint32_t k = 0; k < store->pages_used; k++)
        memory_mark_code(cpu->memory, store->pages[k].gpa, false);
    memset(store->hash, 0, sizeof(*store->hash) << HASH_BITS);
    memset(store->page_hash, 0, sizeof(*store->page_hash) * PAGE_HASH);
    store->pages_used = 0;
    store->arena_used = 0;
    store->execute_armed = store->data_armed = store->traced = false;
    for (struct cpu *member = store->members; member; member = member->blocks->next) {
        member->blocks->generation++;
        store->execute_armed |= member->watch.execute_armed;
        store->data_armed |= member->watch.data_armed;
        store->traced |= member->traces_instructions;
    }
}

/* Instructions do not overlap, so each has an index of its own. */
static size_t original_index(const struct block_store *store, const struct insn *i)
{
    return (size_t)((const uint8_t *)i - store->arena) / sizeof(struct insn);
}

bool blocks_keep_originals(struct cpu *cpu)
{
    struct block_store *store = cpu->blocks->store;
    if (!store->originals)
        store->originals =
            calloc(ARENA_BYTES / sizeof(struct insn) + 1, sizeof(*store->originals));
    return store->originals;
}

operation *blocks_original(const struct cpu *cpu, const struct insn *i)
{
    const struct block_store *store = cpu->blocks->store;
    return store->originals[original_index(store, i)];
}

/* Some processor has a breakpoint at this offset of a page. */
static bool must_check(const struct block_store *store, uint64_t offset)
{
    if (!store->execute_armed)
        return false;
    for (const struct cpu *member = store->members; member; member = member->blocks->next) {
        if (breakpoints_at_offset(member, offset))
            return true;
    }
    return false;
}

void blocks_flush_virtual(struct cpu *cpu)
{
    if (cpu->blocks)
        cpu->blocks->generation++;
}

void blocks_link(struct block *from, unsigned which, struct block *to)
{
    bool flat = (from->mode & MODE_64) || (~from->mode & (MODE_FLAT | MODE_CODE32)) == 0;
    if (from->dead || from->mode != to->mode || !flat || ~from->gpa_second || ~to->gpa_second ||
        ((from->gpa ^ to->gpa) & ~PAGE_OFFSET))
        return;
    from->link[which] = to;
}

/* Takes a block out of the lookup and makes every way into it or on through it lead back. */
static void block_kill(struct cpu *cpu, struct block *block)
{
    if (block->dead)
        return;
    block->dead = true;
    for (unsigned k = 0; k < block->count; k++)
        block->insn[k].fn = run_stale;
    block->insn[block->count].fn = run_stale;
    struct block **at = &cpu->blocks->store->hash[block_bucket(block->gpa, block->mode)];
    while (*at != block)
        at = &(*at)->hash_next;
    *at = block->hash_next;
}

/* Which of its two pages the block covers on `page`: an index into page_next. */
static unsigned page_index(const struct block *block, const struct block_page *page)
{
    return (block->gpa & ~PAGE_OFFSET) == page->gpa ? 0 : 1;
}

void blocks_end_running(struct cpu *cpu)
{
    block_kill(cpu, cpu->block);
}

/* Range of the block inside the page, as offsets. */
static void block_range(const struct block *block, unsigned index, unsigned *first, unsigned *end)
{
    unsigned start = (unsigned)(block->gpa & PAGE_OFFSET);
    *first = index ? 0 : start;
    *end = index ? start + block->bytes - PAGE_SIZE : start + block->bytes;
    if (*end > PAGE_SIZE)
        *end = PAGE_SIZE;
}

static uint64_t grain_mask(unsigned first, unsigned end)
{
    unsigned low = first >> GRAIN_SHIFT, high = (end - 1) >> GRAIN_SHIFT;
    return ~0ull >> (63 - high) & ~0ull << low;
}

/* Kills the blocks of a page that overlap [first, end); true if one of them was running. */
static bool page_kill(struct cpu *cpu, struct block_page *page, unsigned first, unsigned end)
{
    bool running = false;
    struct block **at = &page->blocks;
    uint64_t grains = 0;
    while (*at) {
        struct block *block = *at;
        unsigned index = page_index(block, page), from, to;
        block_range(block, index, &from, &to);
        if (!block->dead && (to <= first || from >= end)) {
            grains |= grain_mask(from, to);
            at = &block->page_next[index];
            continue;
        }
        running |= block == cpu->block;
        block_kill(cpu, block);
        *at = block->page_next[index];
    }
    page->grains = grains;
    if (!page->blocks)
        memory_mark_code(cpu->memory, page->gpa, false);
    return running;
}

void blocks_invalidate_page(struct cpu *cpu, uint64_t gpa)
{
    struct block_page *page = cpu->blocks ? page_find(cpu->blocks->store, gpa) : NULL;
    if (page && page->blocks)
        page_kill(cpu, page, 0, PAGE_SIZE);
}

bool blocks_store(struct cpu *cpu, uint64_t gpa, unsigned size)
{
    struct block_page *page = page_find(cpu->blocks->store, gpa);
    unsigned first = (unsigned)(gpa & PAGE_OFFSET), end = first + size;
    if (end > PAGE_SIZE)
        end = PAGE_SIZE;
    if (!page || !page->blocks || !size || !(page->grains & grain_mask(first, end)))
        return false;
    return page_kill(cpu, page, first, end);
}

static void page_add(struct cpu *cpu, struct block *block, uint64_t gpa, unsigned index)
{
    struct block_page *page = page_get(cpu, gpa);
    unsigned first, end;
    block->page_next[index] = page->blocks;
    page->blocks = block;
    block_range(block, index, &first, &end);
    page->grains |= grain_mask(first, end);
}

/* Appends the operation that ends a block which does not end in a branch. */
static void block_finish(struct block *block, unsigned offset)
{
    block->insn[block->count] = (struct insn){
        .fn = run_continue, .ip = (uint8_t)offset, .base = REG_ZERO, .index = REG_ZERO,
        .imm = offset, .form = UINT16_MAX,
    };
}

/* The comparison before the branch at the end does the branch's work, too. */
static void block_fuse(struct block *block)
{
    if (block->count < 2)
        return;
    struct insn *branch = &block->insn[block->count - 1];
    operation *pair = fused_pair(branch - 1, branch);
    if (pair)
        branch[-1].fn = pair;
}

/* Each operation is told before it is done; pairs stay apart for that. */
static void block_trace(const struct block_store *store, struct block *block)
{
    for (struct insn *i = block->insn; i < block->insn + block->count; i++) {
        store->originals[original_index(store, i)] = i->fn;
        i->fn = run_traced;
    }
}

/* Puts quicker operations where they do the same: a trap on data comes between those of a pair. */
static void block_quicken(const struct block_store *store, struct block *block)
{
    if (!store->data_armed)
        block_fuse(block);
    for (unsigned k = 0; k < block->count; k++)
        block->insn[k].fn = lean_operation(&block->insn[k]);
}

/* An instruction that cannot be decoded: one that raises its fault takes its place. */
static void block_fault(struct insn *i, enum decode_status status)
{
    *i = (struct insn){ .fn = status == DECODE_UNDEFINED ? run_undefined : run_too_long,
                        .ip = i->ip, .length = i->length, .form = UINT16_MAX };
}

static bool insn_ends_block(const struct insn *i)
{
    return i->form == UINT16_MAX || (form_by_number(i->form)->attributes & FORM_ENDS_BLOCK);
}

/* An instruction that continues on the next page: a block of its own. */
static void decode_crossing(struct cpu *cpu, struct block *block, const uint8_t *code,
                            unsigned offset)
{
    uint8_t bytes[16];
    unsigned here = PAGE_SIZE - offset;
    uint64_t linear = cpu->rip + (cpu->mode & MODE_64 ? 0 : cpu->seg[CS].base) + here;
    memcpy(bytes, code + offset, here);
    uint64_t second = 0;
    const uint8_t *next = mmu_fetch_page(cpu, linear, &second);
    if (!next)
        cpu_unimplemented(cpu, NULL, "execution from device memory");
    memcpy(bytes + here, next, 15 - here);
    struct insn *i = &block->insn[0];
    i->ip = 0;
    enum decode_status status = decode_insn(cpu, bytes, 15, block->mode, i);
    if (status != DECODE_OK)
        block_fault(i, status == DECODE_MORE ? DECODE_TOO_LONG : status);
    if (i->length > here)
        block->gpa_second = second & ~PAGE_OFFSET;
    block->bytes = i->length;
}

static void decode_block(struct cpu *cpu, struct block *block, const uint8_t *code)
{
    unsigned offset = (unsigned)(block->gpa & PAGE_OFFSET), start = offset;
    unsigned most = block->mode & MODE_STEP ? 1 : BLOCK_INSNS;
    while (block->count < most && offset < PAGE_SIZE && offset - start <= BLOCK_BYTES) {
        if (block->count && must_check(cpu->blocks->store, offset))
            break;
        struct insn *i = &block->insn[block->count];
        i->ip = (uint8_t)(offset - start);
        enum decode_status status =
            decode_insn(cpu, code + offset, PAGE_SIZE - offset, block->mode, i);
        if (status == DECODE_MORE) {
            if (block->count)
                break;
            decode_crossing(cpu, block, code, offset);
            block->count = 1;
            break;
        }
        if (status != DECODE_OK)
            block_fault(i, status);
        block->count++;
        offset += i->length;
        block->bytes = (uint16_t)(offset - start);
        if (insn_ends_block(i))
            break;
    }
    block_finish(block, block->bytes);
    if (cpu->blocks->store->traced)
        block_trace(cpu->blocks->store, block);
    else
        block_quicken(cpu->blocks->store, block);
}

static struct block *block_new(struct cpu *cpu, const uint8_t *code, uint64_t gpa)
{
    struct block_store *store = cpu->blocks->store;
    size_t room = sizeof(struct block) + (BLOCK_INSNS + 1) * sizeof(struct insn);
    if (store->arena_used + room > ARENA_BYTES || store->pages_used + 2 > PAGES_MAX)
        blocks_flush(cpu);
    struct block *block = (struct block *)(void *)(store->arena + store->arena_used);
    *block = (struct block){ .gpa = gpa, .gpa_second = ~0ull, .mode = cpu->mode };
    decode_block(cpu, block, code);
    if (must_check(store, gpa)) {
        block->checked = block->insn[0].fn;
        block->insn[0].fn = run_check_breakpoint;
    }
    store->arena_used += sizeof(struct block) + (block->count + 1u) * sizeof(struct insn);
    unsigned bucket = block_bucket(gpa, block->mode);
    block->hash_next = store->hash[bucket];
    store->hash[bucket] = block;
    page_add(cpu, block, gpa, 0);
    if (~block->gpa_second)
        page_add(cpu, block, block->gpa_second, 1);
    return block;
}

/* A block that continues on a second page is right only if that page is still mapped there. */
static bool second_page_fits(struct cpu *cpu, const struct block *block, uint64_t linear)
{
    uint64_t gpa = 0;
    if (!~block->gpa_second)
        return true;
    if (!mmu_fetch_page(cpu, (linear & ~PAGE_OFFSET) + PAGE_SIZE, &gpa))
        return false;
    return (gpa & ~PAGE_OFFSET) == block->gpa_second;
}

struct block *blocks_find(struct cpu *cpu)
{
    struct block_cache *cache = cpu->blocks;
    uint64_t base = cpu->mode & MODE_64 ? 0 : cpu->seg[CS].base, gpa = 0;
    uint64_t linear = cpu->rip + base;
    if (cache->code_base != base || cache->code_limit != cpu->seg[CS].limit) {
        cache->code_base = base;
        cache->code_limit = cpu->seg[CS].limit;
        cache->generation++;
    }
    cpu->current = NULL;
    if (cpu->watch.execute_armed) /* before a fault of the fetch */
        breakpoints_execute(cpu, NULL, cpu->mode & MODE_64 ? linear : (uint32_t)linear);
    const uint8_t *code = mmu_fetch_page(cpu, linear, &gpa);
    if (!code)
        cpu_unimplemented(cpu, NULL, "execution from device memory");
    gpa = (gpa & ~PAGE_OFFSET) | (linear & PAGE_OFFSET);
    struct block *block = cache->store->hash[block_bucket(gpa, cpu->mode)];
    while (block && (block->gpa != gpa || block->mode != cpu->mode ||
                     !second_page_fits(cpu, block, linear)))
        block = block->hash_next;
    if (!block)
        block = block_new(cpu, code, gpa);
    struct jump_entry *entry = blocks_jump_entry(cache, cpu->rip);
    *entry = (struct jump_entry){ cpu->rip, blocks_jump_key(cpu, cache), block };
    return block;
}
