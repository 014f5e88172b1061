/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Console, virtio 1.2 5.3: one port, hvc0 in Linux. No multiport, no emergency write.
 */
#ifndef PRIVET_MACHINE_DEVICES_VIRTIO_CONSOLE_H
#define PRIVET_MACHINE_DEVICES_VIRTIO_CONSOLE_H

#include "machine/devices/serial.h"
#include "machine/devices/virtio.h"

#define VIRTIO_CONSOLE_INPUT 1024u /* typed ahead of the guest */

struct virtio_console {
    struct virtio_device device;
    device_output *output;
    void *context;
    uint8_t input[VIRTIO_CONSOLE_INPUT];
    unsigned head, count;
    bool printing; /* a request is at work: input waits */
};

/* false: the slot is taken. */
bool virtio_console_init(struct virtio_console *console, struct pci_root *root, unsigned slot,
                         bool platform, device_output *output, void *context);
/* Bytes that were typed; returns how many there was room for. */
size_t virtio_console_input(struct virtio_console *console, const uint8_t *bytes, size_t length);
/* How many it would take. */
size_t virtio_console_room(const struct virtio_console *console);

#endif
