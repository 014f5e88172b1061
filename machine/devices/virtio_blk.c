/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Requests: 16-byte header, data, one status byte (virtio 1.2 5.2.6). Each is done at once.
 */
#include "machine/devices/virtio_blk.h"

#include <stdio.h>
#include <string.h>

#define SECTOR IMAGE_SECTOR

/* Limits of one discard or write-zeroes request (5.2.4). */
#define ZERO_SECTORS  131072u /* of a segment: 64 MiB */
#define ZERO_SEGMENTS 16u

#define F_SEG_MAX      (1u << 2)
#define F_READ_ONLY    (1u << 5)
#define F_BLK_SIZE     (1u << 6)
#define F_FLUSH        (1u << 9)
#define F_TOPOLOGY     (1u << 10)
#define F_CONFIG_WCE   (1u << 11)
#define F_DISCARD      (1u << 13)
#define F_WRITE_ZEROES (1u << 14)

enum { /* configuration, 5.2.4 */
    CONFIG_CAPACITY = 0, CONFIG_SEG_MAX = 12, CONFIG_BLK_SIZE = 20, CONFIG_PHYSICAL_EXPONENT = 24,
    CONFIG_MIN_IO = 26, CONFIG_OPT_IO = 28, CONFIG_WRITEBACK = 32, CONFIG_QUEUES = 34,
    CONFIG_DISCARD_SECTORS = 36, CONFIG_DISCARD_SEGMENTS = 40, CONFIG_DISCARD_ALIGNMENT = 44,
    CONFIG_ZEROES_SECTORS = 48, CONFIG_ZEROES_SEGMENTS = 52, CONFIG_ZEROES_UNMAP = 56,
    CONFIG_SIZE = 60,
};
enum { REQUEST_READ = 0, REQUEST_WRITE = 1, REQUEST_FLUSH = 4, REQUEST_ID = 8,
       REQUEST_DISCARD = 11, REQUEST_WRITE_ZEROES = 13 };
enum { STATUS_OK, STATUS_ERROR, STATUS_UNSUPPORTED };
enum { ZERO_UNMAP = 1 };

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};
_Static_assert(sizeof(struct header) == 16, "virtio-blk request header");

struct zero_segment { /* of discard and write zeroes, 5.2.6 */
    uint64_t sector;
    uint32_t sectors, flags;
};
_Static_assert(sizeof(struct zero_segment) == 16, "virtio-blk discard segment");

static bool in_range(const struct virtio_blk *blk, uint64_t sector, uint64_t length)
{
    uint64_t sectors = image_size(blk->disk.image) / SECTOR;

    return length % SECTOR == 0 && length <= VIRTIO_DISK_MAX && sector <= sectors &&
           length / SECTOR <= sectors - sector;
}

/* 5.2.6.2: without a cache, or with one that the driver switched off, a write is stable. */
static bool write_through(const struct virtio_blk *blk)
{
    if (virtio_has(&blk->device, F_CONFIG_WCE))
        return !blk->device.config[CONFIG_WRITEBACK];
    return !virtio_has(&blk->device, F_FLUSH);
}

static bool stable(struct virtio_blk *blk)
{
    return !write_through(blk) || virtio_disk_flush(&blk->disk);
}

static uint8_t status_of(bool good)
{
    return good ? STATUS_OK : STATUS_ERROR;
}

static uint8_t serve_read(struct virtio_blk *blk, const struct virtio_chain *chain,
                          const struct header *header)
{
    uint64_t length = chain->in_length - 1;

    return status_of(in_range(blk, header->sector, length) &&
                     virtio_disk_give(&blk->disk, chain, 0, header->sector * SECTOR, length));
}

static uint8_t serve_write(struct virtio_blk *blk, const struct virtio_chain *chain,
                           const struct header *header)
{
    uint64_t length = chain->out_length - sizeof(*header);

    return status_of(!image_read_only(blk->disk.image) &&
                     in_range(blk, header->sector, length) &&
                     virtio_disk_take(&blk->disk, chain, sizeof(*header),
                                      header->sector * SECTOR, length) &&
                     stable(blk));
}

static uint8_t serve_flush(struct virtio_blk *blk, const struct virtio_chain *chain,
                           const struct header *header)
{
    return status_of(virtio_disk_flush(&blk->disk));
}

static uint8_t serve_id(struct virtio_blk *blk, const struct virtio_chain *chain,
                        const struct header *header)
{
    uint64_t room = chain->in_length - 1;
    size_t length = room < VIRTIO_BLK_SERIAL ? (size_t)room : VIRTIO_BLK_SERIAL;

    return status_of(virtio_give(&blk->device, chain, 0, blk->serial, length));
}

/* STATUS_OK, or what is wrong with a segment (5.2.6.2): unknown flags come first. */
static uint8_t check_zero(const struct virtio_blk *blk, const struct zero_segment *segment,
                          bool discard)
{
    if (segment->flags & (discard ? UINT32_MAX : ~(uint32_t)ZERO_UNMAP))
        return STATUS_UNSUPPORTED;
    return status_of(segment->sectors <= ZERO_SECTORS &&
                     in_range(blk, segment->sector, segment->sectors * (uint64_t)SECTOR));
}

static uint8_t serve_zero(struct virtio_blk *blk, const struct virtio_chain *chain,
                          const struct header *header)
{
    struct zero_segment segment[ZERO_SEGMENTS];
    uint64_t length = chain->out_length - sizeof(*header);
    unsigned count = (unsigned)(length / sizeof(segment[0]));
    bool discard = header->type == REQUEST_DISCARD;

    if (image_read_only(blk->disk.image) || length % sizeof(segment[0]) ||
        length > sizeof(segment) ||
        !virtio_take(&blk->device, chain, sizeof(*header), segment, (size_t)length))
        return STATUS_ERROR;
    for (unsigned i = 0; i < count; i++) {
        uint8_t status = check_zero(blk, &segment[i], discard);

        if (status != STATUS_OK)
            return status;
    }
    for (unsigned i = 0; i < count; i++)
        if (!virtio_disk_zero(&blk->disk, segment[i].sector * SECTOR,
                              segment[i].sectors * (uint64_t)SECTOR))
            return STATUS_ERROR;
    return status_of(stable(blk));
}

static const struct {
    uint32_t type;
    uint8_t (*serve)(struct virtio_blk *blk, const struct virtio_chain *chain,
                     const struct header *header);
} services[] = {
    { REQUEST_READ, serve_read },    { REQUEST_WRITE, serve_write },
    { REQUEST_FLUSH, serve_flush },  { REQUEST_ID, serve_id },
    { REQUEST_DISCARD, serve_zero }, { REQUEST_WRITE_ZEROES, serve_zero },
};

static uint8_t serve(struct virtio_blk *blk, const struct virtio_chain *chain)
{
    struct header header;

    if (!virtio_take(&blk->device, chain, 0, &header, sizeof(header)))
        return STATUS_ERROR;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        if (services[i].type == header.type)
            return services[i].serve(blk, chain, &header);
    return STATUS_UNSUPPORTED;
}

static uint32_t request(struct virtio_device *device, struct virtio_chain *chain)
{
    struct virtio_blk *blk = device->context;
    uint8_t status;

    if (chain->out_length < sizeof(struct header) || chain->in_length < 1) {
        virtio_refuse(device, "a request without room for its header or status");
        return 0;
    }
    status = serve(blk, chain);
    if (!virtio_give(device, chain, chain->in_length - 1, &status, 1))
        return 0;
    return chain->in_length > UINT32_MAX ? UINT32_MAX : (uint32_t)chain->in_length;
}

static void put(struct virtio_device *device, unsigned at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        device->config[at + i] = (uint8_t)(value >> i * 8);
}

static void stopped(struct virtio_device *device)
{
    device->config[CONFIG_WRITEBACK] = 1;
}

static void fill_config(struct virtio_device *device, const struct image *image)
{
    put(device, CONFIG_CAPACITY, image_size(image) / SECTOR, 8);
    put(device, CONFIG_SEG_MAX, VIRTIO_DISK_SEGMENTS, 4);
    put(device, CONFIG_BLK_SIZE, SECTOR, 4);
    put(device, CONFIG_PHYSICAL_EXPONENT, 3, 1); /* 4 KiB, as the host's file systems */
    put(device, CONFIG_MIN_IO, 8, 2);
    put(device, CONFIG_OPT_IO, 0, 4);
    put(device, CONFIG_QUEUES, 1, 2);
    put(device, CONFIG_DISCARD_SECTORS, ZERO_SECTORS, 4);
    put(device, CONFIG_DISCARD_SEGMENTS, ZERO_SEGMENTS, 4);
    put(device, CONFIG_DISCARD_ALIGNMENT, 8, 4);
    put(device, CONFIG_ZEROES_SECTORS, ZERO_SECTORS, 4);
    put(device, CONFIG_ZEROES_SEGMENTS, ZERO_SEGMENTS, 4);
    put(device, CONFIG_ZEROES_UNMAP, 1, 1);
    device->config_size = CONFIG_SIZE;
    device->config_writable[CONFIG_WRITEBACK] = 1;
}

bool virtio_blk_init(struct virtio_blk *blk, struct pci_root *root, unsigned slot, bool platform,
                     struct image *image, const char *serial)
{
    struct virtio_device *device = &blk->device;
    uint64_t features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY | F_CONFIG_WCE;

    features |= image_read_only(image) ? F_READ_ONLY : F_DISCARD | F_WRITE_ZEROES;
    blk->disk.device = device;
    blk->disk.image = image;
    snprintf(blk->serial, sizeof(blk->serial), "%s", serial);
    snprintf(blk->name, sizeof(blk->name), "virtio-blk %s", blk->serial);
    device->name = blk->name;
    device->request = request;
    device->stopped = stopped;
    device->context = blk;
    fill_config(device, image);
    return virtio_init(device, root, slot, VIRTIO_ID_BLOCK, 0x010000, features, platform);
}
