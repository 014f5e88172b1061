/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The shared pool: one 2 MiB page, made shared once, handed out by pages from a bitmap. Nothing
 * that was private ever becomes shared with content in it: the pool is zeroed after each flip.
 */
#include "firmware/sev/dma.h"

#include "firmware/arch/paging.h"
#include "firmware/lib/log.h"
#include "firmware/lib/string.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"

#define FOUR_GIB (1ull << 32)

enum { PAGE = 4096, POOL_SIZE = 2 * 1024 * 1024, POOL_PAGES = POOL_SIZE / PAGE };

static uint8_t *pool;
static uint8_t used[POOL_PAGES];

/* A whole large page, so that neither flip splits page tables: ExitBootServices may not. */
static uint64_t allocate_aligned(void)
{
    uint64_t base = memory_reserve(MEMORY_BOOT_DATA, 2 * POOL_PAGES - 1, FOUR_GIB);

    if (base == 0) {
        return 0;
    }
    uint64_t aligned = (base + POOL_SIZE - 1) & ~(uint64_t)(POOL_SIZE - 1);
    uint64_t end = base + (2 * POOL_PAGES - 1) * (uint64_t)PAGE;
    if (aligned > base) {
        (void)memory_free(base, (aligned - base) / PAGE);
    }
    if (end > aligned + POOL_SIZE) {
        (void)memory_free(aligned + POOL_SIZE, (end - aligned - POOL_SIZE) / PAGE);
    }
    return aligned;
}

void dma_init(void)
{
    uint64_t base = allocate_aligned();

    if (base == 0) {
        panic("not enough memory for the shared DMA pool");
    }
    pool = (uint8_t *)(uintptr_t)base;
    paging_set_shared(base, POOL_SIZE, true);
    memset(pool, 0, POOL_SIZE);
}

static size_t pages_of(size_t length)
{
    return (length + PAGE - 1) / PAGE;
}

void *dma_alloc(size_t length, uint64_t *ret_device)
{
    size_t pages = pages_of(length), run = 0;

    if (pool == NULL || length == 0 || length > POOL_SIZE) {
        return NULL;
    }
    for (size_t i = 0; i < POOL_PAGES; i++) {
        run = used[i] ? 0 : run + 1;
        if (run == pages) {
            size_t first = i + 1 - pages;
            memset(used + first, 1, pages);
            memset(pool + first * PAGE, 0, pages * PAGE);
            *ret_device = (uintptr_t)pool + first * PAGE;
            return pool + first * PAGE;
        }
    }
    return NULL;
}

void dma_free(void *shared, size_t length)
{
    size_t first = (size_t)((uint8_t *)shared - pool) / PAGE, pages = pages_of(length);

    assert(pool != NULL && first + pages <= POOL_PAGES);
    memset(pool + first * PAGE, 0, pages * PAGE);
    memset(used + first, 0, pages);
}

bool dma_bounce(void *data, size_t length, enum dma_direction direction, struct dma_mapping *ret)
{
    *ret = (struct dma_mapping){ .data = data, .length = length, .direction = direction };
    ret->shared = dma_alloc(length, &ret->device);
    if (ret->shared == NULL) {
        return false;
    }
    if (direction != DMA_FROM_DEVICE) {
        memcpy(ret->shared, data, length);
    }
    return true;
}

bool dma_map(void *data, size_t length, enum dma_direction direction, struct dma_mapping *ret)
{
    if (sev_active()) {
        return dma_bounce(data, length, direction, ret);
    }
    *ret = (struct dma_mapping){ data, (uintptr_t)data, data, length, direction };
    return true; /* the device may use the memory itself */
}

bool dma_is_shared(const void *data, size_t length)
{
    size_t offset = (size_t)((uintptr_t)data - (uintptr_t)pool);

    if (pool == NULL || length == 0 || length > POOL_SIZE || offset > POOL_SIZE - length) {
        return false;
    }
    for (size_t i = offset / PAGE; i < pages_of(offset + length); i++) {
        if (!used[i]) {
            return false;
        }
    }
    return true;
}

void dma_unmap(struct dma_mapping *mapping)
{
    if (mapping->shared == mapping->data) {
        return;
    }
    if (mapping->direction != DMA_TO_DEVICE) {
        memcpy(mapping->data, mapping->shared, mapping->length);
    }
    dma_free(mapping->shared, mapping->length);
    mapping->shared = NULL;
}

/* In this file, so that the compiler does not look into it and read the shared memory again later. */
void dma_copy_out(void *to, const void *shared, size_t length)
{
    memcpy(to, shared, length);
}

void dma_shutdown(void)
{
    if (pool == NULL) {
        return;
    }
    paging_set_shared((uintptr_t)pool, POOL_SIZE, false);
    memset(pool, 0, POOL_SIZE);
    pool = NULL;
}
