/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Who uses which interface (UEFI 2.10 7.3.7 to 7.3.11): OpenProtocol with its conflicts,
 * CloseProtocol, OpenProtocolInformation, and the release of an interface that shall go.
 */
#include "firmware/uefi/handles.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define LOOK_UPS                                                                                   \
    (EFI_OPEN_PROTOCOL_BY_HANDLE_PROTOCOL | EFI_OPEN_PROTOCOL_GET_PROTOCOL |                       \
     EFI_OPEN_PROTOCOL_TEST_PROTOCOL)

/* Drops the records that `match` of an interface finds. True: there was one. */
static bool drop_opens(struct protocol *p, bool (*match)(const struct open *o, const void *key),
                       const void *key)
{
    uint64_t flags = interrupts_save();
    bool found = false;
    for (struct open **link = &p->opens; *link;) {
        struct open *o = *link;
        if (match(o, key)) {
            *link = o->next;
            pool_free(o);
            found = true;
        } else {
            link = &o->next;
        }
    }
    interrupts_restore(flags);
    return found;
}

/* The first driver that holds an interface, NULL: none. */
static EFI_HANDLE driver_of(const struct protocol *p)
{
    const struct open *o = p ? p->opens : NULL;
    while (o && !(o->attributes & EFI_OPEN_PROTOCOL_BY_DRIVER))
        o = o->next;
    return o ? o->agent : NULL;
}

static bool is_driven_by(const struct protocol *p, EFI_HANDLE agent)
{
    for (const struct open *o = p ? p->opens : NULL; o; o = o->next)
        if ((o->attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) && o->agent == agent)
            return true;
    return false;
}

/*
 * Disconnects every driver from an interface. False: one of them stays, whatever it says. A Stop
 * may take the interface away, and its handle: whoever calls must look it up again.
 */
static bool stop_drivers(EFI_HANDLE handle, const EFI_GUID *protocol)
{
    EFI_HANDLE agent;
    while ((agent = driver_of(handle_find(handle, protocol))) != NULL)
        if (bs_disconnect_controller(handle, agent, NULL) != EFI_SUCCESS ||
            is_driven_by(handle_find(handle, protocol), agent))
            return false;
    return true;
}

static bool has_interface(const struct protocol *p, const void *interface)
{
    return p && p->interface == interface;
}

static bool is_look_up(const struct open *o, const void *key)
{
    (void)key;
    return o->attributes & LOOK_UPS;
}

EFI_STATUS open_release(EFI_HANDLE handle, const EFI_GUID *protocol, const void *interface,
                        struct protocol **ret)
{
    EFI_GUID guid = *protocol; /* it may lie in the record */
    if (!has_interface(handle_find(handle, &guid), interface))
        return EFI_NOT_FOUND;
    bool released = stop_drivers(handle, &guid);
    struct protocol *p = handle_find(handle, &guid);
    if (!has_interface(p, interface))
        return EFI_NOT_FOUND;
    if (released) {
        drop_opens(p, is_look_up, NULL);
        released = p->opens == NULL;
    }
    if (!released) { /* those that did stop get it back, UEFI 2.10 7.3.3 */
        bs_connect_controller(handle, NULL, NULL, true);
        return EFI_ACCESS_DENIED;
    }
    *ret = p;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_handle_protocol(EFI_HANDLE handle, EFI_GUID *protocol, VOID **ret_interface)
{
    return bs_open_protocol(handle, protocol, ret_interface, firmware_image, NULL,
                            EFI_OPEN_PROTOCOL_BY_HANDLE_PROTOCOL);
}

static bool attributes_valid(UINT32 attributes, EFI_HANDLE handle, EFI_HANDLE agent,
                             EFI_HANDLE controller)
{
    switch (attributes) {
    case EFI_OPEN_PROTOCOL_BY_HANDLE_PROTOCOL:
    case EFI_OPEN_PROTOCOL_GET_PROTOCOL:
    case EFI_OPEN_PROTOCOL_TEST_PROTOCOL:
        return true;
    case EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER:
        return handle_valid(agent) && handle_valid(controller) && handle != controller;
    case EFI_OPEN_PROTOCOL_BY_DRIVER:
    case EFI_OPEN_PROTOCOL_BY_DRIVER | EFI_OPEN_PROTOCOL_EXCLUSIVE:
        return handle_valid(agent) && handle_valid(controller);
    case EFI_OPEN_PROTOCOL_EXCLUSIVE:
        return handle_valid(agent);
    default:
        return false;
    }
}

static bool same_user(const struct open *o, EFI_HANDLE agent, EFI_HANDLE controller)
{
    return o->agent == agent && o->controller == controller;
}

/* May it be opened that way? UEFI 2.10 7.3.9, what it says of each attribute. */
static EFI_STATUS check_conflicts(const struct protocol *p, EFI_HANDLE agent, EFI_HANDLE controller,
                                  UINT32 attributes)
{
    bool by_driver = false, exclusive = false;
    for (const struct open *o = p->opens; o; o = o->next) {
        if ((o->attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) && o->attributes == attributes &&
            same_user(o, agent, controller))
            return EFI_ALREADY_STARTED;
        by_driver |= (o->attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) != 0;
        exclusive |= (o->attributes & EFI_OPEN_PROTOCOL_EXCLUSIVE) != 0;
    }
    if (attributes & EFI_OPEN_PROTOCOL_EXCLUSIVE)
        return exclusive ? EFI_ACCESS_DENIED : EFI_SUCCESS; /* drivers are asked to stop */
    if (attributes & EFI_OPEN_PROTOCOL_BY_DRIVER)
        return exclusive || by_driver ? EFI_ACCESS_DENIED : EFI_SUCCESS;
    return EFI_SUCCESS;
}

/* Counts an open that is recorded already, else records `new`. False: it was counted. */
static bool count_or_append(struct protocol *p, struct open *new)
{
    uint64_t flags = interrupts_save();
    struct open **tail = &p->opens;
    while (*tail && !(same_user(*tail, new->agent, new->controller) &&
                      (*tail)->attributes == new->attributes))
        tail = &(*tail)->next;
    bool known = *tail != NULL;
    if (known)
        (*tail)->count++;
    else
        *tail = new;
    interrupts_restore(flags);
    return !known;
}

static EFI_STATUS record_open(struct protocol *p, EFI_HANDLE agent, EFI_HANDLE controller,
                              UINT32 attributes)
{
    struct open *o = pool_allocate(MEMORY_BOOT_DATA, sizeof(*o));
    if (!o)
        return EFI_OUT_OF_RESOURCES;
    *o = (struct open){
        .agent = agent, .controller = controller, .attributes = attributes, .count = 1
    };
    if (!count_or_append(p, o))
        pool_free(o);
    return EFI_SUCCESS;
}

/* Opens what is there; *ret_interface as it was on an error. */
static EFI_STATUS open_interface(EFI_HANDLE handle, const EFI_GUID *protocol, VOID **ret_interface,
                                 EFI_HANDLE agent, EFI_HANDLE controller, UINT32 attributes)
{
    struct protocol *p = handle_find(handle, protocol);
    if (!p)
        return EFI_UNSUPPORTED;
    EFI_STATUS status = check_conflicts(p, agent, controller, attributes);
    if (status == EFI_SUCCESS && (attributes & EFI_OPEN_PROTOCOL_EXCLUSIVE)) {
        if (!stop_drivers(handle, protocol))
            return EFI_ACCESS_DENIED;
        p = handle_find(handle, protocol);
        if (!p)
            return EFI_UNSUPPORTED;
    }
    if (status == EFI_SUCCESS && agent)
        status = record_open(p, agent, controller, attributes);
    if (status == EFI_SUCCESS || status == EFI_ALREADY_STARTED)
        *ret_interface = p->interface;
    return status;
}

EFI_STATUS EFIAPI bs_open_protocol(EFI_HANDLE handle, EFI_GUID *protocol, VOID **ret_interface,
                                   EFI_HANDLE agent, EFI_HANDLE controller, UINT32 attributes)
{
    VOID *unused;
    if (attributes == EFI_OPEN_PROTOCOL_TEST_PROTOCOL)
        ret_interface = &unused;
    if (!handle_valid(handle) || !protocol || !ret_interface ||
        !attributes_valid(attributes, handle, agent, controller))
        return EFI_INVALID_PARAMETER;
    EFI_GUID guid = *protocol; /* it may lie in a record that goes */
    EFI_STATUS status = open_interface(handle, &guid, ret_interface, agent, controller, attributes);
    if (status == EFI_UNSUPPORTED)
        *ret_interface = NULL;
    return status;
}

struct user {
    EFI_HANDLE agent, controller;
};

static bool is_users(const struct open *o, const void *key)
{
    const struct user *user = key;
    return same_user(o, user->agent, user->controller);
}

EFI_STATUS EFIAPI bs_close_protocol(EFI_HANDLE handle, EFI_GUID *protocol, EFI_HANDLE agent,
                                    EFI_HANDLE controller)
{
    if (!handle_valid(handle) || !handle_valid(agent) || !protocol ||
        (controller && !handle_valid(controller)))
        return EFI_INVALID_PARAMETER;
    struct protocol *p = handle_find(handle, protocol);
    struct user user = { agent, controller };
    return p && drop_opens(p, is_users, &user) ? EFI_SUCCESS : EFI_NOT_FOUND;
}

static bool is_agents(const struct open *o, const void *key)
{
    return o->agent == key;
}

void open_forget_agent(EFI_HANDLE agent)
{
    for (struct handle *h = handle_first(); h; h = h->next)
        for (struct protocol *p = h->protocols; p; p = p->next)
            drop_opens(p, is_agents, agent);
}

static bool is_any(const struct open *o, const void *key)
{
    (void)o;
    (void)key;
    return true;
}

void open_forget_interfaces(EFI_HANDLE handle)
{
    struct handle *h = handle_get(handle);
    for (struct protocol *p = h ? h->protocols : NULL; p; p = p->next)
        drop_opens(p, is_any, NULL);
}

EFI_STATUS EFIAPI bs_open_protocol_information(EFI_HANDLE handle, EFI_GUID *protocol,
                                               EFI_OPEN_PROTOCOL_INFORMATION_ENTRY **ret_entries,
                                               UINTN *ret_count)
{
    if (!ret_entries || !ret_count)
        return EFI_INVALID_PARAMETER;
    struct protocol *p = protocol ? handle_find(handle, protocol) : NULL;
    if (!p)
        return EFI_NOT_FOUND;
    size_t count = 0;
    for (struct open *o = p->opens; o; o = o->next)
        count++;
    EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *entries =
        pool_allocate(MEMORY_BOOT_DATA, (count ? count : 1) * sizeof(*entries));
    if (!entries)
        return EFI_OUT_OF_RESOURCES;
    size_t i = 0;
    for (struct open *o = p->opens; o; o = o->next)
        entries[i++] = (EFI_OPEN_PROTOCOL_INFORMATION_ENTRY){ .AgentHandle = o->agent,
                                                              .ControllerHandle = o->controller,
                                                              .Attributes = o->attributes,
                                                              .OpenCount = o->count };
    *ret_entries = entries;
    *ret_count = count;
    return EFI_SUCCESS;
}
