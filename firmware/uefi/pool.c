/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Pool memory (UEFI 2.10 7.2.4) over the page allocator. Small pieces come in power-of-two classes
 * out of chunks kept per memory type; larger ones are pages of their own. Every piece carries a
 * header that FreePool checks, since loaders free NULL and strange pointers.
 */
#include <string.h>

#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define POOL_MAGIC     0x6c6f6f70u
#define POOL_FREED     0x65657266u
#define SMALLEST_SHIFT 5u /* 32 bytes with the header */
#define CLASSES        7u /* up to 2 KiB */
#define WHOLE_PAGES    0xFFFFu
#define POOL_TYPES     16u /* UEFI's own memory types */

struct pool_header {
    uint32_t magic;
    uint16_t type; /* index for the free lists */
    uint16_t class;
    uint64_t pages; /* of a piece with pages of its own */
};
_Static_assert(sizeof(struct pool_header) == 16, "data behind it stays aligned to 16 bytes");

struct free_piece {
    struct pool_header header;
    struct free_piece *next;
};

static struct free_piece *free_pieces[POOL_TYPES][CLASSES];

static uint64_t chunk_pages(uint32_t type)
{
    return type == MEMORY_BOOT_DATA || type == MEMORY_LOADER_DATA ? 16 : 2;
}

static uint64_t take_pages(uint32_t type, uint64_t pages)
{
    uint64_t base = 0;
    return memory_take(AllocateAnyPages, type, pages, &base) == EFI_SUCCESS ? base : 0;
}

static bool refill(uint32_t type, unsigned class)
{
    uint64_t pages = chunk_pages(type);
    uint64_t base = take_pages(type, pages);
    if (!base)
        return false;
    size_t step = (size_t)1 << (SMALLEST_SHIFT + class);
    for (size_t offset = pages << EFI_PAGE_SHIFT; offset != 0; offset -= step) {
        struct free_piece *piece = (struct free_piece *)(uintptr_t)(base + offset - step);
        piece->header = (struct pool_header){ .magic = POOL_FREED,
                                              .type = (uint16_t)type,
                                              .class = (uint16_t) class };
        piece->next = free_pieces[type][class];
        free_pieces[type][class] = piece;
    }
    return true;
}

static void *allocate_small(uint32_t type, unsigned class)
{
    uint64_t flags = interrupts_save();
    struct free_piece *piece = NULL;
    if (free_pieces[type][class] || refill(type, class)) {
        piece = free_pieces[type][class];
        free_pieces[type][class] = piece->next;
        piece->header.magic = POOL_MAGIC;
    }
    interrupts_restore(flags);
    return piece ? &piece->header + 1 : NULL;
}

static void *allocate_large(uint32_t type, size_t total)
{
    uint64_t pages = (total + EFI_PAGE_SIZE - 1) >> EFI_PAGE_SHIFT;
    struct pool_header *header = (struct pool_header *)(uintptr_t)take_pages(type, pages);
    if (!header)
        return NULL;
    *header = (struct pool_header){ .magic = POOL_MAGIC, .class = WHOLE_PAGES, .pages = pages };
    return header + 1;
}

EFI_STATUS EFIAPI bs_allocate_pool(UINT32 type, UINTN size, VOID **ret_buffer)
{
    if (!ret_buffer || !memory_type_allocatable(type))
        return EFI_INVALID_PARAMETER;
    if (size > SIZE_MAX / 2)
        return EFI_OUT_OF_RESOURCES;
    size_t total = size + sizeof(struct pool_header);
    unsigned class = 0;
    while (class < CLASSES && (size_t)1 << (SMALLEST_SHIFT + class) < total)
        class ++;
    uint64_t key = memory_map_key();
    void *data = type < POOL_TYPES && class < CLASSES ? allocate_small(type, class)
                                                      : allocate_large(type, total);
    if (!data)
        return EFI_OUT_OF_RESOURCES;
    *ret_buffer = data;
    if (memory_map_key() != key)
        events_signal_group(&guid_group_memory_map_change);
    return EFI_SUCCESS;
}

/* The header of a pointer that came from AllocatePool, or NULL. */
static struct pool_header *header_of(void *buffer)
{
    uintptr_t address = (uintptr_t)buffer;
    if (address < EFI_PAGE_SIZE || address % 16 ||
        !memory_is_ram(address - sizeof(struct pool_header), sizeof(struct pool_header)))
        return NULL;
    struct pool_header *header = (struct pool_header *)buffer - 1;
    bool small = header->class < CLASSES && header->type < POOL_TYPES;
    if (header->magic != POOL_MAGIC || (!small && header->class != WHOLE_PAGES))
        return NULL;
    return header;
}

EFI_STATUS EFIAPI bs_free_pool(VOID *buffer)
{
    struct pool_header *header = header_of(buffer);
    if (!header)
        return EFI_INVALID_PARAMETER;
    header->magic = POOL_FREED;
    if (header->class == WHOLE_PAGES)
        return bs_free_pages((uintptr_t)header, header->pages) == EFI_SUCCESS
                   ? EFI_SUCCESS
                   : EFI_INVALID_PARAMETER;
    uint64_t flags = interrupts_save();
    struct free_piece *piece = (struct free_piece *)header;
    piece->next = free_pieces[header->type][header->class];
    free_pieces[header->type][header->class] = piece;
    interrupts_restore(flags);
    return EFI_SUCCESS;
}

void *pool_allocate(enum memory_type type, size_t size)
{
    void *data = NULL;
    if (bs_allocate_pool(type, size, &data) != EFI_SUCCESS)
        return NULL;
    memset(data, 0, size);
    return data;
}

void pool_free(void *data)
{
    if (data && bs_free_pool(data) != EFI_SUCCESS)
        panic("pool: %p was not allocated", data);
}
