/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * ACPI fixed hardware of the ICH9 in its PMBASE block (PM1 event and control, PM timer, GPE0), and
 * the reset and power-off doors: S5, 0xCF9, 0x92. ICH9 13.8; ACPI 6.4 4.8.
 */
#ifndef PRIVET_MACHINE_BOARD_ACPI_PM_H
#define PRIVET_MACHINE_BOARD_ACPI_PM_H

#include "machine/devices/bus.h"

#define ACPI_PM_BASE     0x600u
#define ACPI_PM_SIZE     0x60u /* the TCO timer follows */
#define ACPI_PM_TIMER_HZ 3579545u
#define ACPI_PM_SCI      9u

enum acpi_pm_request { ACPI_PM_NOTHING, ACPI_PM_POWER_OFF, ACPI_PM_RESET };

struct acpi_pm {
    struct bus *bus;
    uint16_t status, enable, control;
    uint8_t gpe0[16]; /* 8 bytes status, 8 bytes enable */
    uint32_t smi_enable;
    uint8_t reset_control, port_a;
    uint16_t base; /* where the block is claimed; 0: nowhere */
    struct clock_timer overflow; /* bit 23 of the timer changes */
    enum acpi_pm_request request;
    void (*stop)(void *context); /* told on a new request */
    void *context;
};

void acpi_pm_init(struct acpi_pm *pm, struct bus *bus, void (*stop)(void *context), void *context);
/* From the LPC bridge: PMBASE and its enable bit. base 0: not decoded. */
void acpi_pm_map(struct acpi_pm *pm, uint16_t base);
/* The guest is to be reset, at the word of another device. */
void acpi_pm_ask_reset(struct acpi_pm *pm);
/* Reset control register: port 0xCF9, a byte within the ports of the PCI address register. */
uint8_t acpi_pm_read_reset(const struct acpi_pm *pm);
void acpi_pm_write_reset(struct acpi_pm *pm, uint8_t value);

#endif
