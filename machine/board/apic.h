/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The local APIC of one processor: xAPIC registers in a relocatable page, x2APIC MSRs, timer with
 * one-shot, periodic and TSC-deadline modes at 1 GHz. APM 2 chapter 16.
 */
#ifndef PRIVET_MACHINE_BOARD_APIC_H
#define PRIVET_MACHINE_BOARD_APIC_H

#include "machine/board/ioapic.h"
#include "machine/devices/bus.h"

#define APIC_DEFAULT_BASE UINT64_C(0xFEE00000)
#define APIC_TIMER_HZ     UINT64_C(1000000000)

enum apic_mode { APIC_DISABLED, APIC_XAPIC, APIC_X2APIC };

enum apic_event { APIC_EVENT_NMI, APIC_EVENT_INIT, APIC_EVENT_STARTUP };

struct apic;

struct apic_host {
    void *context;
    /* The state of the processor's INTR line may have changed: ask apic_pending. */
    void (*update)(void *context, struct apic *apic);
    void (*event)(void *context, struct apic *apic, enum apic_event event, uint8_t vector);
    /* An interprocessor interrupt leaves; `shorthand` as in ICR bits 19:18. */
    void (*send)(void *context, struct apic *from, const struct apic_message *message,
                 unsigned shorthand);
    void (*broadcast_eoi)(void *context, uint8_t vector);
};

enum apic_lvt {
    APIC_LVT_TIMER,
    APIC_LVT_THERMAL,
    APIC_LVT_PERFORMANCE,
    APIC_LVT_LINT0,
    APIC_LVT_LINT1,
    APIC_LVT_ERROR,
    APIC_LVT_COUNT
};

struct apic {
    struct bus *bus;
    const struct apic_host *host;
    unsigned index; /* of the processor; also the APIC id */
    bool bootstrap;
    uint64_t tsc_hz;
    uint64_t base; /* MSR 0x1B */
    uint32_t ldr, dfr, svr, esr, esr_pending, tpr;
    uint64_t icr;
    uint32_t lvt[APIC_LVT_COUNT];
    uint32_t irr[8], isr[8], tmr[8];
    uint32_t timer_initial, timer_divide;
    uint64_t timer_start; /* ns */
    uint64_t tsc_deadline; /* 0: disarmed */
    struct clock_timer timer;
};

void apic_init(struct apic *apic, struct bus *bus, const struct apic_host *host, unsigned index,
               uint64_t tsc_hz);
void apic_reset(struct apic *apic);      /* power-up state */
void apic_init_reset(struct apic *apic); /* INIT: keeps id and base */

enum apic_mode apic_mode(const struct apic *apic);
/* Base of the register page, or UINT64_MAX while it is not mapped. */
uint64_t apic_page(const struct apic *apic);

uint64_t apic_mmio_read(struct apic *apic, uint64_t offset, unsigned size);
void apic_mmio_write(struct apic *apic, uint64_t offset, uint64_t value, unsigned size);
/* MSRs 0x1B, 0x6E0, 0x800 to 0x8FF; false: #GP(0). */
bool apic_msr_read(struct apic *apic, uint32_t msr, uint64_t *value);
bool apic_msr_write(struct apic *apic, uint32_t msr, uint64_t value);

uint8_t apic_cr8(const struct apic *apic);
void apic_set_cr8(struct apic *apic, uint8_t value);

/* Is this APIC among the destinations of the message? */
bool apic_matches(const struct apic *apic, uint32_t destination, bool logical);
/* Takes a message that matches; false: this APIC is off and takes no such message. */
bool apic_deliver(struct apic *apic, const struct apic_message *message);
/* Does the 8259 pair's output reach the processor through this APIC? */
bool apic_passes_extint(const struct apic *apic);
/* LINT0 as NMI, and the like, are edges; extint is a level that apic_passes_extint gates. */
bool apic_pending(const struct apic *apic);
/* Vector of the highest request, now in service; -1: none. */
int apic_acknowledge(struct apic *apic);

/* Virtual TSC. */
uint64_t apic_tsc(const struct apic *apic);

#endif
