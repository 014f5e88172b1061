/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * TCO timer. It has no SMI to send: there is no system management mode.
 */
#include "machine/board/tco.h"

#include <string.h>

enum { RELOAD = 0x00, DATA_IN = 0x02, DATA_OUT = 0x03, STATUS_1 = 0x04, STATUS_2 = 0x06,
       CONTROL_1 = 0x08, CONTROL_2 = 0x0A, MESSAGE_1 = 0x0C, MESSAGE_2 = 0x0D, BOOT_STATUS = 0x0E,
       LEGACY_IRQ = 0x10, TIMER = 0x12 };
enum { STATUS_1_TIMEOUT = 1 << 3, STATUS_1_CLEARS = 0x1F, STATUS_2_SECOND = 1 << 1,
       STATUS_2_BOOT = 1 << 2, STATUS_2_CLEARS = 0x17 };
enum { CONTROL_1_HALT = 1 << 3, CONTROL_1_LOCK = 1 << 4 }; /* in the high byte: bits 11 and 12 */
enum { GCS_NO_REBOOT = 1 << 5 };

#define TICK_NS      UINT64_C(600000000)
#define TIMER_MASK   0x3FFu
#define TIMER_MIN    4u  /* smaller values are ignored (13.9.9) */
#define CHIPSET_SIZE 0x4000u
#define CHIPSET_GCS  0x3410u

static uint16_t get16(const struct tco *tco, unsigned offset)
{
    return (uint16_t)(tco->registers[offset] | tco->registers[offset + 1] << 8);
}

static bool halted(const struct tco *tco)
{
    return tco->registers[CONTROL_1 + 1] & CONTROL_1_HALT;
}

static uint16_t ticks_left(const struct tco *tco)
{
    uint64_t now = clock_now(tco->bus->clock);

    if (halted(tco))
        return tco->left;
    return tco->due <= now ? 0 : (uint16_t)((tco->due - now + TICK_NS - 1) / TICK_NS);
}

static void start(struct tco *tco, uint16_t ticks)
{
    tco->left = ticks;
    tco->due = clock_now(tco->bus->clock) + ticks * TICK_NS;
    clock_cancel(tco->bus->clock, &tco->timer);
    if (!halted(tco))
        clock_arm(tco->bus->clock, &tco->timer, tco->due);
}

static uint16_t initial(const struct tco *tco)
{
    uint16_t ticks = get16(tco, TIMER) & TIMER_MASK;

    return ticks < TIMER_MIN ? TIMER_MIN : ticks;
}

/* The first time it tells, the second time it acts (13.9.5, 13.9.6). */
static void fire(void *context)
{
    struct tco *tco = context;

    start(tco, initial(tco));
    if (!(tco->registers[STATUS_1] & STATUS_1_TIMEOUT)) {
        tco->registers[STATUS_1] |= STATUS_1_TIMEOUT;
        return;
    }
    tco->registers[STATUS_2] |= STATUS_2_SECOND;
    if (!tco->no_reboot)
        tco->expired(tco->context);
}

static uint8_t read_byte(const struct tco *tco, unsigned offset)
{
    if (offset == RELOAD || offset == RELOAD + 1)
        return (uint8_t)(ticks_left(tco) >> (offset - RELOAD) * 8);
    return tco->registers[offset];
}

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
    struct tco *tco = context;
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)read_byte(tco, (unsigned)offset + i) << i * 8;
    return value;
}

static void write_halt(struct tco *tco, uint8_t value)
{
    bool was = halted(tco);
    uint16_t left = ticks_left(tco);
    uint8_t lock = tco->registers[CONTROL_1 + 1] & CONTROL_1_LOCK;

    tco->registers[CONTROL_1 + 1] = value | lock;
    if (was != halted(tco))
        start(tco, left);
}

static void write_byte(struct tco *tco, unsigned offset, uint8_t value)
{
    switch (offset) {
    case RELOAD: /* whatever is written, the count starts over */
        tco->registers[STATUS_1] &= (uint8_t)~STATUS_1_TIMEOUT;
        start(tco, initial(tco));
        break;
    case STATUS_1:
        tco->registers[offset] &= (uint8_t)~(value & STATUS_1_CLEARS);
        break;
    case STATUS_2:
        tco->registers[offset] &= (uint8_t)~(value & STATUS_2_CLEARS);
        break;
    case CONTROL_1 + 1:
        write_halt(tco, value);
        break;
    case DATA_IN:
    case DATA_OUT:
    case CONTROL_1:
    case CONTROL_2:
    case MESSAGE_1:
    case MESSAGE_2:
    case BOOT_STATUS:
    case LEGACY_IRQ:
    case TIMER:
    case TIMER + 1:
        tco->registers[offset] = value;
        break;
    }
}

static void port_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        write_byte(context, (unsigned)offset + i, (uint8_t)(value >> i * 8));
}

void tco_map(struct tco *tco, uint16_t pm_base)
{
    uint16_t base = pm_base ? (uint16_t)(pm_base + TCO_OFFSET) : 0;
    const struct bus_range range = { base, TCO_SIZE, 4, port_read, port_write, tco };

    if (tco->base == base)
        return;
    if (tco->base)
        bus_release(tco->bus, BUS_PORTS, tco->base, tco);
    tco->base = base && bus_claim(tco->bus, BUS_PORTS, &range) ? base : 0;
}

/* Of the chipset's configuration there is one register. */
static uint64_t chipset_read(void *context, uint64_t offset, unsigned size)
{
    const struct tco *tco = context;

    return offset == CHIPSET_GCS && tco->no_reboot ? GCS_NO_REBOOT : 0;
}

static void chipset_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct tco *tco = context;

    if (offset == CHIPSET_GCS)
        tco->no_reboot = value & GCS_NO_REBOOT;
}

void tco_map_chipset(struct tco *tco, uint32_t rcba)
{
    const struct bus_range range = { rcba, CHIPSET_SIZE, 4, chipset_read, chipset_write, tco };

    if (tco->rcba == rcba)
        return;
    if (tco->rcba)
        bus_release(tco->bus, BUS_MMIO, tco->rcba, tco);
    tco->rcba = rcba && bus_claim(tco->bus, BUS_MMIO, &range) ? rcba : 0;
}

static void reset(void *context)
{
    struct tco *tco = context;
    uint8_t second = tco->registers[STATUS_2] & STATUS_2_SECOND;

    memset(tco->registers, 0, sizeof(tco->registers));
    tco->registers[STATUS_2] = second; /* outlives the reset that it led to */
    tco->registers[TIMER] = TIMER_MIN;
    tco->registers[CONTROL_1 + 1] = CONTROL_1_HALT; /* until a driver wants it, as in QEMU's q35 */
    tco->registers[LEGACY_IRQ] = 3;
    tco->no_reboot = true;
    start(tco, TIMER_MIN);
}

void tco_init(struct tco *tco, struct bus *bus, void (*expired)(void *context), void *context)
{
    memset(tco, 0, sizeof(*tco));
    tco->bus = bus;
    tco->expired = expired;
    tco->context = context;
    clock_timer_init(&tco->timer, fire, tco);
    bus_on_reset(bus, reset, tco);
    reset(tco);
}
