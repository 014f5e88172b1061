/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The virtio network device (virtio 1.2 5.1): a receive and a send queue of one-piece frames. */
#include "firmware/drivers/virtio_net.h"

#include <string.h>

#include "firmware/drivers/drivers.h"
#include "firmware/sev/dma.h"

enum {
    KIND_NETWORK = 1,
    QUEUE_RECEIVE = 0,
    QUEUE_SEND = 1,
    CONFIG_ADDRESS = 0,
    CONFIG_STATUS = 6,
    STATUS_LINK_UP = 1,
    PREFIX = 12, /* struct virtio_net_hdr, zero without offloads (virtio 1.2 5.1.6) */
    SLOT = 1536, /* prefix and frame */
    SLOTS_LENGTH = (NET_RECEIVE_SLOTS + NET_SEND_SLOTS) * SLOT,
};
_Static_assert(PREFIX + NET_FRAME_MAXIMUM <= SLOT, "a frame fits its slot");
#define FEATURE_ADDRESS (1ull << 5)
#define FEATURE_STATUS  (1ull << 16)

bool virtio_net_is(const struct pci_function *function)
{
    return virtio_is(function, KIND_NETWORK);
}

static bool open_device(struct virtio_net *net)
{
    return virtio_open(net->function, "virtio-net", FEATURE_ADDRESS | FEATURE_STATUS, &net->device);
}

bool virtio_net_probe(const struct pci_function *function, struct virtio_net *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->function = function;
    if (!open_device(ret))
        return false;
    for (unsigned i = 0; i < NET_ADDRESS; i++)
        ret->address[i] = virtio_config8(&ret->device, CONFIG_ADDRESS + i);
    if (!(ret->device.features & FEATURE_ADDRESS) || (ret->address[0] & 1)) {
        virtio_refuse(&ret->device, "it has no station address");
        return false;
    }
    virtio_close(&ret->device);
    return true;
}

static bool offer_slot(struct virtio_net *net, unsigned slot)
{
    struct virtio_segment segment = { net->slots_device + slot * SLOT, PREFIX + NET_FRAME_MAXIMUM,
                                      true };
    return virtio_add(&net->receive, &segment, 1, (void *)(uintptr_t)slot);
}

bool virtio_net_open(struct virtio_net *net)
{
    if (!open_device(net))
        return false;
    net->free_slots = (1u << NET_SEND_SLOTS) - 1;
    net->slots = dma_alloc(SLOTS_LENGTH, &net->slots_device);
    bool good = net->slots &&
                virtio_queue_open(&net->device, QUEUE_RECEIVE, NET_RECEIVE_SLOTS, &net->receive) &&
                virtio_queue_open(&net->device, QUEUE_SEND, NET_SEND_SLOTS, &net->send);
    for (unsigned slot = 0; good && slot < NET_RECEIVE_SLOTS; slot++)
        good = offer_slot(net, slot);
    if (!good || !virtio_ready(&net->device)) {
        virtio_net_close(net);
        return false;
    }
    virtio_notify(&net->receive);
    return true;
}

void virtio_net_close(struct virtio_net *net)
{
    virtio_close(&net->device);
    virtio_queue_close(&net->receive);
    virtio_queue_close(&net->send);
    if (net->slots)
        dma_free(net->slots, SLOTS_LENGTH);
    net->slots = NULL;
}

bool virtio_net_link(const struct virtio_net *net)
{
    return !(net->device.features & FEATURE_STATUS) ||
           (virtio_config16(&net->device, CONFIG_STATUS) & STATUS_LINK_UP);
}

bool virtio_net_send(struct virtio_net *net, const void *frame, size_t length, void *token)
{
    if (net->free_slots == 0 || length > NET_FRAME_MAXIMUM)
        return false;
    unsigned slot = (unsigned)__builtin_ctz(net->free_slots);
    size_t offset = (NET_RECEIVE_SLOTS + slot) * SLOT;
    struct virtio_segment segment = { net->slots_device + offset, (uint32_t)(PREFIX + length),
                                      false };
    memset(net->slots + offset, 0, PREFIX);
    memcpy(net->slots + offset + PREFIX, frame, length);
    if (!virtio_add(&net->send, &segment, 1, (void *)(uintptr_t)slot))
        return false;
    net->free_slots &= ~(1u << slot);
    net->tokens[slot] = token;
    virtio_notify(&net->send);
    return true;
}

bool virtio_net_sent(struct virtio_net *net, void **ret_token)
{
    void *slot;
    uint32_t written;
    if (!virtio_take(&net->send, &slot, &written))
        return false;
    net->free_slots |= 1u << (uintptr_t)slot;
    *ret_token = net->tokens[(uintptr_t)slot];
    return true;
}

bool virtio_net_receive(struct virtio_net *net, void *frame, size_t *ret_length)
{
    void *slot;
    uint32_t written;
    for (unsigned i = 0; i < NET_RECEIVE_SLOTS; i++) {
        if (!virtio_take(&net->receive, &slot, &written))
            return false;
        bool good = written >= PREFIX + NET_HEADER;
        if (good) {
            *ret_length = written - PREFIX;
            dma_copy_out(frame, net->slots + (uintptr_t)slot * SLOT + PREFIX, *ret_length);
        }
        if (offer_slot(net, (unsigned)(uintptr_t)slot))
            virtio_notify(&net->receive);
        if (good)
            return true;
        net->bad_frames++;
    }
    return false;
}
