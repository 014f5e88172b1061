/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The mark is edk2's (UefiBootManagerLib), so that OVMF and this firmware can use a variable store
 * by turns without each other's options piling up.
 */
#include "firmware/boot/autooption.h"

#include "firmware/boot/bootpath.h"
#include "firmware/boot/bootvars.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define DEVICES_MAXIMUM  64u
#define DESCRIPTION_ROOM 96u
#define NUMBERS          0x10000u
#define OPTICAL_BLOCK    2048u

static const EFI_GUID mark = {
    0x8108ac4e, 0x9f11, 0x4d59, { 0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2 }
};

/* A device that can be booted from. */
struct device {
    EFI_DEVICE_PATH_PROTOCOL *path;
    const char *kind;
    bool known; /* there is an option for it */
};

struct devices {
    struct device list[DEVICES_MAXIMUM];
    size_t count;
};

bool autooption_is(const struct load_option *option)
{
    return option->optional_size == sizeof(mark) &&
           memcmp(option->optional, &mark, sizeof(mark)) == 0;
}

static void add_device(struct devices *devices, EFI_HANDLE handle, const char *kind)
{
    EFI_DEVICE_PATH_PROTOCOL *path = handle_interface(handle, &guid_device_path);
    if (path && devices->count < DEVICES_MAXIMUM)
        devices->list[devices->count++] = (struct device){ .path = path, .kind = kind };
}

static const char *disk_kind(const EFI_BLOCK_IO_MEDIA *media)
{
    if (!media->RemovableMedia)
        return "disk";
    return media->BlockSize == OPTICAL_BLOCK ? "CD-ROM" : "removable disk";
}

static void add_disks(struct devices *devices, bool removable)
{
    EFI_GUID guid = guid_block_io;
    EFI_HANDLE *handles;
    UINTN count;
    if (bs_locate_handle_buffer(ByProtocol, &guid, NULL, &count, &handles) != EFI_SUCCESS)
        return;
    for (UINTN i = 0; i < count; i++) {
        EFI_BLOCK_IO_PROTOCOL *block = handle_interface(handles[i], &guid_block_io);
        if (!block->Media->LogicalPartition && block->Media->RemovableMedia == removable)
            add_device(devices, handles[i], disk_kind(block->Media));
    }
    pool_free(handles);
}

static void add_networks(struct devices *devices)
{
    EFI_GUID guid = guid_load_file;
    EFI_HANDLE *handles;
    UINTN count;
    if (bs_locate_handle_buffer(ByProtocol, &guid, NULL, &count, &handles) != EFI_SUCCESS)
        return;
    for (UINTN i = 0; i < count; i++)
        add_device(devices, handles[i], "network");
    pool_free(handles);
}

static struct device *find_device(struct devices *devices, const struct load_option *option)
{
    for (size_t i = 0; i < devices->count; i++)
        if (devicepath_size(devices->list[i].path) == option->path_size &&
            memcmp(devices->list[i].path, option->path, option->path_size) == 0)
            return &devices->list[i];
    return NULL;
}

/* BootOrder in memory; written when it changed. */
struct order {
    uint16_t *list;
    size_t count;
};

static void order_remove(struct order *order, uint16_t number)
{
    size_t kept = 0;
    for (size_t i = 0; i < order->count; i++)
        if (order->list[i] != number)
            order->list[kept++] = order->list[i];
    order->count = kept;
}

static bool order_has(const struct order *order, uint16_t number)
{
    for (size_t i = 0; i < order->count; i++)
        if (order->list[i] == number)
            return true;
    return false;
}

/* Options of devices that are gone are deleted, those of devices that are there noted. */
static void drop_stale(struct devices *devices, const uint16_t *numbers, size_t count,
                       struct order *order)
{
    struct numbered_option option;
    for (size_t i = 0; i < count; i++) {
        if (!bootvar_option("Boot", numbers[i], &option))
            continue;
        if (autooption_is(&option.option)) {
            struct device *device = find_device(devices, &option.option);
            if (device && !device->known) {
                device->known = true;
                if (!order_has(order, numbers[i]))
                    order->list[order->count++] = numbers[i];
            } else {
                bootvar_option_delete("Boot", numbers[i]);
                order_remove(order, numbers[i]);
            }
        }
        bootvar_option_free(&option);
    }
}

/* The lowest number that neither an option nor BootOrder uses. */
static uint32_t free_number(const uint16_t *numbers, size_t count, const struct order *order,
                            uint32_t from)
{
    for (uint32_t number = from; number < NUMBERS; number++) {
        size_t i = 0;
        while (i < count && numbers[i] != number)
            i++;
        if (i == count && !order_has(order, (uint16_t)number))
            return number;
    }
    return NUMBERS;
}

static bool create(uint16_t number, const struct device *device)
{
    char text[DESCRIPTION_ROOM], path[DESCRIPTION_ROOM];
    format(text, sizeof(text), "%s %s", device->kind,
           bootpath_text(device->path, path, sizeof(path)));
    CHAR16 *description = utf16_from_ascii(text);
    if (!description)
        return false;
    const struct load_option option = { .attributes = LOAD_OPTION_ACTIVE,
                                        .description = (const uint8_t *)description,
                                        .letters = utf16_length(description),
                                        .path = (const uint8_t *)device->path,
                                        .path_size = devicepath_size(device->path),
                                        .optional = (const uint8_t *)&mark,
                                        .optional_size = sizeof(mark) };
    bool created = bootvar_option_write("Boot", number, &option);
    pool_free(description);
    return created;
}

static void create_missing(const struct devices *devices, const uint16_t *numbers, size_t count,
                           struct order *order)
{
    uint32_t number = 0;
    for (size_t i = 0; i < devices->count; i++) {
        if (devices->list[i].known)
            continue;
        number = free_number(numbers, count, order, number);
        if (number >= NUMBERS || !create((uint16_t)number, &devices->list[i]))
            return; /* they are booted all the same, after the options */
        order->list[order->count++] = (uint16_t)number;
    }
}

static void refresh(struct devices *devices, struct order *order)
{
    size_t count;
    uint16_t *numbers = bootvar_numbers(&count);
    drop_stale(devices, numbers, count, order);
    create_missing(devices, numbers, count, order);
    bootvar_write(u"BootOrder", BOOTVAR_LASTING, order->list, order->count * sizeof(uint16_t));
    pool_free(numbers);
}

void autooption_refresh(void)
{
    size_t count;
    struct devices *devices = pool_allocate(MEMORY_BOOT_DATA, sizeof(*devices));
    uint16_t *old = bootvar_list(u"BootOrder", &count);
    struct order order = { .list = pool_allocate(MEMORY_BOOT_DATA,
                                                 (count + DEVICES_MAXIMUM) * sizeof(uint16_t)) };
    if (devices && order.list) {
        devices->count = 0;
        add_disks(devices, true);
        add_disks(devices, false);
        add_networks(devices);
        order.count = count;
        if (count)
            memcpy(order.list, old, count * sizeof(uint16_t));
        refresh(devices, &order);
    }
    pool_free(order.list);
    pool_free(old);
    pool_free(devices);
}
