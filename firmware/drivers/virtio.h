/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * virtio 1.x over PCI with one split queue, polled. Rings lie in the shared pool; what the device
 * writes there is copied out and checked before use.
 */
#ifndef PRIVET_FIRMWARE_VIRTIO_H
#define PRIVET_FIRMWARE_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/platform/pci.h"

#define VIRTIO_QUEUE_SIZE 8u

struct virtio {
    uint64_t common, notify, config; /* device memory; 0: not there */
    uint32_t config_length, notify_multiplier;
    uint64_t features; /* agreed */
    void *queue;       /* shared */
    uint64_t queue_device;
    uint64_t doorbell;
    uint16_t next_available;
};

struct virtio_segment {
    uint64_t device; /* bus address */
    uint32_t length;
    bool device_writes;
};

/* Finds the device's structures and maps them. False: not a virtio 1.x device. */
bool virtio_open(const struct pci_function *function, struct virtio *ret);
/* Reset, features (of `wanted` those offered), queue 0, ready. False: the device refuses. */
bool virtio_start(struct virtio *device, uint64_t wanted);
/* One request of at most VIRTIO_QUEUE_SIZE segments; returns when the device is done. */
bool virtio_request(struct virtio *device, const struct virtio_segment *segments, unsigned count);
/* Device configuration, little-endian; beyond its end zeros. */
uint32_t virtio_config32(const struct virtio *device, unsigned offset);
/* No access to memory any more. */
void virtio_stop(struct virtio *device);

#endif
