/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Task priority levels, events and timers (UEFI 2.10 7.1). Notifications wait in one queue per
 * level and run when the level drops below theirs. The tick comes every 10 ms from the local APIC
 * in interrupt context; notifications it causes run with interrupts off.
 */
#include "firmware/arch/time.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/handles.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define LEVELS 32u

struct event {
    uint32_t type;
    EFI_TPL tpl;
    EFI_EVENT_NOTIFY function;
    void *context;
    EFI_GUID group;
    bool grouped, signaled, queued, armed;
    uint64_t due, period; /* 100 ns; period 0: once */
    struct event *next, *next_queued;
};

static struct event *all_events;
static struct {
    struct event *first, *last;
} queues[LEVELS];
static EFI_TPL current_tpl = TPL_APPLICATION;
static bool resume_interrupts; /* IF as it was when the level became TPL_HIGH_LEVEL */
static uint64_t watchdog_due;  /* 100 ns; 0: off */
static bool ended;

static struct event *to_event(EFI_EVENT event)
{
    for (struct event *e = all_events; e; e = e->next)
        if (e == event)
            return e;
    return NULL;
}

EFI_TPL EFIAPI bs_raise_tpl(EFI_TPL tpl)
{
    uint64_t flags = interrupts_save();
    EFI_TPL old = current_tpl;
    if (tpl < old || tpl > TPL_HIGH_LEVEL)
        panic("RaiseTPL from %lu to %lu", (unsigned long)old, (unsigned long)tpl);
    if (tpl == TPL_HIGH_LEVEL && old < TPL_HIGH_LEVEL)
        resume_interrupts = flags & INTERRUPTS_ON;
    current_tpl = tpl;
    if (tpl < TPL_HIGH_LEVEL)
        interrupts_restore(flags);
    return old;
}

static void enqueue(struct event *e)
{
    if (e->queued)
        return;
    e->queued = true;
    e->next_queued = NULL;
    if (queues[e->tpl].last)
        queues[e->tpl].last->next_queued = e;
    else
        queues[e->tpl].first = e;
    queues[e->tpl].last = e;
}

static void dequeue(struct event *e)
{
    struct event *previous = NULL;
    struct event **link = &queues[e->tpl].first;
    while (*link != e) {
        previous = *link;
        link = &previous->next_queued;
    }
    *link = e->next_queued;
    if (queues[e->tpl].last == e)
        queues[e->tpl].last = previous;
    e->queued = false;
}

static struct event *highest_above(EFI_TPL tpl)
{
    for (EFI_TPL level = LEVELS - 1; level > tpl; level--)
        if (queues[level].first)
            return queues[level].first;
    return NULL;
}

/* Runs what waits above `tpl`, then takes that level. IF ends as the level's owner had it. */
VOID EFIAPI bs_restore_tpl(EFI_TPL tpl)
{
    uint64_t flags = interrupts_save();
    if (tpl > current_tpl)
        panic("RestoreTPL from %lu to %lu", (unsigned long)current_tpl, (unsigned long)tpl);
    if (current_tpl == TPL_HIGH_LEVEL && tpl < TPL_HIGH_LEVEL)
        flags = resume_interrupts ? INTERRUPTS_ON : 0;
    struct event *e;
    while ((e = highest_above(tpl)) != NULL) {
        dequeue(e);
        if (e->type & EVT_NOTIFY_SIGNAL)
            e->signaled = false;
        current_tpl = e->tpl;
        EFI_EVENT_NOTIFY function = e->function;
        void *context = e->context;
        interrupts_restore(flags);
        function(e, context);
        (void)interrupts_save();
    }
    current_tpl = tpl;
    if (tpl < TPL_HIGH_LEVEL)
        interrupts_restore(flags);
}

/* Lets queued notifications run that stand above the present level. */
static void dispatch(void)
{
    if (current_tpl < TPL_HIGH_LEVEL)
        bs_restore_tpl(current_tpl);
}

static void signal_one(struct event *e)
{
    e->signaled = true;
    if (e->type & EVT_NOTIFY_SIGNAL)
        enqueue(e);
}

static void signal_group(const EFI_GUID *group)
{
    for (struct event *e = all_events; e; e = e->next)
        if (e->grouped && guid_equal(&e->group, group))
            signal_one(e);
}

void events_signal_group(const EFI_GUID *group)
{
    uint64_t flags = interrupts_save();
    signal_group(group);
    interrupts_restore(flags);
    dispatch();
}

void events_signal_address_change(void)
{
    for (struct event *e = all_events; e; e = e->next)
        if (e->grouped && (e->type & EVT_RUNTIME) && e->function &&
            guid_equal(&e->group, &guid_group_virtual_address_change))
            e->function(e, e->context);
}

static EFI_STATUS create(uint32_t type, EFI_TPL tpl, EFI_EVENT_NOTIFY function, void *context,
                         const EFI_GUID *group, EFI_EVENT *ret_event)
{
    const uint32_t known = EVT_TIMER | EVT_RUNTIME | EVT_NOTIFY_SIGNAL | EVT_NOTIFY_WAIT;
    const uint32_t notify = EVT_NOTIFY_SIGNAL | EVT_NOTIFY_WAIT;
    if (!ret_event || (type & ~known) || (type & notify) == notify)
        return EFI_INVALID_PARAMETER;
    if ((type & notify) && (!function || (tpl != TPL_CALLBACK && tpl != TPL_NOTIFY)))
        return EFI_INVALID_PARAMETER;
    /* Runtime events outlive boot services: SetVirtualAddressMap calls them. */
    struct event *e =
        pool_allocate(type & EVT_RUNTIME ? MEMORY_RUNTIME_DATA : MEMORY_BOOT_DATA, sizeof(*e));
    if (!e)
        return EFI_OUT_OF_RESOURCES;
    *e = (struct event){ .type = type,
                         .tpl = type & notify ? tpl : 0,
                         .function = type & notify ? function : NULL,
                         .context = context };
    if (group) {
        e->grouped = true;
        e->group = *group;
    }
    uint64_t flags = interrupts_save();
    e->next = all_events;
    all_events = e;
    interrupts_restore(flags);
    *ret_event = e;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY function,
                                  VOID *context, EFI_EVENT *ret_event)
{
    if (type == EVT_SIGNAL_EXIT_BOOT_SERVICES)
        return create(EVT_NOTIFY_SIGNAL, tpl, function, context, &guid_group_exit, ret_event);
    if (type == EVT_SIGNAL_VIRTUAL_ADDRESS_CHANGE)
        return create(EVT_NOTIFY_SIGNAL | EVT_RUNTIME, tpl, function, context,
                      &guid_group_virtual_address_change, ret_event);
    return create(type, tpl, function, context, NULL, ret_event);
}

EFI_STATUS EFIAPI bs_create_event_ex(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY function,
                                     const VOID *context, const EFI_GUID *group,
                                     EFI_EVENT *ret_event)
{
    void *plain = (void *)(uintptr_t)context;
    if (!group)
        return bs_create_event(type, tpl, function, plain, ret_event);
    if (type == EVT_SIGNAL_EXIT_BOOT_SERVICES || type == EVT_SIGNAL_VIRTUAL_ADDRESS_CHANGE)
        return EFI_INVALID_PARAMETER;
    if (guid_equal(group, &guid_group_virtual_address_change))
        type |= EVT_RUNTIME;
    return create(type, tpl, function, plain, group, ret_event);
}

EFI_STATUS EFIAPI bs_close_event(EFI_EVENT event)
{
    uint64_t flags = interrupts_save();
    struct event *e = to_event(event);
    if (e) {
        struct event **link = &all_events;
        while (*link != e)
            link = &(*link)->next;
        *link = e->next;
        if (e->queued)
            dequeue(e);
    }
    interrupts_restore(flags);
    if (!e)
        return EFI_INVALID_PARAMETER;
    handle_forget_event(e);
    pool_free(e);
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_signal_event(EFI_EVENT event)
{
    uint64_t flags = interrupts_save();
    struct event *e = to_event(event);
    if (e && e->grouped) {
        EFI_GUID group = e->group;
        signal_group(&group);
    } else if (e && !(e->signaled && !(e->type & EVT_NOTIFY_SIGNAL))) {
        signal_one(e);
    }
    interrupts_restore(flags);
    if (!e)
        return EFI_INVALID_PARAMETER;
    dispatch();
    return EFI_SUCCESS;
}

static bool take_signal(struct event *e)
{
    uint64_t flags = interrupts_save();
    bool was = e->signaled;
    e->signaled = false;
    interrupts_restore(flags);
    return was;
}

EFI_STATUS EFIAPI bs_check_event(EFI_EVENT event)
{
    uint64_t flags = interrupts_save();
    struct event *e = to_event(event);
    interrupts_restore(flags);
    if (!e || (e->type & EVT_NOTIFY_SIGNAL))
        return EFI_INVALID_PARAMETER;
    if (take_signal(e))
        return EFI_SUCCESS;
    if (!(e->type & EVT_NOTIFY_WAIT))
        return EFI_NOT_READY;
    flags = interrupts_save();
    enqueue(e);
    interrupts_restore(flags);
    dispatch();
    return take_signal(e) ? EFI_SUCCESS : EFI_NOT_READY;
}

EFI_STATUS EFIAPI bs_wait_for_event(UINTN count, EFI_EVENT *events, UINTN *ret_index)
{
    if (count == 0 || !events || !ret_index)
        return EFI_INVALID_PARAMETER;
    if (current_tpl != TPL_APPLICATION)
        return EFI_UNSUPPORTED;
    for (;;) {
        for (UINTN i = 0; i < count; i++) {
            EFI_STATUS status = bs_check_event(events[i]);
            if (status == EFI_NOT_READY)
                continue;
            *ret_index = i;
            return status;
        }
        /* Asleep until the next tick; a caller that runs with interrupts off keeps polling. */
        if (interrupts_save() & INTERRUPTS_ON)
            interrupts_wait();
        else
            uefi_tick();
    }
}

EFI_STATUS EFIAPI bs_set_timer(EFI_EVENT event, EFI_TIMER_DELAY how, UINT64 time)
{
    uint64_t now = time_now_100ns();
    uint64_t flags = interrupts_save();
    struct event *e = to_event(event);
    EFI_STATUS status = EFI_SUCCESS;
    if (!e || !(e->type & EVT_TIMER) || (UINT32)how > TimerRelative) {
        status = EFI_INVALID_PARAMETER;
    } else {
        e->armed = how != TimerCancel;
        e->due = time > UINT64_MAX - now ? UINT64_MAX : now + time;
        /* A period of 0 means every tick. */
        e->period = how == TimerPeriodic ? (time ? time : 1) : 0;
    }
    interrupts_restore(flags);
    return status;
}

static void check_watchdog(uint64_t now)
{
    if (!watchdog_due || now < watchdog_due)
        return;
    log_line("watchdog timer expired: reset");
    platform_reset(RESET_COLD);
}

static void check_timers(uint64_t now)
{
    for (struct event *e = all_events; e; e = e->next) {
        if (!e->armed || now < e->due)
            continue;
        if (e->period)
            e->due = now + e->period - (now - e->due) % e->period;
        else
            e->armed = false;
        signal_one(e);
    }
}

void uefi_tick(void)
{
    /* Notifications of loaders may use SSE; what was interrupted must not notice. */
    _Alignas(16) uint8_t fpu[512];
    if (ended)
        return;
    uint64_t now = time_now_100ns();
    EFI_TPL old = current_tpl;
    uint64_t flags = interrupts_save();
    check_watchdog(now);
    check_timers(now);
    interrupts_restore(flags);
    if (highest_above(old) && old < TPL_HIGH_LEVEL) {
        __asm__ volatile("fxsave %0" : "=m"(fpu));
        bs_restore_tpl(old);
        __asm__ volatile("fxrstor %0" : : "m"(fpu));
    }
}

EFI_STATUS EFIAPI bs_stall(UINTN microseconds)
{
    time_delay_us(microseconds);
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_set_watchdog_timer(UINTN timeout, UINT64 code, UINTN size, CHAR16 *data)
{
    (void)code;
    (void)size;
    (void)data;
    uint64_t now = time_now_100ns();
    if (timeout > UINT64_MAX / 10000000u - now / 10000000u - 1)
        return EFI_INVALID_PARAMETER;
    watchdog_due = timeout ? now + timeout * 10000000u : 0;
    return EFI_SUCCESS;
}

void events_init(void)
{
    current_tpl = TPL_APPLICATION;
}

void events_exit(void)
{
    ended = true;
    watchdog_due = 0;
    for (unsigned i = 0; i < LEVELS; i++)
        queues[i].first = queues[i].last = NULL;
    /* Only runtime events lie in memory that stays: keep those for SetVirtualAddressMap. */
    struct event **link = &all_events;
    while (*link) {
        if ((*link)->type & EVT_RUNTIME)
            link = &(*link)->next;
        else
            *link = (*link)->next;
    }
}
