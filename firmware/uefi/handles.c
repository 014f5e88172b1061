/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The protocol database (UEFI 2.10 7.3): handles and the interfaces on them. There are a few
 * hundred handles at most, so lists are searched in order. Status codes are part of the interface:
 * loaders tell "absent" from "broken" by them. Notifications of timers may call all of this at any
 * moment: lists are walked and changed with interrupts off.
 */
#include "firmware/uefi/handles.h"

#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

static struct handle *first_handle, *last_handle;
static struct notification *notifications;
static uint64_t install_count; /* orders installations for RegisterProtocolNotify */

struct handle *handle_first(void)
{
    return first_handle;
}

struct handle *handle_get(EFI_HANDLE handle)
{
    uint64_t flags = interrupts_save();
    struct handle *h = first_handle;
    while (h && h != handle)
        h = h->next;
    interrupts_restore(flags);
    return h;
}

bool handle_valid(EFI_HANDLE handle)
{
    return handle_get(handle) != NULL;
}

struct protocol *handle_find(EFI_HANDLE handle, const EFI_GUID *guid)
{
    uint64_t flags = interrupts_save();
    struct handle *h = handle_get(handle);
    struct protocol *p = h ? h->protocols : NULL;
    while (p && !guid_equal(&p->guid, guid))
        p = p->next;
    interrupts_restore(flags);
    return p;
}

void *handle_interface(EFI_HANDLE handle, const EFI_GUID *protocol)
{
    struct protocol *p = handle_find(handle, protocol);
    return p ? p->interface : NULL;
}

static struct handle *handle_new(void)
{
    struct handle *h = pool_allocate(MEMORY_BOOT_DATA, sizeof(*h));
    if (!h)
        return NULL;
    uint64_t flags = interrupts_save();
    if (last_handle)
        last_handle->next = h;
    else
        first_handle = h;
    last_handle = h;
    interrupts_restore(flags);
    return h;
}

static void handle_drop(struct handle *dead)
{
    uint64_t flags = interrupts_save();
    struct handle *previous = NULL;
    struct handle **link = &first_handle;
    while (*link != dead) {
        previous = *link;
        link = &previous->next;
    }
    *link = dead->next;
    if (last_handle == dead)
        last_handle = previous;
    interrupts_restore(flags);
    pool_free(dead);
}

/* What is notified runs behind the loop: it may close its event, and take the interface away. */
static void notify_installed(const EFI_GUID *guid)
{
    EFI_TPL old = bs_raise_tpl(TPL_HIGH_LEVEL);
    for (struct notification *n = notifications; n; n = n->next)
        if (guid_equal(&n->guid, guid))
            bs_signal_event(n->event);
    bs_restore_tpl(old);
}

static struct handle *next_unseen(struct notification *n)
{
    struct handle *best = NULL;
    uint64_t best_order = UINT64_MAX;
    for (struct handle *h = first_handle; h; h = h->next) {
        struct protocol *p = handle_find(h, &n->guid);
        if (p && p->order > n->seen && p->order < best_order) {
            best = h;
            best_order = p->order;
        }
    }
    if (best)
        n->seen = best_order;
    return best;
}

/* LocateHandle ByRegisterNotify: the next handle that got the protocol since the last call. */
EFI_HANDLE handle_next_registered(void *registration)
{
    uint64_t flags = interrupts_save();
    struct notification *n = notifications;
    while (n && n != registration)
        n = n->next;
    struct handle *next = n ? next_unseen(n) : NULL;
    interrupts_restore(flags);
    return next;
}

EFI_STATUS EFIAPI bs_register_protocol_notify(EFI_GUID *protocol, EFI_EVENT event,
                                              VOID **ret_registration)
{
    if (!protocol || !event || !ret_registration)
        return EFI_INVALID_PARAMETER;
    struct notification *n = pool_allocate(MEMORY_BOOT_DATA, sizeof(*n));
    if (!n)
        return EFI_OUT_OF_RESOURCES;
    uint64_t flags = interrupts_save();
    *n = (struct notification){ .next = notifications, .guid = *protocol, .event = event };
    notifications = n;
    interrupts_restore(flags);
    *ret_registration = n;
    return EFI_SUCCESS;
}

void handle_forget_event(EFI_EVENT event)
{
    uint64_t flags = interrupts_save();
    for (struct notification **link = &notifications; *link;) {
        struct notification *n = *link;
        if (n->event == event) {
            *link = n->next;
            pool_free(n);
        } else {
            link = &n->next;
        }
    }
    interrupts_restore(flags);
}

static void append(struct handle *h, struct protocol *p)
{
    uint64_t flags = interrupts_save();
    struct protocol **tail = &h->protocols;
    while (*tail)
        tail = &(*tail)->next;
    p->order = ++install_count;
    *tail = p;
    interrupts_restore(flags);
}

static void take_out(struct handle *h, struct protocol *p)
{
    uint64_t flags = interrupts_save();
    struct protocol **link = &h->protocols;
    while (*link != p)
        link = &(*link)->next;
    *link = p->next;
    interrupts_restore(flags);
}

EFI_STATUS EFIAPI bs_install_protocol_interface(EFI_HANDLE *handle, EFI_GUID *protocol, UINT32 type,
                                                VOID *interface)
{
    if (!handle || !protocol || type != 0)
        return EFI_INVALID_PARAMETER;
    if (*handle && (!handle_valid(*handle) || handle_find(*handle, protocol)))
        return EFI_INVALID_PARAMETER;
    struct protocol *p = pool_allocate(MEMORY_BOOT_DATA, sizeof(*p));
    if (!p)
        return EFI_OUT_OF_RESOURCES;
    struct handle *h = *handle ? handle_get(*handle) : handle_new();
    if (!h) {
        pool_free(p);
        return EFI_OUT_OF_RESOURCES;
    }
    *p = (struct protocol){ .guid = *protocol, .interface = interface };
    append(h, p);
    *handle = h;
    notify_installed(protocol);
    return EFI_SUCCESS;
}

void handle_install(EFI_HANDLE *handle, const EFI_GUID *protocol, void *interface)
{
    EFI_GUID guid = *protocol;
    if (bs_install_protocol_interface(handle, &guid, 0, interface) != EFI_SUCCESS)
        panic("cannot install protocol %08x", protocol->a);
}

EFI_STATUS EFIAPI bs_uninstall_protocol_interface(EFI_HANDLE handle, EFI_GUID *protocol,
                                                  VOID *interface)
{
    struct protocol *p;
    if (!handle_valid(handle) || !protocol)
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = open_release(handle, protocol, interface, &p);
    if (status != EFI_SUCCESS)
        return status;
    struct handle *h = handle;
    take_out(h, p);
    pool_free(p);
    if (!h->protocols)
        handle_drop(h);
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_reinstall_protocol_interface(EFI_HANDLE handle, EFI_GUID *protocol, VOID *old,
                                                  VOID *new)
{
    struct protocol *p;
    if (!handle_valid(handle) || !protocol)
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = open_release(handle, protocol, old, &p);
    if (status != EFI_SUCCESS)
        return status;
    p->interface = new;
    p->order = ++install_count;
    notify_installed(&p->guid);
    bs_connect_controller(handle, NULL, NULL, true);
    return EFI_SUCCESS;
}

/* A device path that is on another handle already must not be installed again. */
static bool device_path_taken(const EFI_GUID *guid, VOID *interface)
{
    if (!guid_equal(guid, &guid_device_path) || !interface)
        return false;
    size_t size = devicepath_size(interface);
    for (struct handle *h = first_handle; h; h = h->next) {
        void *other = handle_interface(h, &guid_device_path);
        if (other && size && devicepath_size(other) == size && !memcmp(other, interface, size))
            return true;
    }
    return false;
}

EFI_STATUS EFIAPI bs_install_multiple(EFI_HANDLE *handle, ...)
{
    if (!handle)
        return EFI_INVALID_PARAMETER;
    EFI_HANDLE original = *handle;
    EFI_STATUS status = EFI_SUCCESS;
    size_t done = 0;
    __builtin_ms_va_list list;
    __builtin_ms_va_start(list, handle);
    for (;;) {
        EFI_GUID *guid = __builtin_va_arg(list, EFI_GUID *);
        if (!guid)
            break;
        VOID *interface = __builtin_va_arg(list, VOID *);
        status = device_path_taken(guid, interface)
                     ? EFI_ALREADY_STARTED
                     : bs_install_protocol_interface(handle, guid, 0, interface);
        if (status != EFI_SUCCESS)
            break;
        done++;
    }
    __builtin_ms_va_end(list);
    if (status == EFI_SUCCESS)
        return EFI_SUCCESS;

    __builtin_ms_va_start(list, handle);
    for (; done > 0; done--) {
        EFI_GUID *guid = __builtin_va_arg(list, EFI_GUID *);
        VOID *interface = __builtin_va_arg(list, VOID *);
        bs_uninstall_protocol_interface(*handle, guid, interface);
    }
    __builtin_ms_va_end(list);
    *handle = original;
    return status;
}

EFI_STATUS EFIAPI bs_uninstall_multiple(EFI_HANDLE handle, ...)
{
    EFI_STATUS status = EFI_SUCCESS;
    size_t done = 0;
    __builtin_ms_va_list list;
    __builtin_ms_va_start(list, handle);
    for (;;) {
        EFI_GUID *guid = __builtin_va_arg(list, EFI_GUID *);
        if (!guid)
            break;
        VOID *interface = __builtin_va_arg(list, VOID *);
        status = bs_uninstall_protocol_interface(handle, guid, interface);
        if (status != EFI_SUCCESS)
            break;
        done++;
    }
    __builtin_ms_va_end(list);
    if (status == EFI_SUCCESS)
        return EFI_SUCCESS;

    __builtin_ms_va_start(list, handle);
    for (; done > 0; done--) {
        EFI_GUID *guid = __builtin_va_arg(list, EFI_GUID *);
        VOID *interface = __builtin_va_arg(list, VOID *);
        bs_install_protocol_interface(&handle, guid, 0, interface);
    }
    __builtin_ms_va_end(list);
    return EFI_INVALID_PARAMETER; /* UEFI 2.10 7.3.15: any failure */
}

EFI_STATUS EFIAPI bs_protocols_per_handle(EFI_HANDLE handle, EFI_GUID ***ret_protocols,
                                          UINTN *ret_count)
{
    struct handle *h = handle_get(handle);
    if (!h || !ret_protocols || !ret_count)
        return EFI_INVALID_PARAMETER;
    size_t count = 0;
    for (struct protocol *p = h->protocols; p; p = p->next)
        count++;
    EFI_GUID **list = pool_allocate(MEMORY_BOOT_DATA, (count ? count : 1) * sizeof(*list));
    if (!list)
        return EFI_OUT_OF_RESOURCES;
    size_t i = 0;
    for (struct protocol *p = h->protocols; p; p = p->next)
        list[i++] = &p->guid;
    *ret_protocols = list;
    *ret_count = count;
    return EFI_SUCCESS;
}
