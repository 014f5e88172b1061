/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the parts of the boot manager share. */
#ifndef PRIVET_FIRMWARE_MANAGER_H
#define PRIVET_FIRMWARE_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/boot/bootvars.h"

/* Boots an option with BootCurrent set. Returns when it failed or came back; the report has why. */
void manager_boot(const struct numbered_option *option);

/* The options of BootOrder as they are tried: after the host's order. NULL: none; else pool. */
uint16_t *manager_order(size_t *ret_count);

/* Everything that is booted without being asked; returns when nothing is left. */
void manager_boot_all(void);

#endif
