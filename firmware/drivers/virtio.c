/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The virtio transport over PCI (virtio 1.2 4.1): finding the device's structures, features,
 * status. Its queues are in virtio_queue.c.
 */
#include "firmware/drivers/virtio.h"

#include <string.h>

#include "firmware/arch/io.h"
#include "firmware/arch/paging.h"
#include "firmware/arch/time.h"
#include "firmware/drivers/drivers.h"
#include "firmware/drivers/virtio_pci.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/services.h"

enum {
    DEVICE_MODERN = 0x1040, /* + kind, virtio 1.2 4.1.2.1 */
    DEVICE_TRANSITIONAL = 0x1000,
    CAPABILITY_VENDOR = 0x09,
    CAPABILITIES_MAXIMUM = 16,
    STRUCTURE_COMMON = 1, /* virtio 1.2 4.1.4 */
    STRUCTURE_NOTIFY = 2,
    STRUCTURE_DEVICE = 4,
    STATUS_ACKNOWLEDGE = 1, /* virtio 1.2 2.1 */
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    STATUS_NEEDS_RESET = 64,
    RESET_WAIT_US = 1000000,
    GENERATION_TRIES = 16,
};
#define FEATURE_VERSION_1       (1ull << 32)
#define FEATURE_ACCESS_PLATFORM (1ull << 33)

bool virtio_is(const struct pci_function *function, unsigned kind)
{
    /* Transitional devices have numbers of their own (virtio 1.2 4.1.2.1): by kind. */
    static const uint8_t transitional[] = { [1] = 0x00, [2] = 0x01, [3] = 0x03, [4] = 0x05,
                                            [8] = 0x04 };
    if (function->vendor != VIRTIO_VENDOR)
        return false;
    return function->device == DEVICE_MODERN + kind ||
           (kind < sizeof(transitional) &&
            function->device == DEVICE_TRANSITIONAL + transitional[kind]);
}

/* The address of a structure that a capability describes, if it lies inside its BAR. */
static uint64_t locate(const struct pci_function *function, unsigned capability,
                       uint32_t *ret_length)
{
    unsigned bar = pci_read8(function->address, capability + 4);
    uint32_t offset = pci_read32(function->address, capability + 8);
    uint32_t length = pci_read32(function->address, capability + 12);
    if (bar >= 6 || function->bars[bar].io || length > function->bars[bar].size ||
        offset > function->bars[bar].size - length || function->bars[bar].base == 0)
        return 0;
    *ret_length = length;
    return function->bars[bar].base + offset;
}

static uint64_t map(uint64_t base, uint32_t length)
{
    uint64_t first = base & ~0xFFFull, end = (base + length + 0xFFF) & ~0xFFFull;
    paging_map_device(first, end - first);
    return base;
}

/* The first usable structure of each kind counts (virtio 1.2 4.1.4.1). */
static bool find_structures(const struct pci_function *function, struct virtio *device)
{
    unsigned at = 0;
    for (unsigned i = 0; i < CAPABILITIES_MAXIMUM; i++) {
        uint32_t length;
        at = pci_capability(function->address, CAPABILITY_VENDOR, at);
        if (at == 0)
            break;
        unsigned kind = pci_read8(function->address, at + 3);
        if (kind != STRUCTURE_COMMON && kind != STRUCTURE_NOTIFY && kind != STRUCTURE_DEVICE)
            continue;
        uint64_t base = locate(function, at, &length);
        if (!base || (kind == STRUCTURE_COMMON && length < VIRTIO_COMMON_LENGTH))
            continue;
        if (kind == STRUCTURE_COMMON && !device->common) {
            device->common = map(base, length);
        } else if (kind == STRUCTURE_NOTIFY && !device->notify) {
            device->notify = map(base, length);
            device->notify_length = length;
            device->notify_multiplier = pci_read32(function->address, at + 16);
        } else if (kind == STRUCTURE_DEVICE && !device->config) {
            device->config = map(base, length);
            device->config_length = length;
        }
    }
    return device->common && device->notify;
}

static uint8_t status(const struct virtio *device)
{
    return mmio_read8(device->common + VIRTIO_STATUS);
}

static void add_status(const struct virtio *device, uint8_t bits)
{
    mmio_write8(device->common + VIRTIO_STATUS, status(device) | bits);
}

static void reset(struct virtio *device)
{
    mmio_write8(device->common + VIRTIO_STATUS, 0);
    for (unsigned i = 0; i < RESET_WAIT_US / 10 && status(device) != 0; i++)
        time_delay_us(10);
    if (status(device) != 0)
        device_cut_off(device->address);
}

void virtio_stop(struct virtio *device)
{
    device->failed = true;
    reset(device);
}

void virtio_close(struct virtio *device)
{
    virtio_stop(device);
    if (device->exit_event)
        (void)bs_close_event(device->exit_event);
    device->exit_event = NULL;
}

void virtio_refuse(struct virtio *device, const char *reason)
{
    virtio_stop(device);
    device_refuse(device->address, device->driver, reason);
}

bool virtio_wants_reset(const struct virtio *device)
{
    return status(device) & STATUS_NEEDS_RESET;
}

static uint64_t offered_features(const struct virtio *device)
{
    mmio_write32(device->common + VIRTIO_DEVICE_FEATURE_SELECT, 0);
    uint64_t low = mmio_read32(device->common + VIRTIO_DEVICE_FEATURE);
    mmio_write32(device->common + VIRTIO_DEVICE_FEATURE_SELECT, 1);
    return low | (uint64_t)mmio_read32(device->common + VIRTIO_DEVICE_FEATURE) << 32;
}

static void accept_features(struct virtio *device)
{
    mmio_write32(device->common + VIRTIO_DRIVER_FEATURE_SELECT, 0);
    mmio_write32(device->common + VIRTIO_DRIVER_FEATURE, (uint32_t)device->features);
    mmio_write32(device->common + VIRTIO_DRIVER_FEATURE_SELECT, 1);
    mmio_write32(device->common + VIRTIO_DRIVER_FEATURE, (uint32_t)(device->features >> 32));
    add_status(device, STATUS_FEATURES_OK);
}

/* What is wrong with the features; NULL: nothing, they are agreed on. */
static const char *agree_features(struct virtio *device, uint64_t wanted)
{
    device->features =
        offered_features(device) & (wanted | FEATURE_VERSION_1 | FEATURE_ACCESS_PLATFORM);
    if (!(device->features & FEATURE_VERSION_1))
        return "it does not offer virtio 1.x";
    /* Without it a device may reach guest memory past the platform's rules (virtio 1.2 6.1). */
    if (sev_active() && !(device->features & FEATURE_ACCESS_PLATFORM))
        return "it does not offer ACCESS_PLATFORM, which a SEV guest needs "
               "(QEMU: iommu_platform=on)";
    accept_features(device);
    return status(device) & STATUS_FEATURES_OK ? NULL : "it does not accept its own features";
}

bool virtio_open(const struct pci_function *function, const char *driver, uint64_t wanted,
                 struct virtio *ret)
{
    *ret = (struct virtio){ .driver = driver, .address = function->address };
    if (!find_structures(function, ret)) {
        device_refuse(function->address, driver,
                      "it is not a virtio 1.x device (QEMU: disable-modern=off)");
        return false;
    }
    reset(ret);
    add_status(ret, STATUS_ACKNOWLEDGE);
    add_status(ret, STATUS_DRIVER);
    const char *reason = agree_features(ret, wanted);
    if (reason)
        virtio_refuse(ret, reason);
    return !reason;
}

static VOID EFIAPI stop(EFI_EVENT event, VOID *context)
{
    (void)event;
    virtio_stop(context);
}

bool virtio_ready(struct virtio *device)
{
    if (bs_create_event(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, stop, device,
                        &device->exit_event) != EFI_SUCCESS) {
        virtio_refuse(device, "there is no memory for it");
        return false;
    }
    add_status(device, STATUS_DRIVER_OK);
    return true;
}

static bool has_config(const struct virtio *device, unsigned offset, unsigned size)
{
    return offset <= device->config_length && size <= device->config_length - offset;
}

uint8_t virtio_config8(const struct virtio *device, unsigned offset)
{
    return has_config(device, offset, 1) ? mmio_read8(device->config + offset) : 0;
}

uint16_t virtio_config16(const struct virtio *device, unsigned offset)
{
    return has_config(device, offset, 2) ? mmio_read16(device->config + offset) : 0;
}

uint32_t virtio_config32(const struct virtio *device, unsigned offset)
{
    return has_config(device, offset, 4) ? mmio_read32(device->config + offset) : 0;
}

/* Two reads, and the generation says whether they belong together (virtio 1.2 2.5.3). */
uint64_t virtio_config64(const struct virtio *device, unsigned offset)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < GENERATION_TRIES; i++) {
        uint8_t before = mmio_read8(device->common + VIRTIO_CONFIG_GENERATION);
        value = virtio_config32(device, offset) |
                (uint64_t)virtio_config32(device, offset + 4) << 32;
        if (mmio_read8(device->common + VIRTIO_CONFIG_GENERATION) == before)
            break;
    }
    return value;
}
