/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Boot and runtime services of the firmware on the host: status codes that loaders judge by, the
 * protocol database, task priority levels, timers, and the variables with shim's sharp edges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "firmware/arch/time.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define RAM_SIZE (64ull << 20)

bool boot_services_ended;
EFI_HANDLE firmware_image;
static uint64_t now;
static uint64_t interrupt_flag = INTERRUPTS_ON;
static EFI_GUID guid_a = { 0xAAAAAAAA, 1, 2, { 3 } }, guid_b = { 0xBBBBBBBB, 1, 2, { 3 } };

_Noreturn void panic(const char *fmt, ...);
void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

void log_line(const char *fmt, ...);
void log_line(const char *fmt, ...)
{
    (void)fmt;
}

uint64_t interrupts_save(void)
{
    uint64_t old = interrupt_flag;
    interrupt_flag = 0;
    return old;
}

void interrupts_restore(uint64_t flags)
{
    if (flags & INTERRUPTS_ON)
        interrupt_flag = INTERRUPTS_ON;
}

/* Sleeping until the next tick. */
void interrupts_wait(void)
{
    now += 100000;
    interrupt_flag = 0;
    uefi_tick();
    interrupt_flag = INTERRUPTS_ON;
}

uint64_t time_now_100ns(void)
{
    return now;
}

void time_delay_us(uint64_t microseconds)
{
    now += microseconds * 10;
}

void platform_reset(enum reset_kind kind)
{
    fprintf(stderr, "reset %d\n", (int)kind);
    abort();
}

static int prepare(void **state)
{
    (void)state;
    void *memory = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    memory_init();
    memory_add((uint64_t)(uintptr_t)memory, RAM_SIZE, MEMORY_CONVENTIONAL);
    return 0;
}

/* --- protocol database --- */

static void absent_is_not_broken(void **state)
{
    (void)state;
    EFI_HANDLE handle = NULL;
    void *interface = &now;
    UINTN size = 0, count;
    EFI_HANDLE *buffer;
    assert_int_equal(bs_install_protocol_interface(&handle, &guid_a, 0, &now), EFI_SUCCESS);
    assert_int_equal(bs_install_protocol_interface(&handle, &guid_a, 0, &now),
                     EFI_INVALID_PARAMETER);
    assert_int_equal(bs_handle_protocol(handle, &guid_b, &interface), EFI_UNSUPPORTED);
    assert_null(interface);
    assert_int_equal(bs_handle_protocol(&size, &guid_a, &interface), EFI_INVALID_PARAMETER);
    assert_int_equal(bs_locate_protocol(&guid_b, NULL, &interface), EFI_NOT_FOUND);
    assert_int_equal(bs_locate_handle(ByProtocol, &guid_b, NULL, &size, NULL), EFI_NOT_FOUND);
    assert_int_equal(bs_locate_handle(ByProtocol, &guid_a, NULL, &size, NULL),
                     EFI_BUFFER_TOO_SMALL);
    assert_int_equal(size, sizeof(EFI_HANDLE));
    assert_int_equal(bs_locate_handle_buffer(ByProtocol, &guid_a, NULL, &count, &buffer),
                     EFI_SUCCESS);
    assert_int_equal(count, 1);
    assert_ptr_equal(buffer[0], handle);
    assert_int_equal(bs_uninstall_protocol_interface(handle, &guid_a, &size), EFI_NOT_FOUND);
    assert_int_equal(bs_uninstall_protocol_interface(handle, &guid_a, &now), EFI_SUCCESS);
    assert_false(handle_valid(handle)); /* the last protocol takes the handle along */
}

static void multiple_is_all_or_nothing(void **state)
{
    (void)state;
    EFI_HANDLE first = NULL, second = NULL;
    EFI_GUID path_guid = guid_device_path;
    static const EFI_DEVICE_PATH_PROTOCOL path[2] = {
        { HARDWARE_DEVICE_PATH, HW_PCI_DP, { 4, 0 } }, { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } }
    };
    void *plain = (void *)(uintptr_t)path;
    assert_int_equal(bs_install_multiple(&first, &guid_a, NULL, &path_guid, plain, NULL),
                     EFI_SUCCESS);
    assert_int_equal(bs_install_multiple(&second, &guid_b, NULL, &path_guid, plain, NULL),
                     EFI_ALREADY_STARTED);
    assert_null(second);
    void *interface;
    assert_int_equal(bs_locate_protocol(&guid_b, NULL, &interface), EFI_NOT_FOUND);
    assert_int_equal(bs_uninstall_multiple(first, &guid_a, NULL, &guid_b, NULL, NULL),
                     EFI_INVALID_PARAMETER);
    assert_int_equal(bs_locate_protocol(&guid_a, NULL, &interface), EFI_SUCCESS);
    assert_int_equal(bs_uninstall_multiple(first, &guid_a, NULL, &path_guid, plain, NULL),
                     EFI_SUCCESS);
}

static void longest_device_path_wins(void **state)
{
    (void)state;
    struct {
        PCI_DEVICE_PATH pci;
        SCSI_DEVICE_PATH scsi;
        EFI_DEVICE_PATH_PROTOCOL end;
    } __attribute__((packed)) whole = { { { HARDWARE_DEVICE_PATH, HW_PCI_DP, { 6, 0 } }, 0, 3 },
                                        { { MESSAGING_DEVICE_PATH, MSG_SCSI_DP, { 8, 0 } }, 1, 0 },
                                        { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } } };
    struct {
        PCI_DEVICE_PATH pci;
        EFI_DEVICE_PATH_PROTOCOL end;
    } __attribute__((packed)) parent = { whole.pci, whole.end };
    EFI_HANDLE a = NULL, b = NULL, found = NULL;
    handle_install(&a, &guid_device_path, &parent);
    handle_install(&a, &guid_a, NULL);
    EFI_DEVICE_PATH_PROTOCOL *path = &whole.pci.Header;
    assert_int_equal(bs_locate_device_path(&guid_b, &path, &found), EFI_NOT_FOUND);
    assert_int_equal(bs_locate_device_path(&guid_a, &path, &found), EFI_SUCCESS);
    assert_ptr_equal(found, a);
    assert_ptr_equal(path, &whole.scsi);
    handle_install(&b, &guid_device_path, &whole);
    handle_install(&b, &guid_a, NULL);
    path = &whole.pci.Header;
    assert_int_equal(bs_locate_device_path(&guid_a, &path, &found), EFI_SUCCESS);
    assert_ptr_equal(found, b);
    assert_ptr_equal(path, &whole.end);
    whole.scsi.Header.Length[0] = 3; /* a node shorter than its header */
    path = &whole.pci.Header;
    assert_int_equal(bs_locate_device_path(&guid_a, &path, &found), EFI_INVALID_PARAMETER);
    whole.scsi.Header.Length[0] = 8;
    bs_uninstall_multiple(a, &guid_a, NULL, NULL);
    bs_uninstall_multiple(b, &guid_a, NULL, NULL);
}

static void open_by_driver_is_exclusive(void **state)
{
    (void)state;
    EFI_HANDLE handle = NULL, agent = NULL, other = NULL;
    void *interface;
    EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *entries;
    UINTN count;
    handle_install(&handle, &guid_a, &now);
    handle_install(&agent, &guid_b, NULL);
    handle_install(&other, &guid_b, NULL);
    assert_int_equal(
        bs_open_protocol(handle, &guid_a, &interface, agent, handle, EFI_OPEN_PROTOCOL_BY_DRIVER),
        EFI_SUCCESS);
    assert_int_equal(
        bs_open_protocol(handle, &guid_a, &interface, agent, handle, EFI_OPEN_PROTOCOL_BY_DRIVER),
        EFI_ALREADY_STARTED);
    assert_int_equal(
        bs_open_protocol(handle, &guid_a, &interface, other, handle, EFI_OPEN_PROTOCOL_BY_DRIVER),
        EFI_ACCESS_DENIED);
    assert_int_equal(bs_open_protocol_information(handle, &guid_a, &entries, &count), EFI_SUCCESS);
    assert_int_equal(count, 1);
    assert_ptr_equal(entries[0].AgentHandle, agent);
    assert_int_equal(bs_uninstall_protocol_interface(handle, &guid_a, &now), EFI_ACCESS_DENIED);
    assert_int_equal(bs_close_protocol(handle, &guid_a, agent, handle), EFI_SUCCESS);
    assert_int_equal(bs_uninstall_protocol_interface(handle, &guid_a, &now), EFI_SUCCESS);
}

/* --- events --- */

static unsigned calls;
static EFI_TPL seen_tpl;

static VOID EFIAPI count_call(EFI_EVENT event, VOID *context)
{
    (void)event;
    (void)context;
    calls++;
    seen_tpl = bs_raise_tpl(TPL_HIGH_LEVEL);
    bs_restore_tpl(seen_tpl);
}

static void notification_waits_for_its_level(void **state)
{
    (void)state;
    EFI_EVENT event;
    calls = 0;
    assert_int_equal(bs_create_event(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call, NULL, &event),
                     EFI_SUCCESS);
    EFI_TPL old = bs_raise_tpl(TPL_NOTIFY);
    assert_int_equal(bs_signal_event(event), EFI_SUCCESS);
    assert_int_equal(bs_signal_event(event), EFI_SUCCESS);
    assert_int_equal(calls, 0);
    bs_restore_tpl(old);
    assert_int_equal(calls, 1);
    assert_int_equal(seen_tpl, TPL_CALLBACK);
    assert_int_equal(bs_check_event(event), EFI_INVALID_PARAMETER);
    assert_int_equal(bs_close_event(event), EFI_SUCCESS);
    assert_int_equal(bs_close_event(event), EFI_INVALID_PARAMETER);
}

static void interrupt_flag_is_the_callers(void **state)
{
    (void)state;
    EFI_TPL old = bs_raise_tpl(TPL_HIGH_LEVEL);
    assert_int_equal(interrupt_flag, 0);
    bs_restore_tpl(old);
    assert_int_equal(interrupt_flag, INTERRUPTS_ON);
    interrupt_flag = 0; /* the loader said CLI */
    old = bs_raise_tpl(TPL_HIGH_LEVEL);
    bs_restore_tpl(old);
    assert_int_equal(interrupt_flag, 0);
    EFI_EVENT event;
    assert_int_equal(bs_create_event(EVT_TIMER, 0, NULL, NULL, &event), EFI_SUCCESS);
    assert_int_equal(bs_set_timer(event, TimerRelative, 10), EFI_SUCCESS);
    assert_int_equal(bs_close_event(event), EFI_SUCCESS);
    assert_int_equal(interrupt_flag, 0);
    interrupt_flag = INTERRUPTS_ON;
}

static void timers(void **state)
{
    (void)state;
    EFI_EVENT once, periodic, never;
    UINTN index = 9;
    assert_int_equal(bs_create_event(EVT_TIMER, 0, NULL, NULL, &once), EFI_SUCCESS);
    assert_int_equal(bs_create_event(0, 0, NULL, NULL, &never), EFI_SUCCESS);
    calls = 0;
    assert_int_equal(
        bs_create_event(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call, NULL, &periodic),
        EFI_SUCCESS);
    assert_int_equal(bs_set_timer(never, TimerRelative, 1), EFI_INVALID_PARAMETER);
    assert_int_equal(bs_set_timer(periodic, TimerPeriodic, 200000), EFI_SUCCESS);
    assert_int_equal(bs_set_timer(once, TimerRelative, 1000000), EFI_SUCCESS);
    assert_int_equal(bs_check_event(once), EFI_NOT_READY);
    EFI_EVENT both[] = { never, once };
    uint64_t begin = now;
    assert_int_equal(bs_wait_for_event(2, both, &index), EFI_SUCCESS);
    assert_int_equal(index, 1);
    assert_true(now - begin >= 1000000 && now - begin <= 1100000);
    assert_int_equal(calls, 5);
    assert_int_equal(bs_check_event(once), EFI_NOT_READY);
    assert_int_equal(bs_set_timer(periodic, TimerCancel, 0), EFI_SUCCESS);
    EFI_TPL old = bs_raise_tpl(TPL_CALLBACK);
    assert_int_equal(bs_wait_for_event(1, both, &index), EFI_UNSUPPORTED);
    bs_restore_tpl(old);
    bs_close_event(once);
    bs_close_event(periodic);
    bs_close_event(never);
}

static void groups(void **state)
{
    (void)state;
    EFI_EVENT a, b;
    calls = 0;
    assert_int_equal(
        bs_create_event_ex(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call, NULL, &guid_a, &a),
        EFI_SUCCESS);
    assert_int_equal(
        bs_create_event_ex(EVT_NOTIFY_SIGNAL, TPL_NOTIFY, count_call, NULL, &guid_a, &b),
        EFI_SUCCESS);
    assert_int_equal(bs_signal_event(a), EFI_SUCCESS);
    assert_int_equal(calls, 2);
    assert_int_equal(bs_create_event_ex(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK, count_call,
                                        NULL, &guid_a, &a),
                     EFI_INVALID_PARAMETER);
    bs_close_event(a);
    bs_close_event(b);
}

static void registered_protocol(void **state)
{
    (void)state;
    EFI_EVENT event;
    void *registration;
    EFI_GUID guid = { 0xCCCCCCCC, 0, 0, { 0 } };
    EFI_HANDLE handle = NULL, found = NULL;
    UINTN size = sizeof(found);
    calls = 0;
    bs_create_event(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call, NULL, &event);
    assert_int_equal(bs_register_protocol_notify(&guid, event, &registration), EFI_SUCCESS);
    handle_install(&handle, &guid, NULL);
    assert_int_equal(calls, 1);
    assert_int_equal(bs_locate_handle(ByRegisterNotify, NULL, registration, &size, &found),
                     EFI_SUCCESS);
    assert_ptr_equal(found, handle);
    assert_int_equal(bs_locate_handle(ByRegisterNotify, NULL, registration, &size, &found),
                     EFI_NOT_FOUND);
    bs_close_event(event);
}

/* --- variables --- */

#define BSRT (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

static EFI_STATUS set(CHAR16 *name, UINT32 attributes, const char *text)
{
    return rt_set_variable(name, &guid_a, attributes, strlen(text), (void *)(uintptr_t)text);
}

static void variable_status_codes(void **state)
{
    (void)state;
    CHAR16 name[] = u"MokListRT", other[] = u"Other";
    char data[64];
    UINTN size = sizeof(data);
    UINT32 attributes = 0;
    assert_int_equal(rt_get_variable(name, &guid_a, NULL, &size, data), EFI_NOT_FOUND);
    assert_int_equal(set(name, BSRT, ""), EFI_NOT_FOUND);
    assert_int_equal(set(name, BSRT, "0123456789"), EFI_SUCCESS);
    size = 4;
    assert_int_equal(rt_get_variable(name, &guid_a, &attributes, &size, data),
                     EFI_BUFFER_TOO_SMALL);
    assert_int_equal(size, 10);
    assert_int_equal(rt_get_variable(name, &guid_a, &attributes, &size, data), EFI_SUCCESS);
    assert_int_equal(attributes, BSRT);
    assert_memory_equal(data, "0123456789", 10);
    assert_int_equal(set(name, BSRT | EFI_VARIABLE_NON_VOLATILE, "x"), EFI_INVALID_PARAMETER);
    assert_int_equal(set(name, BSRT | EFI_VARIABLE_APPEND_WRITE, "AB"), EFI_SUCCESS);
    size = sizeof(data);
    assert_int_equal(rt_get_variable(name, &guid_a, NULL, &size, data), EFI_SUCCESS);
    assert_int_equal(size, 12);
    assert_memory_equal(data, "0123456789AB", 12);
    assert_int_equal(set(other, EFI_VARIABLE_RUNTIME_ACCESS, "x"), EFI_INVALID_PARAMETER);
    assert_int_equal(set(other, BSRT | EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS, "x"),
                     EFI_UNSUPPORTED);
    assert_int_equal(set(other, BSRT | EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS, "x"),
                     EFI_INVALID_PARAMETER);
    CHAR16 secure[] = u"SecureBoot";
    EFI_GUID global = guid_global_variable;
    assert_int_equal(rt_set_variable(secure, &global, BSRT, 1, data), EFI_WRITE_PROTECTED);
    assert_int_equal(set(name, BSRT, ""), EFI_SUCCESS);
    assert_int_equal(set(name, BSRT, ""), EFI_NOT_FOUND);
}

static void variables_are_enumerated_once(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    CHAR16 name[64] = u"V000";
    static bool seen[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        name[1] = (CHAR16)('0' + i / 100), name[2] = (CHAR16)('0' + i / 10 % 10);
        name[3] = (CHAR16)('0' + i % 10);
        assert_int_equal(set(name, BSRT, "data"), EFI_SUCCESS);
    }
    EFI_GUID vendor;
    UINTN size = 2;
    name[0] = 0;
    assert_int_equal(rt_get_next_variable_name(&size, name, &vendor), EFI_BUFFER_TOO_SMALL);
    assert_true(size > 2);
    for (unsigned count = 0;; count++) {
        size = sizeof(name);
        EFI_STATUS status = rt_get_next_variable_name(&size, name, &vendor);
        if (status == EFI_NOT_FOUND) {
            assert_int_equal(count, COUNT);
            break;
        }
        assert_int_equal(status, EFI_SUCCESS);
        unsigned i = (name[1] - '0') * 100u + (name[2] - '0') * 10u + (name[3] - '0');
        assert_false(seen[i]);
        seen[i] = true;
    }
}

static void store_fills_and_empties(void **state)
{
    (void)state;
    static uint8_t data[0x7000];
    CHAR16 name[] = u"BigA";
    UINT64 maximum, remaining, largest, before;
    unsigned count = 0;
    assert_int_equal(rt_query_variable_info(BSRT, &maximum, &before, &largest), EFI_SUCCESS);
    while (rt_set_variable(name, &guid_b, BSRT, sizeof(data), data) == EFI_SUCCESS) {
        count++;
        name[3]++;
    }
    assert_int_equal(rt_set_variable(name, &guid_b, BSRT, sizeof(data), data),
                     EFI_OUT_OF_RESOURCES);
    assert_true(count >= 8);
    rt_query_variable_info(BSRT, &maximum, &remaining, &largest);
    assert_true(remaining < sizeof(data) + 64);
    while (count--) {
        name[3]--;
        assert_int_equal(rt_set_variable(name, &guid_b, BSRT, 0, NULL), EFI_SUCCESS);
    }
    rt_query_variable_info(BSRT, &maximum, &remaining, &largest);
    assert_int_equal(before, remaining);
}

static void runtime_rules(void **state)
{
    (void)state;
    CHAR16 boot[] = u"BootOnly", stays[] = u"Stays", new[] = u"New";
    char data[16];
    UINTN size = sizeof(data);
    assert_int_equal(set(boot, EFI_VARIABLE_BOOTSERVICE_ACCESS, "x"), EFI_SUCCESS);
    assert_int_equal(set(stays, BSRT | EFI_VARIABLE_NON_VOLATILE, "x"), EFI_SUCCESS);
    boot_services_ended = true;
    assert_int_equal(rt_get_variable(boot, &guid_a, NULL, &size, data), EFI_NOT_FOUND);
    assert_int_equal(set(boot, BSRT | EFI_VARIABLE_NON_VOLATILE, "x"), EFI_WRITE_PROTECTED);
    assert_int_equal(set(stays, BSRT | EFI_VARIABLE_NON_VOLATILE, "yy"), EFI_SUCCESS);
    assert_int_equal(set(new, BSRT, "x"), EFI_INVALID_PARAMETER);
    assert_int_equal(set(new, BSRT | EFI_VARIABLE_NON_VOLATILE, "x"), EFI_SUCCESS);
    CHAR16 dummy[] = u"DUMMY";
    assert_int_equal(set(dummy, BSRT | EFI_VARIABLE_NON_VOLATILE, ""), EFI_NOT_FOUND);
    boot_services_ended = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_is_not_broken),
        cmocka_unit_test(multiple_is_all_or_nothing),
        cmocka_unit_test(longest_device_path_wins),
        cmocka_unit_test(open_by_driver_is_exclusive),
        cmocka_unit_test(notification_waits_for_its_level),
        cmocka_unit_test(interrupt_flag_is_the_callers),
        cmocka_unit_test(timers),
        cmocka_unit_test(groups),
        cmocka_unit_test(registered_protocol),
        cmocka_unit_test(variable_status_codes),
        cmocka_unit_test(variables_are_enumerated_once),
        cmocka_unit_test(store_fills_and_empties),
        cmocka_unit_test(runtime_rules),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
