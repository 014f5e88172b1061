/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Queue 0 receives, 1 transmits (virtio 1.2 5.3.2).
 */
#include "machine/devices/virtio_console.h"

#include <string.h>

enum { QUEUE_RECEIVE, QUEUE_TRANSMIT, QUEUE_COUNT };

#define STEP       256u
#define MAX_OUTPUT 65536u /* of one request: what is longer is cut off */

static void print(struct virtio_console *console, const struct virtio_chain *chain)
{
    uint64_t length = chain->out_length < MAX_OUTPUT ? chain->out_length : MAX_OUTPUT;
    uint8_t bytes[STEP];

    for (uint64_t done = 0; done < length; done += STEP) {
        size_t step = length - done < STEP ? (size_t)(length - done) : STEP;

        if (!virtio_take(&console->device, chain, done, bytes, step)) {
            virtio_refuse(&console->device, "a buffer to print outside memory");
            return;
        }
        console->output(console->context, bytes, step);
    }
}

static void transmit_all(struct virtio_console *console)
{
    struct virtio_device *device = &console->device;

    for (unsigned i = 0; i <= VIRTIO_QUEUE_SIZE && virtio_pop(device, QUEUE_TRANSMIT); i++) {
        console->printing = true;
        print(console, &device->chain);
        console->printing = false;
        virtio_push(device, QUEUE_TRANSMIT, device->chain.head, 0);
    }
    virtio_used(device, QUEUE_TRANSMIT);
}

/* The oldest bytes, at most `size`; they stay. */
static size_t peek(const struct virtio_console *console, uint8_t *bytes, uint64_t size)
{
    size_t length = console->count < size ? console->count : (size_t)size;

    for (size_t i = 0; i < length; i++)
        bytes[i] = console->input[(console->head + i) % VIRTIO_CONSOLE_INPUT];
    return length;
}

static void deliver(struct virtio_console *console)
{
    struct virtio_device *device = &console->device;
    uint8_t bytes[VIRTIO_CONSOLE_INPUT];

    while (console->count && virtio_pop(device, QUEUE_RECEIVE)) {
        size_t length = peek(console, bytes, device->chain.in_length);

        if (length == 0 || !virtio_give(device, &device->chain, 0, bytes, length)) {
            virtio_refuse(device, "an input buffer that is empty or outside memory");
            return;
        }
        console->head = (console->head + (unsigned)length) % VIRTIO_CONSOLE_INPUT;
        console->count -= (unsigned)length;
        virtio_push(device, QUEUE_RECEIVE, device->chain.head, (uint32_t)length);
    }
    virtio_used(device, QUEUE_RECEIVE);
}

size_t virtio_console_room(const struct virtio_console *console)
{
    return VIRTIO_CONSOLE_INPUT - console->count;
}

size_t virtio_console_input(struct virtio_console *console, const uint8_t *bytes, size_t length)
{
    size_t taken = length < virtio_console_room(console) ? length : virtio_console_room(console);

    for (size_t i = 0; i < taken; i++)
        console->input[(console->head + console->count++) % VIRTIO_CONSOLE_INPUT] = bytes[i];
    if (!console->printing)
        deliver(console);
    return taken;
}

static void notified(struct virtio_device *device, unsigned queue)
{
    if (queue == QUEUE_TRANSMIT)
        transmit_all(device->context);
    deliver(device->context);
}

bool virtio_console_init(struct virtio_console *console, struct pci_root *root, unsigned slot,
                         bool platform, device_output *output, void *context)
{
    struct virtio_device *device = &console->device;

    console->output = output;
    console->context = context;
    device->name = "virtio-console";
    device->notified = notified;
    device->context = console;
    device->queue_count = QUEUE_COUNT;
    device->config_size = 8; /* columns, rows, ports: fields of features that are absent */
    return virtio_init(device, root, slot, VIRTIO_ID_CONSOLE, 0x078000, 0, platform);
}
