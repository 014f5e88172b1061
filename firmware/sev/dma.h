/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The one door to shared memory. A pool of shared pages is made once, early; DMA bounces through
 * it. No other code flips a C-bit, except paging's MMIO mappings. Without SEV the same code runs
 * with a zero mask and maps in place where it can.
 */
#ifndef PRIVET_FIRMWARE_DMA_H
#define PRIVET_FIRMWARE_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dma_direction { DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BOTH };

struct dma_mapping {
    void *shared;         /* CPU address of the bounce */
    uint64_t device;      /* bus address for the device */
    void *data;           /* the caller's private memory */
    size_t length;
    enum dma_direction direction;
};

void dma_init(void); /* allocates the pool; panics if it cannot */

/* Long-lived shared memory for rings and control blocks: zeroed; NULL if the pool is exhausted. */
void *dma_alloc(size_t length, uint64_t *ret_device);
void dma_free(void *shared, size_t length);

/* Bounces `data` for one transfer; unmap copies back and clears it. false: pool exhausted. */
bool dma_map(void *data, size_t length, enum dma_direction direction, struct dma_mapping *ret);
void dma_unmap(struct dma_mapping *mapping);
/* The same through the pool, below 4 GiB, in plain guests too. */
bool dma_bounce(void *data, size_t length, enum dma_direction direction, struct dma_mapping *ret);
/* Does the range lie in what dma_alloc handed out? */
bool dma_is_shared(const void *data, size_t length);

/* Copies out of shared memory, each byte read once: what is checked afterwards is what is used. */
void dma_copy_out(void *to, const void *shared, size_t length);

/* ExitBootServices: every page of the pool becomes private again and is zeroed. */
void dma_shutdown(void);

#endif
