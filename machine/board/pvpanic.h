/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The panic notification port of QEMU (docs/specs/pvpanic): a guest's kernel says that it panicked,
 * or that its crash kernel takes over. ACPI names it QEMU0001, fw_cfg etc/pvpanic-port.
 */
#ifndef PRIVET_MACHINE_BOARD_PVPANIC_H
#define PRIVET_MACHINE_BOARD_PVPANIC_H

#include "machine/devices/bus.h"

#define PVPANIC_PORT 0x505u

enum pvpanic_event { PVPANIC_PANICKED = 1, PVPANIC_CRASH_LOADED = 2 };

typedef void pvpanic_told(void *context, unsigned events);

struct pvpanic {
    pvpanic_told *told;
    void *context;
};

void pvpanic_init(struct pvpanic *pvpanic, struct bus *bus, pvpanic_told *told, void *context);

#endif
