/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Events without time (UEFI 2.10 7.1.1 to 7.1.6) and event groups (7.1.2). */
#include "tests/efi/conformance.h"

static unsigned calls;

static VOID EFIAPI count_call(EFI_EVENT event, VOID *context)
{
    calls++;
}

static VOID EFIAPI count_and_signal(EFI_EVENT event, VOID *context)
{
    calls++;
    if (calls == 2)
        bs->SignalEvent(event);
}

static VOID EFIAPI close_itself(EFI_EVENT event, VOID *context)
{
    calls++;
    *(EFI_STATUS *)context = bs->CloseEvent(event);
}

static VOID EFIAPI signal_itself(EFI_EVENT event, VOID *context)
{
    calls++;
    if (calls < 3)
        bs->SignalEvent(event);
}

static void create(const char *name, UINT32 type, EFI_TPL level, EFI_EVENT_NOTIFY function)
{
    EFI_EVENT event = NULL;
    EFI_STATUS status = bs->CreateEvent(type, level, function, NULL, &event);
    check_status(name_of("create", name), status);
    if (status == EFI_SUCCESS)
        bs->CloseEvent(event);
}

static void creation(void)
{
    check_status("create.no-event", bs->CreateEvent(0, 0, NULL, NULL, NULL));
    create("plain", 0, 0, NULL);
    create("plain-odd-level", 0, 99, NULL);
    create("timer", EVT_TIMER, 0, NULL);
    create("timer-signal", EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call);
    create("timer-wait", EVT_TIMER | EVT_NOTIFY_WAIT, TPL_CALLBACK, count_call);
    create("signal", EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call);
    create("wait", EVT_NOTIFY_WAIT, TPL_NOTIFY, count_call);
    create("signal-and-wait", EVT_NOTIFY_SIGNAL | EVT_NOTIFY_WAIT, TPL_CALLBACK, count_call);
    create("signal-no-function", EVT_NOTIFY_SIGNAL, TPL_CALLBACK, NULL);
    create("wait-no-function", EVT_NOTIFY_WAIT, TPL_CALLBACK, NULL);
    create("signal-level-0", EVT_NOTIFY_SIGNAL, 0, count_call);
    create("signal-level-application", EVT_NOTIFY_SIGNAL, TPL_APPLICATION, count_call);
    create("signal-level-5", EVT_NOTIFY_SIGNAL, 5, count_call);
    create("signal-level-17", EVT_NOTIFY_SIGNAL, 17, count_call);
    create("signal-level-high", EVT_NOTIFY_SIGNAL, TPL_HIGH_LEVEL, count_call);
    create("signal-level-32", EVT_NOTIFY_SIGNAL, 32, count_call);
    create("unknown-bit", 0x00000001, 0, NULL);
    create("unknown-bit-signal", 0x10000000 | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call);
    create("runtime-signal", EVT_RUNTIME | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call);
    create("exit", EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK, count_call);
    create("exit-no-function", EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK, NULL);
    create("address-change", EVT_SIGNAL_VIRTUAL_ADDRESS_CHANGE, TPL_CALLBACK, count_call);
}

static void check_and_signal(void)
{
    EFI_EVENT event = NULL;
    check_status("check.null", bs->CheckEvent(NULL));
    check_status("signal.null", bs->SignalEvent(NULL));
    check_status("close.null", bs->CloseEvent(NULL));
    check_status("check.no-event", bs->CheckEvent(&event));

    bs->CreateEvent(0, 0, NULL, NULL, &event);
    check_status("plain.check", bs->CheckEvent(event));
    check_status("plain.signal", bs->SignalEvent(event));
    check_status("plain.signal-again", bs->SignalEvent(event));
    check_status("plain.check-signalled", bs->CheckEvent(event));
    check_status("plain.check-again", bs->CheckEvent(event));
    bs->CloseEvent(event);

    calls = 0;
    bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call, NULL, &event);
    check_status("notify.check", bs->CheckEvent(event));
    check_status("notify.signal", bs->SignalEvent(event));
    check_status("notify.signal-again", bs->SignalEvent(event));
    check_value("notify.calls", calls);
    bs->CloseEvent(event);

    calls = 0;
    bs->CreateEvent(EVT_NOTIFY_WAIT, TPL_NOTIFY, count_and_signal, NULL, &event);
    check_status("wait.check", bs->CheckEvent(event));
    check_status("wait.check-again", bs->CheckEvent(event));
    check_value("wait.calls", calls);
    check_status("wait.signal", bs->SignalEvent(event));
    check_status("wait.check-signalled", bs->CheckEvent(event));
    check_value("wait.calls-after", calls);
    EFI_TPL old = bs->RaiseTPL(TPL_NOTIFY);
    check_status("wait.check-at-its-level", bs->CheckEvent(event));
    bs->RestoreTPL(old);
    check_value("wait.calls-at-its-level", calls);
    bs->CloseEvent(event);

    EFI_STATUS status = EFI_ABORTED;
    calls = 0;
    bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, close_itself, &status, &event);
    bs->SignalEvent(event);
    check_status("closes-itself", status);
    check_value("closes-itself.calls", calls);

    calls = 0;
    bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, signal_itself, NULL, &event);
    bs->SignalEvent(event);
    check_value("signals-itself.calls", calls);
    calls = 0;
    old = bs->RaiseTPL(TPL_NOTIFY);
    bs->SignalEvent(event);
    check_status("close-while-queued", bs->CloseEvent(event));
    bs->RestoreTPL(old);
    check_value("close-while-queued.calls", calls);
}

static void waiting(void)
{
    EFI_EVENT events[3];
    UINTN index = 99;
    bs->CreateEvent(0, 0, NULL, NULL, &events[0]);
    bs->CreateEvent(0, 0, NULL, NULL, &events[1]);
    bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call, NULL, &events[2]);
    check_status("wait-for.none", bs->WaitForEvent(0, events, &index));
    check_status("wait-for.no-list", bs->WaitForEvent(1, NULL, &index));
    bs->SignalEvent(events[1]);
    check_status("wait-for.signalled", bs->WaitForEvent(2, events, &index));
    check_value("wait-for.index", index);
    index = 99;
    check_status("wait-for.notify-signal", bs->WaitForEvent(3, events, &index));
    check_value("wait-for.bad-index", index);
    EFI_TPL old = bs->RaiseTPL(TPL_CALLBACK);
    check_status("wait-for.at-callback", bs->WaitForEvent(2, events, &index));
    bs->RestoreTPL(old);
    bs->SignalEvent(events[0]);
    bs->SignalEvent(events[1]);
    check_status("wait-for.both", bs->WaitForEvent(2, events, &index));
    check_value("wait-for.first", index);
    check_status("wait-for.other-stays", bs->CheckEvent(events[1]));
    for (size_t i = 0; i < ARRAY_SIZE(events); i++)
        bs->CloseEvent(events[i]);
}

void test_events(void)
{
    creation();
    check_and_signal();
    waiting();
}

/* --- groups --- */

static char order[16];
static size_t ordered;

static VOID EFIAPI note(EFI_EVENT event, VOID *context)
{
    if (ordered < sizeof(order) - 1)
        order[ordered++] = *(const char *)context;
}

static const char *noted(void)
{
    order[ordered] = 0;
    ordered = 0;
    return order;
}

static void create_ex(const char *name, UINT32 type, EFI_TPL level, EFI_EVENT_NOTIFY function,
                      EFI_GUID *group)
{
    EFI_EVENT event = NULL;
    EFI_STATUS status = bs->CreateEventEx(type, level, function, NULL, group, &event);
    check_status(name_of("create", name), status);
    if (status == EFI_SUCCESS)
        bs->CloseEvent(event);
}

static void members(void)
{
    EFI_EVENT a, b, c, other;
    bs->CreateEventEx(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note, "a", &test_guid_1, &a);
    bs->CreateEventEx(EVT_NOTIFY_SIGNAL, TPL_NOTIFY, note, "b", &test_guid_1, &b);
    bs->CreateEventEx(0, 0, NULL, NULL, &test_guid_1, &c);
    bs->CreateEventEx(EVT_NOTIFY_SIGNAL, TPL_NOTIFY, note, "x", &test_guid_2, &other);
    ordered = 0;
    EFI_TPL old = bs->RaiseTPL(TPL_NOTIFY);
    check_status("signal", bs->SignalEvent(a));
    bs->RestoreTPL(old);
    check_text("order", noted());
    check_status("plain-member", bs->CheckEvent(c));
    check_status("plain-member-again", bs->CheckEvent(c));
    check_status("signal-plain", bs->SignalEvent(c));
    check_value("signal-plain.calls", wide_length(L"") + strlen(noted()));
    check_status("close-member", bs->CloseEvent(b));
    check_status("signal-rest", bs->SignalEvent(a));
    check_text("rest", noted());
    bs->CloseEvent(a);
    bs->CloseEvent(c);
    bs->CloseEvent(other);
}

static void memory_change(void)
{
    EFI_EVENT event;
    EFI_PHYSICAL_ADDRESS page;
    bs->CreateEventEx(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note, "m", &memory_change_group_guid,
                      &event);
    ordered = 0;
    bs->AllocatePages(AllocateAnyPages, 4, 3, &page);
    check_true("memory-change.allocate", strlen(noted()) > 0);
    bs->FreePages(page, 3);
    check_true("memory-change.free", strlen(noted()) > 0);
    bs->CloseEvent(event);
}

void test_groups(void)
{
    EFI_EVENT event;
    create_ex("no-group", EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note, NULL);
    create_ex("group", EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note, &test_guid_1);
    create_ex("plain", 0, 0, NULL, &test_guid_1);
    create_ex("no-function", EVT_NOTIFY_SIGNAL, TPL_CALLBACK, NULL, &test_guid_1);
    create_ex("timer", EVT_TIMER, 0, NULL, &test_guid_1);
    create_ex("exit-type", EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK, note, &test_guid_1);
    create_ex("exit-type-no-group", EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK, note, NULL);
    create_ex("change-type", EVT_SIGNAL_VIRTUAL_ADDRESS_CHANGE, TPL_CALLBACK, note, &test_guid_1);
    create_ex("exit-group", EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note, &exit_group_guid);
    create_ex("before-exit-group", EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note, &before_exit_group_guid);
    create_ex("change-group", EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note, &address_change_group_guid);
    create_ex("ready-group", EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note, &ready_group_guid);
    create_ex("wait", EVT_NOTIFY_WAIT, TPL_CALLBACK, note, &test_guid_1);
    check_status("create.no-event", bs->CreateEventEx(0, 0, NULL, NULL, &test_guid_1, NULL));
    members();
    memory_change();
    ordered = 0;
    bs->CreateEventEx(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note, "t", &test_table_guid, &event);
    bs->InstallConfigurationTable(&test_table_guid, &event);
    check_text("table-installed", noted());
    bs->InstallConfigurationTable(&test_table_guid, NULL);
    check_text("table-removed", noted());
    bs->CloseEvent(event);
}
