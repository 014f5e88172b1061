/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * I/O APIC. Polarity bits are kept but not applied: lines here are logical, asserted or not.
 */
#include "machine/board/ioapic.h"

#include <string.h>

#define VERSION (0x20u | (IOAPIC_PINS - 1) << 16)

enum { /* bits of a redirection entry */
    ENTRY_LOGICAL = 1 << 11,
    ENTRY_PENDING = 1 << 12,
    ENTRY_REMOTE_IRR = 1 << 14,
    ENTRY_LEVEL = 1 << 15,
    ENTRY_MASKED = 1 << 16,
    ENTRY_READ_ONLY = ENTRY_PENDING | ENTRY_REMOTE_IRR,
};

enum { REGISTER_SELECT = 0x00, REGISTER_DATA = 0x10, REGISTER_EOI = 0x40 };

static void deliver(struct ioapic *ioapic, unsigned pin)
{
    uint64_t entry = ioapic->entry[pin];
    struct apic_message message = {
        .destination = (uint32_t)(entry >> 56),
        .vector = (uint8_t)entry,
        .mode = entry >> 8 & 7,
        .logical = entry & ENTRY_LOGICAL,
        .level = entry & ENTRY_LEVEL,
    };

    if (ioapic->send(ioapic->context, &message) && message.level)
        ioapic->entry[pin] |= ENTRY_REMOTE_IRR;
}

static void service_level(struct ioapic *ioapic, unsigned pin)
{
    uint64_t entry = ioapic->entry[pin];

    if ((entry & ENTRY_LEVEL) && (ioapic->line >> pin & 1) &&
        !(entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)))
        deliver(ioapic, pin);
}

void ioapic_line(struct ioapic *ioapic, unsigned pin, bool level)
{
    uint32_t bit = 1u << pin;
    bool rising = level && !(ioapic->line & bit);

    ioapic->line = level ? ioapic->line | bit : ioapic->line & ~bit;
    if (ioapic->entry[pin] & ENTRY_LEVEL)
        service_level(ioapic, pin);
    else if (rising && !(ioapic->entry[pin] & ENTRY_MASKED))
        deliver(ioapic, pin);
}

void ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        if ((uint8_t)ioapic->entry[pin] != vector || !(ioapic->entry[pin] & ENTRY_REMOTE_IRR))
            continue;
        ioapic->entry[pin] &= ~(uint64_t)ENTRY_REMOTE_IRR;
        service_level(ioapic, pin);
    }
}

static uint32_t read_register(const struct ioapic *ioapic)
{
    unsigned pin = (ioapic->select - 0x10u) / 2;

    switch (ioapic->select) {
    case 0:
    case 2:
        return (uint32_t)ioapic->id << 24;
    case 1:
        return VERSION;
    default:
        if (ioapic->select < 0x10 || pin >= IOAPIC_PINS)
            return 0;
        return (uint32_t)(ioapic->entry[pin] >> (ioapic->select & 1 ? 32 : 0));
    }
}

static void write_entry(struct ioapic *ioapic, unsigned pin, bool high, uint32_t value)
{
    uint64_t entry = ioapic->entry[pin];

    if (high) {
        entry = (entry & 0xFFFFFFFFu) | (uint64_t)value << 32;
    } else {
        uint64_t keep = entry & (0xFFFFFFFF00000000u | ENTRY_READ_ONLY);

        entry = keep | (value & 0x1FFFFu & ~(uint32_t)ENTRY_READ_ONLY);
        if (!(entry & ENTRY_LEVEL))
            entry &= ~(uint64_t)ENTRY_REMOTE_IRR; /* Linux clears a stuck one by this */
    }
    ioapic->entry[pin] = entry;
    service_level(ioapic, pin);
}

static uint64_t mmio_read(void *context, uint64_t offset, unsigned size)
{
    struct ioapic *ioapic = context;
    uint64_t value = 0;

    if ((offset & ~UINT64_C(3)) == REGISTER_SELECT)
        value = ioapic->select;
    else if ((offset & ~UINT64_C(3)) == REGISTER_DATA)
        value = read_register(ioapic);
    return value >> (offset & 3) * 8;
}

static void mmio_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct ioapic *ioapic = context;
    unsigned select = ioapic->select;

    if (offset == REGISTER_SELECT)
        ioapic->select = (uint8_t)value;
    else if (offset == REGISTER_EOI)
        ioapic_eoi(ioapic, (uint8_t)value);
    else if (offset == REGISTER_DATA && select == 0)
        ioapic->id = value >> 24 & 0xF;
    else if (offset == REGISTER_DATA && select >= 0x10 && select < 0x10 + 2 * IOAPIC_PINS)
        write_entry(ioapic, (select - 0x10) / 2, select & 1, (uint32_t)value);
}

static void reset(void *context)
{
    struct ioapic *ioapic = context;

    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        ioapic->entry[pin] = ENTRY_MASKED;
    ioapic->select = ioapic->id = 0;
}

void ioapic_init(struct ioapic *ioapic, struct bus *bus, apic_send *send, void *context)
{
    const struct bus_range range = { IOAPIC_BASE, 0x1000, 4, mmio_read, mmio_write, ioapic };

    memset(ioapic, 0, sizeof(*ioapic));
    ioapic->send = send;
    ioapic->context = context;
    bus_claim(bus, BUS_MMIO, &range);
    bus_on_reset(bus, reset, ioapic);
    reset(ioapic);
}
