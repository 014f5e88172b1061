/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Virtio 1.2 over PCI, modern only: split virtqueues with indirect descriptors, MSI-X and INTx.
 * Rings, descriptors and buffers are the guest's and hostile: whatever does not add up makes the
 * device ask for a reset (virtio 1.2 2.1.2) instead of going on.
 */
#ifndef PRIVET_MACHINE_DEVICES_VIRTIO_H
#define PRIVET_MACHINE_DEVICES_VIRTIO_H

#include "machine/devices/pci.h"

#define VIRTIO_MAX_QUEUES   8u
#define VIRTIO_QUEUE_SIZE   256u
#define VIRTIO_MAX_SEGMENTS 260u /* of one chain, with those of an indirect table */
#define VIRTIO_CONFIG_SIZE  64u

enum { VIRTIO_ID_NET = 1, VIRTIO_ID_BLOCK = 2, VIRTIO_ID_CONSOLE = 3, VIRTIO_ID_RNG = 4,
       VIRTIO_ID_SCSI = 8 };

#define VIRTIO_F_INDIRECT        (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_INDEX     (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1       (UINT64_C(1) << 32)
#define VIRTIO_F_ACCESS_PLATFORM (UINT64_C(1) << 33)

struct virtio_device;

struct virtio_segment {
    uint64_t gpa;
    uint32_t length;
};

/* A request: first what the device reads (out), then what it writes (in). */
struct virtio_chain {
    uint16_t head, queue;
    unsigned out_count, in_count;
    uint64_t out_length, in_length;
    struct virtio_segment segment[VIRTIO_MAX_SEGMENTS]; /* out ones first */
};

struct virtio_queue {
    bool enabled;
    uint16_t size, vector;
    uint16_t next_available, next_used;
    uint16_t signalled_used; /* next_used when the driver was last asked for an interrupt */
    uint64_t descriptors, driver, device; /* guest-physical addresses of the three areas */
};

struct virtio_vector { /* MSI-X table entry */
    uint32_t address_low, address_high, data, control;
};

/*
 * A device sets, before virtio_init: name, context, one of request and notified, queue_count
 * (0 means 1), config and config_size; config_written and stopped where it needs them.
 */
struct virtio_device {
    struct pci_function pci;
    struct bus *bus;
    const char *name; /* for complaints; NULL: "virtio" */
    /*
     * Handles one request of queue `chain->queue`; returns the number of bytes written into it.
     * Every request is complete when this returns.
     */
    uint32_t (*request)(struct virtio_device *device, struct virtio_chain *chain);
    /* In place of `request`, for queues that wait: takes what it wants by virtio_pop. */
    void (*notified)(struct virtio_device *device, unsigned queue);
    /* The driver wrote its bytes of `config` (those with a bit in config_writable). */
    void (*config_written)(struct virtio_device *device);
    /* After the device was reset, by the driver too: its queues are off. */
    void (*stopped)(struct virtio_device *device);
    void *context;
    uint64_t offered, accepted;
    uint32_t offered_select, accepted_select;
    uint8_t status, isr;
    uint16_t config_vector, queue_select, queue_count;
    struct virtio_queue queue[VIRTIO_MAX_QUEUES];
    struct virtio_vector vector[VIRTIO_MAX_QUEUES + 1];
    uint32_t pending_vectors;
    uint8_t config[VIRTIO_CONFIG_SIZE];
    uint8_t config_writable[VIRTIO_CONFIG_SIZE]; /* bits that the driver may write */
    unsigned config_size;
    uint8_t config_generation;
    bool complained;           /* about a broken ring: once a run */
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

/* Whether `bit` (a VIRTIO_F_ mask or one of the device's own) was negotiated. */
bool virtio_has(const struct virtio_device *device, uint64_t bit);

/* --- for devices with `notified`, and for input that arrives by itself --- */

/* The driver is done setting up and a queue may be used. */
bool virtio_live(const struct virtio_device *device, unsigned queue);
/*
 * Takes the next request of a queue into device->chain. false: none is there, the queue is not in
 * use, or the driver broke the rules (virtio_refuse was called).
 */
bool virtio_pop(struct virtio_device *device, unsigned queue);
/* Puts the last `count` requests that were popped and not pushed back, as if never taken. */
void virtio_unpop(struct virtio_device *device, unsigned queue, unsigned count);
/* Gives request `head` back with `written` bytes in it. The driver is told by virtio_used. */
void virtio_push(struct virtio_device *device, unsigned queue, uint16_t head, uint32_t written);
/* Interrupts for what was pushed, unless the driver wants none. */
void virtio_used(struct virtio_device *device, unsigned queue);

/* The device changed `config`: a new generation and a configuration interrupt. */
void virtio_config_changed(struct virtio_device *device);

/*
 * The driver broke the rules in the way that `why` says: one line for the user, once a run, then
 * DEVICE_NEEDS_RESET and a configuration interrupt (virtio 1.2 2.1.2).
 */
void virtio_refuse(struct virtio_device *device, const char *why);
/* The same for a request that makes no sense to the device. */
void virtio_broken(struct virtio_device *device);

/* --- between virtio_pci.c and virtio_queue.c --- */

/* Serves what is available in a queue. */
void virtio_queue_run(struct virtio_device *device, unsigned index);
/* Interrupt for a queue's vector (isr 1) or the configuration's (isr 2). */
void virtio_signal(struct virtio_device *device, uint16_t vector, uint8_t isr);

#endif
