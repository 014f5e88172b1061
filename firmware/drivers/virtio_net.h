/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * virtio network devices (virtio 1.2 5.1): whole Ethernet frames without offloads. Frames lie in
 * the shared pool only on their way: what is received is copied out before anybody looks at it.
 */
#ifndef PRIVET_FIRMWARE_VIRTIO_NET_H
#define PRIVET_FIRMWARE_VIRTIO_NET_H

#include "firmware/drivers/virtio.h"

enum {
    NET_ADDRESS = 6,
    NET_HEADER = 14,
    NET_FRAME_MAXIMUM = NET_HEADER + 1500,
    NET_RECEIVE_SLOTS = 32,
    NET_SEND_SLOTS = 16,
};

struct virtio_net {
    const struct pci_function *function;
    uint8_t address[NET_ADDRESS];
    struct virtio device;
    struct virtio_queue receive, send;
    uint8_t *slots; /* shared; NULL: not open */
    uint64_t slots_device;
    uint32_t free_slots;         /* for sending, a bit each */
    void *tokens[NET_SEND_SLOTS];
    uint64_t bad_frames;         /* of impossible length: dropped */
};

bool virtio_net_is(const struct pci_function *function);
/* Reads the station address and leaves the device reset. False: refused. */
bool virtio_net_probe(const struct pci_function *function, struct virtio_net *ret);
/* Ready to send and receive, until virtio_net_close or ExitBootServices. */
bool virtio_net_open(struct virtio_net *net);
void virtio_net_close(struct virtio_net *net);
bool virtio_net_link(const struct virtio_net *net);

/* Sends a copy; the token comes back by virtio_net_sent. False: all slots are with the device. */
bool virtio_net_send(struct virtio_net *net, const void *frame, size_t length, void *token);
bool virtio_net_sent(struct virtio_net *net, void **ret_token);
/* The next frame, NET_HEADER to NET_FRAME_MAXIMUM bytes. False: none, or the device has failed. */
bool virtio_net_receive(struct virtio_net *net, void *frame, size_t *ret_length);

/* Publishes the driver and connects it to every network device. simple_network.c */
void simple_network_init(void);

#endif
