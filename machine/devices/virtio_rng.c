/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Fills each request's buffers, up to a limit: a shorter answer is allowed (virtio 1.2 5.4.6.1).
 */
#include "machine/devices/virtio_rng.h"

#define MAX_REQUEST  4096u
#define STREAM_LABEL 1u

static uint32_t request(struct virtio_device *device, struct virtio_chain *chain)
{
    struct virtio_rng *rng = device->context;
    uint32_t length = chain->in_length < MAX_REQUEST ? (uint32_t)chain->in_length : MAX_REQUEST;
    uint8_t bytes[MAX_REQUEST];

    random_bytes(&rng->stream, bytes, length);
    return virtio_give(device, chain, 0, bytes, length) ? length : 0;
}

bool virtio_rng_init(struct virtio_rng *rng, struct pci_root *root, unsigned slot, bool platform,
                     const uint8_t seed[32])
{
    random_init(&rng->stream, seed, STREAM_LABEL);
    rng->device.name = "virtio-rng";
    rng->device.request = request;
    rng->device.context = rng;
    return virtio_init(&rng->device, root, slot, VIRTIO_ID_RNG, 0x00FF00, 0, platform);
}
