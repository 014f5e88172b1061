/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a device sees of the machine: port and MMIO ranges that it claims, interrupt lines that it
 * drives, messages (MSI) that it sends, guest memory by DMA, and a reset. Devices know neither the
 * processor nor the chip: DMA goes through the raw view of memory, and on a host with SME through
 * the encrypted one where the address has the C-bit set (APM 2 7.10.4).
 */
#ifndef PRIVET_MACHINE_BUS_H
#define PRIVET_MACHINE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/devices/clock.h"
#include "machine/memory/memory.h"

/* `offset` is relative to the range; every access is naturally aligned and at most max_access. */
typedef uint64_t bus_read_fn(void *context, uint64_t offset, unsigned size);
typedef void bus_write_fn(void *context, uint64_t offset, uint64_t value, unsigned size);
typedef void bus_reset_fn(void *context);

enum bus_space { BUS_PORTS, BUS_MMIO };

struct bus_range {
    uint64_t base, size;
    unsigned max_access; /* 1, 2, 4 or 8: what is wider or not aligned arrives in pieces */
    bus_read_fn *read;
    bus_write_fn *write;
    void *context;
};

#define BUS_MAX_RANGES 192
#define BUS_MAX_RESETS 128
#define BUS_GSI_COUNT  24

/* A line may have several drivers: it is asserted while any of them asserts it. */
enum bus_line_driver { BUS_DRIVER_DEVICE, BUS_DRIVER_PCI_GSI, BUS_DRIVER_PCI_ISA,
                       BUS_DRIVER_HPET };

struct bus_sinks {
    void (*line)(void *context, unsigned gsi, bool level);
    void (*message)(void *context, uint64_t address, uint32_t data);
    void *context;
    /* One line about a guest that breaks a device's rules; NULL: nobody listens. */
    void (*complaint)(void *context, const char *device, const char *what);
};

struct bus_map {
    struct bus_range range[BUS_MAX_RANGES]; /* by base, disjoint */
    unsigned count;
};

/* Told of every access of a device to guest memory, before it happens; for the checker. */
typedef void bus_dma_watch(void *context, const char *device, int queue, uint64_t gpa,
                           size_t length, bool write);

struct bus {
    struct memory *memory;
    struct clock *clock;
    uint64_t c_mask; /* an address bit that selects the MEMORY_SME view of DMA; 0: none */
    struct bus_map map[2];
    struct bus_sinks sinks;
    uint8_t line[BUS_GSI_COUNT];  /* a bit per bus_line_driver */
    uint8_t muted[BUS_GSI_COUNT]; /* drivers that are not heard */
    struct {
        bus_reset_fn *reset;
        void *context;
    } resets[BUS_MAX_RESETS];
    unsigned reset_count;
    bus_dma_watch *dma_watch; /* NULL: nobody watches */
    void *dma_context;
    const char *actor; /* who does the DMA that follows: bus_act_as */
    int actor_queue;
};

void bus_init(struct bus *bus, struct memory *memory, struct clock *clock,
              const struct bus_sinks *sinks);

/* Claims a range (copied). false: it overlaps another one, wraps around, or the table is full. */
bool bus_claim(struct bus *bus, enum bus_space space, const struct bus_range *range);
/* Gives up the range that begins at `base` and belongs to `context`, if there is one. */
void bus_release(struct bus *bus, enum bus_space space, uint64_t base, const void *context);

/* Does anybody answer at this address? */
bool bus_claimed(const struct bus *bus, enum bus_space space, uint64_t address);

/* Size 1, 2, 4 or 8. Unclaimed bytes read all ones; writes to them are lost. */
uint64_t bus_read(struct bus *bus, enum bus_space space, uint64_t address, unsigned size);
void bus_write(struct bus *bus, enum bus_space space, uint64_t address, uint64_t value,
               unsigned size);

/* Drives global system interrupt 0 to 23. */
void bus_line(struct bus *bus, unsigned gsi, enum bus_line_driver driver, bool level);
/* From now on a driver of a line is not heard, or heard again with the level it has by then. */
void bus_mute(struct bus *bus, unsigned gsi, enum bus_line_driver driver, bool mute);
void bus_message(struct bus *bus, uint64_t address, uint32_t data);

/* Tells the user that the guest did `what` with `device`. The caller says it once, not each time. */
void bus_complain(struct bus *bus, const char *device, const char *what);
/* The same, formatted, unless it was `said` before. */
void bus_complain_once(struct bus *bus, bool *said, const char *device, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Names the device whose DMA follows, and its queue (-1: it has none). For reports only. */
static inline void bus_act_as(struct bus *bus, const char *device, int queue)
{
    bus->actor = device;
    bus->actor_queue = queue;
}

/* DMA through the raw view. false: a byte of the range is not RAM; nothing was copied. */
bool bus_dma_read(struct bus *bus, uint64_t gpa, void *data, size_t length);
bool bus_dma_write(struct bus *bus, uint64_t gpa, const void *data, size_t length);

/* Registered callbacks run in order of registration at each bus_reset. */
void bus_on_reset(struct bus *bus, bus_reset_fn *reset, void *context);
void bus_reset(struct bus *bus);

#endif
