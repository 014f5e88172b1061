/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* All drivers of the firmware, and what they did not accept. */
#ifndef PRIVET_FIRMWARE_DRIVERS_H
#define PRIVET_FIRMWARE_DRIVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts every device that a driver knows. After pci_init and uefi_init. */
void drivers_init(void);

/* A device that is left out, and why: a line for the user, kept for the boot manager's report. */
struct refusal {
    uint16_t address;   /* pci.h */
    const char *driver; /* "virtio-blk" */
    const char *reason; /* why, and what to change; constant text */
};
void device_refuse(uint16_t address, const char *driver, const char *reason);
/* The function may not use memory any more: for a device that does not stop when it is told to. */
void device_cut_off(uint16_t address);
/* The refusals so far; false: no more. */
bool device_refused_at(size_t index, const struct refusal **ret);

#endif
