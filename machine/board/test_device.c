/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Ports by which a test guest ends its run and drives interrupt lines: see test_device.h. */
#include "machine/board/test_device.h"

#include <string.h>

#define LINE_PORTS  0x2000u
#define KEEP_PORTS  0xE0u
#define BUFFER_BASE 0xFF000000u

static uint64_t read_nothing(void *context, uint64_t offset, unsigned size)
{
    return 0;
}

static void end_run(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct test_device *device = context;

    if (device->asked)
        return;
    device->asked = true;
    device->status = (uint8_t)(value << 1 | 1);
    device->stop(device->context);
}

static void drive_line(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct test_device *device = context;

    bus_line(device->bus, (unsigned)offset, BUS_DRIVER_DEVICE, value != 0);
}

static uint64_t read_port(void *context, uint64_t offset, unsigned size)
{
    const struct test_device *device = context;
    uint64_t value = 0;

    memcpy(&value, device->ports + offset, size);
    return value;
}

static void write_port(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct test_device *device = context;

    memcpy(device->ports + offset, &value, size);
}

static uint64_t read_buffer(void *context, uint64_t offset, unsigned size)
{
    const struct test_device *device = context;
    uint64_t value = 0;

    memcpy(&value, device->buffer + offset, size);
    return value;
}

static void write_buffer(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct test_device *device = context;

    memcpy(device->buffer + offset, &value, size);
}

bool test_device_init(struct test_device *device, struct bus *bus, uint16_t exit_port,
                      void (*stop)(void *context), void *context)
{
    const struct bus_range end = { exit_port, 4, 4, read_nothing, end_run, device };
    const struct bus_range lines = { LINE_PORTS, BUS_GSI_COUNT, 4, read_nothing, drive_line,
                                     device };

    const struct bus_range ports = { KEEP_PORTS, 4, 4, read_port, write_port, device };
    const struct bus_range buffer = { BUFFER_BASE, sizeof(device->buffer), 8, read_buffer,
                                      write_buffer, device };

    *device = (struct test_device){ .bus = bus, .stop = stop, .context = context };
    return bus_claim(bus, BUS_PORTS, &end) && bus_claim(bus, BUS_PORTS, &lines) &&
           bus_claim(bus, BUS_PORTS, &ports) && bus_claim(bus, BUS_MMIO, &buffer);
}
