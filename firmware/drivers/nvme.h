/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* NVMe controllers. */
#ifndef PRIVET_FIRMWARE_NVME_H
#define PRIVET_FIRMWARE_NVME_H

/* Finds them all and publishes their namespaces as disks. After pci_init and uefi_init. */
void nvme_init(void);

#endif
