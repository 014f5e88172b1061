/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * virtio 1.x over PCI with split queues, polled. Rings lie in the shared pool; what the device
 * writes there is copied out and checked before use. A device that breaks a rule or does not answer
 * is said so once, reset and never asked again.
 *
 * A driver: virtio_open, virtio_queue_open for each queue, virtio_ready; then virtio_request for
 * one request at a time, or virtio_add, virtio_notify and virtio_take for several at once.
 */
#ifndef PRIVET_FIRMWARE_VIRTIO_H
#define PRIVET_FIRMWARE_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/platform/pci.h"

#define VIRTIO_QUEUE_MAXIMUM 64u /* descriptors; the rings then fit a page */

/* Stays where it is from virtio_ready on: ExitBootServices resets the device through it. */
struct virtio {
    const char *driver; /* for messages */
    uint16_t address;
    uint64_t common, notify, config; /* device memory; 0: not there */
    uint32_t notify_length, config_length, notify_multiplier;
    uint64_t features; /* agreed */
    bool failed;       /* no request reaches the device any more */
    void *exit_event;  /* of virtio_ready */
};

struct virtio_queue {
    struct virtio *device;
    uint16_t index, size; /* size: descriptors, a power of two */
    uint64_t doorbell;
    uint8_t *rings; /* shared */
    uint64_t rings_device;
    /* What the driver believes; the device sees copies only. */
    uint16_t free_head, free_count, available, used;
    uint16_t next[VIRTIO_QUEUE_MAXIMUM];
    struct {
        void *token;
        uint32_t writable; /* bytes that the device may write */
        uint16_t count;    /* descriptors; 0: not with the device */
    } chains[VIRTIO_QUEUE_MAXIMUM]; /* by the number of their first descriptor */
};

struct virtio_segment {
    uint64_t device; /* bus address */
    uint32_t length;
    bool device_writes; /* such segments come last (virtio 1.2 2.7.4.2) */
};

#define VIRTIO_VENDOR 0x1AF4u
/* Is the function a virtio device of this kind (virtio 1.2 5: 1 network, 2 block, ...)? */
bool virtio_is(const struct pci_function *function, unsigned kind);

/*
 * Finds the device's structures, resets it and agrees on features: of `wanted` those it offers, and
 * what the transport needs. False: the device was refused (device_refuse) and is reset.
 */
bool virtio_open(const struct pci_function *function, const char *driver, uint64_t wanted,
                 struct virtio *ret);
/* Before virtio_ready. `size` is a power of two; false: refused and reset. */
bool virtio_queue_open(struct virtio *device, uint16_t index, uint16_t size,
                       struct virtio_queue *ret);
/* The device may work, until ExitBootServices at the latest. False: refused and reset. */
bool virtio_ready(struct virtio *device);
/* After virtio_open, before use: the driver does not want the device after all. */
void virtio_refuse(struct virtio *device, const char *reason);

/* One request on a queue without others; returns when the device is done. */
bool virtio_request(struct virtio_queue *queue, const struct virtio_segment *segments,
                    unsigned count, uint32_t *ret_written);

/* Hands buffers to the device. False: no room, or the device has failed. Then virtio_notify. */
bool virtio_add(struct virtio_queue *queue, const struct virtio_segment *segments, unsigned count,
                void *token);
void virtio_notify(struct virtio_queue *queue);
/*
 * Takes a chain that the device is done with: the token given with it and how many bytes the device
 * says it wrote, at most the chain's. False: none yet, or the device has failed.
 */
bool virtio_take(struct virtio_queue *queue, void **ret_token, uint32_t *ret_written);

/* Device configuration, little-endian; beyond its end zeros. The last: read without a change. */
uint8_t virtio_config8(const struct virtio *device, unsigned offset);
uint16_t virtio_config16(const struct virtio *device, unsigned offset);
uint32_t virtio_config32(const struct virtio *device, unsigned offset);
uint64_t virtio_config64(const struct virtio *device, unsigned offset);

/* The device met an error of which it does not recover by itself (virtio 1.2 2.1.2). */
bool virtio_wants_reset(const struct virtio *device);
/* No access to memory any more; for good. */
void virtio_stop(struct virtio *device);
/* The same; then the structure and the memory of its queues may go, virtio_open may follow. */
void virtio_close(struct virtio *device);
void virtio_queue_close(struct virtio_queue *queue); /* after virtio_close; unopened ones, too */

#endif
