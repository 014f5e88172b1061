/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Requests: 16-byte header, data, one status byte (virtio 1.2 5.2.6). Each is done at once.
 */
#include "machine/devices/virtio_blk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECTOR      512u
#define MAX_REQUEST (UINT64_C(16) << 20) /* bounds the time of one request */
#define SEGMENTS    254u

enum { FEATURE_SEG_MAX = 1 << 2, FEATURE_READ_ONLY = 1 << 5, FEATURE_BLK_SIZE = 1 << 6,
       FEATURE_FLUSH = 1 << 9 };
enum { REQUEST_READ, REQUEST_WRITE, REQUEST_FLUSH = 4, REQUEST_ID = 8 };
enum { STATUS_OK, STATUS_ERROR, STATUS_UNSUPPORTED };

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};
_Static_assert(sizeof(struct header) == 16, "virtio-blk request header");

static bool read_file(int fd, uint8_t *bytes, size_t length, uint64_t offset)
{
    while (length) {
        ssize_t got = pread(fd, bytes, length, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        length -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

static bool write_file(int fd, const uint8_t *bytes, size_t length, uint64_t offset)
{
    while (length) {
        ssize_t put = pwrite(fd, bytes, length, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        length -= (size_t)put;
        offset += (uint64_t)put;
    }
    return true;
}

static bool in_range(const struct virtio_blk *blk, uint64_t sector, uint64_t length)
{
    return length % SECTOR == 0 && length <= MAX_REQUEST && sector <= blk->sectors &&
           length / SECTOR <= blk->sectors - sector;
}

static bool copy_in(struct virtio_blk *blk, struct virtio_chain *chain, uint64_t sector,
                    uint64_t length)
{
    for (uint64_t done = 0; done < length; done += VIRTIO_BLK_BUFFER) {
        size_t step = length - done < VIRTIO_BLK_BUFFER ? (size_t)(length - done)
                                                        : VIRTIO_BLK_BUFFER;

        if (!read_file(blk->fd, blk->buffer, step, sector * SECTOR + done) ||
            !virtio_give(&blk->device, chain, done, blk->buffer, step))
            return false;
    }
    return true;
}

static bool copy_out(struct virtio_blk *blk, struct virtio_chain *chain, uint64_t sector,
                     uint64_t length)
{
    for (uint64_t done = 0; done < length; done += VIRTIO_BLK_BUFFER) {
        size_t step = length - done < VIRTIO_BLK_BUFFER ? (size_t)(length - done)
                                                        : VIRTIO_BLK_BUFFER;

        if (!virtio_take(&blk->device, chain, sizeof(struct header) + done, blk->buffer, step) ||
            !write_file(blk->fd, blk->buffer, step, sector * SECTOR + done))
            return false;
    }
    return true;
}

static bool give_id(struct virtio_blk *blk, struct virtio_chain *chain, uint64_t room)
{
    return virtio_give(&blk->device, chain, 0, blk->serial, room < 20 ? (size_t)room : 20);
}

/* Returns the status; `room` is the in part without the status byte. */
static uint8_t perform(struct virtio_blk *blk, struct virtio_chain *chain, uint64_t room)
{
    uint64_t data = chain->out_length - sizeof(struct header);
    struct header header;
    bool good;

    if (!virtio_take(&blk->device, chain, 0, &header, sizeof(header)))
        return STATUS_ERROR;
    switch (header.type) {
    case REQUEST_READ:
        good = in_range(blk, header.sector, room) && copy_in(blk, chain, header.sector, room);
        break;
    case REQUEST_WRITE:
        good = !blk->read_only && in_range(blk, header.sector, data) &&
               copy_out(blk, chain, header.sector, data);
        break;
    case REQUEST_FLUSH:
        good = blk->read_only || fdatasync(blk->fd) == 0;
        break;
    case REQUEST_ID:
        good = give_id(blk, chain, room);
        break;
    default:
        return STATUS_UNSUPPORTED;
    }
    return good ? STATUS_OK : STATUS_ERROR;
}

static uint32_t request(struct virtio_device *device, struct virtio_chain *chain)
{
    struct virtio_blk *blk = device->context;
    uint8_t status;

    if (chain->out_length < sizeof(struct header) || chain->in_length < 1)
        return 0; /* no place for a status either */
    status = perform(blk, chain, chain->in_length - 1);
    if (!virtio_give(device, chain, chain->in_length - 1, &status, 1))
        return 0;
    return chain->in_length > UINT32_MAX ? UINT32_MAX : (uint32_t)chain->in_length;
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> i * 8);
}

bool virtio_blk_init(struct virtio_blk *blk, struct pci_root *root, unsigned slot, bool platform,
                     int fd, bool read_only, const char *serial)
{
    off_t size = lseek(fd, 0, SEEK_END);
    uint64_t features = FEATURE_SEG_MAX | FEATURE_BLK_SIZE | FEATURE_FLUSH |
                        (read_only ? FEATURE_READ_ONLY : 0);

    if (size < 0)
        return false;
    blk->fd = fd;
    blk->read_only = read_only;
    blk->sectors = (uint64_t)size / SECTOR;
    snprintf(blk->serial, sizeof(blk->serial), "%s", serial);
    blk->device.request = request;
    blk->device.context = blk;
    put(blk->device.config, blk->sectors, 8);
    put(blk->device.config + 12, SEGMENTS, 4);
    put(blk->device.config + 20, SECTOR, 4);
    blk->device.config_size = 24;
    return virtio_init(&blk->device, root, slot, VIRTIO_ID_BLOCK, 0x010000, features, platform);
}
