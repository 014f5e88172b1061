/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Searches in the protocol database, and the connection of drivers that loaders brought along
 * (UEFI 2.10 7.3). The firmware's own devices are connected from the start, so ConnectController
 * finds nothing to do for them and says so with success.
 */
#include "firmware/uefi/handles.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

/* Does the search accept the handle? ByRegisterNotify is answered elsewhere. */
static bool accepts(EFI_LOCATE_SEARCH_TYPE how, const EFI_GUID *protocol, struct handle *handle)
{
    return how == AllHandles || handle_find(handle, protocol) != NULL;
}

EFI_STATUS EFIAPI bs_locate_handle(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *protocol, VOID *key,
                                   UINTN *size, EFI_HANDLE *buffer)
{
    if (!size || (UINT32)how > ByProtocol || (how == ByProtocol && !protocol) ||
        (how == ByRegisterNotify && !key))
        return EFI_INVALID_PARAMETER;
    if (how == ByRegisterNotify) {
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
    *ret_interface = NULL;
    struct protocol *found = NULL;
    if (registration) {
        found = handle_find(handle_next_registered(registration), protocol);
    } else {
        for (struct handle *h = handle_first(); h && !found; h = h->next)
            found = handle_find(h, protocol);
    }
    if (!found)
        return EFI_NOT_FOUND;
    *ret_interface = found->interface;
    return EFI_SUCCESS;
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

EFI_STATUS EFIAPI bs_locate_device_path(EFI_GUID *protocol, EFI_DEVICE_PATH_PROTOCOL **path,
                                        EFI_HANDLE *ret_device)
{
    if (!protocol || !path || !*path)
        return EFI_INVALID_PARAMETER;
    size_t path_size = devicepath_size(*path);
    if (!path_size)
        return EFI_INVALID_PARAMETER;
    struct handle *best = NULL;
    size_t best_length = 0;
    for (struct handle *h = handle_first(); h; h = h->next) {
        EFI_DEVICE_PATH_PROTOCOL *own = handle_interface(h, &guid_device_path);
        size_t own_size = own ? devicepath_size(own) : 0;
        if (!own_size || !handle_find(h, protocol))
            continue;
        size_t length = match_prefix(own, own_size, *path, path_size);
        if (length > best_length) {
            best = h;
            best_length = length;
        }
    }
    if (!best)
        return EFI_NOT_FOUND;
    if (!ret_device)
        return EFI_INVALID_PARAMETER;
    *ret_device = best;
    *path = (EFI_DEVICE_PATH_PROTOCOL *)((uint8_t *)*path + best_length);
    return EFI_SUCCESS;
}

/* Offers the controller to every driver once. True: one of them took it. */
static bool offer(EFI_HANDLE controller, EFI_DEVICE_PATH_PROTOCOL *remaining)
{
    UINTN count;
    EFI_HANDLE *drivers;
    EFI_GUID guid = guid_driver_binding;
    bool started = false;
    if (bs_locate_handle_buffer(ByProtocol, &guid, NULL, &count, &drivers) != EFI_SUCCESS)
        return false;
    for (UINTN i = 0; i < count; i++) {
        EFI_DRIVER_BINDING_PROTOCOL *driver = handle_interface(drivers[i], &guid_driver_binding);
        if (driver && handle_valid(controller) &&
            driver->Supported(driver, controller, remaining) == EFI_SUCCESS &&
            driver->Start(driver, controller, remaining) == EFI_SUCCESS)
            started = true;
    }
    pool_free(drivers);
    return started;
}

EFI_STATUS EFIAPI bs_connect_controller(EFI_HANDLE controller, EFI_HANDLE *drivers,
                                        EFI_DEVICE_PATH_PROTOCOL *remaining, BOOLEAN recursive)
{
    (void)drivers;   /* an order of preference: with a handful of drivers all are asked */
    (void)recursive; /* children of our own drivers exist already */
    if (!handle_valid(controller))
        return EFI_INVALID_PARAMETER;
    offer(controller, remaining);
    return EFI_SUCCESS;
}

/* The driver whose binding belongs to an agent handle. */
static EFI_DRIVER_BINDING_PROTOCOL *driver_of(EFI_HANDLE agent)
{
    return handle_interface(agent, &guid_driver_binding);
}

/* One agent that has the controller open by driver, other than those given up on. */
static EFI_HANDLE find_driver(EFI_HANDLE controller, EFI_HANDLE wanted)
{
    for (struct handle *h = handle_first(); h; h = h->next)
        for (struct protocol *p = h->protocols; p; p = p->next)
            for (struct open *o = p->opens; o; o = o->next)
                if ((o->attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) && o->controller == controller &&
                    (!wanted || o->agent == wanted))
                    return o->agent;
    return NULL;
}

EFI_STATUS EFIAPI bs_disconnect_controller(EFI_HANDLE controller, EFI_HANDLE driver,
                                           EFI_HANDLE child)
{
    if (!handle_valid(controller) || (driver && !handle_valid(driver)) ||
        (child && !handle_valid(child)))
        return EFI_INVALID_PARAMETER;
    EFI_HANDLE agent;
    while ((agent = find_driver(controller, driver)) != NULL) {
        EFI_DRIVER_BINDING_PROTOCOL *binding = driver_of(agent);
        EFI_STATUS status = EFI_DEVICE_ERROR;
        if (binding)
            status = binding->Stop(binding, controller, child ? 1 : 0, child ? &child : NULL);
        if (status != EFI_SUCCESS)
            return EFI_DEVICE_ERROR;
        if (child)
            break; /* the driver may keep the controller for its other children */
        if (find_driver(controller, agent) == agent)
            return EFI_DEVICE_ERROR; /* it said it stopped, yet holds on */
    }
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
