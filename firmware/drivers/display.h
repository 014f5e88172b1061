/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* QEMU's displays: standard VGA (bochs-display too) and ramfb. */
#ifndef PRIVET_FIRMWARE_DISPLAY_H
#define PRIVET_FIRMWARE_DISPLAY_H

/* Publishes the first one. After pci_init, fwcfg_enable_dma and uefi_init. */
void display_init(void);

#endif
