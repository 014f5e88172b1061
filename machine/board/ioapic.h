/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The I/O APIC: 24 inputs, version 0x20 (with EOI register), at 0xFEC00000. ICH9 13.5.
 */
#ifndef PRIVET_MACHINE_BOARD_IOAPIC_H
#define PRIVET_MACHINE_BOARD_IOAPIC_H

#include "machine/devices/bus.h"

#define IOAPIC_BASE UINT64_C(0xFEC00000)
#define IOAPIC_PINS 24u

/* How an interrupt message travels to the local APICs; the fields are those of ICR and MSI. */
struct apic_message {
    uint32_t destination;
    uint8_t vector;
    uint8_t mode; /* delivery mode, APM 2 16.5: 0 fixed, 1 lowest, 4 NMI, 5 INIT, 6 startup */
    bool logical, level;
};

/* false: nobody took it */
typedef bool apic_send(void *context, const struct apic_message *message);

struct ioapic {
    uint64_t entry[IOAPIC_PINS];
    uint32_t line; /* a bit per input that is asserted */
    uint8_t select, id;
    apic_send *send;
    void *context;
};

void ioapic_init(struct ioapic *ioapic, struct bus *bus, apic_send *send, void *context);
void ioapic_line(struct ioapic *ioapic, unsigned pin, bool level);
/* EOI broadcast of a local APIC for a level-triggered vector. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

#endif
