/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Device path utilities (UEFI 2.10 10.5), and the handle that carries them and the text protocols.
 * Results are pool memory of the caller.
 */
#include "firmware/uefi/devicepath_text.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

static UINTN EFIAPI get_size(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    return devicepath_size(path);
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI duplicate(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    return path ? devicepath_copy(path) : NULL;
}

static const EFI_DEVICE_PATH_PROTOCOL empty = { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } };
static const EFI_DEVICE_PATH_PROTOCOL instance_end = { END_DEVICE_PATH, END_INSTANCE_DP, { 4, 0 } };

/* first without its end + `between` bytes of separator + second */
static EFI_DEVICE_PATH_PROTOCOL *join(const EFI_DEVICE_PATH_PROTOCOL *first,
                                      const EFI_DEVICE_PATH_PROTOCOL *second, bool as_instance)
{
    size_t head = devicepath_size(first), tail = devicepath_size(second);
    size_t between = as_instance ? sizeof(instance_end) : 0;
    if (!head || !tail)
        return NULL;
    head -= sizeof(empty);
    uint8_t *joined = pool_allocate(MEMORY_BOOT_DATA, head + between + tail);
    if (!joined)
        return NULL;
    memcpy(joined, first, head);
    memcpy(joined + head, &instance_end, between);
    memcpy(joined + head + between, second, tail);
    return (EFI_DEVICE_PATH_PROTOCOL *)joined;
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI append_path(const EFI_DEVICE_PATH_PROTOCOL *first,
                                                    const EFI_DEVICE_PATH_PROTOCOL *second)
{
    return join(first ? first : &empty, second ? second : &empty, false);
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI append_node(const EFI_DEVICE_PATH_PROTOCOL *path,
                                                    const EFI_DEVICE_PATH_PROTOCOL *node)
{
    return devicepath_append(path, node);
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI append_instance(const EFI_DEVICE_PATH_PROTOCOL *path,
                                                        const EFI_DEVICE_PATH_PROTOCOL *instance)
{
    if (!instance)
        return NULL;
    return path ? join(path, instance, true) : devicepath_copy(instance);
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI next_instance(EFI_DEVICE_PATH_PROTOCOL **path,
                                                      UINTN *ret_size)
{
    if (ret_size)
        *ret_size = 0;
    if (!path || !devicepath_size(*path))
        return NULL;
    EFI_DEVICE_PATH_PROTOCOL *node = *path;
    while (node->Type != END_DEVICE_PATH)
        node = devicepath_next(node);
    size_t length = (size_t)((uint8_t *)node - (uint8_t *)*path);
    uint8_t *copy = pool_allocate(MEMORY_BOOT_DATA, length + sizeof(empty));
    if (!copy)
        return NULL;
    memcpy(copy, *path, length);
    memcpy(copy + length, &empty, sizeof(empty));
    if (ret_size)
        *ret_size = length + sizeof(empty);
    *path = devicepath_is_end(node) ? NULL : devicepath_next(node);
    return (EFI_DEVICE_PATH_PROTOCOL *)copy;
}

static BOOLEAN EFIAPI is_multi_instance(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    if (!devicepath_size(path))
        return false;
    while (path->Type != END_DEVICE_PATH)
        path = devicepath_next(path);
    return !devicepath_is_end(path);
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI create_node(UINT8 type, UINT8 sub_type, UINT16 length)
{
    if (length < sizeof(EFI_DEVICE_PATH_PROTOCOL))
        return NULL;
    EFI_DEVICE_PATH_PROTOCOL *node = pool_allocate(MEMORY_BOOT_DATA, length);
    if (node)
        *node =
            (EFI_DEVICE_PATH_PROTOCOL){ type, sub_type, { (UINT8)length, (UINT8)(length >> 8) } };
    return node;
}

void devicepath_init(void)
{
    static EFI_DEVICE_PATH_TO_TEXT_PROTOCOL to_text = {
        .ConvertDeviceNodeToText = devicepath_node_to_text,
        .ConvertDevicePathToText = devicepath_to_text
    };
    static EFI_DEVICE_PATH_FROM_TEXT_PROTOCOL from_text = {
        .ConvertTextToDeviceNode = devicepath_node_from_text,
        .ConvertTextToDevicePath = devicepath_from_text
    };
    static EFI_DEVICE_PATH_UTILITIES_PROTOCOL utilities = {
        .GetDevicePathSize = get_size,
        .DuplicateDevicePath = duplicate,
        .AppendDevicePath = append_path,
        .AppendDeviceNode = append_node,
        .AppendDevicePathInstance = append_instance,
        .GetNextDevicePathInstance = next_instance,
        .IsDevicePathMultiInstance = is_multi_instance,
        .CreateDeviceNode = create_node
    };
    static EFI_HANDLE handle;
    handle_install(&handle, &guid_device_path_to_text, &to_text);
    handle_install(&handle, &guid_device_path_from_text, &from_text);
    handle_install(&handle, &guid_device_path_utilities, &utilities);
}
