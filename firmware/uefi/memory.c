/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The memory map and the page allocator (UEFI 2.10 7.2). One sorted array of ranges is the truth
 * for both, so the map never promises what the allocator refuses. Neighbours of one kind are
 * merged at every change.
 */
#include "firmware/uefi/memory.h"

#include <string.h>

#include "firmware/lib/log.h"
#include "firmware/uefi/services.h"

#define MAXIMUM_RANGES     2048u
#define DESCRIPTOR_SIZE    48u /* larger than the structure: UEFI 2.10 7.2.3 tells callers to ask */
#define DESCRIPTOR_VERSION 1u
#define MAP_SLACK          2u /* descriptors that the caller's own buffer allocation may add */

struct range {
    uint64_t base, end;
    uint32_t type;
    bool announced; /* by the platform: FreePages must not return it to the pool */
};

static struct range ranges[MAXIMUM_RANGES];
static size_t range_count;
static uint64_t map_key;
void (*memory_on_free)(uint64_t base, uint64_t pages);

void memory_init(void)
{
    range_count = 0;
    map_key = 1;
}

uint64_t memory_map_key(void)
{
    return map_key;
}

/* Index of the first range that ends above `address`. */
static size_t find(uint64_t address)
{
    size_t low = 0, high = range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void insert(size_t at, struct range range)
{
    memmove(&ranges[at + 1], &ranges[at], (range_count - at) * sizeof(ranges[0]));
    ranges[at] = range;
    range_count++;
}

static void remove_at(size_t at)
{
    range_count--;
    memmove(&ranges[at], &ranges[at + 1], (range_count - at) * sizeof(ranges[0]));
}

static void merge_at(size_t at)
{
    if (at == 0 || at >= range_count)
        return;
    struct range *left = &ranges[at - 1], *right = &ranges[at];
    if (left->end != right->base || left->type != right->type ||
        left->announced != right->announced)
        return;
    left->end = right->end;
    remove_at(at);
}

/* Gives [base, end) a type. At most two ranges more are needed: the caller checked for room. */
static void assign(uint64_t base, uint64_t end, uint32_t type, bool announced)
{
    size_t at = find(base);
    if (at < range_count && ranges[at].base < base) {
        struct range right = ranges[at];
        right.base = base;
        ranges[at].end = base;
        insert(++at, right);
    }
    while (at < range_count && ranges[at].base < end) {
        if (ranges[at].end > end) {
            ranges[at].base = end;
            break;
        }
        remove_at(at);
    }
    insert(at, (struct range){ .base = base, .end = end, .type = type, .announced = announced });
    merge_at(at + 1);
    merge_at(at);
    map_key++;
}

static bool room_for_change(void)
{
    return range_count + 3 <= MAXIMUM_RANGES;
}

void memory_add(uint64_t base, uint64_t length, enum memory_type type)
{
    uint64_t end;
    if (__builtin_add_overflow(base, length, &end) || !room_for_change())
        panic("memory map: cannot add %lx bytes at %lx", (unsigned long)length,
              (unsigned long)base);
    if (type == MEMORY_CONVENTIONAL) { /* only whole pages, never page 0 */
        base = (base + EFI_PAGE_SIZE - 1) & ~(uint64_t)(EFI_PAGE_SIZE - 1);
        end &= ~(uint64_t)(EFI_PAGE_SIZE - 1);
    } else {
        base &= ~(uint64_t)(EFI_PAGE_SIZE - 1);
        end = (end + EFI_PAGE_SIZE - 1) & ~(uint64_t)(EFI_PAGE_SIZE - 1);
    }
    if (base >= end)
        return;
    if (type == MEMORY_CONVENTIONAL && base == 0) {
        /* Loaders free and test address 0: it stays mapped RAM that nobody owns. */
        assign(0, EFI_PAGE_SIZE, MEMORY_BOOT_DATA, true);
        base = EFI_PAGE_SIZE;
        if (base >= end)
            return;
    }
    assign(base, end, type, type != MEMORY_CONVENTIONAL);
}

/* Is [base, end) covered without a hole by ranges that `accept` likes? */
static bool covered(uint64_t base, uint64_t end, bool (*accept)(const struct range *range))
{
    for (size_t at = find(base); at < range_count; at++) {
        if (ranges[at].base > base || !accept(&ranges[at]))
            return false;
        base = ranges[at].end;
        if (base >= end)
            return true;
    }
    return false;
}

static bool is_free(const struct range *range)
{
    return range->type == MEMORY_CONVENTIONAL;
}

static bool is_allocated(const struct range *range)
{
    return range->type != MEMORY_CONVENTIONAL && !range->announced;
}

/* What was allocated was RAM, whatever type its owner gave it. */
static bool is_ram(const struct range *range)
{
    return !range->announced ||
           (range->type != MEMORY_MMIO && range->type != MEMORY_MMIO_PORT &&
            range->type != MEMORY_UNUSABLE);
}

bool memory_is_ram(uint64_t base, uint64_t length)
{
    uint64_t end, flags = interrupts_save(); /* a notification must not change ranges meanwhile */
    bool ram =
        length != 0 && !__builtin_add_overflow(base, length, &end) && covered(base, end, is_ram);
    interrupts_restore(flags);
    return ram;
}

uint64_t memory_free_bytes(void)
{
    uint64_t total = 0;
    for (size_t i = 0; i < range_count; i++)
        if (is_free(&ranges[i]))
            total += ranges[i].end - ranges[i].base;
    return total;
}

/* Highest free run of `length` bytes that ends at or below `limit`; 0: none. */
static uint64_t find_free(uint64_t length, uint64_t limit)
{
    for (size_t i = range_count; i-- > 0;) {
        uint64_t end = ranges[i].end < limit ? ranges[i].end : limit;
        if (is_free(&ranges[i]) && end > ranges[i].base && end - ranges[i].base >= length)
            return (end - length) & ~(uint64_t)(EFI_PAGE_SIZE - 1);
    }
    return 0;
}

static bool bytes_of(uint64_t pages, uint64_t *ret_length)
{
    if (pages == 0 || pages > UINT64_MAX >> EFI_PAGE_SHIFT)
        return false;
    *ret_length = pages << EFI_PAGE_SHIFT;
    return true;
}

static uint64_t take_below(uint32_t type, uint64_t pages, uint64_t limit)
{
    uint64_t length;
    if (!bytes_of(pages, &length))
        return 0;
    uint64_t flags = interrupts_save();
    uint64_t base = room_for_change() ? find_free(length, limit) : 0;
    if (base)
        assign(base, base + length, type, false);
    interrupts_restore(flags);
    return base;
}

/* Gives pages a type if `accept` likes all that is there. */
static bool assign_if(bool (*accept)(const struct range *range), uint32_t type, uint64_t base,
                      uint64_t pages)
{
    uint64_t length, end;
    if (base % EFI_PAGE_SIZE || !bytes_of(pages, &length) ||
        __builtin_add_overflow(base, length, &end))
        return false;
    uint64_t flags = interrupts_save();
    bool done = room_for_change() && covered(base, end, accept);
    if (done)
        assign(base, end, type, false);
    interrupts_restore(flags);
    return done;
}

uint64_t memory_reserve(enum memory_type type, uint64_t pages, uint64_t limit)
{
    return take_below(type, pages, limit ? limit & ~0xFFFull : ~0xFFFull);
}

uint64_t memory_allocate(enum memory_type type, uint64_t pages, uint64_t limit)
{
    uint64_t base = memory_reserve(type, pages, limit);
    if (base)
        memset((void *)(uintptr_t)base, 0, pages << EFI_PAGE_SHIFT);
    return base;
}

bool memory_allocate_at(enum memory_type type, uint64_t base, uint64_t pages)
{
    if (!assign_if(is_free, type, base, pages))
        return false;
    memset((void *)(uintptr_t)base, 0, pages << EFI_PAGE_SHIFT);
    return true;
}

static EFI_STATUS release(uint64_t base, uint64_t pages)
{
    uint64_t length, end;
    if (base % EFI_PAGE_SIZE || !bytes_of(pages, &length) ||
        __builtin_add_overflow(base, length, &end))
        return EFI_INVALID_PARAMETER;
    uint64_t flags = interrupts_save();
    EFI_STATUS status = EFI_SUCCESS;
    if (!covered(base, end, is_allocated))
        status = EFI_NOT_FOUND;
    else if (memory_on_free)
        memory_on_free(base, pages);
    if (status == EFI_SUCCESS && !room_for_change())
        status = EFI_OUT_OF_RESOURCES;
    if (status == EFI_SUCCESS)
        assign(base, end, MEMORY_CONVENTIONAL, false);
    interrupts_restore(flags);
    return status;
}

bool memory_free(uint64_t base, uint64_t pages)
{
    return release(base, pages) == EFI_SUCCESS;
}

bool memory_retype(uint64_t base, uint64_t pages, enum memory_type type)
{
    return assign_if(is_allocated, type, base, pages);
}

/* UEFI 2.10 7.2.1; above 0x6FFFFFFF types belong to OEM and OS. */
bool memory_type_allocatable(uint32_t type)
{
    return (type < MEMORY_PERSISTENT && type != MEMORY_CONVENTIONAL) || type >= 0x70000000u;
}

EFI_STATUS memory_take(EFI_ALLOCATE_TYPE how, uint32_t type, uint64_t pages, uint64_t *memory)
{
    if (!memory || (UINT32)how >= MaxAllocateType || !memory_type_allocatable(type))
        return EFI_INVALID_PARAMETER;
    if (how == AllocateAddress)
        return assign_if(is_free, type, *memory, pages) ? EFI_SUCCESS : EFI_NOT_FOUND;
    uint64_t limit = ~0xFFFull;
    if (how == AllocateMaxAddress && *memory < limit)
        limit = (*memory + 1) & ~0xFFFull; /* the last byte may be at *memory */
    uint64_t base = take_below(type, pages, limit);
    if (!base)
        return EFI_OUT_OF_RESOURCES;
    *memory = base;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_allocate_pages(EFI_ALLOCATE_TYPE how, UINT32 type, UINTN pages,
                                    EFI_PHYSICAL_ADDRESS *memory)
{
    EFI_STATUS status = memory_take(how, type, pages, memory);
    if (status == EFI_SUCCESS)
        events_signal_group(&guid_group_memory_map_change);
    return status;
}

EFI_STATUS EFIAPI bs_free_pages(EFI_PHYSICAL_ADDRESS memory, UINTN pages)
{
    EFI_STATUS status = release(memory, pages);
    if (status == EFI_SUCCESS)
        events_signal_group(&guid_group_memory_map_change);
    return status;
}

static uint64_t attributes_of(uint32_t type)
{
    switch (type) {
    case MEMORY_MMIO:
    case MEMORY_MMIO_PORT:
        return EFI_MEMORY_UC | EFI_MEMORY_RUNTIME; /* in the map for that purpose only */
    case MEMORY_RUNTIME_CODE:
    case MEMORY_RUNTIME_DATA:
        return EFI_MEMORY_UC | EFI_MEMORY_WC | EFI_MEMORY_WT | EFI_MEMORY_WB | EFI_MEMORY_RUNTIME;
    default:
        return EFI_MEMORY_UC | EFI_MEMORY_WC | EFI_MEMORY_WT | EFI_MEMORY_WB;
    }
}

bool memory_range_at(size_t index, uint64_t *ret_base, uint64_t *ret_length, uint32_t *ret_type)
{
    if (index >= range_count)
        return false;
    *ret_base = ranges[index].base;
    *ret_length = ranges[index].end - ranges[index].base;
    *ret_type = ranges[index].type;
    return true;
}

/* Ranges that differ only in who announced them are one descriptor for the caller. */
static bool joins_previous(size_t at)
{
    return at > 0 && ranges[at - 1].end == ranges[at].base &&
           ranges[at - 1].type == ranges[at].type;
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    for (size_t i = 0; i < range_count; i++)
        count += !joins_previous(i);
    return count;
}

static void write_descriptors(uint8_t *out)
{
    EFI_MEMORY_DESCRIPTOR descriptor = { 0 };
    bool pending = false;
    for (size_t i = 0; i < range_count; i++) {
        uint64_t pages = (ranges[i].end - ranges[i].base) >> EFI_PAGE_SHIFT;
        if (joins_previous(i)) {
            descriptor.NumberOfPages += pages;
            continue;
        }
        if (pending) {
            memcpy(out, &descriptor, sizeof(descriptor));
            out += DESCRIPTOR_SIZE;
        }
        descriptor = (EFI_MEMORY_DESCRIPTOR){ .Type = ranges[i].type,
                                              .PhysicalStart = ranges[i].base,
                                              .NumberOfPages = pages,
                                              .Attribute = attributes_of(ranges[i].type) };
        pending = true;
    }
    if (pending)
        memcpy(out, &descriptor, sizeof(descriptor));
}

EFI_STATUS EFIAPI bs_get_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *ret_key,
                                    UINTN *ret_descriptor_size, UINT32 *ret_version)
{
    if (!size)
        return EFI_INVALID_PARAMETER;
    if (ret_descriptor_size)
        *ret_descriptor_size = DESCRIPTOR_SIZE;
    if (ret_version)
        *ret_version = DESCRIPTOR_VERSION;
    uint64_t flags = interrupts_save();
    size_t needed = count_descriptors() * DESCRIPTOR_SIZE;
    EFI_STATUS status = EFI_SUCCESS;
    if (*size < needed) {
        status = EFI_BUFFER_TOO_SMALL;
        needed += MAP_SLACK * DESCRIPTOR_SIZE;
    } else if (!map) {
        status = EFI_INVALID_PARAMETER;
    } else {
        memset(map, 0, needed);
        write_descriptors((uint8_t *)map);
        if (ret_key)
            *ret_key = map_key;
    }
    if (status != EFI_INVALID_PARAMETER)
        *size = needed;
    interrupts_restore(flags);
    return status;
}
