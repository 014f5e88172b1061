/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A byte: reading says which events are understood, writing reports them. */
#include "machine/board/pvpanic.h"

#define EVENTS (PVPANIC_PANICKED | PVPANIC_CRASH_LOADED)

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
    return EVENTS;
}

static void port_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct pvpanic *pvpanic = context;

    if (value & EVENTS)
        pvpanic->told(pvpanic->context, (unsigned)value & EVENTS);
}

void pvpanic_init(struct pvpanic *pvpanic, struct bus *bus, pvpanic_told *told, void *context)
{
    const struct bus_range range = { PVPANIC_PORT, 1, 1, port_read, port_write, pvpanic };

    pvpanic->told = told;
    pvpanic->context = context;
    bus_claim(bus, BUS_PORTS, &range);
}
