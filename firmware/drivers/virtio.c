/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The virtio transport over PCI (virtio 1.2 4.1) with a split queue (2.7). One request at a time:
 * descriptors 0 to n-1 are used anew for each, so the device's answer has only one right form.
 */
#include "firmware/drivers/virtio.h"

#include <string.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/io.h"
#include "firmware/arch/paging.h"
#include "firmware/arch/time.h"
#include "firmware/lib/log.h"
#include "firmware/sev/dma.h"

enum {
    CAPABILITY_VENDOR = 0x09,
    STRUCTURE_COMMON = 1,
    STRUCTURE_NOTIFY = 2,
    STRUCTURE_DEVICE = 4,
    /* common configuration, virtio 1.2 4.1.4.3 */
    DEVICE_FEATURE_SELECT = 0,
    DEVICE_FEATURE = 4,
    DRIVER_FEATURE_SELECT = 8,
    DRIVER_FEATURE = 12,
    DEVICE_STATUS = 20,
    QUEUE_SELECT = 22,
    QUEUE_SIZE = 24,
    QUEUE_ENABLE = 28,
    QUEUE_NOTIFY_OFFSET = 30,
    QUEUE_DESCRIPTORS = 32,
    QUEUE_DRIVER = 40,
    QUEUE_DEVICE = 48,
    COMMON_LENGTH = 56,
    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    DESCRIPTOR_NEXT = 1,
    DESCRIPTOR_WRITE = 2,
    NO_INTERRUPT = 1,
    RESET_WAIT_US = 1000000,
    REQUEST_WAIT_SECONDS = 30,
};
#define FEATURE_VERSION_1       (1ull << 32)
#define FEATURE_ACCESS_PLATFORM (1ull << 33)

struct queue {
    struct {
        uint64_t address;
        uint32_t length;
        uint16_t flags, next;
    } descriptors[VIRTIO_QUEUE_SIZE];
    struct {
        uint16_t flags, index, ring[VIRTIO_QUEUE_SIZE];
    } available;
    uint8_t gap[12];
    struct {
        uint16_t flags, index;
        struct {
            uint32_t id, length;
        } ring[VIRTIO_QUEUE_SIZE];
    } used;
};
_Static_assert(offsetof(struct queue, used) % 4 == 0, "virtio 1.2 2.7: alignment of the used ring");

/* The address of a structure that a capability describes, if it lies inside its BAR. */
static uint64_t locate(const struct pci_function *function, unsigned capability,
                       uint32_t *ret_length)
{
    unsigned bar = pci_read8(function->address, capability + 4);
    uint32_t offset = pci_read32(function->address, capability + 8);
    uint32_t length = pci_read32(function->address, capability + 12);
    if (bar >= 6 || function->bars[bar].io || length > function->bars[bar].size ||
        offset > function->bars[bar].size - length || function->bars[bar].base == 0)
        return 0;
    *ret_length = length;
    return function->bars[bar].base + offset;
}

static uint64_t map(uint64_t base, uint32_t length)
{
    uint64_t first = base & ~0xFFFull, end = (base + length + 0xFFF) & ~0xFFFull;
    paging_map_device(first, end - first);
    return base;
}

bool virtio_open(const struct pci_function *function, struct virtio *ret)
{
    struct virtio device = { 0 };
    unsigned at = 0;
    for (unsigned i = 0; i < 16; i++) {
        uint32_t length;
        at = pci_capability(function->address, CAPABILITY_VENDOR, at);
        if (at == 0)
            break;
        unsigned kind = pci_read8(function->address, at + 3);
        if (kind != STRUCTURE_COMMON && kind != STRUCTURE_NOTIFY && kind != STRUCTURE_DEVICE)
            continue;
        uint64_t base = locate(function, at, &length);
        if (!base || (kind == STRUCTURE_COMMON && length < COMMON_LENGTH))
            continue;
        if (kind == STRUCTURE_COMMON && !device.common) {
            device.common = map(base, length);
        } else if (kind == STRUCTURE_NOTIFY && !device.notify) {
            device.notify = map(base, length);
            device.notify_multiplier = pci_read32(function->address, at + 16);
        } else if (kind == STRUCTURE_DEVICE && !device.config) {
            device.config = map(base, length);
            device.config_length = length;
        }
    }
    if (!device.common || !device.notify)
        return false;
    *ret = device;
    return true;
}

static uint8_t status(const struct virtio *device)
{
    return mmio_read8(device->common + DEVICE_STATUS);
}

static void add_status(const struct virtio *device, uint8_t bits)
{
    mmio_write8(device->common + DEVICE_STATUS, status(device) | bits);
}

void virtio_stop(struct virtio *device)
{
    mmio_write8(device->common + DEVICE_STATUS, 0);
    for (unsigned i = 0; i < RESET_WAIT_US / 10 && status(device) != 0; i++)
        time_delay_us(10);
}

static uint64_t offered_features(const struct virtio *device)
{
    mmio_write32(device->common + DEVICE_FEATURE_SELECT, 0);
    uint64_t low = mmio_read32(device->common + DEVICE_FEATURE);
    mmio_write32(device->common + DEVICE_FEATURE_SELECT, 1);
    return low | (uint64_t)mmio_read32(device->common + DEVICE_FEATURE) << 32;
}

static bool agree_features(struct virtio *device, uint64_t wanted)
{
    device->features =
        offered_features(device) & (wanted | FEATURE_VERSION_1 | FEATURE_ACCESS_PLATFORM);
    if (!(device->features & FEATURE_VERSION_1))
        return false;
    mmio_write32(device->common + DRIVER_FEATURE_SELECT, 0);
    mmio_write32(device->common + DRIVER_FEATURE, (uint32_t)device->features);
    mmio_write32(device->common + DRIVER_FEATURE_SELECT, 1);
    mmio_write32(device->common + DRIVER_FEATURE, (uint32_t)(device->features >> 32));
    add_status(device, STATUS_FEATURES_OK);
    return status(device) & STATUS_FEATURES_OK;
}

static void write_address(const struct virtio *device, unsigned offset, uint64_t address)
{
    mmio_write32(device->common + offset, (uint32_t)address);
    mmio_write32(device->common + offset + 4, (uint32_t)(address >> 32));
}

static bool start_queue(struct virtio *device)
{
    if (!device->queue)
        device->queue = dma_alloc(sizeof(struct queue), &device->queue_device);
    if (!device->queue)
        return false;
    memset(device->queue, 0, sizeof(struct queue));
    device->next_available = 0;
    mmio_write16(device->common + QUEUE_SELECT, 0);
    if (mmio_read16(device->common + QUEUE_SIZE) < VIRTIO_QUEUE_SIZE)
        return false;
    mmio_write16(device->common + QUEUE_SIZE, VIRTIO_QUEUE_SIZE);
    write_address(device, QUEUE_DESCRIPTORS, device->queue_device);
    write_address(device, QUEUE_DRIVER, device->queue_device + offsetof(struct queue, available));
    write_address(device, QUEUE_DEVICE, device->queue_device + offsetof(struct queue, used));
    device->doorbell = device->notify + (uint64_t)device->notify_multiplier *
                                            mmio_read16(device->common + QUEUE_NOTIFY_OFFSET);
    mmio_write16(device->common + QUEUE_ENABLE, 1);
    return true;
}

bool virtio_start(struct virtio *device, uint64_t wanted)
{
    virtio_stop(device);
    add_status(device, STATUS_ACKNOWLEDGE);
    add_status(device, STATUS_DRIVER);
    if (!agree_features(device, wanted) || !start_queue(device))
        return false;
    add_status(device, STATUS_DRIVER_OK);
    return true;
}

static bool wait_used(const volatile uint16_t *index, uint16_t expected)
{
    uint64_t end = time_now_100ns() + REQUEST_WAIT_SECONDS * 10000000ull;
    while (*index != expected) {
        if (time_now_100ns() > end)
            return false;
        cpu_pause();
    }
    return true;
}

bool virtio_request(struct virtio *device, const struct virtio_segment *segments, unsigned count)
{
    volatile struct queue *queue = device->queue;
    assert(count > 0 && count <= VIRTIO_QUEUE_SIZE);
    for (unsigned i = 0; i < count; i++) {
        queue->descriptors[i].address = segments[i].device;
        queue->descriptors[i].length = segments[i].length;
        queue->descriptors[i].flags =
            (uint16_t)((i + 1 < count ? DESCRIPTOR_NEXT : 0) |
                       (segments[i].device_writes ? DESCRIPTOR_WRITE : 0));
        queue->descriptors[i].next = (uint16_t)(i + 1);
    }
    queue->available.flags = NO_INTERRUPT;
    queue->available.ring[device->next_available % VIRTIO_QUEUE_SIZE] = 0;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    queue->available.index = ++device->next_available;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    mmio_write16(device->doorbell, 0);
    if (!wait_used(&queue->used.index, device->next_available)) {
        virtio_stop(device); /* it must not write later, when the memory is somebody else's */
        return false;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return true;
}

uint32_t virtio_config32(const struct virtio *device, unsigned offset)
{
    if (offset + 4 > device->config_length)
        return 0;
    return mmio_read32(device->config + offset);
}
