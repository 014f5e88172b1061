/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Copies in pieces of one buffer: guest memory is reached by DMA only, never by a pointer that the
 * host's system calls would fill.
 */
#include "machine/devices/virtio_disk.h"

static bool image_result(struct virtio_disk *disk, bool good)
{
    const char *problem = image_problem(disk->image);

    if (!good && problem && !disk->complained) {
        disk->complained = true;
        bus_complain(disk->device->bus, disk->device->name, problem);
    }
    return good;
}

static size_t step_of(uint64_t rest)
{
    return rest < VIRTIO_DISK_BUFFER ? (size_t)rest : VIRTIO_DISK_BUFFER;
}

bool virtio_disk_give(struct virtio_disk *disk, const struct virtio_chain *chain, uint64_t at,
                      uint64_t offset, uint64_t length)
{
    for (uint64_t done = 0; done < length;) {
        size_t step = step_of(length - done);

        if (!image_result(disk, image_read(disk->image, offset + done, disk->buffer, step)) ||
            !virtio_give(disk->device, chain, at + done, disk->buffer, step))
            return false;
        done += step;
    }
    return true;
}

bool virtio_disk_take(struct virtio_disk *disk, const struct virtio_chain *chain, uint64_t at,
                      uint64_t offset, uint64_t length)
{
    for (uint64_t done = 0; done < length;) {
        size_t step = step_of(length - done);

        if (!virtio_take(disk->device, chain, at + done, disk->buffer, step) ||
            !image_result(disk, image_write(disk->image, offset + done, disk->buffer, step)))
            return false;
        done += step;
    }
    return true;
}

bool virtio_disk_zero(struct virtio_disk *disk, uint64_t offset, uint64_t length)
{
    return image_result(disk, image_zero(disk->image, offset, length));
}

bool virtio_disk_flush(struct virtio_disk *disk)
{
    return image_result(disk, image_flush(disk->image));
}
