/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Boot and runtime services of the firmware on the host: status codes that loaders judge by, the
 * protocol database, task priority levels, timers.
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

static EFI_STATUS EFIAPI support(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller,
                                 EFI_DEVICE_PATH_PROTOCOL *remaining)
{
    (void)this;
    (void)controller;
    (void)remaining;
    return EFI_UNSUPPORTED;
}

static unsigned stops;

static EFI_STATUS EFIAPI only_say_so(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller,
                                     UINTN count, EFI_HANDLE *children)
{
    (void)this;
    (void)controller;
    (void)count;
    (void)children;
    stops++;
    return EFI_SUCCESS;
}

/* A driver that says it stopped but holds on must not be asked for ever. */
static void stubborn_driver(void **state)
{
    (void)state;
    EFI_HANDLE handle = NULL, agent = NULL;
    void *interface;
    EFI_DRIVER_BINDING_PROTOCOL binding = { .Supported = support, .Stop = only_say_so };
    handle_install(&handle, &guid_a, &now);
    handle_install(&agent, &guid_driver_binding, &binding);
    binding.ImageHandle = binding.DriverBindingHandle = agent;
    assert_int_equal(
        bs_open_protocol(handle, &guid_a, &interface, agent, handle, EFI_OPEN_PROTOCOL_BY_DRIVER),
        EFI_SUCCESS);
    stops = 0;
    assert_int_equal(bs_uninstall_protocol_interface(handle, &guid_a, &now), EFI_ACCESS_DENIED);
    assert_int_equal(stops, 1);
    assert_int_equal(bs_open_protocol(handle, &guid_a, &interface, agent, NULL,
                                      EFI_OPEN_PROTOCOL_EXCLUSIVE),
                     EFI_ACCESS_DENIED);
    assert_int_equal(bs_close_protocol(handle, &guid_a, agent, handle), EFI_SUCCESS);
    assert_int_equal(bs_uninstall_protocol_interface(handle, &guid_a, &now), EFI_SUCCESS);
    EFI_GUID guid = guid_driver_binding;
    assert_int_equal(bs_uninstall_protocol_interface(agent, &guid, &binding), EFI_SUCCESS);
}

static EFI_STATUS EFIAPI take_away(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller,
                                   UINTN count, EFI_HANDLE *children)
{
    (void)count;
    (void)children;
    bs_close_protocol(controller, &guid_a, this->DriverBindingHandle, controller);
    return bs_uninstall_protocol_interface(controller, &guid_a, &now);
}

/* Stop may uninstall what it managed, and with it the handle: nobody may look at either again. */
static void driver_takes_the_interface_away(void **state)
{
    (void)state;
    EFI_HANDLE agent = NULL;
    void *interface;
    EFI_DRIVER_BINDING_PROTOCOL binding = { .Supported = support, .Stop = take_away };
    handle_install(&agent, &guid_driver_binding, &binding);
    binding.ImageHandle = binding.DriverBindingHandle = agent;
    for (unsigned i = 0; i < 3; i++) {
        EFI_HANDLE handle = NULL;
        handle_install(&handle, &guid_a, &now);
        assert_int_equal(bs_open_protocol(handle, &guid_a, &interface, agent, handle,
                                          EFI_OPEN_PROTOCOL_BY_DRIVER),
                         EFI_SUCCESS);
        if (i == 0)
            assert_int_equal(bs_uninstall_protocol_interface(handle, &guid_a, &now), EFI_NOT_FOUND);
        if (i == 1)
            assert_int_equal(bs_reinstall_protocol_interface(handle, &guid_a, &now, &now),
                             EFI_NOT_FOUND);
        if (i == 2) {
            assert_int_equal(bs_open_protocol(handle, &guid_a, &interface, agent, NULL,
                                              EFI_OPEN_PROTOCOL_EXCLUSIVE),
                             EFI_UNSUPPORTED);
            assert_null(interface);
        }
        assert_false(handle_valid(handle));
    }
    EFI_GUID guid = guid_driver_binding;
    assert_int_equal(bs_uninstall_protocol_interface(agent, &guid, &binding), EFI_SUCCESS);
}

static EFI_EVENT self_closing;

static void EFIAPI close_self(EFI_EVENT event, void *context)
{
    (void)context;
    bs_close_event(event);
    self_closing = NULL;
}

/* A notification that closes its event frees the record that was just looked at. */
static void notification_closes_its_event(void **state)
{
    (void)state;
    EFI_HANDLE handle = NULL;
    void *registration;
    assert_int_equal(
        bs_create_event(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, close_self, NULL, &self_closing),
        EFI_SUCCESS);
    assert_int_equal(bs_register_protocol_notify(&guid_a, self_closing, &registration),
                     EFI_SUCCESS);
    handle_install(&handle, &guid_a, &now);
    assert_null(self_closing);
    assert_int_equal(bs_uninstall_protocol_interface(handle, &guid_a, &now), EFI_SUCCESS);
}

static void opens_are_recorded(void **state)
{
    (void)state;
    EFI_HANDLE handle = NULL, agent = NULL;
    void *interface;
    EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *entries;
    UINTN count;
    handle_install(&handle, &guid_a, &now);
    handle_install(&agent, &guid_b, NULL);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(bs_open_protocol(handle, &guid_a, &interface, agent, NULL,
                                          EFI_OPEN_PROTOCOL_GET_PROTOCOL),
                         EFI_SUCCESS);
    assert_int_equal(bs_open_protocol_information(handle, &guid_a, &entries, &count), EFI_SUCCESS);
    assert_int_equal(count, 1);
    assert_int_equal(entries[0].OpenCount, 3);
    pool_free(entries);
    open_forget_agent(agent);
    assert_int_equal(bs_open_protocol_information(handle, &guid_a, &entries, &count), EFI_SUCCESS);
    assert_int_equal(count, 0);
    pool_free(entries);
    assert_int_equal(bs_close_protocol(handle, &guid_a, agent, NULL), EFI_NOT_FOUND);
    assert_int_equal(bs_uninstall_protocol_interface(handle, &guid_a, &now), EFI_SUCCESS);
    assert_int_equal(bs_uninstall_protocol_interface(agent, &guid_b, NULL), EFI_SUCCESS);
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

static void memory_change_is_told(void **state)
{
    (void)state;
    EFI_EVENT event;
    EFI_PHYSICAL_ADDRESS page;
    assert_int_equal(bs_create_event_ex(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call, NULL,
                                        &guid_group_memory_map_change, &event),
                     EFI_SUCCESS);
    calls = 0;
    assert_int_equal(bs_allocate_pages(AllocateAnyPages, MEMORY_LOADER_DATA, 1, &page),
                     EFI_SUCCESS);
    assert_int_equal(calls, 1);
    assert_int_equal(bs_free_pages(page, 1), EFI_SUCCESS);
    assert_int_equal(calls, 2);
    bs_close_event(event);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_is_not_broken),
        cmocka_unit_test(multiple_is_all_or_nothing),
        cmocka_unit_test(longest_device_path_wins),
        cmocka_unit_test(open_by_driver_is_exclusive),
        cmocka_unit_test(stubborn_driver),
        cmocka_unit_test(driver_takes_the_interface_away),
        cmocka_unit_test(notification_closes_its_event),
        cmocka_unit_test(opens_are_recorded),
        cmocka_unit_test(notification_waits_for_its_level),
        cmocka_unit_test(memory_change_is_told),
        cmocka_unit_test(interrupt_flag_is_the_callers),
        cmocka_unit_test(timers),
        cmocka_unit_test(groups),
        cmocka_unit_test(registered_protocol),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
