/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* AHCI controllers: SATA disks and ATAPI CD drives. */
#ifndef PRIVET_FIRMWARE_AHCI_H
#define PRIVET_FIRMWARE_AHCI_H

/* Finds them all and publishes their disks and CDs. After pci_init and uefi_init. */
void ahci_init(void);

#endif
