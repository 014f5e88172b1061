/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See virtio_model.h. */
#include "virtio_model.h"

#include <string.h>

enum { COMMON = 0, NOTIFY = 0x1000, CONFIG = 0x2000, LENGTH = 0x3000, MULTIPLIER = 4, BAR = 4 };
#define BASE 0xC0000000ull

static uint64_t common_read(const struct virtio_model *model, uint64_t offset)
{
    unsigned queue = model->selected;
    switch (offset) {
    case 4:
        return model->device_select > 1 ? 0
                                        : (uint32_t)(model->offered >> 32 * model->device_select);
    case 18:
        return VIRTIO_MODEL_QUEUES;
    case 20:
        return model->status;
    case 21:
        return model->generation;
    case 22:
        return queue;
    case 24:
        if (queue >= VIRTIO_MODEL_QUEUES)
            return 0;
        return model->queue[queue].size ? model->queue[queue].size : model->queue_size;
    case 28:
        return queue < VIRTIO_MODEL_QUEUES && model->queue[queue].enabled;
    case 30:
        return queue;
    default:
        return 0;
    }
}

static void set_half(uint64_t *address, bool high, uint64_t value)
{
    *address =
        high ? (*address & UINT32_MAX) | value << 32 : (*address & ~(uint64_t)UINT32_MAX) | value;
}

static void write_status(struct virtio_model *model, uint8_t value)
{
    if (value == 0)
        memset(model->queue, 0, sizeof(model->queue));
    if ((value & 8) && model->refuse_features)
        value &= (uint8_t)~8;
    if (value || !model->never_stops)
        model->status = value;
}

static void common_write(struct virtio_model *model, uint64_t offset, uint64_t value)
{
    unsigned queue = model->selected < VIRTIO_MODEL_QUEUES ? model->selected : 0;
    switch (offset) {
    case 0:
        model->device_select = (uint32_t)value;
        break;
    case 8:
        model->driver_select = (uint32_t)value;
        break;
    case 12:
        set_half(&model->accepted, model->driver_select == 1, value);
        break;
    case 20:
        write_status(model, (uint8_t)value);
        break;
    case 22:
        model->selected = (uint16_t)value;
        break;
    case 24:
        model->queue[queue].size = (uint16_t)value;
        break;
    case 28:
        model->queue[queue].enabled = value;
        break;
    case 32:
    case 36:
        set_half(&model->queue[queue].descriptors, offset == 36, value);
        break;
    case 40:
    case 44:
        set_half(&model->queue[queue].available, offset == 44, value);
        break;
    case 48:
    case 52:
        set_half(&model->queue[queue].ring, offset == 52, value);
        break;
    default:
        break;
    }
}

static uint64_t model_read(void *context, uint64_t offset, unsigned size)
{
    struct virtio_model *model = context;
    uint64_t value = 0;
    if (offset < NOTIFY)
        return common_read(model, offset);
    if (offset >= CONFIG && offset - CONFIG + size <= model->config_length)
        memcpy(&value, model->config + (offset - CONFIG), size);
    return value;
}

static void model_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
    struct virtio_model *model = context;
    if (offset < NOTIFY)
        common_write(model, offset, value);
    else if (offset < CONFIG && !model->hold)
        virtio_model_run(model, (unsigned)((offset - NOTIFY) / MULTIPLIER));
}

size_t virtio_model_add(struct virtio_model *model, unsigned kind)
{
    struct fake_registers registers = { BASE + 0x100000 * fakes.functions, LENGTH, model,
                                        model_read, model_write };
    size_t index = fakes_add(0x1AF4, (uint16_t)(0x1040 + kind), 0, BAR, &registers);
    fakes_add_virtio_capability(index, 1, BAR, COMMON, 56, 0);
    fakes_add_virtio_capability(index, 2, BAR, NOTIFY, MULTIPLIER * VIRTIO_MODEL_QUEUES,
                                MULTIPLIER);
    if (model->config_length)
        fakes_add_virtio_capability(index, 4, BAR, CONFIG, model->config_length, 0);
    return index;
}

static uint16_t get16(struct virtio_model *model, uint64_t address)
{
    uint16_t value = 0;
    const void *from = fakes_dma(address, sizeof(value));
    if (from)
        memcpy(&value, from, sizeof(value));
    else
        model->unmapped++;
    return value;
}

static void put(struct virtio_model *model, uint64_t address, const void *data, size_t length)
{
    void *to = fakes_dma(address, length);
    if (to)
        memcpy(to, data, length);
    else
        model->unmapped++;
}

/* Follows a chain of descriptors; false: it is none. */
static bool collect(struct virtio_model *model, unsigned queue, uint16_t at,
                    struct virtio_model_request *request)
{
    *request = (struct virtio_model_request){ .queue = queue };
    while (request->count < VIRTIO_MODEL_SEGMENTS && at < model->queue[queue].size) {
        struct {
            uint64_t address;
            uint32_t length;
            uint16_t flags, next;
        } descriptor;
        const void *from = fakes_dma(model->queue[queue].descriptors + 16 * at, 16);
        if (!from)
            return false;
        memcpy(&descriptor, from, sizeof(descriptor));
        uint8_t *data = fakes_dma(descriptor.address, descriptor.length);
        if (!data)
            return false;
        bool in = descriptor.flags & 2;
        if (!in) {
            uint32_t room = (uint32_t)sizeof(request->out) - request->out_length;
            if (request->out_length < sizeof(request->out))
                memcpy(request->out + request->out_length, data,
                       descriptor.length < room ? descriptor.length : room);
            request->out_length += descriptor.length;
        } else {
            request->in_length += descriptor.length;
        }
        request->segment[request->count].data = data;
        request->segment[request->count].length = descriptor.length;
        request->segment[request->count++].in = in;
        if (!(descriptor.flags & 1))
            return true;
        at = descriptor.next;
    }
    return false;
}

static void finish(struct virtio_model *model, unsigned queue, uint32_t head, uint32_t length)
{
    uint32_t entry[2] = { head + model->used_id, length + model->used_length };
    uint16_t index = (uint16_t)(++model->queue[queue].used + model->used_jump);
    uint16_t slot = (uint16_t)(model->queue[queue].used - 1) % model->queue[queue].size;
    put(model, model->queue[queue].ring + 4 + 8 * slot, entry, sizeof(entry));
    put(model, model->queue[queue].ring + 2, &index, sizeof(index));
}

void virtio_model_run(struct virtio_model *model, unsigned queue)
{
    struct virtio_model_request request;
    if (queue >= VIRTIO_MODEL_QUEUES || !model->queue[queue].enabled || !model->queue[queue].size ||
        !(model->status & 4) || model->silent)
        return;
    uint64_t available = model->queue[queue].available;
    uint16_t end = get16(model, available + 2);
    for (unsigned i = 0; i < 256 && model->queue[queue].next != end; i++) {
        uint16_t slot = model->queue[queue].next++ % model->queue[queue].size;
        uint16_t head = get16(model, available + 4 + 2 * slot);
        uint32_t length = 0;
        model->served++;
        if (collect(model, queue, head, &request))
            length = model->serve(model, &request);
        else
            model->unmapped++;
        finish(model, queue, head, length);
    }
}

void virtio_model_give(const struct virtio_model_request *request, uint32_t offset,
                       const void *data, uint32_t length)
{
    const uint8_t *from = data;
    for (unsigned i = 0; i < request->count && length > 0; i++) {
        if (!request->segment[i].in)
            continue;
        uint32_t whole = request->segment[i].length;
        if (offset >= whole) {
            offset -= whole;
            continue;
        }
        uint32_t piece = length < whole - offset ? length : whole - offset;
        memcpy(request->segment[i].data + offset, from, piece);
        from += piece;
        length -= piece;
        offset = 0;
    }
}
