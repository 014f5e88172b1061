/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Local APIC. One table of register numbers (offset / 16 = x2APIC MSR - 0x800) serves both faces;
 * what differs between them is id, LDR, ICR and the stricter checks of the MSR face.
 */
#include "machine/board/apic.h"

#include <string.h>

/* A hostile guest may ask for an interrupt per nanosecond. */
#define MIN_PERIOD_NS 10000u

enum { /* register numbers, APM 2 table 16-2 */
    REG_ID = 0x02,
    REG_VERSION = 0x03,
    REG_TPR = 0x08,
    REG_APR = 0x09,
    REG_PPR = 0x0A,
    REG_EOI = 0x0B,
    REG_LDR = 0x0D,
    REG_DFR = 0x0E,
    REG_SVR = 0x0F,
    REG_ISR = 0x10,
    REG_TMR = 0x18,
    REG_IRR = 0x20,
    REG_ESR = 0x28,
    REG_ICR_LOW = 0x30,
    REG_ICR_HIGH = 0x31,
    REG_LVT = 0x32,
    REG_TIMER_INITIAL = 0x38,
    REG_TIMER_CURRENT = 0x39,
    REG_TIMER_DIVIDE = 0x3E,
    REG_SELF_IPI = 0x3F,
};

enum { MSR_APIC_BASE = 0x1B, MSR_TSC_DEADLINE = 0x6E0, MSR_X2APIC = 0x800 };
enum { BASE_BSP = 1 << 8, BASE_X2APIC = 1 << 10, BASE_ENABLE = 1 << 11 };
enum { MODE_FIXED, MODE_LOWEST, MODE_SMI, MODE_NMI = 4, MODE_INIT, MODE_STARTUP, MODE_EXTINT };
enum { LVT_MASKED = 1 << 16, LVT_TIMER_MODE = 3 << 17 };
enum { TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_DEADLINE };
enum { SVR_ENABLE = 1 << 8 };
enum { ESR_SEND_ILLEGAL = 1 << 5, ESR_RECEIVE_ILLEGAL = 1 << 6, ESR_REGISTER = 1 << 7 };

#define VERSION           (0x14u | (APIC_LVT_COUNT - 1u) << 16)
#define BASE_ADDRESS_MASK UINT64_C(0x000FFFFFFFFFF000)
#define ICR_WRITABLE      0xCCFFFu

static const uint32_t lvt_writable[APIC_LVT_COUNT] = {
    [APIC_LVT_TIMER] = 0x700FF,       [APIC_LVT_THERMAL] = 0x107FF,
    [APIC_LVT_PERFORMANCE] = 0x107FF, [APIC_LVT_LINT0] = 0x1A7FF,
    [APIC_LVT_LINT1] = 0x1A7FF,       [APIC_LVT_ERROR] = 0x100FF,
};

static bool test_bit(const uint32_t *set, unsigned vector)
{
    return set[vector / 32] >> vector % 32 & 1;
}

static void set_bit(uint32_t *set, unsigned vector, bool on)
{
    uint32_t bit = 1u << vector % 32;

    set[vector / 32] = on ? set[vector / 32] | bit : set[vector / 32] & ~bit;
}

static int highest(const uint32_t *set)
{
    for (int word = 7; word >= 0; word--)
        if (set[word])
            return word * 32 + 31 - __builtin_clz(set[word]);
    return -1;
}

enum apic_mode apic_mode(const struct apic *apic)
{
    if (!(apic->base & BASE_ENABLE))
        return APIC_DISABLED;
    return apic->base & BASE_X2APIC ? APIC_X2APIC : APIC_XAPIC;
}

uint64_t apic_page(const struct apic *apic)
{
    return apic_mode(apic) == APIC_XAPIC ? apic->base & BASE_ADDRESS_MASK : UINT64_MAX;
}

static bool enabled(const struct apic *apic)
{
    return apic_mode(apic) != APIC_DISABLED && (apic->svr & SVR_ENABLE);
}

/* Processor priority: the higher class of TPR and the interrupt in service (APM 2 16.6.4). */
static uint32_t ppr(const struct apic *apic)
{
    int in_service = highest(apic->isr);
    uint32_t class = in_service < 0 ? 0 : (uint32_t)in_service & 0xF0;

    return (apic->tpr & 0xF0) >= class ? apic->tpr : class;
}

bool apic_pending(const struct apic *apic)
{
    int request = highest(apic->irr);

    return enabled(apic) && request >= 0 && ((uint32_t)request & 0xF0) > (ppr(apic) & 0xF0);
}

static void update(struct apic *apic)
{
    apic->host->update(apic->host->context, apic);
}

int apic_acknowledge(struct apic *apic)
{
    int vector = highest(apic->irr);

    if (!apic_pending(apic))
        return -1;
    set_bit(apic->irr, (unsigned)vector, false);
    set_bit(apic->isr, (unsigned)vector, true);
    update(apic);
    return vector;
}

static void end_of_interrupt(struct apic *apic)
{
    int vector = highest(apic->isr);

    if (vector < 0)
        return;
    set_bit(apic->isr, (unsigned)vector, false);
    if (test_bit(apic->tmr, (unsigned)vector))
        apic->host->broadcast_eoi(apic->host->context, (uint8_t)vector);
    update(apic);
}

static void request_vector(struct apic *apic, uint8_t vector, bool level);

static void error(struct apic *apic, uint32_t bit)
{
    uint32_t lvt = apic->lvt[APIC_LVT_ERROR];

    apic->esr_pending |= bit;
    if (!(lvt & LVT_MASKED) && (lvt & 0xFF) >= 16)
        request_vector(apic, (uint8_t)lvt, false);
}

static void request_vector(struct apic *apic, uint8_t vector, bool level)
{
    if (!enabled(apic))
        return;
    if (vector < 16) {
        error(apic, ESR_RECEIVE_ILLEGAL);
        return;
    }
    set_bit(apic->irr, vector, true);
    set_bit(apic->tmr, vector, level);
    update(apic);
}

bool apic_deliver(struct apic *apic, const struct apic_message *message)
{
    switch (message->mode) {
    case MODE_FIXED:
    case MODE_LOWEST:
        if (!enabled(apic))
            return false;
        request_vector(apic, message->vector, message->level);
        break;
    case MODE_NMI:
        apic->host->event(apic->host->context, apic, APIC_EVENT_NMI, 0);
        break;
    case MODE_INIT:
        apic->host->event(apic->host->context, apic, APIC_EVENT_INIT, 0);
        break;
    case MODE_STARTUP:
        apic->host->event(apic->host->context, apic, APIC_EVENT_STARTUP, message->vector);
        break;
    default: /* SMI and ExtINT messages have no receiver on this board */
        return false;
    }
    return true;
}

static uint32_t logical_id(const struct apic *apic)
{
    if (apic_mode(apic) == APIC_X2APIC)
        return (uint32_t)(apic->index >> 4) << 16 | 1u << (apic->index & 15);
    return apic->ldr;
}

/* APM 2 16.6.1 (xAPIC), 16.13 (x2APIC). */
bool apic_matches(const struct apic *apic, uint32_t destination, bool logical)
{
    bool x2 = apic_mode(apic) == APIC_X2APIC;
    uint32_t mine = logical_id(apic);

    if (!logical)
        return destination == apic->index || destination == (x2 ? 0xFFFFFFFFu : 0xFFu) ||
               destination == 0xFF;
    if (x2)
        return destination == 0xFFFFFFFFu ||
               (destination >> 16 == mine >> 16 && (destination & mine & 0xFFFF));
    mine >>= 24;
    destination &= 0xFF;
    if (apic->dfr >> 28 == 0xF)
        return destination & mine;
    return (destination >> 4 == 0xF || destination >> 4 == mine >> 4) && (destination & mine & 0xF);
}

bool apic_passes_extint(const struct apic *apic)
{
    uint32_t lvt = apic->lvt[APIC_LVT_LINT0];

    if (apic_mode(apic) == APIC_DISABLED)
        return apic->bootstrap; /* LINT0 is the processor's INTR pin then */
    return apic->bootstrap && !(lvt & LVT_MASKED) && (lvt >> 8 & 7) == MODE_EXTINT;
}

/* --- the timer --- */

static unsigned divisor_shift(const struct apic *apic)
{
    unsigned code = (apic->timer_divide & 3) | (apic->timer_divide >> 1 & 4);

    return (code + 1) & 7; /* 0: 2, ..., 6: 128, 7: 1 */
}

static unsigned timer_mode(const struct apic *apic)
{
    return apic->lvt[APIC_LVT_TIMER] >> 17 & 3;
}

static uint64_t timer_period(const struct apic *apic)
{
    return (uint64_t)apic->timer_initial << divisor_shift(apic); /* 1 GHz: a ns per clock */
}

static uint32_t timer_current(const struct apic *apic)
{
    uint64_t elapsed = clock_now(apic->bus->clock) - apic->timer_start;
    uint64_t period = timer_period(apic);

    if (period == 0 || timer_mode(apic) == TIMER_DEADLINE)
        return 0;
    if (timer_mode(apic) == TIMER_PERIODIC)
        elapsed %= period;
    return elapsed >= period ? 0 : (uint32_t)((period - elapsed) >> divisor_shift(apic));
}

uint64_t apic_tsc(const struct apic *apic)
{
    return clock_ticks(clock_now(apic->bus->clock), apic->tsc_hz);
}

/* Arms the next expiry, if somebody would hear of it. */
static void timer_schedule(struct apic *apic)
{
    struct clock *clock = apic->bus->clock;
    uint64_t now = clock_now(clock), period = timer_period(apic), due = apic->timer_start + period;

    clock_cancel(clock, &apic->timer);
    if (apic->lvt[APIC_LVT_TIMER] & LVT_MASKED)
        return;
    switch (timer_mode(apic)) {
    case TIMER_DEADLINE:
        if (apic->tsc_deadline)
            clock_arm(clock, &apic->timer, clock_ticks_to_ns(apic->tsc_deadline, apic->tsc_hz));
        break;
    case TIMER_PERIODIC:
        if (period == 0)
            break;
        due = apic->timer_start + ((now - apic->timer_start) / period + 1) * period;
        clock_arm(clock, &apic->timer, period < MIN_PERIOD_NS ? now + MIN_PERIOD_NS : due);
        break;
    default:
        if (period && due > now)
            clock_arm(clock, &apic->timer, due);
    }
}

static void timer_fire(void *context)
{
    struct apic *apic = context;

    apic->tsc_deadline = 0;
    request_vector(apic, (uint8_t)apic->lvt[APIC_LVT_TIMER], false);
    if (timer_mode(apic) == TIMER_PERIODIC)
        timer_schedule(apic);
}

static void timer_start(struct apic *apic, uint32_t initial)
{
    if (timer_mode(apic) == TIMER_DEADLINE)
        return; /* ignored in this mode */
    apic->timer_initial = initial;
    apic->timer_start = clock_now(apic->bus->clock);
    timer_schedule(apic);
}

/* --- registers --- */

static void write_lvt(struct apic *apic, unsigned which, uint32_t value)
{
    unsigned old_mode = timer_mode(apic);

    value &= lvt_writable[which];
    if (!(apic->svr & SVR_ENABLE))
        value |= LVT_MASKED;
    apic->lvt[which] = value;
    if (which == APIC_LVT_TIMER) {
        if ((old_mode == TIMER_DEADLINE) != (timer_mode(apic) == TIMER_DEADLINE)) {
            apic->timer_initial = 0;
            apic->tsc_deadline = 0;
        }
        timer_schedule(apic);
    }
    update(apic);
}

static void write_svr(struct apic *apic, uint32_t value)
{
    apic->svr = value & 0x3FF;
    if (!(apic->svr & SVR_ENABLE))
        for (unsigned i = 0; i < APIC_LVT_COUNT; i++)
            apic->lvt[i] |= LVT_MASKED;
    timer_schedule(apic);
    update(apic);
}

static void send_ipi(struct apic *apic, uint32_t destination, uint32_t low)
{
    struct apic_message message = {
        .destination = destination,
        .vector = (uint8_t)low,
        .mode = low >> 8 & 7,
        .logical = low >> 11 & 1,
        .level = false,
    };

    if (message.mode == MODE_INIT && (low >> 14 & 3) == 2)
        return; /* INIT level de-assert: only old processors know it */
    if (message.mode <= MODE_LOWEST && message.vector < 16) {
        error(apic, ESR_SEND_ILLEGAL);
        return;
    }
    apic->host->send(apic->host->context, apic, &message, low >> 18 & 3);
}

static uint32_t read_common(struct apic *apic, unsigned reg)
{
    switch (reg) {
    case REG_VERSION:
        return VERSION;
    case REG_TPR:
        return apic->tpr;
    case REG_APR:
    case REG_PPR:
        return ppr(apic);
    case REG_LDR:
        return logical_id(apic);
    case REG_DFR:
        return apic->dfr;
    case REG_SVR:
        return apic->svr;
    case REG_ESR:
        return apic->esr;
    case REG_ICR_LOW:
        return (uint32_t)apic->icr;
    case REG_ICR_HIGH:
        return (uint32_t)(apic->icr >> 32);
    case REG_TIMER_INITIAL:
        return apic->timer_initial;
    case REG_TIMER_CURRENT:
        clock_poll(apic->bus->clock);
        return timer_current(apic);
    case REG_TIMER_DIVIDE:
        return apic->timer_divide;
    default:
        break;
    }
    if (reg >= REG_ISR && reg < REG_ISR + 8)
        return apic->isr[reg - REG_ISR];
    if (reg >= REG_TMR && reg < REG_TMR + 8)
        return apic->tmr[reg - REG_TMR];
    if (reg >= REG_IRR && reg < REG_IRR + 8)
        return apic->irr[reg - REG_IRR];
    if (reg >= REG_LVT && reg < REG_LVT + APIC_LVT_COUNT)
        return apic->lvt[reg - REG_LVT];
    return 0;
}

static void write_common(struct apic *apic, unsigned reg, uint32_t value)
{
    switch (reg) {
    case REG_TPR:
        apic->tpr = value & 0xFF;
        update(apic);
        break;
    case REG_EOI:
        end_of_interrupt(apic);
        break;
    case REG_SVR:
        write_svr(apic, value);
        break;
    case REG_ESR: /* a write moves the errors so far into view */
        apic->esr = apic->esr_pending;
        apic->esr_pending = 0;
        break;
    case REG_TIMER_INITIAL:
        timer_start(apic, value);
        break;
    case REG_TIMER_DIVIDE:
        apic->timer_divide = value & 0xB;
        timer_schedule(apic);
        break;
    default:
        if (reg >= REG_LVT && reg < REG_LVT + APIC_LVT_COUNT)
            write_lvt(apic, reg - REG_LVT, value);
        break;
    }
}

uint64_t apic_mmio_read(struct apic *apic, uint64_t offset, unsigned size)
{
    unsigned reg = (unsigned)(offset >> 4) & 0xFF, shift = (unsigned)(offset & 15) * 8;
    uint32_t value = reg == REG_ID ? apic->index << 24 : read_common(apic, reg);

    return shift < 32 ? value >> shift : 0;
}

void apic_mmio_write(struct apic *apic, uint64_t offset, uint64_t value, unsigned size)
{
    unsigned reg = (unsigned)(offset >> 4) & 0xFF;
    uint32_t low = (uint32_t)value;

    if (offset & 15)
        return; /* registers are written as aligned dwords (APM 2 16.3.2) */
    switch (reg) {
    case REG_LDR:
        apic->ldr = low & 0xFF000000u;
        break;
    case REG_DFR:
        apic->dfr = low | 0x0FFFFFFFu;
        break;
    case REG_ICR_HIGH:
        apic->icr = (apic->icr & 0xFFFFFFFFu) | (uint64_t)(low & 0xFF000000u) << 32;
        break;
    case REG_ICR_LOW:
        apic->icr = (apic->icr & ~UINT64_C(0xFFFFFFFF)) | (low & ICR_WRITABLE);
        send_ipi(apic, (uint32_t)(apic->icr >> 56), low);
        break;
    default:
        write_common(apic, reg, low);
    }
}

/* Which registers the MSR face has, and which of them can be written (APM 2 table 16-6). */
static bool x2apic_readable(unsigned reg)
{
    return reg == REG_ID || reg == REG_VERSION || reg == REG_TPR || reg == REG_PPR ||
           reg == REG_LDR || (reg >= REG_SVR && reg <= REG_ESR) || reg == REG_ICR_LOW ||
           (reg >= REG_LVT && reg <= REG_TIMER_CURRENT) || reg == REG_TIMER_DIVIDE;
}

static bool x2apic_writable(unsigned reg)
{
    return reg == REG_TPR || reg == REG_EOI || reg == REG_SVR || reg == REG_ESR ||
           reg == REG_ICR_LOW || (reg >= REG_LVT && reg <= REG_TIMER_INITIAL) ||
           reg == REG_TIMER_DIVIDE || reg == REG_SELF_IPI;
}

static bool write_base(struct apic *apic, uint64_t value)
{
    uint64_t reserved = ~(BASE_ADDRESS_MASK | BASE_BSP | BASE_X2APIC | BASE_ENABLE);
    bool enable = value & BASE_ENABLE, x2 = value & BASE_X2APIC;

    if ((value & reserved) || (x2 && !enable))
        return false;
    if (apic_mode(apic) == APIC_X2APIC && enable && !x2)
        return false; /* back to xAPIC leads through disabled only */
    if (apic_mode(apic) == APIC_DISABLED && x2)
        return false;
    if (!enable && apic_mode(apic) != APIC_DISABLED)
        apic_init_reset(apic);
    apic->base = (value & ~(uint64_t)BASE_BSP) | (apic->bootstrap ? BASE_BSP : 0);
    update(apic);
    return true;
}

bool apic_msr_read(struct apic *apic, uint32_t msr, uint64_t *value)
{
    unsigned reg = msr - MSR_X2APIC;

    if (msr == MSR_APIC_BASE) {
        *value = apic->base;
        return true;
    }
    if (msr == MSR_TSC_DEADLINE) {
        *value = apic->tsc_deadline;
        return true;
    }
    if (apic_mode(apic) != APIC_X2APIC || !x2apic_readable(reg))
        return false;
    if (reg == REG_ID)
        *value = apic->index;
    else if (reg == REG_ICR_LOW)
        *value = apic->icr;
    else
        *value = read_common(apic, reg);
    return true;
}

static bool x2apic_write(struct apic *apic, unsigned reg, uint64_t value)
{
    if (!x2apic_writable(reg) || (reg != REG_ICR_LOW && value >> 32))
        return false;
    if (((reg == REG_EOI || reg == REG_ESR) && value != 0) || (reg == REG_SELF_IPI && value > 0xFF))
        return false;
    if (reg == REG_ICR_LOW) {
        apic->icr = (value & ~UINT64_C(0xFFFFFFFF)) | (value & ICR_WRITABLE);
        send_ipi(apic, (uint32_t)(value >> 32), (uint32_t)value);
    } else if (reg == REG_SELF_IPI) {
        request_vector(apic, (uint8_t)value, false);
    } else {
        write_common(apic, reg, (uint32_t)value);
    }
    return true;
}

bool apic_msr_write(struct apic *apic, uint32_t msr, uint64_t value)
{
    if (msr == MSR_APIC_BASE)
        return write_base(apic, value);
    if (msr == MSR_TSC_DEADLINE) {
        if (timer_mode(apic) == TIMER_DEADLINE) {
            apic->tsc_deadline = value;
            timer_schedule(apic);
        }
        return true;
    }
    return apic_mode(apic) == APIC_X2APIC && x2apic_write(apic, msr - MSR_X2APIC, value);
}

uint8_t apic_cr8(const struct apic *apic)
{
    return (uint8_t)(apic->tpr >> 4);
}

void apic_set_cr8(struct apic *apic, uint8_t value)
{
    apic->tpr = (uint32_t)(value & 0xF) << 4;
    update(apic);
}

void apic_init_reset(struct apic *apic)
{
    clock_cancel(apic->bus->clock, &apic->timer);
    memset(apic->irr, 0, sizeof(apic->irr));
    memset(apic->isr, 0, sizeof(apic->isr));
    memset(apic->tmr, 0, sizeof(apic->tmr));
    for (unsigned i = 0; i < APIC_LVT_COUNT; i++)
        apic->lvt[i] = LVT_MASKED;
    apic->ldr = apic->esr = apic->esr_pending = apic->tpr = 0;
    apic->dfr = 0xFFFFFFFFu;
    apic->svr = 0xFF;
    apic->icr = 0;
    apic->timer_initial = apic->timer_divide = 0;
    apic->tsc_deadline = 0;
    update(apic);
}

void apic_reset(struct apic *apic)
{
    apic->base = APIC_DEFAULT_BASE | BASE_ENABLE | (apic->bootstrap ? BASE_BSP : 0);
    apic_init_reset(apic);
}

static void on_reset(void *context)
{
    apic_reset(context);
}

void apic_init(struct apic *apic, struct bus *bus, const struct apic_host *host, unsigned index,
               uint64_t tsc_hz)
{
    memset(apic, 0, sizeof(*apic));
    apic->bus = bus;
    apic->host = host;
    apic->index = index;
    apic->bootstrap = index == 0;
    apic->tsc_hz = tsc_hz;
    clock_timer_init(&apic->timer, timer_fire, apic);
    bus_on_reset(bus, on_reset, apic);
}
