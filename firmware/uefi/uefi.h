/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the platform side calls in the UEFI side. */
#ifndef PRIVET_FIRMWARE_UEFI_UEFI_H
#define PRIVET_FIRMWARE_UEFI_UEFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* GUID in its EFI memory form. */
struct guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

/* Builds the system table and installs the console, RNG and other protocols. After paging, DMA. */
void uefi_init(void);
/* Configuration tables: ACPI RSDP, SMBIOS. */
void uefi_set_table(const struct guid *guid, void *table);
/* Timer tick (interrupt context) from arch/time. */
void uefi_tick(void);
/* Boot manager: never returns. boot/manager.c */
_Noreturn void boot_main(void);

#endif
