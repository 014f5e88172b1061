/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Load options, the host's boot order, and the boot manager's variables with a variable store
 * played here: what is made of them, what is refused, and that nothing is written without need.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/boot/autooption.h"
#include "firmware/boot/bootvars.h"
#include "firmware/boot/loadoption.h"
#include "firmware/boot/qemu_order.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

/* --- fakes --- */

#define VARIABLES 80u
#define HANDLES   4u

static struct variable {
    CHAR16 name[16];
    uint8_t data[512];
    size_t size; /* 0: free */
} variables[VARIABLES];
static unsigned writes;
static bool store_full;

static struct handle {
    EFI_DEVICE_PATH_PROTOCOL *path;
    EFI_BLOCK_IO_MEDIA media;
    EFI_BLOCK_IO_PROTOCOL block;
} handles[HANDLES];
static size_t handle_count;

void log_line(const char *fmt, ...);
void log_line(const char *fmt, ...)
{
    (void)fmt;
}

int format(char *text, size_t size, const char *fmt, ...);
int format(char *text, size_t size, const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    int length = vsnprintf(text, size, fmt, list);
    va_end(list);
    return length;
}

void *pool_allocate(enum memory_type type, size_t size)
{
    (void)type;
    return calloc(1, size); /* zeroed, as the firmware's */
}

void pool_free(void *pointer)
{
    free(pointer);
}

static struct variable *find(const CHAR16 *name)
{
    for (size_t i = 0; i < VARIABLES; i++)
        if (variables[i].size &&
            memcmp(variables[i].name, name, (utf16_length(name) + 1) * sizeof(*name)) == 0)
            return &variables[i];
    return NULL;
}

EFI_STATUS EFIAPI rt_get_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 *ret_attributes,
                                  UINTN *size, VOID *data)
{
    (void)ret_attributes;
    struct variable *v = guid_equal(vendor, &guid_global_variable) ? find(name) : NULL;
    if (!v)
        return EFI_NOT_FOUND;
    UINTN room = *size;
    *size = v->size;
    if (room < v->size)
        return EFI_BUFFER_TOO_SMALL;
    memcpy(data, v->data, v->size);
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI rt_set_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes, UINTN size,
                                  VOID *data)
{
    (void)vendor;
    (void)attributes;
    struct variable *v = find(name);
    writes++;
    if (size == 0) {
        if (!v)
            return EFI_NOT_FOUND;
        v->size = 0;
        return EFI_SUCCESS;
    }
    if (store_full)
        return EFI_OUT_OF_RESOURCES;
    for (size_t i = 0; !v; i++)
        v = variables[i].size ? NULL : &variables[i];
    assert_true(size <= sizeof(v->data));
    memcpy(v->name, name, (utf16_length(name) + 1) * sizeof(*name));
    memcpy(v->data, data, size);
    v->size = size;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI rt_get_next_variable_name(UINTN *size, CHAR16 *name, EFI_GUID *vendor)
{
    (void)size;
    size_t i = name[0] ? (size_t)(find(name) - variables) + 1 : 0;
    while (i < VARIABLES && !variables[i].size)
        i++;
    if (i == VARIABLES)
        return EFI_NOT_FOUND;
    memcpy(name, variables[i].name, sizeof(variables[i].name));
    *vendor = guid_global_variable;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_locate_handle_buffer(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *protocol, VOID *key,
                                          UINTN *ret_count, EFI_HANDLE **ret_buffer)
{
    (void)how;
    (void)key;
    if (!guid_equal(protocol, &guid_block_io) || handle_count == 0)
        return EFI_NOT_FOUND;
    *ret_count = handle_count;
    *ret_buffer = malloc(handle_count * sizeof(EFI_HANDLE));
    for (size_t i = 0; i < handle_count; i++)
        (*ret_buffer)[i] = &handles[i];
    return EFI_SUCCESS;
}

void *handle_interface(EFI_HANDLE handle, const EFI_GUID *protocol)
{
    struct handle *h = handle;
    return guid_equal(protocol, &guid_device_path) ? (void *)h->path : (void *)&h->block;
}

const char *bootpath_text(const EFI_DEVICE_PATH_PROTOCOL *path, char *text, size_t size);
const char *bootpath_text(const EFI_DEVICE_PATH_PROTOCOL *path, char *text, size_t size)
{
    (void)path;
    snprintf(text, size, "somewhere");
    return text;
}

/* --- device paths --- */

static const struct {
    ACPI_HID_DEVICE_PATH root;
    PCI_DEVICE_PATH bridge, function;
    SCSI_DEVICE_PATH scsi;
    EFI_DEVICE_PATH_PROTOCOL end;
} __attribute__((packed)) bridged = {
    { { ACPI_DEVICE_PATH, ACPI_DP, { 12, 0 } }, 0x0A0341D0, 0 },
    { { HARDWARE_DEVICE_PATH, HW_PCI_DP, { 6, 0 } }, 0, 0x1C },
    { { HARDWARE_DEVICE_PATH, HW_PCI_DP, { 6, 0 } }, 2, 3 },
    { { MESSAGING_DEVICE_PATH, MSG_SCSI_DP, { 8, 0 } }, 2, 1 },
    { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } }
};

/* PciRoot(0)/Pci(device,0)[/node] */
static EFI_DEVICE_PATH_PROTOCOL *pci_path(uint8_t device, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    PCI_DEVICE_PATH pci = { { HARDWARE_DEVICE_PATH, HW_PCI_DP, { 6, 0 } }, 0, device };
    EFI_DEVICE_PATH_PROTOCOL *root = devicepath_append(NULL, &bridged.root.Header);
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_append(root, &pci.Header);
    EFI_DEVICE_PATH_PROTOCOL *whole = devicepath_append(path, node);
    pool_free(root);
    pool_free(path);
    return whole;
}

static size_t rank(const char *text, const EFI_DEVICE_PATH_PROTOCOL *path)
{
    const struct qemu_order order = { text, strlen(text) + 1 };
    return qemu_order_rank(&order, path);
}

static size_t rank_pci(const char *text, uint8_t device, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    EFI_DEVICE_PATH_PROTOCOL *path = pci_path(device, node);
    size_t result = rank(text, path);
    pool_free(path);
    return result;
}

static void host_order_names_devices(void **state)
{
    (void)state;
    const SCSI_DEVICE_PATH scsi = { { MESSAGING_DEVICE_PATH, MSG_SCSI_DP, { 8, 0 } }, 0x1F, 0 };
    const SATA_DEVICE_PATH sata = {
        { MESSAGING_DEVICE_PATH, MSG_SATA_DP, { 10, 0 } }, 1, 0xFFFF, 0
    };
    const NVME_NAMESPACE_DEVICE_PATH nvme = {
        .Header = { MESSAGING_DEVICE_PATH, MSG_NVME_DP, { 16, 0 } }, .NamespaceId = 1
    };
    const HARDDRIVE_DEVICE_PATH partition = { { MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP, { 42, 0 } } };
    const char *text = "/pci@i0cf8/ethernet@2/ethernet-phy@0\n"
                       "/pci@i0cf8/scsi@3/disk@0,0\n"
                       "/pci@i0cf8/scsi@4/channel@0/disk@1f,0\n"
                       "/pci@i0cf8/pci8086,2922@1f/drive@1/disk@0\n"
                       "/pci@i0cf8/pci1b36,10@5/namespace@1,0\n"
                       "/pci@i0cf8/pci-bridge@1c/scsi@3,2/channel@0/disk@2,1\n"
                       "/rom@genroms/linuxboot.bin\n"
                       "HALT";
    assert_int_equal(rank_pci(text, 2, NULL), 0);
    assert_int_equal(rank_pci(text, 3, NULL), 1);
    assert_int_equal(rank_pci(text, 3, &partition.Header), 1);
    assert_int_equal(rank_pci(text, 4, &scsi.Header), 2);
    assert_int_equal(rank_pci(text, 4, NULL), QEMU_ORDER_NONE);
    assert_int_equal(rank_pci(text, 0x1F, &sata.Header), 3);
    assert_int_equal(rank_pci(text, 5, &nvme.Header), 4);
    assert_int_equal(rank(text, &bridged.root.Header), 5);
    assert_int_equal(rank_pci(text, 6, NULL), QEMU_ORDER_NONE);
    assert_int_equal(rank_pci(text, 0x1F, &scsi.Header), QEMU_ORDER_NONE);
}

static void host_order_may_be_strict(void **state)
{
    (void)state;
    const struct { const char *text; size_t length; bool strict; } cases[] = {
        { NULL, 0, false },       { "HALT", 5, true },      { "HALT", 4, true },
        { "HALT", 3, false },     { "/a\nHALT\n/b", 11, true }, { "XHALT", 6, false },
        { "/a\0HALT", 8, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct qemu_order order = { cases[i].text, cases[i].length };
        assert_int_equal(qemu_order_strict(&order), cases[i].strict);
    }
}

static void nonsense_names_no_device(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "", "\n\n", "/", "/pci@i0cf8", "/pci@i0cf8/", "/pci@i0cf8/scsi", "/pci@i0cf8/scsi@",
        "/pci@i0cf8/scsi@3,", "/pci@i0cf8/scsi@3x", "/pci@i0cf8/scsi@3/", "/pci@i0cf8/scsi@3,0,0",
        "/pci@i0cf8/scsi@3/disk@0,0/disk", "/pci@i0cf8,1/scsi@3", "/pci@i0cf9/scsi@3",
        "/pci@i0cf8/scsi@000000003", "/pci@i0cf8/scsi@3/channel@0/disk@0,0/x@0",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(rank_pci(lines[i], 3, NULL), QEMU_ORDER_NONE);
}

/* --- load options --- */

static size_t build(uint8_t *data, size_t room, const void *optional, size_t optional_size)
{
    static const CHAR16 description[] = u"Debian \u00e9";
    const struct load_option option = { .attributes = LOAD_OPTION_ACTIVE,
                                        .description = (const uint8_t *)description,
                                        .letters = 8,
                                        .path = (const uint8_t *)&bridged,
                                        .path_size = sizeof(bridged),
                                        .optional = optional,
                                        .optional_size = optional_size };
    return load_option_build(&option, data, room);
}

static void option_round_trip(void **state)
{
    (void)state;
    uint8_t data[200];
    struct load_option option;
    char text[16];
    size_t size = build(data, sizeof(data), "quiet", 5);
    assert_true(load_option_parse(data, size, &option));
    assert_int_equal(option.attributes, LOAD_OPTION_ACTIVE);
    assert_int_equal(option.path_size, sizeof(bridged));
    assert_memory_equal(option.path, &bridged, sizeof(bridged));
    assert_int_equal(option.optional_size, 5);
    assert_memory_equal(option.optional, "quiet", 5);
    load_option_text(&option, text, sizeof(text));
    assert_string_equal(text, "Debian ?");
    load_option_text(&option, text, 4);
    assert_string_equal(text, "Deb");
    assert_int_equal(build(data, 10, "quiet", 5), size); /* too small: the size only */
}

static void cut_options_are_refused(void **state)
{
    (void)state;
    uint8_t data[200];
    struct load_option option;
    size_t size = build(data, sizeof(data), NULL, 0);
    for (size_t length = 0; length < size; length++) {
        uint8_t *exact = malloc(length + 1); /* the sanitizer watches its end */
        memcpy(exact, data, length);
        assert_false(load_option_parse(exact, length, &option));
        free(exact);
    }
    data[4] = 3; /* a path list shorter than a node */
    assert_false(load_option_parse(data, size, &option));
    data[4] = sizeof(bridged) - 4; /* no end node */
    assert_false(load_option_parse(data, size, &option));
}

/* --- variables --- */

static int prepare(void **state)
{
    (void)state;
    memset(variables, 0, sizeof(variables));
    handle_count = 0;
    writes = 0;
    store_full = false;
    return 0;
}

static void add_disk(uint8_t device, bool removable)
{
    struct handle *h = &handles[handle_count++];
    *h = (struct handle){ .path = pci_path(device, NULL),
                          .media = { .RemovableMedia = removable, .BlockSize = 512 } };
    h->block.Media = &h->media;
}

static void remove_disks(void)
{
    while (handle_count > 0)
        pool_free(handles[--handle_count].path);
}

static void assert_order(const uint16_t *expected, size_t count)
{
    size_t found;
    uint16_t *list = bootvar_list(u"BootOrder", &found);
    assert_int_equal(found, count);
    if (count)
        assert_memory_equal(list, expected, count * sizeof(*list));
    pool_free(list);
}

static void automatic_options_follow_the_devices(void **state)
{
    (void)state;
    struct numbered_option option;
    const uint16_t two[] = { 0, 1 }, one[] = { 1 }, again[] = { 1, 0 };
    add_disk(3, false);
    add_disk(4, true); /* comes first */
    autooption_refresh();
    assert_order(two, 2);
    assert_true(bootvar_option("Boot", 0, &option));
    assert_true(autooption_is(&option.option));
    assert_memory_equal(option.option.path, handles[1].path, option.option.path_size);
    bootvar_option_free(&option);
    assert_int_equal(writes, 3);
    autooption_refresh();
    assert_int_equal(writes, 3); /* nothing changed */
    pool_free(handles[--handle_count].path);
    autooption_refresh();
    assert_order(one, 1);
    assert_false(bootvar_option("Boot", 0, &option));
    add_disk(5, false);
    autooption_refresh();
    assert_order(again, 2);
    remove_disks();
    autooption_refresh();
    assert_order(NULL, 0);
    assert_null(bootvar_numbers(&(size_t){ 0 }));
}

static void other_options_stay(void **state)
{
    (void)state;
    uint8_t data[200];
    uint16_t order[] = { 0x000A, 0x0000 }; /* 0000 does not exist, and its number stays taken */
    size_t size = build(data, sizeof(data), "x", 1);
    EFI_GUID vendor = guid_global_variable;
    CHAR16 name[] = u"Boot000A", lower[] = u"Boot000b", order_name[] = u"BootOrder";
    rt_set_variable(name, &vendor, 7, size, data);
    rt_set_variable(lower, &vendor, 7, size, data); /* not an option: UEFI 2.10 3.1.1 */
    rt_set_variable(order_name, &vendor, 7, sizeof(order), order);
    add_disk(3, false);
    autooption_refresh();
    const uint16_t expected[] = { 0x000A, 0x0000, 0x0001 };
    assert_order(expected, 3);
    size_t count;
    uint16_t *numbers = bootvar_numbers(&count);
    assert_int_equal(count, 2);
    assert_int_equal(numbers[0], 1);
    assert_int_equal(numbers[1], 0x0A);
    pool_free(numbers);
    remove_disks();
    autooption_refresh();
    assert_order(expected, 2);
}

static void a_full_store_is_no_end(void **state)
{
    (void)state;
    store_full = true;
    add_disk(3, false);
    autooption_refresh();
    assert_order(NULL, 0);
    remove_disks();
}

static void damaged_variables_are_absent(void **state)
{
    (void)state;
    EFI_GUID vendor = guid_global_variable;
    CHAR16 order[] = u"BootOrder", next[] = u"BootNext", name[] = u"Boot0001";
    char text[] = "abcd";
    uint16_t number;
    size_t count;
    struct numbered_option option;
    rt_set_variable(order, &vendor, 7, 3, text);
    rt_set_variable(next, &vendor, 7, 1, text);
    rt_set_variable(name, &vendor, 7, 4, text);
    assert_null(bootvar_list(order, &count));
    assert_int_equal(count, 0);
    assert_false(bootvar_read(next, &number, sizeof(number)));
    assert_false(bootvar_option("Boot", 1, &option));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_order_names_devices),
        cmocka_unit_test(host_order_may_be_strict),
        cmocka_unit_test(nonsense_names_no_device),
        cmocka_unit_test(option_round_trip),
        cmocka_unit_test(cut_options_are_refused),
        cmocka_unit_test_setup(automatic_options_follow_the_devices, prepare),
        cmocka_unit_test_setup(other_options_stay, prepare),
        cmocka_unit_test_setup(a_full_store_is_no_end, prepare),
        cmocka_unit_test_setup(damaged_variables_are_absent, prepare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
