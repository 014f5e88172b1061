/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Drivers that loaders bring along meet controllers (UEFI 2.10 7.3.12, 7.3.13, 11.1). The firmware's
 * own devices are connected from the start.
 */
#include "firmware/uefi/handles.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define OVERRIDES_MAXIMUM 256u /* images that one protocol may name; one that never ends is cut off */

/* A list of handles in pool memory; none has NULL. */
struct handle_list {
    EFI_HANDLE *handles;
    size_t count, room;
};

static bool holds(const struct handle_list *list, EFI_HANDLE handle)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->handles[i] == handle)
            return true;
    return false;
}

/* Adds a handle unless it is there already. False: no memory. */
static bool add(struct handle_list *list, EFI_HANDLE handle)
{
    if (holds(list, handle))
        return true;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 8;
        EFI_HANDLE *larger = pool_allocate(MEMORY_BOOT_DATA, room * sizeof(*larger));
        if (!larger)
            return false;
        if (list->count)
            memcpy(larger, list->handles, list->count * sizeof(*larger));
        pool_free(list->handles);
        list->handles = larger;
        list->room = room;
    }
    list->handles[list->count++] = handle;
    return true;
}

static EFI_DRIVER_BINDING_PROTOCOL *binding_of(EFI_HANDLE driver)
{
    return handle_interface(driver, &guid_driver_binding);
}

/*
 * The driver of the highest version, of an image or binding handle if one is wanted, not listed; of
 * those with a family override by the version that it tells, if a family is asked for.
 */
static EFI_HANDLE best_remaining(EFI_HANDLE wanted, bool family, const struct handle_list *list)
{
    EFI_HANDLE best = NULL;
    uint32_t best_version = 0;
    for (struct handle *h = handle_first(); h; h = h->next) {
        EFI_DRIVER_BINDING_PROTOCOL *binding = binding_of(h);
        EFI_DRIVER_FAMILY_OVERRIDE_PROTOCOL *override =
            family ? handle_interface(h, &guid_driver_family_override) : NULL;
        if (!binding || holds(list, h) || (family && !override) ||
            (wanted && binding->ImageHandle != wanted && binding->DriverBindingHandle != wanted))
            continue;
        uint32_t version = override ? override->GetVersion(override) : binding->Version;
        if (!best || version > best_version) {
            best = h;
            best_version = version;
        }
    }
    return best;
}

static bool add_all(EFI_HANDLE wanted, bool family, struct handle_list *list)
{
    EFI_HANDLE driver;
    while ((driver = best_remaining(wanted, family, list)) != NULL)
        if (!add(list, driver))
            return false;
    return true;
}

/* The drivers of the images that the platform names, one call after the other (11.2.2). */
static bool add_platforms(EFI_HANDLE controller, struct handle_list *list)
{
    EFI_GUID guid = guid_platform_driver_override;
    void *interface;
    if (bs_locate_protocol(&guid, NULL, &interface) != EFI_SUCCESS)
        return true;
    EFI_PLATFORM_DRIVER_OVERRIDE_PROTOCOL *override = interface;
    EFI_HANDLE image = NULL;
    for (unsigned i = 0; i < OVERRIDES_MAXIMUM; i++) {
        if (override->GetDriver(override, controller, &image) != EFI_SUCCESS || !image)
            break;
        if (!add_all(image, false, list))
            return false;
    }
    return true;
}

/* Those that the controller's bus names (11.3.1). */
static bool add_buses(EFI_HANDLE controller, struct handle_list *list)
{
    EFI_BUS_SPECIFIC_DRIVER_OVERRIDE_PROTOCOL *override =
        handle_interface(controller, &guid_bus_driver_override);
    EFI_HANDLE image = NULL;
    for (unsigned i = 0; override && i < OVERRIDES_MAXIMUM; i++) {
        if (override->GetDriver(override, &image) != EFI_SUCCESS || !image)
            break;
        if (!add_all(image, false, list))
            return false;
    }
    return true;
}

/* All drivers in the order in which they are asked, UEFI 2.10 7.3.12. False: no memory. */
static bool order_drivers(EFI_HANDLE controller, EFI_HANDLE *wanted, struct handle_list *list)
{
    for (; wanted && *wanted; wanted++)
        if (!add_all(*wanted, false, list))
            return false;
    return add_platforms(controller, list) && add_all(NULL, true, list) &&
           add_buses(controller, list) && add_all(NULL, false, list);
}

/*
 * Starts what supports the controller; whoever was started may have made it fit for a driver that
 * declined before, so the search begins anew. Each driver is started at most once.
 */
static bool start_drivers(EFI_HANDLE controller, const struct handle_list *list,
                          EFI_DEVICE_PATH_PROTOCOL *remaining)
{
    bool started = false;
    for (size_t i = 0; i < list->count; i++) {
        EFI_DRIVER_BINDING_PROTOCOL *binding =
            list->handles[i] ? binding_of(list->handles[i]) : NULL;
        if (!binding || binding->Supported(binding, controller, remaining) != EFI_SUCCESS)
            continue;
        list->handles[i] = NULL;
        started |= binding->Start(binding, controller, remaining) == EFI_SUCCESS;
        i = SIZE_MAX; /* the first one again */
    }
    return started;
}

static EFI_STATUS connect_single(EFI_HANDLE controller, EFI_HANDLE *wanted,
                                 EFI_DEVICE_PATH_PROTOCOL *remaining)
{
    struct handle_list list = { 0 };
    EFI_STATUS status = EFI_OUT_OF_RESOURCES;
    if (order_drivers(controller, wanted, &list)) {
        bool started = start_drivers(controller, &list, remaining);
        bool only_bus = remaining && devicepath_is_end(remaining); /* needs no child */
        status = started || (only_bus && list.count) ? EFI_SUCCESS : EFI_NOT_FOUND;
    }
    pool_free(list.handles);
    return status;
}

/* What a driver (NULL: any) has made below a controller. False: no memory. */
static bool children_of(EFI_HANDLE controller, EFI_HANDLE driver, struct handle_list *list)
{
    struct handle *h = handle_get(controller);
    for (struct protocol *p = h ? h->protocols : NULL; p; p = p->next)
        for (struct open *o = p->opens; o; o = o->next)
            if ((o->attributes & EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER) &&
                (!driver || o->agent == driver) && !add(list, o->controller))
                return false;
    return true;
}

EFI_STATUS EFIAPI bs_connect_controller(EFI_HANDLE controller, EFI_HANDLE *drivers,
                                        EFI_DEVICE_PATH_PROTOCOL *remaining, BOOLEAN recursive)
{
    if (!handle_valid(controller))
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = connect_single(controller, drivers, remaining);
    struct handle_list children = { 0 };
    if (recursive && children_of(controller, NULL, &children))
        for (size_t i = 0; i < children.count; i++)
            if (handle_valid(children.handles[i]))
                bs_connect_controller(children.handles[i], NULL, NULL, true);
    pool_free(children.handles);
    return status;
}

/* The drivers that manage a controller. False: no memory. */
static bool managers_of(EFI_HANDLE controller, struct handle_list *list)
{
    for (struct protocol *p = handle_get(controller)->protocols; p; p = p->next)
        for (struct open *o = p->opens; o; o = o->next)
            if ((o->attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) && !add(list, o->agent))
                return false;
    return true;
}

/* Stops one driver's children (`child`, or NULL: all) and, when none is left, the driver itself. */
static EFI_STATUS stop_driver(EFI_HANDLE controller, EFI_HANDLE driver, EFI_HANDLE child)
{
    EFI_DRIVER_BINDING_PROTOCOL *binding = binding_of(driver);
    struct handle_list children = { 0 };
    EFI_STATUS status = EFI_SUCCESS;
    if (!binding)
        return EFI_INVALID_PARAMETER;
    if (!children_of(controller, driver, &children)) {
        status = EFI_OUT_OF_RESOURCES;
    } else if (child && !holds(&children, child)) {
        status = EFI_NOT_FOUND;
    } else {
        size_t count = child ? 1 : children.count;
        if (count)
            status = binding->Stop(binding, controller, count, child ? &child : children.handles);
        if (status == EFI_SUCCESS && count == children.count)
            status = binding->Stop(binding, controller, 0, NULL);
        if (status != EFI_SUCCESS)
            status = EFI_DEVICE_ERROR;
    }
    pool_free(children.handles);
    return status;
}

EFI_STATUS EFIAPI bs_disconnect_controller(EFI_HANDLE controller, EFI_HANDLE driver,
                                           EFI_HANDLE child)
{
    struct handle_list managers = { 0 };
    EFI_STATUS result = EFI_NOT_FOUND;
    if (!handle_valid(controller) || (child && !handle_valid(child)) ||
        (driver && !binding_of(driver)))
        return EFI_INVALID_PARAMETER;
    if (!managers_of(controller, &managers))
        result = EFI_OUT_OF_RESOURCES;
    else if (managers.count == 0 || (driver && !holds(&managers, driver)))
        result = EFI_SUCCESS; /* nothing to disconnect */
    else
        for (size_t i = 0; i < managers.count; i++) {
            if (driver && managers.handles[i] != driver)
                continue;
            EFI_STATUS status = stop_driver(controller, managers.handles[i], child);
            if (status == EFI_SUCCESS || result == EFI_NOT_FOUND)
                result = status;
        }
    pool_free(managers.handles);
    return result;
}
