/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Split virtqueues (virtio 1.2 2.7). Free descriptors and what is with the device are kept in
 * private memory; the shared rings are written for the device and read once per value.
 */
#include <string.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/io.h"
#include "firmware/arch/time.h"
#include "firmware/drivers/virtio.h"
#include "firmware/drivers/virtio_pci.h"
#include "firmware/lib/log.h"
#include "firmware/sev/dma.h"

enum {
    DESCRIPTOR_NEXT = 1,
    DESCRIPTOR_WRITE = 2,
    NO_INTERRUPT = 1,
    REQUEST_WAIT_SECONDS = 30,
};

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

struct available {
    uint16_t flags, index, ring[];
};

struct used {
    uint16_t flags, index;
    struct {
        uint32_t id, length;
    } ring[];
};
_Static_assert(sizeof(struct descriptor) == 16, "virtio 1.2 2.7.5");
_Static_assert(offsetof(struct used, ring) == 4, "virtio 1.2 2.7.8");

/* The three areas of a queue in its shared memory, each aligned (virtio 1.2 2.7). */
static uint32_t available_at(uint16_t size)
{
    return size * (uint32_t)sizeof(struct descriptor);
}

static uint32_t used_at(uint16_t size)
{
    return (available_at(size) + 6 + 2u * size + 3) & ~3u;
}

static uint32_t rings_length(uint16_t size)
{
    return used_at(size) + 6 + 8u * size;
}

static volatile struct descriptor *descriptors(const struct virtio_queue *queue)
{
    return (volatile struct descriptor *)queue->rings;
}

static volatile struct available *available(const struct virtio_queue *queue)
{
    return (volatile struct available *)(queue->rings + available_at(queue->size));
}

static volatile struct used *used(const struct virtio_queue *queue)
{
    return (volatile struct used *)(queue->rings + used_at(queue->size));
}

static void fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void write_address(const struct virtio *device, unsigned offset, uint64_t address)
{
    mmio_write32(device->common + offset, (uint32_t)address);
    mmio_write32(device->common + offset + 4, (uint32_t)(address >> 32));
}

/* Where the device wants to be told (virtio 1.2 4.1.4.4); 0: outside its own structure. */
static uint64_t doorbell_of(const struct virtio *device)
{
    uint64_t offset = (uint64_t)device->notify_multiplier *
                      mmio_read16(device->common + VIRTIO_QUEUE_NOTIFY_OFFSET);
    return offset + 2 <= device->notify_length ? device->notify + offset : 0;
}

bool virtio_queue_open(struct virtio *device, uint16_t index, uint16_t size,
                       struct virtio_queue *ret)
{
    assert(size > 0 && size <= VIRTIO_QUEUE_MAXIMUM && (size & (size - 1)) == 0);
    memset(ret, 0, sizeof(*ret));
    ret->device = device;
    ret->index = index;
    ret->size = size;
    ret->free_count = size;
    for (uint16_t i = 0; i < size; i++)
        ret->next[i] = (uint16_t)(i + 1);
    mmio_write16(device->common + VIRTIO_QUEUE_SELECT, index);
    uint16_t offered = mmio_read16(device->common + VIRTIO_QUEUE_SIZE);
    ret->doorbell = doorbell_of(device);
    if (offered < size || !ret->doorbell) {
        virtio_refuse(device, "its queues are too short or missing");
        return false;
    }
    ret->rings = dma_alloc(rings_length(size), &ret->rings_device);
    if (!ret->rings) {
        virtio_refuse(device, "there is no memory for its queues");
        return false;
    }
    available(ret)->flags = NO_INTERRUPT;
    mmio_write16(device->common + VIRTIO_QUEUE_SIZE, size);
    write_address(device, VIRTIO_QUEUE_DESCRIPTORS, ret->rings_device);
    write_address(device, VIRTIO_QUEUE_DRIVER, ret->rings_device + available_at(size));
    write_address(device, VIRTIO_QUEUE_DEVICE, ret->rings_device + used_at(size));
    mmio_write16(device->common + VIRTIO_QUEUE_ENABLE, 1);
    return true;
}

void virtio_queue_close(struct virtio_queue *queue)
{
    if (queue->rings)
        dma_free(queue->rings, rings_length(queue->size));
    queue->rings = NULL;
}

bool virtio_add(struct virtio_queue *queue, const struct virtio_segment *segments, unsigned count,
                void *token)
{
    uint16_t head = queue->free_head, at = head;
    assert(count > 0);
    if (queue->device->failed || count > queue->free_count)
        return false;
    queue->chains[head].token = token;
    queue->chains[head].count = (uint16_t)count;
    queue->chains[head].writable = 0;
    for (unsigned i = 0; i < count; i++) {
        volatile struct descriptor *to = &descriptors(queue)[at];
        bool last = i + 1 == count;
        to->address = segments[i].device;
        to->length = segments[i].length;
        to->flags = (uint16_t)((last ? 0 : DESCRIPTOR_NEXT) |
                               (segments[i].device_writes ? DESCRIPTOR_WRITE : 0));
        to->next = last ? 0 : queue->next[at];
        if (segments[i].device_writes)
            queue->chains[head].writable += segments[i].length;
        queue->free_head = queue->next[at];
        at = queue->free_head;
    }
    queue->free_count = (uint16_t)(queue->free_count - count);
    available(queue)->ring[queue->available % queue->size] = head;
    fence();
    available(queue)->index = ++queue->available;
    return true;
}

void virtio_notify(struct virtio_queue *queue)
{
    fence();
    if (!queue->device->failed)
        mmio_write16(queue->doorbell, queue->index);
}

/* The device must not write later, when the memory is somebody else's. */
static bool fail(struct virtio *device, const char *why)
{
    virtio_stop(device);
    log_line("%s at " PCI_PLACE " %s; it is not used any more", device->driver,
             PCI_PLACE_OF(device->address), why);
    return false;
}

static void release(struct virtio_queue *queue, uint16_t head)
{
    uint16_t last = head;
    for (unsigned i = 1; i < queue->chains[head].count; i++)
        last = queue->next[last];
    queue->next[last] = queue->free_head;
    queue->free_head = head;
    queue->free_count = (uint16_t)(queue->free_count + queue->chains[head].count);
    queue->chains[head].count = 0;
}

bool virtio_take(struct virtio_queue *queue, void **ret_token, uint32_t *ret_written)
{
    if (queue->device->failed)
        return false;
    uint16_t waiting = (uint16_t)(used(queue)->index - queue->used);
    if (waiting == 0)
        return false;
    if (waiting > (uint16_t)(queue->available - queue->used))
        return fail(queue->device, "answers what was not asked");
    fence();
    uint32_t id = used(queue)->ring[queue->used % queue->size].id;
    uint32_t length = used(queue)->ring[queue->used % queue->size].length;
    if (id >= queue->size || queue->chains[id].count == 0)
        return fail(queue->device, "answers what was not asked");
    queue->used++;
    *ret_token = queue->chains[id].token;
    /* Quirk: QEMU's virtio-scsi counts what it read, too. */
    *ret_written = length < queue->chains[id].writable ? length : queue->chains[id].writable;
    release(queue, (uint16_t)id);
    return true;
}

bool virtio_request(struct virtio_queue *queue, const struct virtio_segment *segments,
                    unsigned count, uint32_t *ret_written)
{
    void *token;
    if (!virtio_add(queue, segments, count, NULL))
        return false;
    virtio_notify(queue);
    uint64_t end = time_now_100ns() + REQUEST_WAIT_SECONDS * 10000000ull;
    while (!virtio_take(queue, &token, ret_written)) {
        if (queue->device->failed)
            return false;
        if (virtio_wants_reset(queue->device))
            return fail(queue->device, "asks for a reset");
        if (time_now_100ns() > end)
            return fail(queue->device, "does not answer");
        cpu_pause();
    }
    return true;
}
