/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Device paths that a host or loader may hand in: measured, copied, joined, split into instances,
 * written as text; that text and the same bytes taken as a text must give well-formed paths or
 * none.
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/uefi/devicepath_text.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EFI_DEVICE_PATH_UTILITIES_PROTOCOL *utilities;

void *pool_allocate(enum memory_type type, size_t size)
{
    (void)type;
    return calloc(1, size ? size : 1);
}

void pool_free(void *data)
{
    free(data);
}

void handle_install(EFI_HANDLE *handle, const EFI_GUID *protocol, void *interface)
{
    (void)handle;
    if (guid_equal(protocol, &guid_device_path_utilities))
        utilities = interface;
}

static void check(bool condition)
{
    if (!condition)
        abort();
}

static bool has_file(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    for (; !devicepath_is_end(path); path = devicepath_next(path))
        if (path->Type == MEDIA_DEVICE_PATH && path->SubType == MEDIA_FILEPATH_DP)
            return true;
    return false;
}

static void as_text(const EFI_DEVICE_PATH_PROTOCOL *path, bool display)
{
    CHAR16 *text = devicepath_to_text(path, display, false);
    check(text != NULL);
    EFI_DEVICE_PATH_PROTOCOL *back = devicepath_from_text(text);
    check(!back || devicepath_size(back) != 0);
    if (back && !display && !has_file(path)) {
        CHAR16 *again = devicepath_to_text(back, false, false);
        check(again != NULL);
        free(again);
    }
    free(back);
    free(text);
}

static void walk(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    size_t size = utilities->GetDevicePathSize(path);
    if (size == 0)
        return;
    EFI_DEVICE_PATH_PROTOCOL *copy = utilities->DuplicateDevicePath(path);
    check(copy && memcmp(copy, path, size) == 0);
    EFI_DEVICE_PATH_PROTOCOL *twice = utilities->AppendDevicePath(copy, path);
    check(!twice || devicepath_size(twice) == 0 || devicepath_size(twice) == 2 * size - 4);
    EFI_DEVICE_PATH_PROTOCOL *rest = copy, *instance;
    UINTN length, total = 0;
    while ((instance = utilities->GetNextDevicePathInstance(&rest, &length)) != NULL) {
        check(devicepath_size(instance) == length);
        total += length;
        free(instance);
        if (!rest)
            break;
    }
    check(total == size);
    (void)utilities->IsDevicePathMultiInstance(copy);
    free(utilities->AppendDevicePathInstance(path, copy));
    free(utilities->AppendDeviceNode(path, path));
    as_text(path, false);
    as_text(path, true);
    free(twice);
    free(copy);
}

static void parse(const uint8_t *data, size_t size)
{
    CHAR16 *text = calloc(size + 1, sizeof(*text));
    for (size_t i = 0; i < size; i++)
        text[i] = data[i];
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_from_text(text);
    if (path && devicepath_size(path))
        walk(path);
    free(path);
    free(devicepath_node_from_text(text));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static EFI_DEVICE_PATH_PROTOCOL ends[0x4000];
    for (size_t i = 0; !utilities && i < sizeof(ends) / sizeof(ends[0]); i++)
        ends[i] = (EFI_DEVICE_PATH_PROTOCOL){ END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } };
    if (!utilities)
        devicepath_init();
    /* A node may claim more than there is: behind the input a walk finds ends. */
    uint8_t *path = malloc(size + sizeof(ends));
    memcpy(path, data, size);
    memcpy(path + size, ends, sizeof(ends));
    walk((const EFI_DEVICE_PATH_PROTOCOL *)path);
    free(path);
    parse(data, size);
    return 0;
}
