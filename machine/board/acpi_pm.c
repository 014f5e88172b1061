/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * PM1, PM timer, GPE0 and the reset doors.
 */
#include "machine/board/acpi_pm.h"

#include <string.h>

enum { PM1_STATUS = 0x00, PM1_ENABLE = 0x02, PM1_CONTROL = 0x04, PM_TIMER = 0x08, GPE0 = 0x20,
       SMI_ENABLE = 0x30 };
enum { STATUS_TIMER = 1 << 0, STATUS_GLOBAL = 1 << 5, STATUS_POWER = 1 << 8, STATUS_RTC = 1 << 10,
       STATUS_WAKE = 1 << 15 };
enum { SMI_APMC = 1 << 5 };
enum { CONTROL_SCI = 1 << 0, CONTROL_SLEEP_TYPE = 7 << 10, CONTROL_SLEEP = 1 << 13 };

#define ENABLE_MASK  (STATUS_TIMER | STATUS_GLOBAL | STATUS_POWER | STATUS_RTC)
#define TIMER_MASK   0xFFFFFFu
#define SLEEP_TYPE_5 (0 << 10) /* as the DSDT's _S5 says */

static void update(struct acpi_pm *pm)
{
    bool level = (pm->control & CONTROL_SCI) && (pm->status & pm->enable & ENABLE_MASK);

    for (unsigned i = 0; i < 8; i++)
        level |= (pm->control & CONTROL_SCI) && (pm->gpe0[i] & pm->gpe0[i + 8]);
    bus_line(pm->bus, ACPI_PM_SCI, BUS_DRIVER_DEVICE, level);
}

static uint64_t timer_ticks(const struct acpi_pm *pm)
{
    return clock_ticks(clock_now(pm->bus->clock), ACPI_PM_TIMER_HZ);
}

/* TMR_STS is set when bit 23 changes; a timer is armed only while it would interrupt. */
static void schedule(struct acpi_pm *pm)
{
    uint64_t half = (TIMER_MASK + 1) / 2, next = (timer_ticks(pm) / half + 1) * half;

    clock_cancel(pm->bus->clock, &pm->overflow);
    if (pm->enable & STATUS_TIMER)
        clock_arm(pm->bus->clock, &pm->overflow, clock_ticks_to_ns(next, ACPI_PM_TIMER_HZ));
}

static void overflow_fire(void *context)
{
    struct acpi_pm *pm = context;

    pm->status |= STATUS_TIMER;
    schedule(pm);
    update(pm);
}

static void request(struct acpi_pm *pm, enum acpi_pm_request what)
{
    pm->request = what;
    pm->stop(pm->context);
}

static void write_control(struct acpi_pm *pm, uint16_t value)
{
    pm->control = value & (CONTROL_SCI | 2 | CONTROL_SLEEP_TYPE);
    if ((value & CONTROL_SLEEP) && (value & CONTROL_SLEEP_TYPE) == SLEEP_TYPE_5)
        request(pm, ACPI_PM_POWER_OFF);
    update(pm);
}

static uint8_t block_byte(const struct acpi_pm *pm, unsigned offset)
{
    uint64_t registers = pm->status | (uint64_t)pm->enable << 16 | (uint64_t)pm->control << 32;

    if (offset < 8)
        return (uint8_t)(registers >> offset * 8);
    if (offset >= GPE0 && offset < GPE0 + sizeof(pm->gpe0))
        return pm->gpe0[offset - GPE0];
    if (offset >= SMI_ENABLE && offset < SMI_ENABLE + 4)
        return (uint8_t)(pm->smi_enable >> (offset - SMI_ENABLE) * 8);
    return 0;
}

static uint64_t block_read(void *context, uint64_t offset, unsigned size)
{
    struct acpi_pm *pm = context;
    uint64_t value = 0;

    if ((offset & ~UINT64_C(3)) == PM_TIMER) {
        clock_poll(pm->bus->clock);
        return (timer_ticks(pm) & TIMER_MASK) >> (offset & 3) * 8;
    }
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)block_byte(pm, (unsigned)offset + i) << i * 8;
    return value;
}

static void set_byte16(uint16_t *word, unsigned high, uint8_t value)
{
    *word = (uint16_t)(high ? (*word & 0x00FF) | value << 8 : (*word & 0xFF00) | value);
}

static void write_byte(struct acpi_pm *pm, unsigned offset, uint8_t value)
{
    uint16_t word = 0;

    switch (offset & ~1u) {
    case PM1_STATUS:
        set_byte16(&word, offset & 1, value);
        pm->status &= (uint16_t)~word; /* write 1 to clear */
        break;
    case PM1_ENABLE:
        set_byte16(&pm->enable, offset & 1, value);
        pm->enable &= ENABLE_MASK;
        schedule(pm);
        break;
    case PM1_CONTROL:
        word = pm->control;
        set_byte16(&word, offset & 1, value);
        write_control(pm, word);
        break;
    default:
        if (offset >= GPE0 && offset < GPE0 + 8)
            pm->gpe0[offset - GPE0] &= (uint8_t)~value;
        else if (offset >= GPE0 + 8 && offset < GPE0 + 16)
            pm->gpe0[offset - GPE0] = value;
        else if (offset >= SMI_ENABLE && offset < SMI_ENABLE + 4)
            pm->smi_enable = (pm->smi_enable & ~(0xFFu << (offset - SMI_ENABLE) * 8)) |
                             (uint32_t)value << (offset - SMI_ENABLE) * 8;
    }
    update(pm);
}

static void block_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct acpi_pm *pm = context;

    if (offset == PM1_CONTROL && size >= 2) {
        write_control(pm, (uint16_t)value); /* SLP_TYP and SLP_EN together */
        return;
    }
    for (unsigned i = 0; i < size; i++)
        write_byte(pm, (unsigned)offset + i, (uint8_t)(value >> i * 8));
}

void acpi_pm_map(struct acpi_pm *pm, uint16_t base)
{
    const struct bus_range range = { base, ACPI_PM_SIZE, 4, block_read, block_write, pm };

    if (pm->base == base)
        return;
    if (pm->base)
        bus_release(pm->bus, BUS_PORTS, pm->base, pm);
    pm->base = base && bus_claim(pm->bus, BUS_PORTS, &range) ? base : 0;
}

/* 0xCF9: bit 1 chooses a hard reset, a rising bit 2 does it. ICH9 13.7.5. */
uint8_t acpi_pm_read_reset(const struct acpi_pm *pm)
{
    return pm->reset_control;
}

void acpi_pm_write_reset(struct acpi_pm *pm, uint8_t value)
{
    if ((value & 4) && !(pm->reset_control & 4))
        request(pm, ACPI_PM_RESET);
    pm->reset_control = value & 0xE;
}

void acpi_pm_ask_reset(struct acpi_pm *pm)
{
    request(pm, ACPI_PM_RESET);
}

/* Port 0x92: bit 1 gates A20, which is always open here; bit 0 resets. */
static uint64_t port_a_read(void *context, uint64_t offset, unsigned size)
{
    const struct acpi_pm *pm = context;

    return pm->port_a;
}

static void port_a_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct acpi_pm *pm = context;

    if ((value & 1) && !(pm->port_a & 1))
        request(pm, ACPI_PM_RESET);
    pm->port_a = (uint8_t)(value & 2);
}

static void reset(void *context)
{
    struct acpi_pm *pm = context;

    pm->status = pm->enable = pm->control = 0;
    memset(pm->gpe0, 0, sizeof(pm->gpe0));
    pm->smi_enable = SMI_APMC; /* SMM, which is not here, is set up already: SeaBIOS leaves it */
    pm->reset_control = 0;
    pm->port_a = 2;
    clock_cancel(pm->bus->clock, &pm->overflow);
    update(pm);
}

void acpi_pm_init(struct acpi_pm *pm, struct bus *bus, void (*stop)(void *context), void *context)
{
    const struct bus_range port_a = { 0x92, 1, 1, port_a_read, port_a_write, pm };

    memset(pm, 0, sizeof(*pm));
    pm->bus = bus;
    pm->stop = stop;
    pm->context = context;
    clock_timer_init(&pm->overflow, overflow_fire, pm);
    bus_claim(bus, BUS_PORTS, &port_a);
    bus_on_reset(bus, reset, pm);
    reset(pm);
}
