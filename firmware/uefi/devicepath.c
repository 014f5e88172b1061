/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Device paths (UEFI 2.10 10.3). Paths come from loaders and are walked with a limit: a node that
 * is too short or a path without an end makes the whole path invalid (size 0).
 */
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define MAXIMUM_PATH 0x10000u

size_t devicepath_node_length(const EFI_DEVICE_PATH_PROTOCOL *node)
{
    return (size_t)node->Length[0] | (size_t)node->Length[1] << 8;
}

bool devicepath_is_end(const EFI_DEVICE_PATH_PROTOCOL *node)
{
    return node->Type == END_DEVICE_PATH && node->SubType == END_ENTIRE_DP;
}

EFI_DEVICE_PATH_PROTOCOL *devicepath_next(const EFI_DEVICE_PATH_PROTOCOL *node)
{
    return (EFI_DEVICE_PATH_PROTOCOL *)((uintptr_t)node + devicepath_node_length(node));
}

size_t devicepath_size(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    size_t total = 0;
    if (!path)
        return 0;
    for (const EFI_DEVICE_PATH_PROTOCOL *node = path;; node = devicepath_next(node)) {
        size_t length = devicepath_node_length(node);
        if (length < sizeof(*node) || length > MAXIMUM_PATH - total ||
            (node->Type == END_DEVICE_PATH && length != sizeof(*node)))
            return 0;
        total += length;
        if (devicepath_is_end(node))
            return total;
    }
}

EFI_DEVICE_PATH_PROTOCOL *devicepath_copy(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    size_t size = devicepath_size(path);
    if (!size)
        return NULL;
    EFI_DEVICE_PATH_PROTOCOL *copy = pool_allocate(MEMORY_BOOT_DATA, size);
    if (copy)
        memcpy(copy, path, size);
    return copy;
}

EFI_DEVICE_PATH_PROTOCOL *devicepath_append(const EFI_DEVICE_PATH_PROTOCOL *path,
                                            const EFI_DEVICE_PATH_PROTOCOL *node)
{
    static const EFI_DEVICE_PATH_PROTOCOL end = { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } };
    size_t head = path ? devicepath_size(path) : sizeof(end);
    size_t length = node ? devicepath_node_length(node) : 0;
    if (!head)
        return NULL;
    head -= sizeof(end);
    uint8_t *joined = pool_allocate(MEMORY_BOOT_DATA, head + length + sizeof(end));
    if (!joined)
        return NULL;
    if (head)
        memcpy(joined, path, head);
    if (length)
        memcpy(joined + head, node, length);
    memcpy(joined + head + length, &end, sizeof(end));
    return (EFI_DEVICE_PATH_PROTOCOL *)joined;
}

EFI_DEVICE_PATH_PROTOCOL *devicepath_file(const EFI_DEVICE_PATH_PROTOCOL *path, const CHAR16 *name)
{
    size_t bytes = (utf16_length(name) + 1) * sizeof(CHAR16);
    size_t length = sizeof(EFI_DEVICE_PATH_PROTOCOL) + bytes;
    if (length > UINT16_MAX)
        return NULL;
    uint8_t *node = pool_allocate(MEMORY_BOOT_DATA, length);
    if (!node)
        return NULL;
    EFI_DEVICE_PATH_PROTOCOL header = { MEDIA_DEVICE_PATH,
                                        MEDIA_FILEPATH_DP,
                                        { (UINT8)length, (UINT8)(length >> 8) } };
    memcpy(node, &header, sizeof(header));
    memcpy(node + sizeof(header), name, bytes);
    EFI_DEVICE_PATH_PROTOCOL *joined = devicepath_append(path, (EFI_DEVICE_PATH_PROTOCOL *)node);
    pool_free(node);
    return joined;
}
