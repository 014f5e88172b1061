/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware around a driver under test on the host: PCI functions, DMA, time, events, and what
 * the driver did with them. DMA memory is of exact length and known to `fakes_dma`, through which
 * a device model gets at it: what the driver did not map, no model can touch.
 */
#ifndef PRIVET_TESTS_FAKES_H
#define PRIVET_TESTS_FAKES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/platform/pci.h"
#include "firmware/storage/block.h"

enum { FAKES_FUNCTIONS = 4, FAKES_PUBLISHED = 128, FAKES_REFUSED = 160, FAKES_EXITS = 160 };

/* A device's registers; offsets are relative to its base. */
struct fake_registers {
    uint64_t base, length;
    void *context;
    uint64_t (*read)(void *context, uint64_t offset, unsigned size);
    void (*write)(void *context, uint64_t offset, unsigned size, uint64_t value);
};

struct fakes {
    bool sev;              /* a SEV guest: DMA bounces */
    uint64_t step;         /* 100 ns by which each look at the clock advances it */
    size_t dma_limit;      /* bytes that dma_alloc has left */
    unsigned pool_failure; /* the pool allocation that fails, counted from 1; 0: none */
    /* Changes what a driver reads from registers, configuration space and DMA memory. */
    uint64_t (*tamper)(uint64_t value, unsigned size);

    size_t functions;
    struct pci_function function[FAKES_FUNCTIONS]; /* at 00:00.0, 00:01.0, ... */
    uint8_t config[FAKES_FUNCTIONS][256];
    struct fake_registers registers[FAKES_FUNCTIONS];

    size_t published, refused;
    unsigned cut_off; /* devices that may not use memory any more */
    struct {
        struct block_device *device;
        EFI_DEVICE_PATH_PROTOCOL *path;
    } disk[FAKES_PUBLISHED];
    const char *reason[FAKES_REFUSED];
    char line[160]; /* the last one for the user */
    unsigned lines;
    uint64_t now;
    unsigned mappings; /* DMA mappings that are not undone */
};
extern struct fakes fakes;

/* Forgets everything and frees what the driver allocated. */
void fakes_reset(void);
/* A function with registers of `length` bytes in a BAR; its index. */
size_t fakes_add(uint16_t vendor, uint16_t device, uint32_t class_code, unsigned bar,
                 const struct fake_registers *registers);
/* A capability of vendor-specific kind (virtio 1.2 4.1.4) of function `index`. */
void fakes_add_virtio_capability(size_t index, uint8_t kind, unsigned bar, uint32_t offset,
                                 uint32_t length, uint32_t extra);
/* Runs what waits for ExitBootServices. */
void fakes_exit(void);

/* The memory at a bus address as a device sees it; NULL: it may not. */
void *fakes_dma(uint64_t address, uint64_t length);
/* Is an address of this process DMA memory? */
bool fakes_is_dma(uintptr_t address);

#endif
