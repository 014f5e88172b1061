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

/* NULL, or what is wrong. Out segments come first (2.7.4.2); lengths add up in 64 bits. */
static const char *add_segment(struct virtio_chain *chain, const struct descriptor *descriptor)
{
    bool in = descriptor->flags & DESC_WRITE;
    unsigned count = chain->out_count + chain->in_count;

    if (count == VIRTIO_MAX_SEGMENTS)
        return "a chain of too many descriptors";
    if (!in && chain->in_count)
        return "a descriptor to read behind one to write";
    if (descriptor->length &&
        descriptor->gpa + (descriptor->length - 1) < descriptor->gpa)
        return "a buffer that wraps around the address space";
    chain->segment[count] = (struct virtio_segment){ descriptor->gpa, descriptor->length };
    if (in) {
        chain->in_count++;
        chain->in_length += descriptor->length;
    } else {
        chain->out_count++;
        chain->out_length += descriptor->length;
    }
    return NULL;
}

static const char *check_indirect(const struct virtio_device *device,
                                  const struct descriptor *descriptor, bool nested)
{
    if (!virtio_has(device, VIRTIO_F_INDIRECT))
        return "an indirect descriptor that was not negotiated";
    if (nested)
        return "an indirect table within an indirect table";
    if (descriptor->flags & DESC_NEXT)
        return "an indirect descriptor with a next one";
    if (descriptor->length == 0 || descriptor->length % sizeof(*descriptor) ||
        descriptor->length / sizeof(*descriptor) > VIRTIO_MAX_SEGMENTS)
        return "an indirect table of a wrong length";
    return NULL;
}

/*
 * Follows a chain in a table of `size` descriptors. A chain of more steps than the table has
 * entries is a loop. `nested`: the table is an indirect one, which refers to no other (2.7.5.3.1).
 */
static const char *walk(struct virtio_device *device, uint64_t table, uint32_t size,
                        uint16_t index, bool nested)
{
    struct descriptor descriptor;
    const char *wrong;

    for (uint32_t steps = 0; steps < size; steps++) {
        if (index >= size)
            return "a descriptor index beyond the table";
        if (!bus_dma_read(device->bus, table + sizeof(descriptor) * (uint64_t)index, &descriptor,
                          sizeof(descriptor)))
            return "a descriptor table outside memory";
        if (descriptor.flags & DESC_INDIRECT) {
            wrong = check_indirect(device, &descriptor, nested);
            return wrong ? wrong
                         : walk(device, descriptor.gpa,
                                descriptor.length / (uint32_t)sizeof(descriptor), 0, true);
        }
        wrong = add_segment(&device->chain, &descriptor);
        if (wrong || !(descriptor.flags & DESC_NEXT))
            return wrong;
        index = descriptor.next;
    }
    return "a chain of descriptors that is a loop";
}

/* DMA that follows is this queue's. */
static void act(struct virtio_device *device, unsigned index)
{
    bus_act_as(device->bus, device->name ? device->name : "virtio", (int)index);
}

bool virtio_has(const struct virtio_device *device, uint64_t bit)
{
    return device->accepted & bit;
}

/* How many chains wait. */
static const char *waiting(struct virtio_device *device, const struct virtio_queue *queue,
                           uint16_t *ret)
{
    uint16_t available;

    if (!read16(device, queue->driver + 2, &available))
        return "an available ring outside memory";
    *ret = (uint16_t)(available - queue->next_available);
    return *ret > queue->size ? "an available index that is ahead by more than the queue" : NULL;
}

static const char *pop(struct virtio_device *device, unsigned index)
{
    struct virtio_queue *queue = &device->queue[index];
    struct virtio_chain *chain = &device->chain;
    uint64_t slot = queue->next_available % queue->size;
    const char *wrong;

    memset(chain, 0, offsetof(struct virtio_chain, segment));
    chain->queue = (uint16_t)index;
    if (!read16(device, queue->driver + 4 + 2 * slot, &chain->head))
        return "an available ring outside memory";
    wrong = walk(device, queue->descriptors, queue->size, chain->head, false);
    if (!wrong)
        queue->next_available++;
    return wrong;
}

/* The queue is empty: the next chain is to be notified (2.7.10.1). */
static const char *await(struct virtio_device *device, const struct virtio_queue *queue)
{
    if (!virtio_has(device, VIRTIO_F_EVENT_INDEX) ||
        bus_dma_write(device->bus, queue->device + 4 + 8 * (uint64_t)queue->size,
                      &queue->next_available, sizeof(queue->next_available)))
        return NULL;
    return "a used ring outside memory";
}

bool virtio_pop(struct virtio_device *device, unsigned index)
{
    struct virtio_queue *queue = &device->queue[index];
    uint16_t count = 0;
    const char *wrong;

    if (!virtio_live(device, index))
        return false;
    act(device, index);
    wrong = waiting(device, queue, &count);
    if (!wrong)
        wrong = count ? pop(device, index) : await(device, queue);
    if (wrong)
        virtio_refuse(device, wrong);
    return !wrong && count;
}

void virtio_unpop(struct virtio_device *device, unsigned index, unsigned count)
{
    device->queue[index].next_available = (uint16_t)(device->queue[index].next_available - count);
}

void virtio_push(struct virtio_device *device, unsigned index, uint16_t head, uint32_t written)
{
    struct virtio_queue *queue = &device->queue[index];
    struct used_element element = { head, written };
    uint64_t slot = queue->next_used % queue->size;

    if (!virtio_live(device, index))
        return;
    act(device, index);
    queue->next_used++;
    if (!bus_dma_write(device->bus, queue->device + 4 + 8 * slot, &element, sizeof(element)) ||
        !bus_dma_write(device->bus, queue->device + 2, &queue->next_used,
                       sizeof(queue->next_used)))
        virtio_refuse(device, "a used ring outside memory");
}

/* Whether the driver wants to hear of what was used since it last did: 2.7.7.2. */
static bool wants_interrupt(struct virtio_device *device, const struct virtio_queue *queue)
{
    uint16_t flags, event;

    if (!virtio_has(device, VIRTIO_F_EVENT_INDEX))
        return read16(device, queue->driver, &flags) && !(flags & AVAIL_NO_INTERRUPT);
    return read16(device, queue->driver + 4 + 2 * (uint64_t)queue->size, &event) &&
           (uint16_t)(queue->next_used - event - 1) <
               (uint16_t)(queue->next_used - queue->signalled_used);
}

void virtio_used(struct virtio_device *device, unsigned index)
{
    struct virtio_queue *queue = &device->queue[index];

    if (!virtio_live(device, index) || queue->next_used == queue->signalled_used)
        return;
    act(device, index);
    if (wants_interrupt(device, queue))
        virtio_signal(device, queue->vector, 1);
    queue->signalled_used = queue->next_used;
}

/*
 * At most one queue's worth: an honest driver has no more outstanding, and a hostile one that lets
 * the device write into its available ring finds an end.
 */
void virtio_queue_run(struct virtio_device *device, unsigned index)
{
    for (unsigned i = 0; i <= device->queue[index].size && virtio_pop(device, index); i++)
        virtio_push(device, index, device->chain.head,
                    device->request(device, &device->chain));
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
    act(device, chain->queue);
    return transfer(device, chain->segment, chain->out_count, offset, data, length, false);
}

bool virtio_give(struct virtio_device *device, const struct virtio_chain *chain, uint64_t offset,
                 const void *data, size_t length)
{
    uint8_t *bytes = (uint8_t *)(uintptr_t)data; /* only read: `in` below */

    act(device, chain->queue);
    return transfer(device, chain->segment + chain->out_count, chain->in_count, offset, bytes,
                    length, true);
}
