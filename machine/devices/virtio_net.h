/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Network card, virtio 1.2 5.1: one pair of queues and the control queue, merged receive buffers,
 * no offloads. Frames for the guest wait in a bounded queue until it gives buffers.
 */
#ifndef PRIVET_MACHINE_DEVICES_VIRTIO_NET_H
#define PRIVET_MACHINE_DEVICES_VIRTIO_NET_H

#include "machine/devices/net.h"
#include "machine/devices/virtio.h"

#define VIRTIO_NET_BACKLOG 256u /* frames */
#define VIRTIO_NET_FILTERS 64u  /* addresses in the guest's table */

struct virtio_net_frame {
    uint16_t length;
    uint8_t bytes[NET_MAX_FRAME];
};

struct virtio_net_filter {
    uint8_t mac[NET_MAC_SIZE]; /* the guest may set its own */
    bool promiscuous, all_multicast, all_unicast, no_multicast, no_unicast, no_broadcast;
    bool overflow; /* the table was too long: everything of its kind is let in */
    unsigned count;
    uint8_t table[VIRTIO_NET_FILTERS][NET_MAC_SIZE];
};

struct virtio_net {
    struct virtio_device device;
    uint8_t mac[NET_MAC_SIZE]; /* as built */
    struct virtio_net_filter filter;
    net_frame_fn *transmit; /* where the guest's frames go */
    void *context;
    struct virtio_net_frame *backlog; /* VIRTIO_NET_BACKLOG of them */
    unsigned first, waiting;
    uint64_t sent, received, dropped;
};

/* false: the slot is taken or memory is short. */
bool virtio_net_init(struct virtio_net *net, struct pci_root *root, unsigned slot, bool platform,
                     const uint8_t mac[NET_MAC_SIZE], net_frame_fn *transmit, void *context);
void virtio_net_free(struct virtio_net *net);

/*
 * A frame for the guest. Kept until virtio_net_deliver; dropped if the backlog is full, the card
 * is not in use or its filter says so. May be called while `transmit` runs.
 */
void virtio_net_receive(struct virtio_net *net, const uint8_t *frame, size_t length);
/* Room for that many more frames. */
unsigned virtio_net_room(const struct virtio_net *net);
/* Moves waiting frames into the guest's buffers as far as there are any. */
void virtio_net_deliver(struct virtio_net *net);

#endif
