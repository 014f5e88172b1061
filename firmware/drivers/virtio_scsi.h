/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* virtio SCSI hosts. */
#ifndef PRIVET_FIRMWARE_VIRTIO_SCSI_H
#define PRIVET_FIRMWARE_VIRTIO_SCSI_H

/* Finds them all and publishes their disks and CDs. After pci_init and uefi_init. */
void virtio_scsi_init(void);

#endif
