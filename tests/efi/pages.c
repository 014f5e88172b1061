/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Pages and the memory map (UEFI 2.10 7.2.1 to 7.2.3). */
#include "tests/efi/conformance.h"

enum {
    LOADER_CODE = 1,
    LOADER_DATA = 2,
    BOOT_DATA = 4,
    RUNTIME_CODE = 5,
    RUNTIME_DATA = 6,
    CONVENTIONAL = 7
};

static void any_of_type(UINT32 type)
{
    EFI_PHYSICAL_ADDRESS page = 0;
    EFI_STATUS status = bs->AllocatePages(AllocateAnyPages, type, 1, &page);
    check_status(name_number("type", type), status);
    if (status == EFI_SUCCESS)
        check_status(name_number("type-free", type), bs->FreePages(page, 1));
}

static void arguments(void)
{
    static const UINT32 types[] = { 0,          1,          2,          3,         4,  5,
                                    6,          7,          8,          9,         10, 11,
                                    12,         13,         14,         15,        16, 0x6FFFFFFF,
                                    0x70000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF };
    EFI_PHYSICAL_ADDRESS page = 0;
    check_status("no-memory-pointer", bs->AllocatePages(AllocateAnyPages, BOOT_DATA, 1, NULL));
    check_status("bad-kind", bs->AllocatePages(MaxAllocateType, BOOT_DATA, 1, &page));
    check_status("bad-kind-far", bs->AllocatePages((EFI_ALLOCATE_TYPE)99, BOOT_DATA, 1, &page));
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        any_of_type(types[i]);
    check_status("too-many", bs->AllocatePages(AllocateAnyPages, BOOT_DATA, 1ull << 40, &page));
    check_status("far-too-many", bs->AllocatePages(AllocateAnyPages, BOOT_DATA, UINT64_MAX, &page));
    check_status("overflow", bs->AllocatePages(AllocateAnyPages, BOOT_DATA, 1ull << 52, &page));
}

static void at_address(void)
{
    EFI_PHYSICAL_ADDRESS base = 0, page;
    bs->AllocatePages(AllocateAnyPages, BOOT_DATA, 8, &base);
    page = base;
    check_status("address.taken", bs->AllocatePages(AllocateAddress, BOOT_DATA, 1, &page));
    bs->FreePages(base, 8);
    check_status("address.free", bs->AllocatePages(AllocateAddress, LOADER_DATA, 8, &page));
    check_true("address.same", page == base);
    check_status("address.partial-free", bs->FreePages(base + 4096, 2));
    page = base + 4096;
    check_status("address.hole", bs->AllocatePages(AllocateAddress, BOOT_DATA, 2, &page));
    page = base + 4096;
    check_status("address.overlap", bs->AllocatePages(AllocateAddress, BOOT_DATA, 1, &page));
    check_status("address.free-two-types", bs->FreePages(base, 8));
    bs->FreePages(base, 1);
    bs->FreePages(base + 4096, 2);
    bs->FreePages(base + 3 * 4096, 5);
    page = base + 1;
    check_status("address.unaligned", bs->AllocatePages(AllocateAddress, BOOT_DATA, 1, &page));
    page = 1ull << 50;
    check_status("address.beyond", bs->AllocatePages(AllocateAddress, BOOT_DATA, 1, &page));
    page = ~0xFFFull;
    check_status("address.last", bs->AllocatePages(AllocateAddress, BOOT_DATA, 1, &page));
    check_status("address.wrap", bs->AllocatePages(AllocateAddress, BOOT_DATA, 2, &page));
    page = 0xFEE00000;
    check_status("address.apic", bs->AllocatePages(AllocateAddress, BOOT_DATA, 1, &page));
}

static void below(void)
{
    static const EFI_PHYSICAL_ADDRESS limits[] = { 0, 0xFFE, 0xFFF, 0x9FFFF, 0xFFFFFF, 0xFFFFFFFF };
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        EFI_PHYSICAL_ADDRESS page = limits[i];
        EFI_STATUS status = bs->AllocatePages(AllocateMaxAddress, BOOT_DATA, 1, &page);
        check_status(name_number("below", limits[i]), status);
        if (status == EFI_SUCCESS) {
            check_true(name_number("below-kept", limits[i]), page + 4095 <= limits[i]);
            bs->FreePages(page, 1);
        }
    }
    EFI_PHYSICAL_ADDRESS page = 0x800123;
    EFI_STATUS status = bs->AllocatePages(AllocateMaxAddress, BOOT_DATA, 1, &page);
    check_status("below.unaligned", status);
    check_true("below.unaligned-page", page % 4096 == 0 && page <= 0x800000 - 4096 + 0x123);
    if (status == EFI_SUCCESS)
        bs->FreePages(page, 1);
}

static void frees(void)
{
    EFI_PHYSICAL_ADDRESS base = 0;
    bs->AllocatePages(AllocateAnyPages, BOOT_DATA, 4, &base);
    check_status("free.unaligned", bs->FreePages(base + 8, 1));
    check_status("free.null", bs->FreePages(0, 1));
    check_status("free.none-allocated", bs->FreePages(1ull << 50, 1));
    check_status("free.huge", bs->FreePages(base, UINT64_MAX >> 12));
    check_status("free.last", bs->FreePages(base + 3 * 4096, 1));
    check_status("free.rest", bs->FreePages(base, 3));
    check_status("free.again", bs->FreePages(base, 3));
}

static void nothing(void)
{
    EFI_PHYSICAL_ADDRESS page = 0;
    check_status("zero.any", bs->AllocatePages(AllocateAnyPages, BOOT_DATA, 0, &page));
    page = 0xFFFFFFFF;
    check_status("zero.below", bs->AllocatePages(AllocateMaxAddress, BOOT_DATA, 0, &page));
}

/*
 * The firmware's list of memory grows once, now: edk2 takes a page for it when a range is split, and
 * that could be one that is free for a moment below.
 */
static void grow_the_map(void)
{
    enum { PIECES = 128 };
    EFI_PHYSICAL_ADDRESS pages[PIECES];
    for (size_t i = 0; i < PIECES; i++)
        bs->AllocatePages(AllocateAnyPages, i % 2 ? LOADER_DATA : BOOT_DATA, 1, &pages[i]);
    for (size_t i = 0; i < PIECES; i += 2)
        bs->FreePages(pages[i], 1);
    for (size_t i = 1; i < PIECES; i += 2)
        bs->FreePages(pages[i], 1);
}

/* At the level of drivers' timers: one that allocates a page that is free for a moment would lose it. */
void test_pages(void)
{
    EFI_TPL old = bs->RaiseTPL(TPL_NOTIFY);
    grow_the_map();
    arguments();
    nothing();
    at_address();
    below();
    frees();
    bs->RestoreTPL(old);
}

/* --- the map --- */

struct map {
    uint8_t *data;
    UINTN size, room, key, step;
    UINT32 version;
};

static struct map get_map(void)
{
    struct map map = { .room = 0 };
    bs->GetMemoryMap(&map.room, NULL, &map.key, &map.step, &map.version);
    map.room += 8 * map.step;
    map.data = take(map.room);
    map.size = map.room;
    bs->GetMemoryMap(&map.size, (EFI_MEMORY_DESCRIPTOR *)map.data, &map.key, &map.step,
                     &map.version);
    return map;
}

static EFI_MEMORY_DESCRIPTOR *at(struct map *map, size_t index)
{
    return (EFI_MEMORY_DESCRIPTOR *)(map->data + index * map->step);
}

static EFI_MEMORY_DESCRIPTOR *holds(struct map *map, uint64_t address)
{
    for (size_t i = 0; i < map->size / map->step; i++) {
        EFI_MEMORY_DESCRIPTOR *d = at(map, i);
        if (address >= d->PhysicalStart && address - d->PhysicalStart < d->NumberOfPages * 4096)
            return d;
    }
    return NULL;
}

static void arguments_of_map(void)
{
    UINTN size = 0, key = 0, step = 0;
    UINT32 version = 0;
    uint8_t *huge = take(65536);
    EFI_MEMORY_DESCRIPTOR *list = (EFI_MEMORY_DESCRIPTOR *)huge;
    check_status("no-size", bs->GetMemoryMap(NULL, list, &key, &step, &version));
    check_status("ask", bs->GetMemoryMap(&size, NULL, &key, &step, &version));
    check_true("ask.size", size > 0 && size % step == 0);
    check_true("ask.step", step >= sizeof(*list));
    check_value("ask.version", version);
    size = 65536;
    check_status("no-buffer", bs->GetMemoryMap(&size, NULL, &key, &step, &version));
    size = 65536;
    check_status("get", bs->GetMemoryMap(&size, list, &key, &step, &version));
    size = 65536;
    check_status("get.no-key", bs->GetMemoryMap(&size, list, NULL, &step, &version));
    size = 65536;
    check_status("get.only-list", bs->GetMemoryMap(&size, list, NULL, NULL, NULL));
    give(huge);
}

static void shape(void)
{
    struct map map = get_map();
    unsigned overlaps = 0, unsorted = 0, unaligned = 0, empty = 0, strange = 0, mergeable = 0;
    unsigned wrong_runtime = 0, wrong_cache = 0;
    for (size_t i = 0; i < map.size / map.step; i++) {
        EFI_MEMORY_DESCRIPTOR *d = at(&map, i);
        uint64_t end = d->PhysicalStart + d->NumberOfPages * 4096;
        unaligned += d->PhysicalStart % 4096 != 0;
        empty += d->NumberOfPages == 0;
        strange += d->Type > 15 && d->Type < 0x70000000;
        bool runtime = d->Type == RUNTIME_CODE || d->Type == RUNTIME_DATA;
        wrong_runtime += runtime && !(d->Attribute & EFI_MEMORY_RUNTIME);
        wrong_cache += d->Type == CONVENTIONAL && !(d->Attribute & EFI_MEMORY_WB);
        for (size_t j = i + 1; j < map.size / map.step; j++) {
            EFI_MEMORY_DESCRIPTOR *e = at(&map, j);
            overlaps += e->PhysicalStart < end &&
                        d->PhysicalStart < e->PhysicalStart + e->NumberOfPages * 4096;
            if (j == i + 1) {
                unsorted += e->PhysicalStart < d->PhysicalStart;
                mergeable += e->PhysicalStart == end && e->Type == CONVENTIONAL &&
                             d->Type == CONVENTIONAL && e->Attribute == d->Attribute;
            }
        }
    }
    check_value("overlapping", overlaps);
    check_value("unsorted", unsorted);
    check_value("unaligned", unaligned);
    check_value("empty", empty);
    check_value("unknown-types", strange);
    check_value("free-neighbours", mergeable);
    check_value("runtime-without-attribute", wrong_runtime);
    check_value("free-without-write-back", wrong_cache);
    EFI_MEMORY_DESCRIPTOR *own = holds(&map, (uintptr_t)(VOID *)test_memory_map);
    check_value("own-code", own ? own->Type : 99);
    own = holds(&map, (uintptr_t)&map);
    check_value("own-stack", own ? own->Type : 99);
    own = holds(&map, (uintptr_t)st);
    check_value("system-table", own ? own->Type : 99);
    own = holds(&map, (uintptr_t)rt);
    check_value("runtime-table", own ? own->Type : 99);
    own = holds(&map, (uintptr_t)bs);
    check_true("boot-table", own && own->Type != CONVENTIONAL);
    own = holds(&map, (uintptr_t)(VOID *)rt->GetTime);
    check_value("runtime-code", own ? own->Type : 99);
    own = holds(&map, (uintptr_t)st->ConfigurationTable);
    check_value("configuration-tables", own ? own->Type : 99);
    own = holds(&map, (uintptr_t)st->FirmwareVendor);
    check_true("vendor-at-runtime", own && (own->Attribute & EFI_MEMORY_RUNTIME));
    give(map.data);
}

static void types_shown(void)
{
    static const UINT32 types[] = { 1, 2, 3, 4, 5, 6, 9, 10, 0x70000001, 0x80000002 };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        EFI_PHYSICAL_ADDRESS page = 0;
        if (bs->AllocatePages(AllocateAnyPages, types[i], 3, &page) != EFI_SUCCESS)
            continue;
        struct map map = get_map();
        EFI_MEMORY_DESCRIPTOR *d = holds(&map, page);
        check_value(name_number("shows-type", types[i]), d ? d->Type : 99);
        check_true(name_number("runtime-attribute", types[i]),
                   d && (d->Attribute & EFI_MEMORY_RUNTIME));
        d = holds(&map, page + 2 * 4096);
        check_value(name_number("shows-last", types[i]), d ? d->Type : 99);
        bs->FreePages(page, 3);
        give(map.data);
    }
}

static void keys(void)
{
    struct map map = get_map();
    UINTN size = map.room, key;
    bs->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map.data, &key, NULL, NULL);
    check_true("key.same", key == map.key);
    EFI_PHYSICAL_ADDRESS page;
    bs->AllocatePages(AllocateAnyPages, RUNTIME_DATA, 16, &page);
    size = map.room;
    bs->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map.data, &key, NULL, NULL);
    check_true("key.changed", key != map.key);
    bs->FreePages(page, 16);
    give(map.data);
}

void test_memory_map(void)
{
    EFI_TPL old = bs->RaiseTPL(TPL_NOTIFY);
    arguments_of_map();
    shape();
    types_shown();
    keys();
    bs->RestoreTPL(old);
}
