/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The virtio block device (virtio 1.2 5.2): read, write, flush, one request at a time. */
#include "firmware/drivers/virtio_blk.h"

#include <string.h>

#include "firmware/drivers/drive.h"
#include "firmware/drivers/drivers.h"
#include "firmware/drivers/virtio.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

enum {
    KIND_BLOCK = 2,
    QUEUE_SIZE = 4,
    REQUEST_READ = 0,
    REQUEST_WRITE = 1,
    REQUEST_FLUSH = 4,
    STATUS_OK = 0,
    STATUS_NONE = 0xFF,
    CONFIG_CAPACITY = 0,
    CONFIG_BLOCK_SIZE = 20,
    SECTOR = 512,
};
#define FEATURE_READ_ONLY  (1ull << 5)
#define FEATURE_BLOCK_SIZE (1ull << 6)
#define FEATURE_FLUSH      (1ull << 9)

struct control {
    uint32_t type, reserved;
    uint64_t sector;
    uint8_t status;
};
_Static_assert(offsetof(struct control, status) == 16, "virtio 1.2 5.2.6");

struct virtio_disk {
    struct drive drive;
    struct virtio device;
    struct virtio_queue queue;
    volatile struct control *control; /* shared */
    uint64_t control_device;
};

/* One request; data may be NULL. A device that reads less than it was asked for has failed it. */
static bool request(struct virtio_disk *disk, uint32_t type, uint64_t sector,
                    const struct dma_mapping *data)
{
    struct virtio_segment segments[3];
    unsigned count = 0;
    uint32_t written, expected = type == REQUEST_READ ? (uint32_t)data->length : 0;
    disk->control->type = type;
    disk->control->reserved = 0;
    disk->control->sector = sector;
    disk->control->status = STATUS_NONE;
    segments[count++] = (struct virtio_segment){ disk->control_device, 16, false };
    if (data)
        segments[count++] =
            (struct virtio_segment){ data->device, (uint32_t)data->length, type == REQUEST_READ };
    segments[count++] =
        (struct virtio_segment){ disk->control_device + offsetof(struct control, status), 1, true };
    return virtio_request(&disk->queue, segments, count, &written) && written > expected &&
           disk->control->status == STATUS_OK;
}

static bool transfer(struct drive *base, uint64_t block, uint32_t count,
                     const struct dma_mapping *data)
{
    (void)count;
    return request((struct virtio_disk *)base,
                   data->direction == DMA_FROM_DEVICE ? REQUEST_READ : REQUEST_WRITE,
                   block * (base->block.block_size / SECTOR), data);
}

static bool flush(struct drive *drive)
{
    return request((struct virtio_disk *)drive, REQUEST_FLUSH, 0, NULL);
}

static bool read_geometry(struct virtio_disk *disk)
{
    uint64_t features = disk->device.features;
    uint64_t sectors = virtio_config64(&disk->device, CONFIG_CAPACITY);
    uint32_t size =
        features & FEATURE_BLOCK_SIZE ? virtio_config32(&disk->device, CONFIG_BLOCK_SIZE) : SECTOR;
    disk->drive.driver = disk->device.driver;
    disk->drive.address = disk->device.address;
    disk->drive.transfer = transfer;
    disk->drive.flush = features & FEATURE_FLUSH ? flush : NULL;
    disk->drive.block.read_only = features & FEATURE_READ_ONLY;
    return size >= SECTOR && drive_init(&disk->drive, sectors / (size / SECTOR), size);
}

static bool start(struct virtio_disk *disk, const struct pci_function *function)
{
    if (!virtio_open(function, "virtio-blk", FEATURE_READ_ONLY | FEATURE_BLOCK_SIZE | FEATURE_FLUSH,
                     &disk->device))
        return false;
    if (!read_geometry(disk)) {
        virtio_refuse(&disk->device, "its size or its block size is impossible");
        return false;
    }
    disk->control = dma_alloc(sizeof(struct control), &disk->control_device);
    if (!disk->control) {
        virtio_refuse(&disk->device, "there is no memory for it");
        return false;
    }
    return virtio_queue_open(&disk->device, 0, QUEUE_SIZE, &disk->queue) &&
           virtio_ready(&disk->device);
}

/* After it was refused. */
static void destroy(struct virtio_disk *disk)
{
    virtio_queue_close(&disk->queue);
    if (disk->control)
        dma_free((void *)(uintptr_t)disk->control, sizeof(struct control));
    pool_free(disk);
}

static void try_device(const struct pci_function *function)
{
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_of_pci(function->address);
    struct virtio_disk *disk = pool_allocate(MEMORY_BOOT_DATA, sizeof(*disk));
    if (!path || !disk) {
        device_refuse(function->address, "virtio-blk", "there is no memory for it");
        return;
    }
    memset(disk, 0, sizeof(*disk));
    if (start(disk, function)) {
        block_publish(&disk->drive.block, path);
    } else {
        destroy(disk);
        pool_free(path);
    }
}

void virtio_blk_init(void)
{
    const struct pci_function *function;
    for (size_t i = 0; pci_function_at(i, &function); i++)
        if (virtio_is(function, KIND_BLOCK) &&
            drive_scan_begin(function->address, "virtio-blk")) {
            try_device(function);
            drive_scan_end(function->address, "virtio-blk");
        }
}
