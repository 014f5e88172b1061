/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between a request's buffers and a disk image: what virtio-blk and virtio-scsi have in common.
 */
#ifndef PRIVET_MACHINE_DEVICES_VIRTIO_DISK_H
#define PRIVET_MACHINE_DEVICES_VIRTIO_DISK_H

#include "machine/devices/image.h"
#include "machine/devices/virtio.h"

#define VIRTIO_DISK_BUFFER   (256u << 10)
#define VIRTIO_DISK_MAX      (UINT64_C(1) << 30) /* bytes of one request: bounds its time */
#define VIRTIO_DISK_SEGMENTS (VIRTIO_QUEUE_SIZE - 2) /* one chain's: header and status beside */

struct virtio_disk {
    struct virtio_device *device;
    struct image *image; /* the caller's */
    bool complained;     /* of the host's errors: once */
    uint8_t buffer[VIRTIO_DISK_BUFFER];
};

/*
 * From the image into the in part of a chain, from its byte `at` on; from the out part into the
 * image. false: the buffers are not memory, or the image failed (said once).
 */
bool virtio_disk_give(struct virtio_disk *disk, const struct virtio_chain *chain, uint64_t at,
                      uint64_t offset, uint64_t length);
bool virtio_disk_take(struct virtio_disk *disk, const struct virtio_chain *chain, uint64_t at,
                      uint64_t offset, uint64_t length);
/* The same as with the image's functions, but an error is said once. */
bool virtio_disk_zero(struct virtio_disk *disk, uint64_t offset, uint64_t length);
bool virtio_disk_flush(struct virtio_disk *disk);

#endif
