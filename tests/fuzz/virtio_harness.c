/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Bus, PCI root, memory and one device without a processor. A stream of operations, one byte each
 * with operands behind it; a stream that ends ends the run. Most operations build requests that are
 * nearly right, so that the hostile part reaches the device and not only the ring.
 */
#define _GNU_SOURCE
#include "tests/fuzz/virtio_harness.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/devices/virtio_blk.h"
#include "machine/devices/virtio_console.h"
#include "machine/devices/virtio_net.h"
#include "machine/devices/virtio_rng.h"
#include "machine/devices/virtio_scsi.h"

#define RAM_SIZE   0x40000u
#define BAR        UINT64_C(0x80000000)
#define MSIX       UINT64_C(0x80100000)
#define SLOT       1u
#define QUEUES     3u
#define QUEUE_SIZE 16u
#define QUEUE_AT(n) (0x1000u * (n)) /* descriptors; available +0x400, used +0x800 */
#define HEADER_AT  0x10000u
#define DATA_AT    0x20000u
#define DISK_SIZE  (1u << 20)

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };

struct harness {
    struct memory *memory;
    struct clock clock;
    struct bus bus;
    struct pci_root root;
    struct virtio_device *device;
    struct virtio_blk *blk;
    struct virtio_scsi *scsi;
    struct virtio_rng *rng;
    struct virtio_net *net;
    struct virtio_console *console;
    enum virtio_harness_device kind;
    uint16_t available[QUEUES];
    const uint8_t *data;
    size_t size;
};

static uint64_t no_instructions(void *context)
{
    return 0;
}

static void no_stop(void *context)
{
}

static void no_line(void *context, unsigned gsi, bool level)
{
}

static void no_message(void *context, uint64_t address, uint32_t data)
{
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "virtio harness: %s\n", what);
    abort();
}

/* One image for all runs: what they write to it is part of the hostile world. */
static struct image *disk(void)
{
    static struct image *image;

    if (!image) {
        char path[64], error[256];
        int fd = memfd_create("disk", 0);
        struct image_options options = { .path = path, .format = IMAGE_RAW };

        must(fd >= 0 && ftruncate(fd, DISK_SIZE) == 0, "no memory file");
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        image = image_open(&options, error, sizeof(error));
        must(image, error);
    }
    return image;
}

/* --- the driver --- */

static uint32_t take(struct harness *h, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes && h->size; i++, h->size--)
        value = value << 8 | *h->data++;
    return value;
}

static void ram(struct harness *h, uint64_t gpa, const void *data, size_t length)
{
    memory_write(h->memory, gpa, data, length, MEMORY_RAW);
}

static void set(struct harness *h, unsigned offset, uint64_t value, unsigned size)
{
    bus_write(&h->bus, BUS_MMIO, BAR + offset, value, size);
}

static void config(struct harness *h, unsigned offset, uint32_t value, unsigned size)
{
    pci_config_write(&h->root, PCI_DEVFN(SLOT, 0), offset, value, size);
}

/* Everything as an honest driver does it. */
static void start(struct harness *h)
{
    config(h, 0x14, (uint32_t)MSIX, 4);
    config(h, 0x20, (uint32_t)BAR, 4);
    config(h, 0x24, 0, 4);
    config(h, 4, 6, 2);
    set(h, 0x14, 0, 1);
    set(h, 0x14, 3, 1);
    set(h, 0x08, 0, 4);
    set(h, 0x0C, take(h, 1) & 1 ? 0x30FFFFFF : 0x10000000, 4);
    set(h, 0x08, 1, 4);
    set(h, 0x0C, 3, 4);
    set(h, 0x14, 0xB, 1);
    for (unsigned i = 0; i < QUEUES; i++) {
        set(h, 0x16, i, 2);
        set(h, 0x18, QUEUE_SIZE, 2);
        set(h, 0x20, QUEUE_AT(i), 4);
        set(h, 0x28, QUEUE_AT(i) + 0x400, 4);
        set(h, 0x30, QUEUE_AT(i) + 0x800, 4);
        set(h, 0x1C, 1, 2);
        h->available[i] = 0;
    }
    set(h, 0x14, 0xF, 1);
}

static void descriptor(struct harness *h, unsigned queue, unsigned index, uint64_t gpa,
                       uint32_t length, uint16_t flags, uint16_t next)
{
    struct {
        uint64_t gpa;
        uint32_t length;
        uint16_t flags, next;
    } bytes = { gpa, length, flags, next };

    ram(h, QUEUE_AT(queue) + 16 * index, &bytes, sizeof(bytes));
}

static void submit(struct harness *h, unsigned queue, uint16_t head)
{
    uint64_t ring = QUEUE_AT(queue) + 0x400;

    ram(h, ring + 4 + 2 * (h->available[queue] % QUEUE_SIZE), &head, sizeof(head));
    h->available[queue]++;
    ram(h, ring + 2, &h->available[queue], 2);
    set(h, 0x3000 + 4 * queue, queue, 2);
}

static unsigned queue_of(struct harness *h)
{
    static const unsigned usual[HARNESS_DEVICES] = { 0, 2, 0, 1, 1 };
    uint32_t choice = take(h, 1);

    return choice & 0xC0 ? usual[h->kind] : choice % QUEUES;
}

/* A header with the given bytes, data of a given length in a given direction, room for an answer. */
static void nearly_right(struct harness *h)
{
    unsigned queue = queue_of(h), header = 1 + take(h, 1) % 64;
    uint32_t length = take(h, 1) & 1 ? take(h, 3) : take(h, 1) % 16 * 512;
    uint32_t answer = take(h, 1) % 160;
    bool in = take(h, 1) & 1;
    uint8_t bytes[64];

    for (unsigned i = 0; i < header; i++)
        bytes[i] = (uint8_t)take(h, 1);
    if (h->blk)
        header = 16;
    if (h->scsi && queue == 2) { /* LUN 0 of a target; the CDB comes from the bytes */
        bytes[0] = 1;
        bytes[1] &= 3;
        bytes[2] = bytes[3] = 0;
        header = 51;
        answer = answer & 1 ? 108 : answer;
    }
    ram(h, HEADER_AT, bytes, sizeof(bytes));
    descriptor(h, queue, 0, HEADER_AT, header, DESC_NEXT, 1);
    if (h->scsi && in) { /* the answer is before the data */
        descriptor(h, queue, 1, HEADER_AT + 0x1000, answer, DESC_NEXT | DESC_WRITE, 2);
        descriptor(h, queue, 2, DATA_AT, length, DESC_WRITE, 0);
    } else {
        descriptor(h, queue, 1, DATA_AT, length, in ? DESC_NEXT | DESC_WRITE : DESC_NEXT, 2);
        descriptor(h, queue, 2, HEADER_AT + 0x1000, h->blk ? 1 : answer, DESC_WRITE, 0);
    }
    submit(h, queue, 0);
}

/* Buffers to receive into, and something to receive. */
static void arrive(struct harness *h)
{
    unsigned buffers = take(h, 1) % 8, room = take(h, 1) * 8;
    uint8_t bytes[NET_MAX_FRAME + 1] = { 0x52, 0x54 };
    size_t length = take(h, 2) % sizeof(bytes);

    for (unsigned i = 0; i < buffers; i++) {
        descriptor(h, 0, i, DATA_AT + i * 0x800, room, DESC_WRITE, 0);
        submit(h, 0, (uint16_t)i);
    }
    bytes[0] = (uint8_t)take(h, 1);
    if (h->net) {
        virtio_net_receive(h->net, bytes, length);
        virtio_net_deliver(h->net);
    } else if (h->console) {
        virtio_console_input(h->console, bytes, length);
    }
}

/* A network that answers each frame with frames, and a console that echoes. */
static void echo_frame(void *context, const uint8_t *frame, size_t length)
{
    struct harness *h = context;

    must(length >= NET_MIN_FRAME && length <= NET_MAX_FRAME, "a frame of a wrong length");
    for (unsigned i = 0; i <= frame[0] % 4u; i++)
        virtio_net_receive(h->net, frame, length);
    if (frame[1] & 1)
        virtio_net_deliver(h->net);
}

static void echo_bytes(void *context, const uint8_t *bytes, size_t length)
{
    struct harness *h = context;

    virtio_console_input(h->console, bytes, length);
}

static void any_descriptor(struct harness *h)
{
    unsigned queue = take(h, 1) % QUEUES, index = take(h, 1) % QUEUE_SIZE;
    uint64_t gpa = take(h, 1) & 1 ? take(h, 4) : (uint64_t)take(h, 4) << 32 | take(h, 4);

    descriptor(h, queue, index, gpa, take(h, 4), (uint16_t)(take(h, 1) & 7),
               (uint16_t)(take(h, 1) % (QUEUE_SIZE + 1)));
}

static void any_ram(struct harness *h)
{
    uint32_t at = take(h, 3) % RAM_SIZE, length = take(h, 1);
    uint8_t bytes[256];

    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)take(h, 1);
    ram(h, at, bytes, length);
}

static void any_register(struct harness *h)
{
    unsigned block = take(h, 1) & 3, offset = take(h, 1);

    set(h, block << 12 | offset, take(h, 4), 1u << take(h, 1) % 4);
}

static void any_read(struct harness *h)
{
    bus_read(&h->bus, BUS_MMIO, BAR + (take(h, 2) & 0x3FFF), 1u << take(h, 1) % 4);
    bus_read(&h->bus, BUS_MMIO, MSIX + (take(h, 2) & 0xFFF), 4);
}

static void any_config(struct harness *h)
{
    config(h, take(h, 1) & 0xFC, take(h, 4), 4);
}

static void any_vector(struct harness *h)
{
    bus_write(&h->bus, BUS_MMIO, MSIX + (take(h, 1) & 0x7C), take(h, 4), 4);
}

static void any_submit(struct harness *h)
{
    unsigned queue = queue_of(h);

    submit(h, queue, (uint16_t)(take(h, 1) % (QUEUE_SIZE + 1)));
}

static void reset_machine(struct harness *h)
{
    bus_reset(&h->bus);
    start(h);
}

static void (*const operations[])(struct harness *h) = {
    nearly_right, nearly_right, nearly_right, any_descriptor, any_ram,    any_register, arrive,
    any_read,     any_config,   any_vector,   any_submit,     any_submit, start, reset_machine,
};

/* --- the machine --- */

static void create(struct harness *h, enum virtio_harness_device device)
{
    static const uint8_t seed[32];
    const struct bus_sinks sinks = { .line = no_line, .message = no_message };

    h->memory = memory_create(seed);
    must(h->memory && memory_add_ram(h->memory, 0, RAM_SIZE) == 0, "no memory");
    clock_init(&h->clock, no_instructions, no_stop, h);
    bus_init(&h->bus, h->memory, &h->clock, &sinks);
    pci_root_init(&h->root, &h->bus);
    if (device == HARNESS_BLOCK) {
        h->blk = calloc(1, sizeof(*h->blk));
        must(h->blk && virtio_blk_init(h->blk, &h->root, SLOT, true, disk(), "fuzz"), "no disk");
        h->device = &h->blk->device;
    } else if (device == HARNESS_SCSI) {
        h->scsi = calloc(1, sizeof(*h->scsi));
        must(h->scsi && virtio_scsi_add(h->scsi, disk(), false, "disk") &&
             virtio_scsi_add(h->scsi, disk(), true, "cdrom") &&
             virtio_scsi_init(h->scsi, &h->root, SLOT, true), "no SCSI host");
        h->device = &h->scsi->device;
    } else if (device == HARNESS_NET) {
        h->net = calloc(1, sizeof(*h->net));
        must(h->net && virtio_net_init(h->net, &h->root, SLOT, true, seed, echo_frame, h),
             "no network card");
        h->device = &h->net->device;
    } else if (device == HARNESS_CONSOLE) {
        h->console = calloc(1, sizeof(*h->console));
        must(h->console &&
             virtio_console_init(h->console, &h->root, SLOT, true, echo_bytes, h), "no console");
        h->device = &h->console->device;
    } else {
        h->rng = calloc(1, sizeof(*h->rng));
        must(h->rng && virtio_rng_init(h->rng, &h->root, SLOT, true, seed), "no entropy device");
        h->device = &h->rng->device;
    }
    bus_reset(&h->bus);
}

uint64_t virtio_harness_run(enum virtio_harness_device device, const uint8_t *data, size_t size)
{
    struct harness *h = calloc(1, sizeof(*h));
    uint64_t used = 0;

    must(h, "out of memory");
    h->data = data;
    h->size = size;
    h->kind = device;
    create(h, device);
    start(h);
    while (h->size) {
        operations[take(h, 1) % (sizeof(operations) / sizeof(operations[0]))](h);
        for (unsigned i = 0; i < h->device->queue_count; i++)
            used += h->device->queue[i].next_used != 0;
    }
    free(h->blk);
    free(h->scsi);
    free(h->rng);
    if (h->net)
        virtio_net_free(h->net);
    free(h->net);
    free(h->console);
    memory_destroy(h->memory);
    free(h);
    return used;
}
