/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The virtio entropy device. */
#ifndef PRIVET_FIRMWARE_VIRTIO_RNG_H
#define PRIVET_FIRMWARE_VIRTIO_RNG_H

/* Mixes what the first such device gives into the firmware's random numbers. */
void virtio_rng_init(void);

#endif
