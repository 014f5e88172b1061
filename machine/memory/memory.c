/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Regions of DRAM and ROM, the view each page is stored in, and copies through a view.
 *
 * A region is one anonymous mapping plus one byte of flags and the view per page. Regions are few
 * (a handful for a PC), so finding one is a short search that starts at the last hit.
 */
#include "machine/memory/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/memory/engine.h"

#define MAX_REGIONS   64u
#define PAGE_MASK     ((uint64_t)MEMORY_PAGE_SIZE - 1)
#define MAX_SHADOW_PAGES 64u
#define ADDRESS_LIMIT ((uint64_t)1 << 52)

#define FRESH_PAGES 16u /* that the host is asked for at a time */

enum page_flag {
    PAGE_TOUCHED = 1, /* someone asked for it */
    PAGE_CODE = 2,    /* decoded instructions exist */
    PAGE_WATCHED = 8, /* stores are to be seen one by one */
    PAGE_EXPOSED = 4, /* a host pointer was given out since the last notice to the listener */
    PAGE_PRESENT = 16, /* the host was asked for it */
};

struct region {
    uint64_t gpa, size;
    uint8_t *host;
    memory_view *views;
    uint8_t *flags;
    bool rom;
    bool readable;
    bool borrowed; /* host, views and flags are those of the shadow's RAM or ROM */
};

/* RAM and ROM at the same addresses; the table of regions holds runs of pages of either. */
struct shadow {
    struct region ram, rom; /* the ROM ends where the RAM does */
    uint8_t *route;         /* a page each: enum memory_route */
};

struct memory {
    struct engine *engine;
    struct region regions[MAX_REGIONS]; /* in address order */
    unsigned region_count;
    unsigned last; /* index of the region found last */
    struct shadow shadow; /* ram.size 0: none */
    memory_listener *listener;
    void *listener_context;
    memory_view_listener *view_listener; /* NULL: none */
    void *view_listener_context;
    struct memory_statistics statistics; /* shared_pages is counted on demand */
};

struct memory *memory_create(const uint8_t seed[32])
{
    struct memory *memory = calloc(1, sizeof(*memory));
    if (!memory)
        return NULL;
    memory->engine = engine_create(seed);
    if (!memory->engine) {
        free(memory);
        return NULL;
    }
    return memory;
}

static void release_region(struct region *region)
{
    if (region->borrowed)
        return;
    if (region->host)
        munmap(region->host, region->size);
    free(region->views);
    free(region->flags);
}

void memory_destroy(struct memory *memory)
{
    if (!memory)
        return;
    for (unsigned i = 0; i < memory->region_count; i++)
        release_region(&memory->regions[i]);
    release_region(&memory->shadow.ram);
    release_region(&memory->shadow.rom);
    free(memory->shadow.route);
    engine_destroy(memory->engine);
    free(memory);
}

static bool overlaps_existing(const struct memory *memory, uint64_t gpa, uint64_t size)
{
    for (unsigned i = 0; i < memory->region_count; i++) {
        const struct region *region = &memory->regions[i];
        if (gpa < region->gpa + region->size && region->gpa < gpa + size)
            return true;
    }
    return false;
}

static int allocate_region(struct region *region, uint64_t gpa, uint64_t size, bool rom)
{
    uint64_t pages = size / MEMORY_PAGE_SIZE;
    void *host = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *region = (struct region){.gpa = gpa, .size = size, .rom = rom, .readable = true};
    region->host = host == MAP_FAILED ? NULL : host;
    region->views = calloc(pages, sizeof(*region->views));
    region->flags = calloc(pages, sizeof(*region->flags));
    if (region->host && region->views && region->flags)
        return 0;
    release_region(region);
    errno = ENOMEM;
    return -1;
}

static bool may_add(const struct memory *memory, uint64_t gpa, uint64_t size)
{
    if (!((gpa | size) & PAGE_MASK) && size && size <= ADDRESS_LIMIT &&
        gpa <= ADDRESS_LIMIT - size && memory->region_count < MAX_REGIONS &&
        !overlaps_existing(memory, gpa, size))
        return true;
    errno = EINVAL;
    return false;
}

static struct region *insert_region(struct memory *memory, const struct region *region)
{
    unsigned at = memory->region_count;
    while (at > 0 && memory->regions[at - 1].gpa > region->gpa) {
        memory->regions[at] = memory->regions[at - 1];
        at--;
    }
    memory->regions[at] = *region;
    memory->region_count++;
    memory->last = 0;
    return &memory->regions[at];
}

/* Allocates a region and puts it in its place; NULL with errno on failure. */
static struct region *add_region(struct memory *memory, uint64_t gpa, uint64_t size, bool rom)
{
    struct region region;
    if (!may_add(memory, gpa, size) || allocate_region(&region, gpa, size, rom))
        return NULL;
    return insert_region(memory, &region);
}

int memory_add_ram(struct memory *memory, uint64_t gpa, uint64_t size)
{
    return add_region(memory, gpa, size, false) ? 0 : -1;
}

int memory_add_rom(struct memory *memory, uint64_t gpa, uint64_t size, const void *data)
{
    struct region *region = add_region(memory, gpa, size, true);
    if (!region)
        return -1;
    memcpy(region->host, data, size);
    return 0;
}

/* The part of a shadow's RAM or ROM that begins at `gpa`. */
static struct region borrow(const struct region *from, uint64_t gpa, uint64_t size)
{
    uint64_t offset = gpa - from->gpa;
    return (struct region){
        .gpa = gpa,
        .size = size,
        .host = from->host + offset,
        .views = from->views + offset / MEMORY_PAGE_SIZE,
        .flags = from->flags + offset / MEMORY_PAGE_SIZE,
        .rom = true,
        .readable = true,
        .borrowed = true,
    };
}

/* What a run of pages of one route is; below the ROM, pages that do not read RAM are nothing. */
static void insert_run(struct memory *memory, uint64_t gpa, uint64_t size, unsigned route)
{
    struct shadow *shadow = &memory->shadow;
    struct region region;
    if (!(route & MEMORY_ROUTE_READS) && gpa < shadow->rom.gpa)
        return;
    region = borrow(route & MEMORY_ROUTE_READS ? &shadow->ram : &shadow->rom, gpa, size);
    region.rom = route != (MEMORY_ROUTE_READS | MEMORY_ROUTE_WRITES);
    insert_region(memory, &region);
}

static unsigned shadow_route(const struct shadow *shadow, uint64_t gpa)
{
    return shadow->route[(gpa - shadow->ram.gpa) / MEMORY_PAGE_SIZE];
}

/* Runs of pages of the same route, none across the beginning of the ROM. */
static void insert_runs(struct memory *memory)
{
    const struct shadow *shadow = &memory->shadow;
    uint64_t gpa = shadow->ram.gpa, end = gpa + shadow->ram.size;
    while (gpa < end) {
        unsigned route = shadow_route(shadow, gpa);
        uint64_t next = gpa + MEMORY_PAGE_SIZE;
        while (next < end && next != shadow->rom.gpa && shadow_route(shadow, next) == route)
            next += MEMORY_PAGE_SIZE;
        insert_run(memory, gpa, next - gpa, route);
        gpa = next;
    }
}

static void remove_runs(struct memory *memory)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < memory->region_count; i++) {
        if (!memory->regions[i].borrowed)
            memory->regions[kept++] = memory->regions[i];
    }
    memset(&memory->regions[kept], 0, (memory->region_count - kept) * sizeof(struct region));
    memory->region_count = kept;
    memory->last = 0;
}

int memory_add_shadow(struct memory *memory, uint64_t gpa, uint64_t size, const void *rom,
                      uint64_t rom_size)
{
    struct shadow *shadow = &memory->shadow;
    if (shadow->ram.size || rom_size > size || rom_size & PAGE_MASK ||
        size / MEMORY_PAGE_SIZE > MAX_SHADOW_PAGES || !may_add(memory, gpa, size)) {
        errno = EINVAL;
        return -1;
    }
    if (allocate_region(&shadow->ram, gpa, size, false))
        return -1;
    shadow->route = calloc(size / MEMORY_PAGE_SIZE, 1);
    shadow->rom.gpa = gpa + size - rom_size;
    if (!shadow->route ||
        (rom_size && allocate_region(&shadow->rom, shadow->rom.gpa, rom_size, true))) {
        release_region(&shadow->ram);
        free(shadow->route);
        memset(shadow, 0, sizeof(*shadow));
        errno = ENOMEM;
        return -1;
    }
    if (rom_size)
        memcpy(shadow->rom.host, rom, rom_size);
    insert_runs(memory);
    return 0;
}

void memory_route(struct memory *memory, uint64_t gpa, uint64_t size, unsigned route)
{
    struct shadow *shadow = &memory->shadow;
    uint64_t offset = gpa - shadow->ram.gpa;
    bool changes = false;
    if (offset >= shadow->ram.size || size > shadow->ram.size - offset)
        return;
    for (uint64_t page = 0; page < size / MEMORY_PAGE_SIZE; page++) {
        if (shadow->route[offset / MEMORY_PAGE_SIZE + page] == route)
            continue;
        changes = true;
        if (memory->listener) /* while the page is what the listener knows */
            memory->listener(memory->listener_context, gpa + page * MEMORY_PAGE_SIZE);
    }
    if (!changes)
        return;
    remove_runs(memory);
    memset(shadow->route + offset / MEMORY_PAGE_SIZE, (int)route, size / MEMORY_PAGE_SIZE);
    insert_runs(memory);
}

static bool region_contains(const struct region *region, uint64_t gpa)
{
    return gpa - region->gpa < region->size; /* unsigned: false below the region as well */
}

static const struct region *find_region(const struct memory *memory, uint64_t gpa)
{
    for (unsigned i = 0; i < memory->region_count; i++) {
        if (region_contains(&memory->regions[i], gpa))
            return &memory->regions[i];
    }
    return NULL;
}

static struct region *find_region_cached(struct memory *memory, uint64_t gpa)
{
    struct region *last = &memory->regions[memory->last];
    if (region_contains(last, gpa)) /* an unused slot has size 0 and contains nothing */
        return last;
    const struct region *found = find_region(memory, gpa);
    if (!found)
        return NULL;
    memory->last = (unsigned)(found - memory->regions);
    return &memory->regions[memory->last];
}

static uint64_t page_index(const struct region *region, uint64_t gpa)
{
    return (gpa - region->gpa) / MEMORY_PAGE_SIZE;
}

static void notify(struct memory *memory, struct region *region, uint64_t page)
{
    region->flags[page] &= (uint8_t)~PAGE_EXPOSED;
    if (memory->listener)
        memory->listener(memory->listener_context, region->gpa + page * MEMORY_PAGE_SIZE);
}

/* Records the page's new view; the bytes are the caller's business. */
static void set_view(struct memory *memory, struct region *region, uint64_t page, memory_view view)
{
    if (region->views[page] == MEMORY_RAW)
        memory->statistics.private_pages++;
    if (view == MEMORY_RAW)
        memory->statistics.private_pages--;
    memory_view old = region->views[page];
    region->views[page] = view;
    memory->statistics.conversions++;
    if (__builtin_expect(memory->view_listener != NULL, 0))
        memory->view_listener(memory->view_listener_context,
                              region->gpa + page * MEMORY_PAGE_SIZE, old, view);
}

static void crypt_page(struct memory *memory, struct region *region, uint64_t page,
                       memory_view asid, bool encrypt)
{
    engine_crypt(memory->engine, asid, encrypt, region->gpa + page * MEMORY_PAGE_SIZE,
                 region->host + page * MEMORY_PAGE_SIZE, MEMORY_PAGE_SIZE);
    memory->statistics.encrypted_bytes += MEMORY_PAGE_SIZE;
}

/*
 * Asks the host for the pages around one that is used for the first time: a fault for each would
 * cost more than the guest's use of it. Where the host cannot, they come one by one.
 */
static void populate(struct region *region, uint64_t page)
{
    if (region->flags[page] & PAGE_PRESENT)
        return;
    uint64_t first = page / FRESH_PAGES * FRESH_PAGES;
    uint64_t end = region->size / MEMORY_PAGE_SIZE;
    if (end > first + FRESH_PAGES)
        end = first + FRESH_PAGES;
    for (uint64_t each = first; each < end; each++)
        region->flags[each] |= PAGE_PRESENT;
    madvise(region->host + first * MEMORY_PAGE_SIZE, (end - first) * MEMORY_PAGE_SIZE,
            MADV_POPULATE_WRITE);
}

/* Brings a page into `view`; false if that view has no key. */
static bool convert(struct memory *memory, struct region *region, uint64_t page, memory_view view)
{
    memory_view old = region->views[page];
    populate(region, page);
    if (old == view)
        return true;
    if (view != MEMORY_RAW && !engine_has_key(memory->engine, view))
        return false;
    if (region->flags[page] & (PAGE_EXPOSED | PAGE_CODE))
        notify(memory, region, page);
    if (old != MEMORY_RAW)
        crypt_page(memory, region, page, old, true);
    if (view != MEMORY_RAW)
        crypt_page(memory, region, page, view, false);
    set_view(memory, region, page, view);
    return true;
}

void memory_write_shadow(struct memory *memory, uint64_t gpa, const void *data, size_t length)
{
    struct shadow *shadow = &memory->shadow;
    const uint8_t *from = data;
    for (; length; length--, gpa++, from++) {
        uint64_t offset = gpa - shadow->ram.gpa;
        /* What also reads RAM is not here: its writes do not come to the device. */
        if (offset < shadow->ram.size && shadow_route(shadow, gpa) == MEMORY_ROUTE_WRITES &&
            convert(memory, &shadow->ram, offset / MEMORY_PAGE_SIZE, MEMORY_RAW))
            shadow->ram.host[offset] = *from;
    }
}

void memory_rom_readable(struct memory *memory, uint64_t gpa, uint64_t size, bool readable)
{
    struct region *region = find_region_cached(memory, gpa);
    if (!region || !region->rom || region->readable == readable)
        return;
    region->readable = readable;
    uint64_t end = page_index(region, gpa) + size / MEMORY_PAGE_SIZE;
    for (uint64_t page = page_index(region, gpa);
         page < end && page < region->size / MEMORY_PAGE_SIZE; page++) {
        /* Only pages somebody holds: programming flash switches often (30,000 times a boot). */
        if (region->flags[page] & (PAGE_EXPOSED | PAGE_CODE))
            notify(memory, region, page);
    }
}

void memory_set_listener(struct memory *memory, memory_listener *listener, void *context)
{
    memory->listener = listener;
    memory->listener_context = context;
}

void memory_set_view_listener(struct memory *memory, memory_view_listener *listener,
                              void *context)
{
    memory->view_listener = listener;
    memory->view_listener_context = context;
}

/* What an old key protects goes back to DRAM as ciphertext before the key is gone. */
static void lock_away(struct memory *memory, struct region *region, memory_view asid)
{
    for (uint64_t page = 0; page < region->size / MEMORY_PAGE_SIZE; page++) {
        if (region->views[page] == asid)
            convert(memory, region, page, MEMORY_RAW);
    }
}

void memory_set_key(struct memory *memory, memory_view asid, const uint8_t *key)
{
    if (asid == MEMORY_RAW || asid > MEMORY_MAX_ASID)
        return;
    for (unsigned i = 0; i < memory->region_count; i++)
        lock_away(memory, &memory->regions[i], asid);
    lock_away(memory, &memory->shadow.ram, asid);
    lock_away(memory, &memory->shadow.rom, asid);
    engine_set_key(memory->engine, asid, key);
}

enum memory_kind memory_page_kind(const struct memory *memory, uint64_t gpa)
{
    const struct region *region = find_region(memory, gpa);
    if (!region || !region->readable)
        return MEMORY_NONE;
    return region->rom ? MEMORY_ROM : MEMORY_RAM;
}

uint8_t *memory_page(struct memory *memory, uint64_t gpa, memory_view view)
{
    struct region *region = find_region_cached(memory, gpa);
    if (!region || !region->readable)
        return NULL;
    uint64_t page = page_index(region, gpa);
    if (!convert(memory, region, page, view))
        return NULL;
    region->flags[page] |= PAGE_TOUCHED | PAGE_EXPOSED;
    return region->host + page * MEMORY_PAGE_SIZE;
}

void memory_mark_code(struct memory *memory, uint64_t gpa, bool code)
{
    struct region *region = find_region_cached(memory, gpa);
    if (!region)
        return;
    uint8_t *flags = &region->flags[page_index(region, gpa)];
    *flags = (uint8_t)(code ? *flags | PAGE_CODE : *flags & ~PAGE_CODE);
}

bool memory_has_code(const struct memory *memory, uint64_t gpa)
{
    const struct region *region = find_region(memory, gpa);
    return region && region->flags[page_index(region, gpa)] & PAGE_CODE;
}

void memory_mark_watched(struct memory *memory, uint64_t gpa, bool watched)
{
    struct region *region = find_region_cached(memory, gpa);
    if (!region)
        return;
    uint8_t *flags = &region->flags[page_index(region, gpa)];
    *flags = (uint8_t)(watched ? *flags | PAGE_WATCHED : *flags & ~PAGE_WATCHED);
}

bool memory_is_watched(const struct memory *memory, uint64_t gpa)
{
    const struct region *region = find_region(memory, gpa);
    return region && region->flags[page_index(region, gpa)] & PAGE_WATCHED;
}

static bool range_is_memory(const struct memory *memory, uint64_t gpa, size_t length)
{
    if (gpa > ADDRESS_LIMIT || length > ADDRESS_LIMIT - gpa)
        return false;
    for (uint64_t end = gpa + length; gpa < end;) {
        const struct region *region = find_region(memory, gpa);
        if (!region)
            return false;
        gpa = region->gpa + region->size;
    }
    return true;
}

static bool view_usable(const struct memory *memory, memory_view view)
{
    return view == MEMORY_RAW || engine_has_key(memory->engine, view);
}

/* One step of a copy: the bytes of [gpa, gpa + length) in its first page. */
struct piece {
    struct region *region;
    uint64_t page;
    uint8_t *host;
    size_t length;
};

static struct piece next_piece(struct memory *memory, uint64_t gpa, size_t length)
{
    struct piece piece = {.region = find_region_cached(memory, gpa)};
    size_t room = MEMORY_PAGE_SIZE - (gpa & PAGE_MASK);
    piece.page = page_index(piece.region, gpa);
    piece.host = piece.region->host + (gpa - piece.region->gpa);
    piece.length = length < room ? length : room;
    piece.region->flags[piece.page] |= PAGE_TOUCHED;
    return piece;
}

int memory_read(struct memory *memory, uint64_t gpa, void *data, size_t length, memory_view view)
{
    uint8_t *to = data;
    if (!range_is_memory(memory, gpa, length) || !view_usable(memory, view))
        return -1;
    while (length) {
        struct piece piece = next_piece(memory, gpa, length);
        convert(memory, piece.region, piece.page, view);
        memcpy(to, piece.host, piece.length);
        to += piece.length;
        gpa += piece.length;
        length -= piece.length;
    }
    return 0;
}

int memory_write(struct memory *memory, uint64_t gpa, const void *data, size_t length,
                 memory_view view)
{
    const uint8_t *from = data;
    if (!range_is_memory(memory, gpa, length) || !view_usable(memory, view))
        return -1;
    while (length) {
        struct piece piece = next_piece(memory, gpa, length);
        convert(memory, piece.region, piece.page, view);
        if (piece.region->flags[piece.page] & PAGE_CODE)
            notify(memory, piece.region, piece.page);
        memcpy(piece.host, from, piece.length);
        from += piece.length;
        gpa += piece.length;
        length -= piece.length;
    }
    return 0;
}

int memory_encrypt_in_place(struct memory *memory, uint64_t gpa, size_t length, memory_view asid)
{
    if ((gpa | length) & 15 || asid == MEMORY_RAW || !view_usable(memory, asid) ||
        !range_is_memory(memory, gpa, length))
        return -1;
    while (length) {
        struct piece piece = next_piece(memory, gpa, length);
        convert(memory, piece.region, piece.page, MEMORY_RAW);
        if (piece.region->flags[piece.page] & (PAGE_EXPOSED | PAGE_CODE))
            notify(memory, piece.region, piece.page);
        if (piece.length == MEMORY_PAGE_SIZE) {
            /* What was raw is now the plaintext: only the name of the view changes. */
            set_view(memory, piece.region, piece.page, asid);
        } else {
            engine_crypt(memory->engine, asid, true, gpa, piece.host, piece.length);
            memory->statistics.encrypted_bytes += piece.length;
        }
        gpa += piece.length;
        length -= piece.length;
    }
    return 0;
}

int memory_crypt_host(struct memory *memory, memory_view asid, bool encrypt, uint64_t address,
                      void *data, size_t length)
{
    uint8_t *at = data;
    if ((address | length) & 15 || asid == MEMORY_RAW || !view_usable(memory, asid))
        return -1;
    memory->statistics.encrypted_bytes += length;
    while (length) {
        size_t room = MEMORY_PAGE_SIZE - (address & PAGE_MASK);
        size_t part = length < room ? length : room;
        engine_crypt(memory->engine, asid, encrypt, address, at, part);
        at += part;
        address += part;
        length -= part;
    }
    return 0;
}

memory_view memory_current_view(const struct memory *memory, uint64_t gpa)
{
    const struct region *region = find_region(memory, gpa);
    return region ? region->views[page_index(region, gpa)] : MEMORY_RAW;
}

bool memory_touched(const struct memory *memory, uint64_t gpa)
{
    const struct region *region = find_region(memory, gpa);
    return region && region->flags[page_index(region, gpa)] & PAGE_TOUCHED;
}

void memory_get_statistics(const struct memory *memory, struct memory_statistics *ret)
{
    *ret = memory->statistics;
    for (unsigned i = 0; i < memory->region_count; i++) {
        const struct region *region = &memory->regions[i];
        for (uint64_t page = 0; page < region->size / MEMORY_PAGE_SIZE; page++)
            ret->shared_pages +=
                region->views[page] == MEMORY_RAW && region->flags[page] & PAGE_TOUCHED;
    }
}

bool memory_ram_range(const struct memory *memory, unsigned index, uint64_t *gpa, uint64_t *size)
{
    for (unsigned i = 0; i < memory->region_count; i++) {
        const struct region *region = &memory->regions[i];
        if (region->rom || index-- > 0)
            continue;
        *gpa = region->gpa;
        *size = region->size;
        return true;
    }
    return false;
}
