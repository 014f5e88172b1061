/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Queue 0 receives, 1 transmits, 2 controls (virtio 1.2 5.1.2). The header before each frame is all
 * zero but for the number of merged buffers, as nothing is offloaded.
 */
#include "machine/devices/virtio_net.h"

#include <stdlib.h>
#include <string.h>

enum { QUEUE_RECEIVE, QUEUE_TRANSMIT, QUEUE_CONTROL, QUEUE_COUNT };
enum { FEATURE_MTU = 1 << 3, FEATURE_MAC = 1 << 5, FEATURE_MERGE = 1 << 15,
       FEATURE_STATUS = 1 << 16, FEATURE_CONTROL = 1 << 17, FEATURE_CONTROL_RX = 1 << 18,
       FEATURE_CONTROL_RX_EXTRA = 1 << 20, FEATURE_CONTROL_MAC = 1 << 23 };
enum { STATUS_LINK_UP = 1 };
enum { CLASS_RX = 0, CLASS_MAC = 1 };
enum { MAC_TABLE_SET = 0, MAC_ADDRESS_SET = 1 };
enum { CONTROL_OK = 0, CONTROL_ERROR = 1 };

#define HEADER_SIZE       12u
#define HEADER_BUFFERS    10u  /* offset of num_buffers */
#define MAX_MERGED        64u  /* buffers of one frame: at least 24 bytes each */
#define MAX_CONTROL       65536u
#define CONFIG_SIZE       12u

/*
 * Requests taken at one notification: as many as a queue can hold. Rings that overlap so that the
 * device's own writes make more of them do not keep it busy.
 */
#define BUDGET VIRTIO_QUEUE_SIZE

/* --- guest to network --- */

static void transmit_one(struct virtio_net *net, const struct virtio_chain *chain)
{
    uint8_t frame[NET_MAX_FRAME];
    uint64_t length = chain->out_length - HEADER_SIZE;

    if (chain->out_length < HEADER_SIZE + NET_MIN_FRAME || length > NET_MAX_FRAME ||
        !virtio_take(&net->device, chain, HEADER_SIZE, frame, (size_t)length)) {
        net->dropped++;
        return;
    }
    net->sent++;
    net->transmit(net->context, frame, (size_t)length);
}

static void transmit_all(struct virtio_net *net)
{
    struct virtio_device *device = &net->device;
    bool any = false;

    for (unsigned i = 0; i <= BUDGET && virtio_pop(device, QUEUE_TRANSMIT); i++) {
        uint16_t head = device->chain.head;

        transmit_one(net, &device->chain);
        virtio_push(device, QUEUE_TRANSMIT, head, 0);
        any = true;
    }
    if (any)
        virtio_used(device, QUEUE_TRANSMIT);
}

/* --- network to guest --- */

struct merged {
    uint16_t head;
    uint32_t written;
};

/*
 * Spreads header and frame over as many buffers as it takes (5.1.6.4). Returns their number; 0: not
 * enough of them yet, nothing is taken; -1: will never fit or the queue broke.
 */
static int place(struct virtio_net *net, const struct virtio_net_frame *frame,
                 struct merged used[MAX_MERGED])
{
    struct virtio_device *device = &net->device;
    uint8_t packet[HEADER_SIZE + NET_MAX_FRAME] = { 0 };
    size_t total = HEADER_SIZE + frame->length, done = 0;
    bool merge = virtio_has(device, FEATURE_MERGE);
    struct virtio_chain first;
    int count = 0;

    memcpy(packet + HEADER_SIZE, frame->bytes, frame->length);
    while (done < total) {
        const struct virtio_chain *chain = &device->chain;
        size_t step = total - done;

        if (count == (merge ? (int)MAX_MERGED : 1)) {
            virtio_unpop(device, QUEUE_RECEIVE, (unsigned)count);
            return -1;
        }
        if (!virtio_pop(device, QUEUE_RECEIVE)) {
            virtio_unpop(device, QUEUE_RECEIVE, (unsigned)count);
            return 0;
        }
        if (step > chain->in_length)
            step = (size_t)chain->in_length;
        if ((count == 0 && step < HEADER_SIZE) ||
            !virtio_give(device, chain, 0, packet + done, step)) {
            virtio_refuse(device, "a receive buffer without a header's room or outside memory");
            return -1;
        }
        if (count == 0)
            first = *chain;
        used[count++] = (struct merged){ chain->head, (uint32_t)step };
        done += step;
    }
    packet[HEADER_BUFFERS] = (uint8_t)count;
    return virtio_give(device, &first, 0, packet, HEADER_SIZE) ? count : -1;
}

void virtio_net_deliver(struct virtio_net *net)
{
    struct virtio_device *device = &net->device;
    struct merged used[MAX_MERGED];
    bool any = false;

    while (net->waiting && virtio_live(device, QUEUE_RECEIVE)) {
        int count = place(net, &net->backlog[net->first], used);

        if (count == 0)
            break;
        for (int i = 0; i < count; i++)
            virtio_push(device, QUEUE_RECEIVE, used[i].head, used[i].written);
        if (count > 0)
            net->received++;
        else
            net->dropped++;
        any |= count > 0;
        net->first = (net->first + 1) % VIRTIO_NET_BACKLOG;
        net->waiting--;
    }
    if (any)
        virtio_used(device, QUEUE_RECEIVE);
}

unsigned virtio_net_room(const struct virtio_net *net)
{
    return VIRTIO_NET_BACKLOG - net->waiting;
}

/* Which frames the guest wants (5.1.6.5.1, 5.1.6.5.2). */
static bool wanted(const struct virtio_net_filter *filter, const uint8_t *to)
{
    static const uint8_t broadcast[NET_MAC_SIZE] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
    bool multicast = to[0] & 1;

    if (filter->promiscuous)
        return true;
    if (memcmp(to, broadcast, NET_MAC_SIZE) == 0)
        return !filter->no_broadcast;
    if (multicast ? filter->no_multicast : filter->no_unicast)
        return false;
    if ((multicast ? filter->all_multicast : filter->all_unicast) || filter->overflow ||
        memcmp(to, filter->mac, NET_MAC_SIZE) == 0)
        return true;
    for (unsigned i = 0; i < filter->count; i++)
        if (memcmp(to, filter->table[i], NET_MAC_SIZE) == 0)
            return true;
    return false;
}

void virtio_net_receive(struct virtio_net *net, const uint8_t *frame, size_t length)
{
    struct virtio_net_frame *slot;

    if (length < NET_MIN_FRAME || length > NET_MAX_FRAME ||
        !virtio_live(&net->device, QUEUE_RECEIVE) || !wanted(&net->filter, frame) ||
        net->waiting == VIRTIO_NET_BACKLOG) {
        net->dropped++;
        return;
    }
    slot = &net->backlog[(net->first + net->waiting++) % VIRTIO_NET_BACKLOG];
    slot->length = (uint16_t)length;
    memcpy(slot->bytes, frame, length);
}

/* --- control --- */

/* Two tables, unicast and multicast: a 32-bit count, then addresses (5.1.6.5.2). */
static bool set_table(struct virtio_net *net, const struct virtio_chain *chain)
{
    struct virtio_net_filter *filter = &net->filter;
    uint64_t at = 2;

    filter->count = 0;
    filter->overflow = false;
    for (unsigned kind = 0; kind < 2; kind++) {
        uint32_t entries;

        if (!virtio_take(&net->device, chain, at, &entries, 4))
            return false;
        at += 4;
        if (entries > MAX_CONTROL / NET_MAC_SIZE ||
            at + (uint64_t)entries * NET_MAC_SIZE > chain->out_length)
            return false;
        for (uint32_t i = 0; i < entries; i++) {
            if (filter->count == VIRTIO_NET_FILTERS)
                filter->overflow = true;
            else if (!virtio_take(&net->device, chain, at + (uint64_t)i * NET_MAC_SIZE,
                                  filter->table[filter->count++], NET_MAC_SIZE))
                return false;
        }
        at += (uint64_t)entries * NET_MAC_SIZE;
    }
    return at == chain->out_length;
}

static bool set_address(struct virtio_net *net, const struct virtio_chain *chain)
{
    uint8_t mac[NET_MAC_SIZE];

    if (chain->out_length != 2 + NET_MAC_SIZE ||
        !virtio_take(&net->device, chain, 2, mac, NET_MAC_SIZE))
        return false;
    memcpy(net->filter.mac, mac, NET_MAC_SIZE);
    memcpy(net->device.config, mac, NET_MAC_SIZE);
    return true;
}

static bool set_mode(struct virtio_net *net, const struct virtio_chain *chain, uint8_t command)
{
    struct virtio_net_filter *filter = &net->filter;
    bool *const modes[] = { &filter->promiscuous, &filter->all_multicast, &filter->all_unicast,
                            &filter->no_multicast, &filter->no_unicast, &filter->no_broadcast };
    uint8_t on;

    if (command >= sizeof(modes) / sizeof(modes[0]) || chain->out_length != 3 ||
        !virtio_take(&net->device, chain, 2, &on, 1))
        return false;
    *modes[command] = on != 0;
    return true;
}

static bool control(struct virtio_net *net, const struct virtio_chain *chain)
{
    uint8_t header[2];

    if (chain->out_length > MAX_CONTROL || !virtio_take(&net->device, chain, 0, header, 2))
        return false;
    if (header[0] == CLASS_RX)
        return set_mode(net, chain, header[1]);
    if (header[0] == CLASS_MAC && header[1] == MAC_TABLE_SET)
        return set_table(net, chain);
    if (header[0] == CLASS_MAC && header[1] == MAC_ADDRESS_SET)
        return set_address(net, chain);
    return false;
}

static void control_all(struct virtio_net *net)
{
    struct virtio_device *device = &net->device;
    bool any = false;

    for (unsigned i = 0; i <= BUDGET && virtio_pop(device, QUEUE_CONTROL); i++) {
        uint8_t answer = control(net, &device->chain) ? CONTROL_OK : CONTROL_ERROR;
        bool given = device->chain.in_length && virtio_give(device, &device->chain, 0, &answer, 1);

        virtio_push(device, QUEUE_CONTROL, device->chain.head, given);
        any = true;
    }
    if (any)
        virtio_used(device, QUEUE_CONTROL);
}

/* --- the device --- */

static void notified(struct virtio_device *device, unsigned queue)
{
    struct virtio_net *net = device->context;

    if (queue == QUEUE_TRANSMIT)
        transmit_all(net);
    else if (queue == QUEUE_CONTROL)
        control_all(net);
    virtio_net_deliver(net);
}

static void stopped(struct virtio_device *device)
{
    struct virtio_net *net = device->context;

    net->first = net->waiting = 0;
    memset(&net->filter, 0, sizeof(net->filter));
    memcpy(net->filter.mac, net->mac, NET_MAC_SIZE);
    memcpy(device->config, net->mac, NET_MAC_SIZE);
}

bool virtio_net_init(struct virtio_net *net, struct pci_root *root, unsigned slot, bool platform,
                     const uint8_t mac[NET_MAC_SIZE], net_frame_fn *transmit, void *context)
{
    struct virtio_device *device = &net->device;
    uint64_t features = FEATURE_MTU | FEATURE_MAC | FEATURE_MERGE | FEATURE_STATUS |
                        FEATURE_CONTROL | FEATURE_CONTROL_RX | FEATURE_CONTROL_RX_EXTRA |
                        FEATURE_CONTROL_MAC;

    net->backlog = calloc(VIRTIO_NET_BACKLOG, sizeof(net->backlog[0]));
    if (!net->backlog)
        return false;
    memcpy(net->mac, mac, NET_MAC_SIZE);
    net->transmit = transmit;
    net->context = context;
    device->name = "virtio-net";
    device->notified = notified;
    device->stopped = stopped;
    device->context = net;
    device->queue_count = QUEUE_COUNT;
    device->config_size = CONFIG_SIZE;
    device->config[6] = STATUS_LINK_UP;
    device->config[8] = 1; /* max_virtqueue_pairs: without the multiqueue feature not looked at */
    device->config[10] = NET_MTU & 0xFF;
    device->config[11] = NET_MTU >> 8;
    return virtio_init(device, root, slot, VIRTIO_ID_NET, 0x020000, features, platform);
}

void virtio_net_free(struct virtio_net *net)
{
    free(net->backlog);
    net->backlog = NULL;
}
