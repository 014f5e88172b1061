/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* virtio block devices. */
#ifndef PRIVET_FIRMWARE_VIRTIO_BLK_H
#define PRIVET_FIRMWARE_VIRTIO_BLK_H

/* Finds them all and publishes each as a disk. After pci_init and uefi_init. */
void virtio_blk_init(void);

#endif
