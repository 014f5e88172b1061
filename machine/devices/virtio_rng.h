/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Entropy device, virtio 1.2 5.4: deterministic bytes from the machine's seed.
 */
#ifndef PRIVET_MACHINE_DEVICES_VIRTIO_RNG_H
#define PRIVET_MACHINE_DEVICES_VIRTIO_RNG_H

#include "machine/devices/random.h"
#include "machine/devices/virtio.h"

struct virtio_rng {
    struct virtio_device device;
    struct random_stream stream;
};

bool virtio_rng_init(struct virtio_rng *rng, struct pci_root *root, unsigned slot, bool platform,
                     const uint8_t seed[32]);

#endif
