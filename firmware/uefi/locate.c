/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Searches in the protocol database (UEFI 2.10 7.3). */
#include "firmware/uefi/handles.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

/* Does the search accept the handle? ByRegisterNotify is answered elsewhere. */
static bool accepts(EFI_LOCATE_SEARCH_TYPE how, const EFI_GUID *protocol, struct handle *handle)
{
    return how == AllHandles || handle_find(handle, protocol) != NULL;
}

static EFI_STATUS locate_registered(VOID *key, UINTN *size, EFI_HANDLE *buffer)
{
    UINTN room = *size;
    *size = sizeof(EFI_HANDLE);
    if (room < sizeof(EFI_HANDLE))
        return EFI_BUFFER_TOO_SMALL;
    if (!buffer)
        return EFI_INVALID_PARAMETER;
    EFI_HANDLE found = handle_next_registered(key);
    if (!found)
        return EFI_NOT_FOUND;
    *buffer = found;
    return EFI_SUCCESS;
}

/* Counts first, then writes: the handles must stay as they are meanwhile. */
static EFI_STATUS locate(EFI_LOCATE_SEARCH_TYPE how, const EFI_GUID *protocol, UINTN *size,
                         EFI_HANDLE *buffer)
{
    UINTN needed = 0;
    for (struct handle *h = handle_first(); h; h = h->next)
        if (accepts(how, protocol, h))
            needed += sizeof(EFI_HANDLE);
    if (needed == 0)
        return EFI_NOT_FOUND;
    UINTN room = *size;
    *size = needed;
    if (room < needed)
        return EFI_BUFFER_TOO_SMALL;
    if (!buffer)
        return EFI_INVALID_PARAMETER;
    for (struct handle *h = handle_first(); h; h = h->next)
        if (accepts(how, protocol, h))
            *buffer++ = h;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_locate_handle(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *protocol, VOID *key,
                                   UINTN *size, EFI_HANDLE *buffer)
{
    if (!size || (UINT32)how > ByProtocol || (how == ByProtocol && !protocol) ||
        (how == ByRegisterNotify && !key))
        return EFI_INVALID_PARAMETER;
    if (how == ByRegisterNotify)
        return locate_registered(key, size, buffer);
    uint64_t flags = interrupts_save();
    EFI_STATUS status = locate(how, protocol, size, buffer);
    interrupts_restore(flags);
    return status;
}

EFI_STATUS EFIAPI bs_locate_handle_buffer(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *protocol, VOID *key,
                                          UINTN *ret_count, EFI_HANDLE **ret_buffer)
{
    if (!ret_count || !ret_buffer)
        return EFI_INVALID_PARAMETER;
    *ret_count = 0;
    *ret_buffer = NULL;
    UINTN size = 0;
    EFI_STATUS status = bs_locate_handle(how, protocol, key, &size, NULL);
    if (status != EFI_BUFFER_TOO_SMALL)
        return status;
    EFI_HANDLE *buffer = pool_allocate(MEMORY_BOOT_DATA, size);
    if (!buffer)
        return EFI_OUT_OF_RESOURCES;
    status = bs_locate_handle(how, protocol, key, &size, buffer);
    if (status != EFI_SUCCESS) {
        pool_free(buffer);
        return status;
    }
    *ret_count = size / sizeof(EFI_HANDLE);
    *ret_buffer = buffer;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_locate_protocol(EFI_GUID *protocol, VOID *registration, VOID **ret_interface)
{
    if (!protocol || !ret_interface)
        return EFI_INVALID_PARAMETER;
    uint64_t flags = interrupts_save();
    struct protocol *found = NULL;
    if (registration) {
        found = handle_find(handle_next_registered(registration), protocol);
    } else {
        for (struct handle *h = handle_first(); h && !found; h = h->next)
            found = handle_find(h, protocol);
    }
    *ret_interface = found ? found->interface : NULL;
    interrupts_restore(flags);
    return found ? EFI_SUCCESS : EFI_NOT_FOUND;
}

/* Bytes of `path` that `prefix` matches by whole nodes; 0 if it is no prefix. */
static size_t match_prefix(const EFI_DEVICE_PATH_PROTOCOL *prefix, size_t prefix_size,
                           const EFI_DEVICE_PATH_PROTOCOL *path, size_t path_size)
{
    size_t length = prefix_size - sizeof(EFI_DEVICE_PATH_PROTOCOL); /* without the end node */
    if (length > path_size - sizeof(EFI_DEVICE_PATH_PROTOCOL) || memcmp(prefix, path, length) != 0)
        return 0;
    /* Equal bytes begin nodes at equal places, so the match ends at a node boundary. */
    return length;
}

/* The handle with the protocol whose path is the longest beginning of this one. */
static struct handle *best_device(const EFI_GUID *protocol, const EFI_DEVICE_PATH_PROTOCOL *path,
                                  size_t path_size, size_t *ret_length)
{
    uint64_t flags = interrupts_save();
    struct handle *best = NULL;
    *ret_length = 0;
    for (struct handle *h = handle_first(); h; h = h->next) {
        EFI_DEVICE_PATH_PROTOCOL *own = handle_interface(h, &guid_device_path);
        size_t own_size = own ? devicepath_size(own) : 0;
        if (!own_size || !handle_find(h, protocol))
            continue;
        size_t length = match_prefix(own, own_size, path, path_size);
        if (length > *ret_length) {
            best = h;
            *ret_length = length;
        }
    }
    interrupts_restore(flags);
    return best;
}

EFI_STATUS EFIAPI bs_locate_device_path(EFI_GUID *protocol, EFI_DEVICE_PATH_PROTOCOL **path,
                                        EFI_HANDLE *ret_device)
{
    if (!protocol || !path || !*path)
        return EFI_INVALID_PARAMETER;
    size_t length, path_size = devicepath_size(*path);
    if (!path_size)
        return EFI_INVALID_PARAMETER;
    struct handle *best = best_device(protocol, *path, path_size, &length);
    if (!best)
        return EFI_NOT_FOUND;
    if (!ret_device)
        return EFI_INVALID_PARAMETER;
    *ret_device = best;
    *path = (EFI_DEVICE_PATH_PROTOCOL *)((uint8_t *)*path + length);
    return EFI_SUCCESS;
}

EFI_HANDLE handle_of_path(EFI_DEVICE_PATH_PROTOCOL *path)
{
    EFI_GUID guid = guid_device_path;
    EFI_HANDLE handle;
    return bs_locate_device_path(&guid, &path, &handle) == EFI_SUCCESS && devicepath_is_end(path)
               ? handle
               : NULL;
}
