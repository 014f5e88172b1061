/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Block device, virtio 1.2 5.2, over a disk image: one queue; flush, discard, write zeroes, a write
 * cache that can be switched off.
 */
#ifndef PRIVET_MACHINE_DEVICES_VIRTIO_BLK_H
#define PRIVET_MACHINE_DEVICES_VIRTIO_BLK_H

#include "machine/devices/virtio_disk.h"

#define VIRTIO_BLK_SERIAL 20u

struct virtio_blk {
    struct virtio_device device;
    struct virtio_disk disk;
    char serial[VIRTIO_BLK_SERIAL + 1], name[40];
};

/* `serial`: what GET_ID answers, cut to 20 bytes. false: the slot is taken. */
bool virtio_blk_init(struct virtio_blk *blk, struct pci_root *root, unsigned slot, bool platform,
                     struct image *image, const char *serial);

#endif
