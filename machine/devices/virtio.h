/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Virtio 1.2 over PCI, modern only: split virtqueues with indirect descriptors, MSI-X and INTx.
 * Rings, descriptors and buffers are the guest's and hostile: whatever does not add up makes the
 * device ask for a reset (virtio 1.2 2.1.2) instead of going on.
 */
#ifndef PRIVET_MACHINE_DEVICES_VIRTIO_H
#define PRIVET_MACHINE_DEVICES_VIRTIO_H

#include "machine/devices/pci.h"

#define VIRTIO_MAX_QUEUES   2u
#define VIRTIO_QUEUE_SIZE   256u
#define VIRTIO_MAX_SEGMENTS 260u /* of one chain, with those of an indirect table */
#define VIRTIO_CONFIG_SIZE  64u

enum { VIRTIO_ID_BLOCK = 2, VIRTIO_ID_RNG = 4 };

#define VIRTIO_F_INDIRECT        (UINT64_C(1) << 28)
#define VIRTIO_F_VERSION_1       (UINT64_C(1) << 32)
#define VIRTIO_F_ACCESS_PLATFORM (UINT64_C(1) << 33)

struct virtio_device;

struct virtio_segment {
    uint64_t gpa;
    uint32_t length;
};

/* A request: first what the device reads (out), then what it writes (in). */
struct virtio_chain {
    uint16_t head;
    unsigned out_count, in_count;
    uint64_t out_length, in_length;
    struct virtio_segment segment[VIRTIO_MAX_SEGMENTS]; /* out ones first */
};

struct virtio_queue {
    bool enabled;
    uint16_t size, vector;
    uint16_t next_available, next_used;
    uint64_t descriptors, driver, device; /* guest-physical addresses of the three areas */
};

struct virtio_vector { /* MSI-X table entry */
    uint32_t address_low, address_high, data, control;
};

struct virtio_device {
    struct pci_function pci;
    struct bus *bus;
    /* Handles one request; returns the number of bytes written into it. */
    uint32_t (*request)(struct virtio_device *device, struct virtio_chain *chain);
    void *context;
    uint64_t offered, accepted;
    uint32_t offered_select, accepted_select;
    uint8_t status, isr;
    uint16_t config_vector, queue_select, queue_count;
    struct virtio_queue queue[VIRTIO_MAX_QUEUES];
    struct virtio_vector vector[VIRTIO_MAX_QUEUES + 1];
    uint32_t pending_vectors;
    uint8_t config[VIRTIO_CONFIG_SIZE];
    unsigned config_size;
    struct virtio_chain chain; /* scratch of the request at work */
};

/*
 * Prepares the device and attaches it at slot `slot` of the bus. `features` are the device's own
 * (bits 0 to 23); `platform` offers and insists on VIRTIO_F_ACCESS_PLATFORM. false: slot taken.
 */
bool virtio_init(struct virtio_device *device, struct pci_root *root, unsigned slot,
                 unsigned virtio_id, uint32_t class_code, uint64_t features, bool platform);

/* Copies from the out part / to the in part of a chain, from byte `offset`. false: it fails. */
bool virtio_take(struct virtio_device *device, const struct virtio_chain *chain, uint64_t offset,
                 void *data, size_t length);
bool virtio_give(struct virtio_device *device, const struct virtio_chain *chain, uint64_t offset,
                 const void *data, size_t length);

/* --- between virtio_pci.c and virtio_queue.c --- */

/* Serves what is available in a queue. */
void virtio_queue_run(struct virtio_device *device, unsigned index);
/* The guest broke the rules: DEVICE_NEEDS_RESET and a configuration interrupt. */
void virtio_broken(struct virtio_device *device);
/* Interrupt for a queue's vector (isr 1) or the configuration's (isr 2). */
void virtio_signal(struct virtio_device *device, uint16_t vector, uint8_t isr);

#endif
