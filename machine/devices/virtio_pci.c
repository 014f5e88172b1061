/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Virtio's PCI transport (virtio 1.2 4.1): capabilities, common configuration, notification, ISR,
 * MSI-X. BAR 1 holds the MSI-X table, BAR 4 the four register blocks, a page each.
 */
#include "machine/devices/virtio.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { CAP_COMMON = 0x40, CAP_ISR = 0x50, CAP_DEVICE = 0x60, CAP_NOTIFY = 0x70, CAP_PCI = 0x84,
       CAP_MSIX = 0x98 };
enum { CAP_ID_VENDOR = 0x09, CAP_ID_MSIX = 0x11 };
enum { TYPE_COMMON = 1, TYPE_NOTIFY, TYPE_ISR, TYPE_DEVICE, TYPE_PCI };
enum { BLOCK_COMMON, BLOCK_ISR, BLOCK_DEVICE, BLOCK_NOTIFY };
enum { STATUS_FEATURES_OK = 8, STATUS_DRIVER_OK = 4, STATUS_NEEDS_RESET = 64 };
enum { MSIX_ENABLE = 0x80, MSIX_MASK = 0x40 }; /* in the high byte of message control */
enum { VECTOR_MASKED = 1 };

#define NO_VECTOR      0xFFFFu
#define NOTIFY_STRIDE  4u
#define MSIX_BAR       1u
#define REGISTER_BAR   4u
#define MSIX_PENDING   0x800u
#define COMMON_SIZE    0x38u

/* --- interrupts --- */

static bool msix_enabled(const struct virtio_device *device)
{
    return device->pci.config[CAP_MSIX + 3] & MSIX_ENABLE;
}

static bool vector_masked(const struct virtio_device *device, unsigned vector)
{
    return (device->pci.config[CAP_MSIX + 3] & MSIX_MASK) ||
           (device->vector[vector].control & VECTOR_MASKED);
}

/* Sends what became pending while masked. */
static void send_pending(struct virtio_device *device)
{
    for (unsigned i = 0; i <= device->queue_count; i++) {
        const struct virtio_vector *vector = &device->vector[i];

        if (!(device->pending_vectors >> i & 1) || !msix_enabled(device) ||
            vector_masked(device, i))
            continue;
        device->pending_vectors &= ~(1u << i);
        bus_message(device->bus, (uint64_t)vector->address_high << 32 | vector->address_low,
                    vector->data);
    }
}

void virtio_signal(struct virtio_device *device, uint16_t vector, uint8_t isr)
{
    device->isr |= isr;
    if (!msix_enabled(device)) {
        pci_interrupt(&device->pci, true);
    } else if (vector <= device->queue_count) {
        device->pending_vectors |= 1u << vector;
        send_pending(device);
    }
}

bool virtio_live(const struct virtio_device *device, unsigned queue)
{
    const uint8_t running = STATUS_FEATURES_OK | STATUS_DRIVER_OK;

    return queue < device->queue_count && device->queue[queue].enabled &&
           (device->status & (running | STATUS_NEEDS_RESET)) == running &&
           pci_is_master(&device->pci);
}

void virtio_config_changed(struct virtio_device *device)
{
    device->config_generation++;
    if (device->status & STATUS_DRIVER_OK)
        virtio_signal(device, device->config_vector, 2);
}

void virtio_refuse(struct virtio_device *device, const char *why)
{
    if (!device->complained) {
        char line[160];

        device->complained = true;
        snprintf(line, sizeof(line), "the guest's driver gave %s; the device needs a reset", why);
        bus_complain(device->bus, device->name ? device->name : "virtio", line);
    }
    device->status |= STATUS_NEEDS_RESET;
    if (device->status & STATUS_DRIVER_OK)
        virtio_signal(device, device->config_vector, 2);
}

void virtio_broken(struct virtio_device *device)
{
    virtio_refuse(device, "a malformed request");
}

/* --- the device's state --- */

static void reset_device(struct virtio_device *device)
{
    device->accepted = 0;
    device->offered_select = device->accepted_select = 0;
    device->status = device->isr = 0;
    device->config_vector = NO_VECTOR;
    device->queue_select = 0;
    device->pending_vectors = 0;
    for (unsigned i = 0; i < device->queue_count; i++)
        device->queue[i] = (struct virtio_queue){ .size = VIRTIO_QUEUE_SIZE, .vector = NO_VECTOR };
    pci_interrupt(&device->pci, false);
    if (device->stopped)
        device->stopped(device);
}

/* FEATURES_OK stays off unless the driver takes what this device insists on (2.2.2). */
static void write_status(struct virtio_device *device, uint8_t value)
{
    uint64_t must = device->offered & (VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM);

    if (value == 0) {
        reset_device(device);
        return;
    }
    if ((value & STATUS_FEATURES_OK) && !(device->status & STATUS_FEATURES_OK) &&
        (device->accepted & must) != must)
        value &= (uint8_t)~STATUS_FEATURES_OK;
    device->status = value | (device->status & STATUS_NEEDS_RESET);
}

static void notify(struct virtio_device *device, unsigned index)
{
    if (!virtio_live(device, index))
        return;
    if (device->notified)
        device->notified(device, index);
    else
        virtio_queue_run(device, index);
}

/* --- common configuration, 4.1.4.3 --- */

static struct virtio_queue *selected(struct virtio_device *device)
{
    return device->queue_select < device->queue_count ? &device->queue[device->queue_select]
                                                      : NULL;
}

static void put(uint8_t *image, unsigned offset, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        image[offset + i] = (uint8_t)(value >> i * 8);
}

static void common_image(struct virtio_device *device, uint8_t image[COMMON_SIZE])
{
    const struct virtio_queue *queue = selected(device);

    memset(image, 0, COMMON_SIZE);
    put(image, 0x00, device->offered_select, 4);
    if (device->offered_select < 2)
        put(image, 0x04, device->offered >> device->offered_select * 32, 4);
    put(image, 0x08, device->accepted_select, 4);
    if (device->accepted_select < 2)
        put(image, 0x0C, device->accepted >> device->accepted_select * 32, 4);
    put(image, 0x10, device->config_vector, 2);
    put(image, 0x12, device->queue_count, 2);
    put(image, 0x14, device->status, 1);
    put(image, 0x15, device->config_generation, 1);
    put(image, 0x16, device->queue_select, 2);
    if (!queue)
        return;
    put(image, 0x18, queue->size, 2);
    put(image, 0x1A, queue->vector, 2);
    put(image, 0x1C, queue->enabled, 2);
    put(image, 0x1E, device->queue_select, 2);
    put(image, 0x20, queue->descriptors, 8);
    put(image, 0x28, queue->driver, 8);
    put(image, 0x30, queue->device, 8);
}

static void write_features(struct virtio_device *device, uint32_t value)
{
    unsigned shift = device->accepted_select * 32;

    if (device->accepted_select > 1 || (device->status & STATUS_FEATURES_OK))
        return;
    device->accepted &= ~(UINT64_C(0xFFFFFFFF) << shift);
    device->accepted |= (uint64_t)value << shift & device->offered;
}

static uint16_t valid_vector(const struct virtio_device *device, uint64_t value)
{
    return value <= device->queue_count ? (uint16_t)value : NO_VECTOR;
}

/* Alignments of 2.7; the addresses are checked with each access. */
static void enable(struct virtio_device *device, struct virtio_queue *queue)
{
    if (queue->descriptors % 16 || queue->driver % 2 || queue->device % 4)
        virtio_refuse(device, "a queue at a misaligned address");
    else
        queue->enabled = true;
}

/* Ring addresses and sizes are fixed while the queue is enabled (4.1.4.3.2). */
static void write_queue(struct virtio_device *device, struct virtio_queue *queue, unsigned offset,
                        uint64_t value, unsigned size)
{
    uint64_t *areas[3] = { &queue->descriptors, &queue->driver, &queue->device };

    if (offset == 0x1A) {
        queue->vector = valid_vector(device, value);
    } else if (queue->enabled) {
        return;
    } else if (offset == 0x18) {
        if (value && value <= VIRTIO_QUEUE_SIZE && !(value & (value - 1)))
            queue->size = (uint16_t)value;
    } else if (offset == 0x1C) {
        if (value == 1)
            enable(device, queue);
    } else if (offset >= 0x20 && size == 4) {
        uint64_t *area = areas[(offset - 0x20) / 8];
        unsigned shift = (offset & 4) * 8;

        *area = (*area & ~(UINT64_C(0xFFFFFFFF) << shift)) | value << shift;
    }
}

static void write_common(struct virtio_device *device, unsigned offset, uint64_t value,
                         unsigned size)
{
    struct virtio_queue *queue = selected(device);

    switch (offset) {
    case 0x00:
        device->offered_select = (uint32_t)value;
        break;
    case 0x08:
        device->accepted_select = (uint32_t)value;
        break;
    case 0x0C:
        write_features(device, (uint32_t)value);
        break;
    case 0x10:
        device->config_vector = valid_vector(device, value);
        break;
    case 0x14:
        write_status(device, (uint8_t)value);
        break;
    case 0x16:
        device->queue_select = (uint16_t)value;
        break;
    default:
        if (queue && offset >= 0x18 && offset < COMMON_SIZE)
            write_queue(device, queue, offset, value, size);
    }
}

/* --- BAR 4 --- */

static uint64_t slice(const uint8_t *bytes, unsigned length, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size && offset + i < length; i++)
        value |= (uint64_t)bytes[offset + i] << i * 8;
    return value;
}

static uint64_t registers_read(void *context, uint64_t offset, unsigned size)
{
    struct virtio_device *device = context;
    uint8_t image[COMMON_SIZE], isr;

    switch (offset >> 12) {
    case BLOCK_COMMON:
        common_image(device, image);
        return slice(image, COMMON_SIZE, offset & 0xFFF, size);
    case BLOCK_ISR: /* reading acknowledges */
        isr = device->isr;
        device->isr = 0;
        pci_interrupt(&device->pci, false);
        return isr;
    case BLOCK_DEVICE:
        return slice(device->config, device->config_size, offset & 0xFFF, size);
    default:
        return 0;
    }
}

static void write_config(struct virtio_device *device, unsigned offset, uint64_t value,
                         unsigned size)
{
    bool changed = false;

    for (unsigned i = 0; i < size && offset + i < device->config_size; i++) {
        uint8_t *at = &device->config[offset + i], mask = device->config_writable[offset + i];
        uint8_t byte = (uint8_t)((*at & ~mask) | ((value >> i * 8) & mask));

        changed |= byte != *at;
        *at = byte;
    }
    if (changed && device->config_written)
        device->config_written(device);
}

static void registers_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtio_device *device = context;

    if (offset >> 12 == BLOCK_COMMON)
        write_common(device, (unsigned)(offset & 0xFFF), value, size);
    else if (offset >> 12 == BLOCK_DEVICE)
        write_config(device, (unsigned)(offset & 0xFFF), value, size);
    else if (offset >> 12 == BLOCK_NOTIFY)
        notify(device, (unsigned)(offset & 0xFFF) / NOTIFY_STRIDE);
}

/* --- BAR 1: MSI-X table and pending bits, PCI 3.0 6.8.2 --- */

static uint32_t *vector_field(struct virtio_device *device, uint64_t offset)
{
    struct virtio_vector *vector = &device->vector[offset / 16];
    uint32_t *fields[4] = { &vector->address_low, &vector->address_high, &vector->data,
                            &vector->control };

    return fields[offset / 4 % 4];
}

static uint64_t msix_read(void *context, uint64_t offset, unsigned size)
{
    struct virtio_device *device = context;

    if (offset < (device->queue_count + 1u) * 16)
        return *vector_field(device, offset) >> (offset & 3) * 8;
    if (offset >= MSIX_PENDING && offset < MSIX_PENDING + 4)
        return device->pending_vectors >> (offset & 3) * 8;
    return 0;
}

static void msix_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtio_device *device = context;

    if (offset < (device->queue_count + 1u) * 16 && size == 4) {
        *vector_field(device, offset) = (uint32_t)value;
        send_pending(device);
    }
}

/* --- configuration space --- */

/* The window of 4.1.4.9: configuration accesses to its data field reach BAR 4. */
static bool window(struct virtio_device *device, unsigned offset, uint64_t *address,
                   unsigned *size)
{
    uint32_t length = pci_get(&device->pci, CAP_PCI + 12, 4);

    *address = pci_get(&device->pci, CAP_PCI + 8, 4);
    *size = length;
    return offset == CAP_PCI + 16 && device->pci.config[CAP_PCI + 4] == REGISTER_BAR &&
           (length == 1 || length == 2 || length == 4) && *address % length == 0 &&
           *address < 0x4000;
}

static void config_reading(void *context, unsigned offset, unsigned size)
{
    struct virtio_device *device = context;
    uint64_t address;
    unsigned length;

    if (window(device, offset, &address, &length))
        pci_set(&device->pci, offset, (uint32_t)registers_read(device, address, length), length);
}

static void config_written(void *context, unsigned offset, unsigned size)
{
    struct virtio_device *device = context;
    uint64_t address;
    unsigned length;

    if (offset < CAP_MSIX + 4 && offset + size > CAP_MSIX)
        send_pending(device);
    if (window(device, offset, &address, &length))
        registers_write(device, address, pci_get(&device->pci, offset, length), length);
}

static void add_block(struct virtio_device *device, unsigned at, uint8_t type, unsigned block,
                      uint8_t size)
{
    struct pci_function *pci = &device->pci;

    pci_add_capability(pci, at, CAP_ID_VENDOR);
    pci_set(pci, at + 2, size, 1);
    pci_set(pci, at + 3, type, 1);
    pci_set(pci, at + 4, REGISTER_BAR, 1);
    pci_set(pci, at + 8, block << 12, 4);
    pci_set(pci, at + 12, 0x1000, 4);
}

static void add_capabilities(struct virtio_device *device)
{
    struct pci_function *pci = &device->pci;

    add_block(device, CAP_COMMON, TYPE_COMMON, BLOCK_COMMON, 16);
    add_block(device, CAP_ISR, TYPE_ISR, BLOCK_ISR, 16);
    add_block(device, CAP_DEVICE, TYPE_DEVICE, BLOCK_DEVICE, 16);
    add_block(device, CAP_NOTIFY, TYPE_NOTIFY, BLOCK_NOTIFY, 20);
    pci_set(pci, CAP_NOTIFY + 16, NOTIFY_STRIDE, 4);
    add_block(device, CAP_PCI, TYPE_PCI, 0, 20);
    pci_set(pci, CAP_PCI + 4, 0, 1);
    pci_set(pci, CAP_PCI + 12, 0, 4);
    pci->writable[CAP_PCI + 4] = 0xFF;
    memset(pci->writable + CAP_PCI + 8, 0xFF, 12);
    pci_add_capability(pci, CAP_MSIX, CAP_ID_MSIX);
    pci_set(pci, CAP_MSIX + 2, device->queue_count, 2); /* table size minus one */
    pci_set(pci, CAP_MSIX + 4, MSIX_BAR, 4);
    pci_set(pci, CAP_MSIX + 8, MSIX_PENDING | MSIX_BAR, 4);
    pci->writable[CAP_MSIX + 3] = MSIX_ENABLE | MSIX_MASK;
}

static void reset(void *context)
{
    struct virtio_device *device = context;

    device->pci.config[CAP_MSIX + 3] = 0;
    memset(device->pci.config + CAP_PCI + 8, 0, 12);
    memset(device->vector, 0, sizeof(device->vector));
    for (unsigned i = 0; i <= device->queue_count; i++)
        device->vector[i].control = VECTOR_MASKED;
    reset_device(device);
}

bool virtio_init(struct virtio_device *device, struct pci_root *root, unsigned slot,
                 unsigned virtio_id, uint32_t class_code, uint64_t features, bool platform)
{
    struct pci_function *pci = &device->pci;

    assert(device->queue_count <= VIRTIO_MAX_QUEUES);
    device->bus = root->bus;
    device->offered = features | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT |
                      VIRTIO_F_EVENT_INDEX | (platform ? VIRTIO_F_ACCESS_PLATFORM : 0);
    if (device->queue_count == 0)
        device->queue_count = 1;
    pci_function_init(pci, 0x1AF4, (uint16_t)(0x1040 + virtio_id), class_code, 1);
    pci_set(pci, PCI_SUBSYSTEM_VENDOR, 0x1AF4, 2);
    pci_set(pci, PCI_SUBSYSTEM_ID, 0x1100, 2);
    pci_set(pci, PCI_INTERRUPT_PIN, 1, 1);
    pci_bar_init(pci, MSIX_BAR, 0x1000, 0, msix_read, msix_write, device, 4);
    pci_bar_init(pci, REGISTER_BAR, 0x4000, 0xC, registers_read, registers_write, device, 4);
    pci->reading = config_reading;
    pci->written = config_written;
    pci->context = device;
    add_capabilities(device);
    if (!pci_attach(root, pci, PCI_DEVFN(slot, 0)))
        return false;
    bus_on_reset(device->bus, reset, device);
    reset(device);
    return true;
}
