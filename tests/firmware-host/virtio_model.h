/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A virtio device over PCI for tests of the firmware's drivers (virtio 1.2 4.1, 2.7), written from
 * the device's side of the specification. It does what is right; tests set the fields that lie.
 */
#ifndef PRIVET_TESTS_VIRTIO_MODEL_H
#define PRIVET_TESTS_VIRTIO_MODEL_H

#include "fakes.h"

enum { VIRTIO_MODEL_QUEUES = 3, VIRTIO_MODEL_SEGMENTS = 8 };
#define VIRTIO_MODEL_VERSION_1       (1ull << 32)
#define VIRTIO_MODEL_ACCESS_PLATFORM (1ull << 33)

/* A request: what the device reads, then what it writes, each as one piece. */
struct virtio_model_request {
    unsigned queue;
    uint8_t out[64]; /* the beginning of what it reads */
    uint32_t out_length, in_length;
    unsigned count;
    struct {
        uint8_t *data;
        uint32_t length;
        bool in;
    } segment[VIRTIO_MODEL_SEGMENTS];
};

struct virtio_model {
    uint64_t offered, accepted;
    uint8_t config[64];
    uint32_t config_length;
    uint16_t queue_size; /* offered */
    void *context;
    /* Serves a request; returns the length for the used ring. */
    uint32_t (*serve)(struct virtio_model *model, const struct virtio_model_request *request);
    /* Lies: a silent device, used entries that are changed, an index that jumps. */
    bool silent, refuse_features;
    bool never_stops; /* a reset is not done */
    uint32_t used_id, used_length; /* added */
    uint16_t used_jump;
    bool hold; /* requests stay until virtio_model_run */

    uint8_t status, generation;
    uint32_t device_select, driver_select;
    uint16_t selected;
    struct {
        bool enabled;
        uint16_t size, next, used;
        uint64_t descriptors, available, ring;
    } queue[VIRTIO_MODEL_QUEUES];
    unsigned served, unmapped; /* requests; accesses to what was not mapped */
};

/* Adds a modern device of this kind. The caller sets offered, config, queue_size, serve before. */
size_t virtio_model_add(struct virtio_model *model, unsigned kind);
/* Serves what is available in a queue. */
void virtio_model_run(struct virtio_model *model, unsigned queue);
/* Copies into what the device writes, from byte `offset` of it. */
void virtio_model_give(const struct virtio_model_request *request, uint32_t offset,
                       const void *data, uint32_t length);

#endif
