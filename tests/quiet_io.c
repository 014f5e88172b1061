/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The outside in which nothing is. */
#include "tests/quiet_io.h"

static uint64_t mmio_read(void *context, uint64_t gpa, unsigned size)
{
    return UINT64_MAX;
}

static void mmio_write(void *context, uint64_t gpa, uint64_t value, unsigned size)
{
}

static uint32_t port_read(void *context, uint16_t port, unsigned size)
{
    return UINT32_MAX;
}

static void port_write(void *context, uint16_t port, uint32_t value, unsigned size)
{
}

static int interrupt_acknowledge(void *context)
{
    return -1;
}

static uint64_t tsc_read(void *context)
{
    return 1000;
}

static bool apic_msr_read(void *context, uint32_t msr, uint64_t *value)
{
    return false;
}

static bool apic_msr_write(void *context, uint32_t msr, uint64_t value)
{
    return false;
}

static uint8_t cr8_read(void *context)
{
    return 0;
}

static void cr8_write(void *context, uint8_t value)
{
}

static bool no_random(void *context, uint64_t *value)
{
    return false;
}

const struct cpu_io quiet_io = {
    .mmio_read = mmio_read,
    .mmio_write = mmio_write,
    .port_read = port_read,
    .port_write = port_write,
    .interrupt_acknowledge = interrupt_acknowledge,
    .tsc_read = tsc_read,
    .apic_msr_read = apic_msr_read,
    .apic_msr_write = apic_msr_write,
    .cr8_read = cr8_read,
    .cr8_write = cr8_write,
    .random = no_random,
};
