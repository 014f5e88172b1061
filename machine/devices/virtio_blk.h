/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Block device, virtio 1.2 5.2, over a raw image file.
 */
#ifndef PRIVET_MACHINE_DEVICES_VIRTIO_BLK_H
#define PRIVET_MACHINE_DEVICES_VIRTIO_BLK_H

#include "machine/devices/virtio.h"

#define VIRTIO_BLK_BUFFER 65536u

struct virtio_blk {
    struct virtio_device device;
    int fd; /* the caller's */
    bool read_only;
    uint64_t sectors; /* whole ones of 512 bytes; what is behind them is not visible */
    char serial[21];
    uint8_t buffer[VIRTIO_BLK_BUFFER];
};

/* false: the size of the file is not to be had (errno), or the slot is taken. */
bool virtio_blk_init(struct virtio_blk *blk, struct pci_root *root, unsigned slot, bool platform,
                     int fd, bool read_only, const char *serial);

#endif
