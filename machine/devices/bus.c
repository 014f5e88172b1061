/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Sorted range tables for ports and MMIO, interrupt lines with several drivers, DMA.
 */
#include "machine/devices/bus.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void bus_init(struct bus *bus, struct memory *memory, struct clock *clock,
              const struct bus_sinks *sinks)
{
    memset(bus, 0, sizeof(*bus));
    bus->memory = memory;
    bus->clock = clock;
    bus->sinks = *sinks;
}

/* Index of the first range that begins above `address`. */
static unsigned upper_bound(const struct bus_map *map, uint64_t address)
{
    unsigned low = 0, high = map->count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (map->range[middle].base <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct bus_range *find(const struct bus_map *map, uint64_t address)
{
    unsigned above = upper_bound(map, address);
    const struct bus_range *range;

    if (above == 0)
        return NULL;
    range = &map->range[above - 1];
    return address - range->base < range->size ? range : NULL;
}

bool bus_claimed(const struct bus *bus, enum bus_space space, uint64_t address)
{
    return find(&bus->map[space], address);
}

bool bus_claim(struct bus *bus, enum bus_space space, const struct bus_range *range)
{
    struct bus_map *map = &bus->map[space];
    unsigned at = upper_bound(map, range->base);

    if (range->size == 0 || range->base + (range->size - 1) < range->base)
        return false;
    if (map->count == BUS_MAX_RANGES || find(map, range->base))
        return false;
    if (at < map->count && map->range[at].base - range->base < range->size)
        return false;
    memmove(&map->range[at + 1], &map->range[at], (map->count - at) * sizeof(map->range[0]));
    map->range[at] = *range;
    map->count++;
    return true;
}

void bus_release(struct bus *bus, enum bus_space space, uint64_t base, const void *context)
{
    struct bus_map *map = &bus->map[space];
    unsigned above = upper_bound(map, base);

    if (above == 0 || map->range[above - 1].base != base ||
        map->range[above - 1].context != context)
        return;
    memmove(&map->range[above - 1], &map->range[above],
            (map->count - above) * sizeof(map->range[0]));
    map->count--;
}

/* Widest naturally aligned piece of the access that the range takes at once. */
static unsigned piece_size(const struct bus_range *range, uint64_t address, unsigned size)
{
    unsigned piece = range ? range->max_access : 1;

    while (piece > size || (address & (piece - 1)) ||
           (range && address - range->base + piece > range->size))
        piece /= 2;
    return piece;
}

static uint64_t ones(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << (size * 8)) - 1;
}

uint64_t bus_read(struct bus *bus, enum bus_space space, uint64_t address, unsigned size)
{
    uint64_t value = 0;

    for (unsigned done = 0; done < size;) {
        const struct bus_range *range = find(&bus->map[space], address + done);
        unsigned piece = piece_size(range, address + done, size - done);
        uint64_t part = ones(piece);

        if (range)
            part = range->read(range->context, address + done - range->base, piece) & ones(piece);
        value |= part << (done * 8);
        done += piece;
    }
    return value;
}

void bus_write(struct bus *bus, enum bus_space space, uint64_t address, uint64_t value,
               unsigned size)
{
    for (unsigned done = 0; done < size;) {
        const struct bus_range *range = find(&bus->map[space], address + done);
        unsigned piece = piece_size(range, address + done, size - done);

        if (range)
            range->write(range->context, address + done - range->base,
                         (value >> (done * 8)) & ones(piece), piece);
        done += piece;
    }
}

static void set_line(struct bus *bus, unsigned gsi, uint8_t line, uint8_t muted)
{
    bool old = bus->line[gsi] & ~bus->muted[gsi], now = line & ~muted;

    bus->line[gsi] = line;
    bus->muted[gsi] = muted;
    if (old != now)
        bus->sinks.line(bus->sinks.context, gsi, now);
}

static uint8_t with_bit(uint8_t bits, unsigned bit, bool on)
{
    return (uint8_t)((bits & ~(1u << bit)) | ((unsigned)on << bit));
}

void bus_line(struct bus *bus, unsigned gsi, enum bus_line_driver driver, bool level)
{
    assert(gsi < BUS_GSI_COUNT);
    set_line(bus, gsi, with_bit(bus->line[gsi], driver, level), bus->muted[gsi]);
}

void bus_mute(struct bus *bus, unsigned gsi, enum bus_line_driver driver, bool mute)
{
    assert(gsi < BUS_GSI_COUNT);
    set_line(bus, gsi, bus->line[gsi], with_bit(bus->muted[gsi], driver, mute));
}

void bus_message(struct bus *bus, uint64_t address, uint32_t data)
{
    bus->sinks.message(bus->sinks.context, address, data);
}

void bus_complain(struct bus *bus, const char *device, const char *what)
{
    if (bus->sinks.complaint)
        bus->sinks.complaint(bus->sinks.context, device, what);
}

void bus_complain_once(struct bus *bus, bool *said, const char *device, const char *format, ...)
{
    char what[160];
    va_list arguments;

    if (*said)
        return;
    *said = true;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    bus_complain(bus, device, what);
}

static void watch(struct bus *bus, uint64_t gpa, size_t length, bool write)
{
    if (bus->dma_watch)
        bus->dma_watch(bus->dma_context, bus->actor, bus->actor_queue, gpa, length, write);
}

/* The view that an address selects, and the address without the C-bit. */
static memory_view dma_view(const struct bus *bus, uint64_t *gpa)
{
    if (!(*gpa & bus->c_mask))
        return MEMORY_RAW;
    *gpa &= ~bus->c_mask;
    return MEMORY_SME;
}

bool bus_dma_read(struct bus *bus, uint64_t gpa, void *data, size_t length)
{
    memory_view view = dma_view(bus, &gpa);
    watch(bus, gpa, length, false);
    return memory_read(bus->memory, gpa, data, length, view) == 0;
}

/* A device's write reaches RAM only: flash is programmed by its commands and in no other way. */
static bool all_ram(struct memory *memory, uint64_t gpa, size_t length)
{
    if (length == 0)
        return true;
    if (gpa + (length - 1) < gpa)
        return false;
    for (uint64_t page = gpa / MEMORY_PAGE_SIZE; page <= (gpa + (length - 1)) / MEMORY_PAGE_SIZE;
         page++)
        if (memory_page_kind(memory, page * MEMORY_PAGE_SIZE) != MEMORY_RAM)
            return false;
    return true;
}

bool bus_dma_write(struct bus *bus, uint64_t gpa, const void *data, size_t length)
{
    memory_view view = dma_view(bus, &gpa);
    if (!all_ram(bus->memory, gpa, length))
        return false;
    watch(bus, gpa, length, true);
    return memory_write(bus->memory, gpa, data, length, view) == 0;
}

void bus_on_reset(struct bus *bus, bus_reset_fn *reset, void *context)
{
    assert(bus->reset_count < BUS_MAX_RESETS);
    bus->resets[bus->reset_count].reset = reset;
    bus->resets[bus->reset_count++].context = context;
}

void bus_reset(struct bus *bus)
{
    for (unsigned i = 0; i < bus->reset_count; i++)
        bus->resets[i].reset(bus->resets[i].context);
}
