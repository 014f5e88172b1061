/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A virtio device with a driver that hostile bytes steer: for the fuzz targets and a bounded test.
 */
#ifndef PRIVET_TESTS_VIRTIO_HARNESS_H
#define PRIVET_TESTS_VIRTIO_HARNESS_H

#include <stddef.h>
#include <stdint.h>

enum virtio_harness_device { HARNESS_BLOCK, HARNESS_SCSI, HARNESS_RNG, HARNESS_NET,
                             HARNESS_CONSOLE, HARNESS_DEVICES };

/*
 * Sets the device up and performs the operations that the bytes say: writes of memory, of rings, of
 * registers and of configuration space, notifications, resets. Returns how many requests it used.
 */
uint64_t virtio_harness_run(enum virtio_harness_device device, const uint8_t *data, size_t size);

#endif
