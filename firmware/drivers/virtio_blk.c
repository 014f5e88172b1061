/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The virtio block device (virtio 1.2 5.2): read, write, flush, one request at a time. */
#include "firmware/drivers/virtio_blk.h"

#include <string.h>

#include "firmware/drivers/drivers.h"
#include "firmware/drivers/virtio.h"
#include "firmware/lib/log.h"
#include "firmware/platform/pci.h"
#include "firmware/sev/dma.h"
#include "firmware/storage/block.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

enum {
    VENDOR_VIRTIO = 0x1AF4,
    DEVICE_BLOCK = 0x1042,
    DEVICE_BLOCK_OLD = 0x1001,
    REQUEST_READ = 0,
    REQUEST_WRITE = 1,
    REQUEST_FLUSH = 4,
    STATUS_OK = 0,
    STATUS_NONE = 0xFF,
    CONFIG_CAPACITY = 0,
    CONFIG_BLOCK_SIZE = 20,
    SECTOR = 512,
    PIECE = 256 * 1024, /* bytes per request: bounded by the shared pool */
};
#define FEATURE_READ_ONLY  (1ull << 5)
#define FEATURE_BLOCK_SIZE (1ull << 6)
#define FEATURE_FLUSH      (1ull << 9)

struct control {
    uint32_t type, reserved;
    uint64_t sector;
    uint8_t status;
};

struct virtio_disk {
    struct block_device block;
    struct virtio device;
    struct control *control; /* shared */
    uint64_t control_device;
    bool failed;
};

/* One request; data of length 0: none. */
static bool request(struct virtio_disk *disk, uint32_t type, uint64_t sector,
                    const struct dma_mapping *data)
{
    volatile struct control *control = disk->control;
    struct virtio_segment segments[3];
    unsigned count = 0;
    control->type = type;
    control->reserved = 0;
    control->sector = sector;
    control->status = STATUS_NONE;
    segments[count++] = (struct virtio_segment){ disk->control_device, 16, false };
    if (data)
        segments[count++] =
            (struct virtio_segment){ data->device, (uint32_t)data->length, type == REQUEST_READ };
    segments[count++] =
        (struct virtio_segment){ disk->control_device + offsetof(struct control, status), 1, true };
    if (disk->failed)
        return false;
    if (!virtio_request(&disk->device, segments, count)) {
        disk->failed = true;
        log_line("virtio-blk: no answer from the device");
        return false;
    }
    return control->status == STATUS_OK;
}

static bool transfer(struct virtio_disk *disk, uint32_t type, uint64_t block, uint32_t count,
                     void *data)
{
    uint64_t sector = block * (disk->block.block_size / SECTOR);
    uint8_t *bytes = data;
    uint64_t length = (uint64_t)count * disk->block.block_size;
    while (length > 0) {
        size_t piece = length < PIECE ? (size_t)length : PIECE;
        struct dma_mapping mapping;
        if (!dma_map(bytes, piece, type == REQUEST_READ ? DMA_FROM_DEVICE : DMA_TO_DEVICE,
                     &mapping))
            return false;
        bool done = request(disk, type, sector, &mapping);
        dma_unmap(&mapping);
        if (!done)
            return false;
        bytes += piece;
        length -= piece;
        sector += piece / SECTOR;
    }
    return true;
}

static bool read(struct block_device *block, uint64_t first, uint32_t count, void *data)
{
    return transfer((struct virtio_disk *)block, REQUEST_READ, first, count, data);
}

static bool write(struct block_device *block, uint64_t first, uint32_t count, const void *data)
{
    return transfer((struct virtio_disk *)block, REQUEST_WRITE, first, count,
                    (void *)(uintptr_t)data);
}

static bool flush(struct block_device *block)
{
    struct virtio_disk *disk = (struct virtio_disk *)block;
    return !(disk->device.features & FEATURE_FLUSH) || request(disk, REQUEST_FLUSH, 0, NULL);
}

static VOID EFIAPI stop(EFI_EVENT event, VOID *context)
{
    struct virtio_disk *disk = context;
    (void)event;
    virtio_stop(&disk->device);
}

/* What the device says of itself, checked. */
static bool read_geometry(struct virtio_disk *disk)
{
    uint64_t sectors = virtio_config32(&disk->device, CONFIG_CAPACITY) |
                       (uint64_t)virtio_config32(&disk->device, CONFIG_CAPACITY + 4) << 32;
    uint32_t size = SECTOR;
    if (disk->device.features & FEATURE_BLOCK_SIZE)
        size = virtio_config32(&disk->device, CONFIG_BLOCK_SIZE);
    if (size < SECTOR || size > 4096 || (size & (size - 1)) != 0 || sectors > UINT64_MAX >> 12 ||
        sectors / (size / SECTOR) < 2)
        return false;
    disk->block = (struct block_device){ .block_size = size,
                                         .blocks = sectors / (size / SECTOR),
                                         .read_only = disk->device.features & FEATURE_READ_ONLY,
                                         .read = read,
                                         .write = write,
                                         .flush = flush };
    return true;
}

static void start(const struct pci_function *function)
{
    EFI_EVENT event;
    struct virtio_disk *disk = pool_allocate(MEMORY_BOOT_DATA, sizeof(*disk));
    if (!disk || !virtio_open(function, &disk->device)) {
        device_refuse(function->address, "virtio-blk",
                      "it is not a virtio 1.x device (QEMU: disable-legacy=on)");
        pool_free(disk);
        return;
    }
    disk->control = dma_alloc(sizeof(struct control), &disk->control_device);
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_of_pci(function->address);
    if (!disk->control || !path ||
        !virtio_start(&disk->device, FEATURE_READ_ONLY | FEATURE_BLOCK_SIZE | FEATURE_FLUSH) ||
        !read_geometry(disk) ||
        bs_create_event(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK, stop, disk, &event) !=
            EFI_SUCCESS) {
        virtio_stop(&disk->device);
        device_refuse(function->address, "virtio-blk", "it does not start as a virtio 1.x device");
        return;
    }
    block_publish(&disk->block, path);
}

void virtio_blk_init(void)
{
    const struct pci_function *function;
    for (size_t i = 0; pci_function_at(i, &function); i++)
        if (function->vendor == VENDOR_VIRTIO &&
            (function->device == DEVICE_BLOCK || function->device == DEVICE_BLOCK_OLD))
            start(function);
}
