/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The port that ends a run: see debug_exit.h. */
#include "machine/board/debug_exit.h"

static uint64_t read_port(void *context, uint64_t offset, unsigned size)
{
    return 0;
}

static void write_port(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct debug_exit *device = context;

    if (device->asked)
        return;
    device->asked = true;
    device->status = (uint8_t)(value << 1 | 1);
    device->stop(device->context);
}

bool debug_exit_init(struct debug_exit *device, struct bus *bus, uint16_t port,
                     void (*stop)(void *context), void *context)
{
    const struct bus_range range = { port, 4, 4, read_port, write_port, device };

    *device = (struct debug_exit){ .stop = stop, .context = context };
    return bus_claim(bus, BUS_PORTS, &range);
}
