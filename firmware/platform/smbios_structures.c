/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The structures as they lie in memory: formatted area, strings, double NUL. Identity that only the
 * host could give (serial numbers, UUID) is absent, and so are OEM strings, by which systemd takes
 * credentials.
 */
#include "firmware/platform/smbios_structures.h"

#include "firmware/arch/layout.h"
#include "firmware/lib/log.h"
#include "firmware/lib/string.h"

/* Each string ends with NUL, the set with another one, which the literal brings. The date is
   that of the release: builds are reproducible. */
#define FIRMWARE_STRINGS "Privet\0" PRIVET_VERSION "\0" "11/23/2026\0"
#define SYSTEM_STRINGS "Privet\0" "SEV guest\0" PRIVET_VERSION "\0"
#define CHASSIS_STRINGS "Privet\0"
#define DEVICE_STRINGS "RAM\0"
#define NO_STRINGS "\0"

enum { HANDLE_FIRMWARE = 0xFE00, HANDLE_SYSTEM, HANDLE_CHASSIS, HANDLE_MEMORY, HANDLE_DEVICE,
       HANDLE_RANGE, HANDLE_BOOT = HANDLE_RANGE + 2, HANDLE_END, NO_ERROR_HANDLE = 0xFFFE,
       UNKNOWN = 2 };

struct header {
    uint8_t type, length;
    uint16_t handle;
} __attribute__((packed));

/* 7.1 */
static const struct {
    struct header header;
    uint8_t vendor, version;
    uint16_t segment;
    uint8_t date, rom_size;
    uint64_t characteristics;
    uint8_t extension[2], major, minor, controller_major, controller_minor;
    char strings[sizeof(FIRMWARE_STRINGS)];
} __attribute__((packed)) firmware = {
    .header = { 0, 24, HANDLE_FIRMWARE }, .vendor = 1, .version = 2, .date = 3,
    .rom_size = FLASH_SIZE / 65536 - 1,
    .characteristics = 8,      /* what the rest would say is not given */
    .extension = { 0, 0x18 },  /* UEFI; a virtual machine */
    .controller_major = 0xFF, .controller_minor = 0xFF, .strings = FIRMWARE_STRINGS,
};
_Static_assert(offsetof(__typeof__(firmware), strings) == 24, "DSP0134 7.1");

const void *const smbios_firmware = &firmware;
const size_t smbios_firmware_size = sizeof(firmware);

/* 7.2; a UUID of zeros: there is none */
static const struct {
    struct header header;
    uint8_t manufacturer, product, version, serial, uuid[16], wake_up, sku, family;
    char strings[sizeof(SYSTEM_STRINGS)];
} __attribute__((packed)) system = {
    .header = { 1, 27, HANDLE_SYSTEM }, .manufacturer = 1, .product = 2, .version = 3,
    .wake_up = 6 /* power switch */, .strings = SYSTEM_STRINGS,
};
_Static_assert(offsetof(__typeof__(system), strings) == 27, "DSP0134 7.2");

/* 7.4 */
static const struct {
    struct header header;
    uint8_t manufacturer, kind, version, serial, asset, boot_state, power_state, thermal_state,
        security, oem[4], height, cords, elements, element_length;
    char strings[sizeof(CHASSIS_STRINGS)];
} __attribute__((packed)) chassis = {
    .header = { 3, 21, HANDLE_CHASSIS }, .manufacturer = 1, .kind = 1 /* other */,
    .boot_state = UNKNOWN, .power_state = UNKNOWN, .thermal_state = UNKNOWN, .security = UNKNOWN,
    .strings = CHASSIS_STRINGS,
};
_Static_assert(offsetof(__typeof__(chassis), strings) == 21, "DSP0134 7.4");

/* 7.17; the 32-bit capacity refers to the 64-bit one */
static const struct memory_array {
    struct header header;
    uint8_t location, use, correction;
    uint32_t capacity;
    uint16_t error_handle, devices;
    uint64_t bytes;
    char strings[sizeof(NO_STRINGS)];
} __attribute__((packed)) memory_array = {
    .header = { 16, 23, HANDLE_MEMORY }, .location = 1 /* other */, .use = 3 /* system memory */,
    .correction = UNKNOWN, .capacity = 0x80000000, .error_handle = NO_ERROR_HANDLE, .devices = 1,
};
_Static_assert(offsetof(__typeof__(memory_array), strings) == 23, "DSP0134 7.17");

/* 7.18; the 16-bit size refers to the 32-bit one */
static const struct memory_device {
    struct header header;
    uint16_t array, error_handle, total_width, data_width, size;
    uint8_t form, set, locator, bank, kind;
    uint16_t detail, speed;
    uint8_t manufacturer, serial, asset, part, attributes;
    uint32_t megabytes;
    uint16_t configured_speed;
    char strings[sizeof(DEVICE_STRINGS)];
} __attribute__((packed)) memory_device = {
    .header = { 17, 34, HANDLE_DEVICE }, .array = HANDLE_MEMORY, .error_handle = NO_ERROR_HANDLE,
    .total_width = 0xFFFF, .data_width = 0xFFFF, .size = 0x7FFF, .form = UNKNOWN, .locator = 1,
    .kind = 7 /* RAM */, .detail = UNKNOWN, .strings = DEVICE_STRINGS,
};
_Static_assert(offsetof(__typeof__(memory_device), strings) == 34, "DSP0134 7.18");

/* 7.20; the 32-bit addresses refer to the 64-bit ones */
static const struct memory_range {
    struct header header;
    uint32_t start, end;
    uint16_t array;
    uint8_t width;
    uint64_t first, last;
    char strings[sizeof(NO_STRINGS)];
} __attribute__((packed)) memory_range = {
    .header = { 19, 31, HANDLE_RANGE }, .start = 0xFFFFFFFF, .end = 0xFFFFFFFF,
    .array = HANDLE_MEMORY, .width = 1,
};
_Static_assert(offsetof(__typeof__(memory_range), strings) == 31, "DSP0134 7.20");

/* 7.33: no error at the last boot */
static const struct {
    struct header header;
    uint8_t reserved[6], status;
    char strings[sizeof(NO_STRINGS)];
} __attribute__((packed)) boot = { .header = { 32, 11, HANDLE_BOOT } };

static const struct {
    struct header header;
    char strings[sizeof(NO_STRINGS)];
} __attribute__((packed)) end_of_table = { .header = { 127, 4, HANDLE_END } };

struct set {
    uint8_t *at;
    size_t left;
};

static void add(struct set *set, const void *structure, size_t size)
{
    assert(size <= set->left);
    memcpy(set->at, structure, size);
    set->at += size;
    set->left -= size;
}

static void add_range(struct set *set, uint16_t handle, uint64_t base, uint64_t megabytes)
{
    struct memory_range range = memory_range;

    range.header.handle = handle;
    range.first = base;
    range.last = base + (megabytes << 20) - 1;
    add(set, &range, sizeof(range));
}

size_t smbios_structures(uint8_t *at, size_t room, uint64_t low, uint64_t high)
{
    struct set set = { at, room };
    struct memory_array array = memory_array;
    struct memory_device device = memory_device;

    array.bytes = (low + high) << 20;
    device.megabytes = (uint32_t)(low + high);
    add(&set, &firmware, sizeof(firmware));
    add(&set, &system, sizeof(system));
    add(&set, &chassis, sizeof(chassis));
    add(&set, &array, sizeof(array));
    add(&set, &device, sizeof(device));
    add_range(&set, HANDLE_RANGE, 0, low);
    if (high != 0) {
        add_range(&set, HANDLE_RANGE + 1, 1ull << 32, high);
    }
    add(&set, &boot, sizeof(boot));
    add(&set, &end_of_table, sizeof(end_of_table));
    return (size_t)(set.at - at);
}
