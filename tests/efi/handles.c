/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Protocol interfaces on handles (UEFI 2.10 7.3.2 to 7.3.7, 7.3.16 to 7.3.19). */
#include "tests/efi/conformance.h"

static int first, second;
static unsigned calls;

static VOID EFIAPI count_call(EFI_EVENT event, VOID *context)
{
    calls++;
}

static void install(void)
{
    EFI_HANDLE handle = NULL;
    VOID *interface = &first;
    check_status("install.no-handle",
                 bs->InstallProtocolInterface(NULL, &test_guid_1, 0, &first));
    check_status("install.no-protocol", bs->InstallProtocolInterface(&handle, NULL, 0, &first));
    check_status("install.type-1", bs->InstallProtocolInterface(&handle, &test_guid_1, 1, &first));
    check_status("install", bs->InstallProtocolInterface(&handle, &test_guid_1, 0, &first));
    check_true("install.handle", handle != NULL);
    check_status("install.again", bs->InstallProtocolInterface(&handle, &test_guid_1, 0, &second));
    check_status("install.no-interface",
                 bs->InstallProtocolInterface(&handle, &test_guid_2, 0, NULL));
    EFI_HANDLE wrong = &first;
    check_status("install.bad-handle",
                 bs->InstallProtocolInterface(&wrong, &test_guid_1, 0, &first));

    check_status("handle", bs->HandleProtocol(handle, &test_guid_1, &interface));
    check_true("handle.interface", interface == &first);
    check_status("handle.null-interface", bs->HandleProtocol(handle, &test_guid_2, &interface));
    check_true("handle.null-interface.value", interface == NULL);
    interface = &first;
    check_status("handle.absent", bs->HandleProtocol(handle, &test_guid_3, &interface));
    check_true("handle.absent.value", interface == NULL);
    check_status("handle.no-handle", bs->HandleProtocol(NULL, &test_guid_1, &interface));
    check_status("handle.bad-handle", bs->HandleProtocol(wrong, &test_guid_1, &interface));
    check_status("handle.no-protocol", bs->HandleProtocol(handle, NULL, &interface));
    check_status("handle.no-result", bs->HandleProtocol(handle, &test_guid_1, NULL));

    check_status("reinstall.wrong-old",
                 bs->ReinstallProtocolInterface(handle, &test_guid_1, &second, &first));
    check_status("reinstall.absent",
                 bs->ReinstallProtocolInterface(handle, &test_guid_3, &first, &second));
    check_status("reinstall.no-handle",
                 bs->ReinstallProtocolInterface(NULL, &test_guid_1, &first, &second));
    check_status("reinstall.no-protocol",
                 bs->ReinstallProtocolInterface(handle, NULL, &first, &second));
    check_status("reinstall",
                 bs->ReinstallProtocolInterface(handle, &test_guid_1, &first, &second));
    bs->HandleProtocol(handle, &test_guid_1, &interface);
    check_true("reinstall.new", interface == &second);
    check_status("reinstall.same",
                 bs->ReinstallProtocolInterface(handle, &test_guid_1, &second, &second));

    check_status("uninstall.wrong",
                 bs->UninstallProtocolInterface(handle, &test_guid_1, &first));
    check_status("uninstall.absent",
                 bs->UninstallProtocolInterface(handle, &test_guid_3, &first));
    check_status("uninstall.no-handle",
                 bs->UninstallProtocolInterface(NULL, &test_guid_1, &second));
    check_status("uninstall.no-protocol", bs->UninstallProtocolInterface(handle, NULL, &second));
    check_status("uninstall", bs->UninstallProtocolInterface(handle, &test_guid_1, &second));
    check_status("uninstall.last", bs->UninstallProtocolInterface(handle, &test_guid_2, NULL));
    check_status("handle.gone", bs->HandleProtocol(handle, &test_guid_1, &interface));
}

static void per_handle(void)
{
    EFI_HANDLE handle = NULL;
    EFI_GUID **list = NULL;
    UINTN count = 0;
    bs->InstallMultipleProtocolInterfaces(&handle, &test_guid_1, &first, &test_guid_2, &first,
                                          &test_guid_3, NULL, NULL);
    check_status("per-handle", bs->ProtocolsPerHandle(handle, &list, &count));
    check_value("per-handle.count", count);
    unsigned known = 0;
    for (UINTN i = 0; i < count; i++)
        known += guid_same(list[i], &test_guid_1) + guid_same(list[i], &test_guid_2) +
                 guid_same(list[i], &test_guid_3);
    check_value("per-handle.known", known);
    give(list);
    check_status("per-handle.no-handle", bs->ProtocolsPerHandle(NULL, &list, &count));
    check_status("per-handle.no-list", bs->ProtocolsPerHandle(handle, NULL, &count));
    check_status("per-handle.no-count", bs->ProtocolsPerHandle(handle, &list, NULL));
    bs->UninstallMultipleProtocolInterfaces(handle, &test_guid_1, &first, &test_guid_2, &first,
                                            &test_guid_3, NULL, NULL);
}

void test_handles(void)
{
    install();
    per_handle();
}

/* --- searches --- */

static void locate_handles(EFI_HANDLE one, EFI_HANDLE two)
{
    EFI_HANDLE list[4] = { 0 };
    EFI_HANDLE *all = NULL;
    UINTN size = 0, count = 0;
    check_status("handle.ask",
                 bs->LocateHandle(ByProtocol, &test_guid_1, NULL, &size, NULL));
    check_value("handle.size", size);
    size = sizeof(list[0]);
    check_status("handle.small", bs->LocateHandle(ByProtocol, &test_guid_1, NULL, &size, list));
    check_value("handle.small-size", size);
    size = sizeof(list);
    check_status("handle.no-buffer",
                 bs->LocateHandle(ByProtocol, &test_guid_1, NULL, &size, NULL));
    size = sizeof(list);
    check_status("handle.get", bs->LocateHandle(ByProtocol, &test_guid_1, NULL, &size, list));
    check_value("handle.got", size);
    check_true("handle.order", list[0] == one && list[1] == two);
    check_status("handle.no-size",
                 bs->LocateHandle(ByProtocol, &test_guid_1, NULL, NULL, list));
    size = sizeof(list);
    check_status("handle.none", bs->LocateHandle(ByProtocol, &test_guid_3, NULL, &size, list));
    size = sizeof(list);
    check_status("handle.no-protocol", bs->LocateHandle(ByProtocol, NULL, NULL, &size, list));
    check_status("handle.bad-kind",
                 bs->LocateHandle((EFI_LOCATE_SEARCH_TYPE)3, &test_guid_1, NULL, &size, list));
    check_status("handle.no-key", bs->LocateHandle(ByRegisterNotify, NULL, NULL, &size, list));
    size = 0;
    check_status("handle.all-ask", bs->LocateHandle(AllHandles, NULL, NULL, &size, NULL));
    check_status("buffer.all", bs->LocateHandleBuffer(AllHandles, NULL, NULL, &count, &all));
    check_true("buffer.all-count", count * sizeof(EFI_HANDLE) == size);
    give(all);
    check_status("buffer", bs->LocateHandleBuffer(ByProtocol, &test_guid_1, NULL, &count, &all));
    check_value("buffer.count", count);
    give(all);
    count = 7;
    check_status("buffer.none",
                 bs->LocateHandleBuffer(ByProtocol, &test_guid_3, NULL, &count, &all));
    check_value("buffer.none-count", count);
    check_status("buffer.no-count",
                 bs->LocateHandleBuffer(ByProtocol, &test_guid_1, NULL, NULL, &all));
    check_status("buffer.no-list",
                 bs->LocateHandleBuffer(ByProtocol, &test_guid_1, NULL, &count, NULL));
    check_status("buffer.no-protocol",
                 bs->LocateHandleBuffer(ByProtocol, NULL, NULL, &count, &all));
}

static void locate_interface(void)
{
    VOID *interface = NULL;
    check_status("protocol", bs->LocateProtocol(&test_guid_1, NULL, &interface));
    check_true("protocol.first", interface == &first);
    check_status("protocol.absent", bs->LocateProtocol(&test_guid_3, NULL, &interface));
    check_true("protocol.absent.value", interface == NULL);
    check_status("protocol.null", bs->LocateProtocol(NULL, NULL, &interface));
    check_status("protocol.no-result", bs->LocateProtocol(&test_guid_1, NULL, NULL));
}

static void notify(void)
{
    EFI_EVENT event;
    VOID *key = NULL, *interface;
    EFI_HANDLE handle = NULL, other = NULL, found;
    UINTN size;
    bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call, NULL, &event);
    check_status("notify.no-protocol", bs->RegisterProtocolNotify(NULL, event, &key));
    check_status("notify.no-event", bs->RegisterProtocolNotify(&test_guid_3, NULL, &key));
    check_status("notify.no-key", bs->RegisterProtocolNotify(&test_guid_3, event, NULL));
    check_status("notify", bs->RegisterProtocolNotify(&test_guid_3, event, &key));
    size = sizeof(found);
    check_status("notify.nothing-yet",
                 bs->LocateHandle(ByRegisterNotify, NULL, key, &size, &found));
    calls = 0;
    bs->InstallProtocolInterface(&handle, &test_guid_3, 0, &first);
    check_value("notify.calls", calls);
    bs->InstallProtocolInterface(&other, &test_guid_3, 0, &second);
    bs->InstallProtocolInterface(&other, &test_guid_2, 0, &second);
    check_value("notify.calls-two", calls);
    size = sizeof(found);
    check_status("notify.first", bs->LocateHandle(ByRegisterNotify, NULL, key, &size, &found));
    check_true("notify.first.handle", found == handle);
    check_status("notify.second", bs->LocateProtocol(&test_guid_3, key, &interface));
    check_true("notify.second.interface", interface == &second);
    check_status("notify.no-more", bs->LocateHandle(ByRegisterNotify, NULL, key, &size, &found));
    check_status("notify.no-more-protocol", bs->LocateProtocol(&test_guid_3, key, &interface));
    bs->ReinstallProtocolInterface(handle, &test_guid_3, &first, &first);
    check_value("notify.calls-reinstall", calls);
    size = sizeof(found);
    check_status("notify.reinstalled",
                 bs->LocateHandle(ByRegisterNotify, NULL, key, &size, &found));
    bs->CloseEvent(event);
    bs->ReinstallProtocolInterface(handle, &test_guid_3, &first, &first);
    check_value("notify.calls-closed", calls);
    bs->UninstallProtocolInterface(handle, &test_guid_3, &first);
    bs->UninstallMultipleProtocolInterfaces(other, &test_guid_3, &second, &test_guid_2, &second,
                                            NULL);
}

void test_locate(void)
{
    EFI_HANDLE one = NULL, two = NULL;
    bs->InstallProtocolInterface(&one, &test_guid_1, 0, &first);
    bs->InstallProtocolInterface(&two, &test_guid_1, 0, &second);
    locate_handles(one, two);
    locate_interface();
    notify();
    bs->UninstallProtocolInterface(one, &test_guid_1, &first);
    bs->UninstallProtocolInterface(two, &test_guid_1, &second);
}

/* --- several at a time --- */

static const struct {
    VENDOR_DEVICE_PATH vendor;
    EFI_DEVICE_PATH_PROTOCOL end;
} path = { { { HARDWARE_DEVICE_PATH, HW_VENDOR_DP, { 20, 0 } },
             { 0x12345678, 1, 2, { 3, 4, 5, 6, 7, 8, 9, 10 } } },
           { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } } };

static bool has(EFI_HANDLE handle, EFI_GUID *guid)
{
    VOID *interface;
    return bs->HandleProtocol(handle, guid, &interface) == EFI_SUCCESS;
}

void test_multiple(void)
{
    EFI_HANDLE handle = NULL, other = NULL;
    VOID *the_path = (VOID *)(uintptr_t)&path;
    check_status("install.no-handle",
                 bs->InstallMultipleProtocolInterfaces(NULL, &test_guid_1, &first, NULL));
    check_status("install.nothing", bs->InstallMultipleProtocolInterfaces(&handle, NULL));
    check_status("install", bs->InstallMultipleProtocolInterfaces(
                                &handle, &test_guid_1, &first, &test_guid_2, &second, NULL));
    check_true("install.both", has(handle, &test_guid_1) && has(handle, &test_guid_2));
    check_status("install.duplicate",
                 bs->InstallMultipleProtocolInterfaces(&handle, &test_guid_3, &first, &test_guid_2,
                                                       &second, NULL));
    check_true("install.rolled-back", !has(handle, &test_guid_3));
    check_true("install.rolled-back-others", has(handle, &test_guid_1) && has(handle, &test_guid_2));
    check_status("install.twice-new",
                 bs->InstallMultipleProtocolInterfaces(&other, &test_guid_1, &first, &test_guid_1,
                                                       &second, NULL));
    check_true("install.twice-new.handle", other == NULL);
    check_status("path.install", bs->InstallMultipleProtocolInterfaces(&handle, &device_path_guid,
                                                                       the_path, NULL));
    check_status("path.same-again",
                 bs->InstallMultipleProtocolInterfaces(&other, &test_guid_3, &first,
                                                       &device_path_guid, the_path, NULL));
    check_true("path.same-again.handle", other == NULL);
    check_status("uninstall.wrong",
                 bs->UninstallMultipleProtocolInterfaces(handle, &test_guid_1, &first, &test_guid_2,
                                                         &first, NULL));
    check_true("uninstall.rolled-back", has(handle, &test_guid_1) && has(handle, &test_guid_2));
    check_status("uninstall.no-handle",
                 bs->UninstallMultipleProtocolInterfaces(NULL, &test_guid_1, &first, NULL));
    check_status("uninstall",
                 bs->UninstallMultipleProtocolInterfaces(handle, &test_guid_1, &first, &test_guid_2,
                                                         &second, &device_path_guid, the_path,
                                                         NULL));
    check_true("uninstall.gone", !has(handle, &test_guid_1));
}
