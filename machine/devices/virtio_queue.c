/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Split virtqueues (virtio 1.2 2.7), the device's side.
 */
#include "machine/devices/virtio.h"

#include <string.h>

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { AVAIL_NO_INTERRUPT = 1 };

struct descriptor { /* virtio 1.2 2.7.5; little endian as the host */
    uint64_t gpa;
    uint32_t length;
    uint16_t flags, next;
};
_Static_assert(sizeof(struct descriptor) == 16, "virtqueue descriptor");

struct used_element {
    uint32_t id, length;
};

static bool read16(struct virtio_device *device, uint64_t gpa, uint16_t *ret)
{
    return bus_dma_read(device->bus, gpa, ret, sizeof(*ret));
}

/* Out segments come first (2.7.4.2); lengths add up in 64 bits. */
static bool add_segment(struct virtio_chain *chain, const struct descriptor *descriptor)
{
    bool in = descriptor->flags & DESC_WRITE;
    unsigned count = chain->out_count + chain->in_count;

    if (count == VIRTIO_MAX_SEGMENTS || (!in && chain->in_count))
        return false;
    if (descriptor->length &&
        descriptor->gpa + (descriptor->length - 1) < descriptor->gpa)
        return false;
    chain->segment[count] = (struct virtio_segment){ descriptor->gpa, descriptor->length };
    if (in) {
        chain->in_count++;
        chain->in_length += descriptor->length;
    } else {
        chain->out_count++;
        chain->out_length += descriptor->length;
    }
    return true;
}

/*
 * Follows a chain in a table of `size` descriptors. A chain of more steps than the table has
 * entries is a loop. `indirect`: a table may be referred to here (not within one: 2.7.5.3.1).
 */
static bool walk(struct virtio_device *device, uint64_t table, uint32_t size, uint16_t index,
                 bool indirect)
{
    struct descriptor descriptor;

    for (uint32_t steps = 0; steps < size; steps++) {
        if (index >= size || !bus_dma_read(device->bus, table + 16 * (uint64_t)index, &descriptor,
                                           sizeof(descriptor)))
            return false;
        if (descriptor.flags & DESC_INDIRECT) {
            if (!indirect || (descriptor.flags & DESC_NEXT) || descriptor.length == 0 ||
                descriptor.length % 16 || descriptor.length / 16 > VIRTIO_MAX_SEGMENTS)
                return false;
            return walk(device, descriptor.gpa, descriptor.length / 16, 0, false);
        }
        if (!add_segment(&device->chain, &descriptor))
            return false;
        if (!(descriptor.flags & DESC_NEXT))
            return true;
        index = descriptor.next;
    }
    return false;
}

static bool pop(struct virtio_device *device, struct virtio_queue *queue)
{
    struct virtio_chain *chain = &device->chain;
    unsigned slot = queue->next_available % queue->size;

    memset(chain, 0, offsetof(struct virtio_chain, segment));
    if (!read16(device, queue->driver + 4 + 2 * (uint64_t)slot, &chain->head) ||
        !walk(device, queue->descriptors, queue->size, chain->head,
              device->accepted & VIRTIO_F_INDIRECT))
        return false;
    queue->next_available++;
    return true;
}

static bool push(struct virtio_device *device, struct virtio_queue *queue, uint16_t head,
                 uint32_t written)
{
    struct used_element element = { head, written };
    uint64_t slot = queue->next_used % queue->size;

    queue->next_used++;
    return bus_dma_write(device->bus, queue->device + 4 + 8 * slot, &element, sizeof(element)) &&
           bus_dma_write(device->bus, queue->device + 2, &queue->next_used,
                         sizeof(queue->next_used));
}

/* How many requests wait. false: the index cannot be read, or says more than the queue holds. */
static bool waiting(struct virtio_device *device, const struct virtio_queue *queue,
                    uint16_t *ret_count)
{
    uint16_t available;

    if (!read16(device, queue->driver + 2, &available))
        return false;
    *ret_count = (uint16_t)(available - queue->next_available);
    return *ret_count <= queue->size;
}

bool virtio_pop(struct virtio_device *device, unsigned index)
{
    struct virtio_queue *queue = &device->queue[index];
    uint16_t count;

    if (!virtio_live(device, index))
        return false;
    if (!waiting(device, queue, &count)) {
        virtio_broken(device);
        return false;
    }
    if (count == 0)
        return false;
    if (!pop(device, queue)) {
        virtio_broken(device);
        return false;
    }
    return true;
}

void virtio_unpop(struct virtio_device *device, unsigned index, unsigned count)
{
    device->queue[index].next_available = (uint16_t)(device->queue[index].next_available - count);
}

void virtio_push(struct virtio_device *device, unsigned index, uint16_t head, uint32_t written)
{
    if (!push(device, &device->queue[index], head, written))
        virtio_broken(device);
}

void virtio_used(struct virtio_device *device, unsigned index)
{
    const struct virtio_queue *queue = &device->queue[index];
    uint16_t flags;

    if (virtio_live(device, index) && read16(device, queue->driver, &flags) &&
        !(flags & AVAIL_NO_INTERRUPT))
        virtio_signal(device, queue->vector, 1);
}

void virtio_queue_run(struct virtio_device *device, unsigned index)
{
    struct virtio_queue *queue = &device->queue[index];
    uint16_t count;

    if (!waiting(device, queue, &count)) {
        virtio_broken(device);
        return;
    }
    for (uint16_t i = 0; i < count; i++) {
        if (!pop(device, queue) || !push(device, queue, device->chain.head,
                                         device->request(device, &device->chain))) {
            virtio_broken(device);
            return;
        }
    }
    if (count)
        virtio_used(device, index);
}

/* Copies a byte range of consecutive segments. */
static bool transfer(struct virtio_device *device, const struct virtio_segment *segment,
                     unsigned count, uint64_t offset, uint8_t *data, size_t length, bool in)
{
    for (unsigned i = 0; i < count && length; i++) {
        size_t step;

        if (offset >= segment[i].length) {
            offset -= segment[i].length;
            continue;
        }
        step = segment[i].length - offset < length ? (size_t)(segment[i].length - offset) : length;
        if (in ? !bus_dma_write(device->bus, segment[i].gpa + offset, data, step)
               : !bus_dma_read(device->bus, segment[i].gpa + offset, data, step))
            return false;
        data += step;
        length -= step;
        offset = 0;
    }
    return length == 0;
}

bool virtio_take(struct virtio_device *device, const struct virtio_chain *chain, uint64_t offset,
                 void *data, size_t length)
{
    return transfer(device, chain->segment, chain->out_count, offset, data, length, false);
}

bool virtio_give(struct virtio_device *device, const struct virtio_chain *chain, uint64_t offset,
                 const void *data, size_t length)
{
    uint8_t *bytes = (uint8_t *)(uintptr_t)data; /* only read: `in` below */

    return transfer(device, chain->segment + chain->out_count, chain->in_count, offset, bytes,
                    length, true);
}
