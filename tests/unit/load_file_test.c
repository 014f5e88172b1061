/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The Load File Protocol of network cards (UEFI 2.10 13.1) over the firmware's own handles: its
 * arguments, the two calls, who has the card meanwhile, how it goes, and that a measured boot has
 * none. The network behind it is one server's answers, given here.
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

#include "firmware/boot/attempt.h"
#include "firmware/boot/direct.h"
#include "firmware/net/load_file.h"
#include "firmware/net/netboot.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

enum { SIZE = 1000, RAM_SIZE = 64 << 20 };

bool boot_services_ended;
EFI_HANDLE firmware_image;
static bool measured, network_fails;
static unsigned asked, fetched;
static char reported[400];
static EFI_SIMPLE_NETWORK_PROTOCOL snp;
static EFI_HANDLE card, driver, program;
static EFI_GUID network_guid, load_file_guid;
static void (*while_at_work)(void);
static EFI_STATUS status_at_work;
static struct load_file *published;

static const struct {
    MAC_ADDR_DEVICE_PATH mac;
    EFI_DEVICE_PATH_PROTOCOL end;
} path = { { { MESSAGING_DEVICE_PATH, MSG_MAC_DP, { 37, 0 } }, { { 2 } }, 1 },
           { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } } };

/* --- fakes --- */

_Noreturn void panic(const char *fmt, ...);
void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

void log_line(const char *fmt, ...);
void log_line(const char *fmt, ...)
{
}

void report_now(const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    vsnprintf(reported, sizeof(reported), fmt, list);
    va_end(list);
}

void events_signal_group(const EFI_GUID *group)
{
}

uint64_t interrupts_save(void)
{
    return 0;
}

void interrupts_restore(uint64_t flags)
{
}

EFI_TPL EFIAPI bs_raise_tpl(EFI_TPL tpl)
{
    return tpl;
}

VOID EFIAPI bs_restore_tpl(EFI_TPL tpl)
{
}

EFI_STATUS EFIAPI bs_signal_event(EFI_EVENT event)
{
    return EFI_SUCCESS;
}

bool direct_measured(void)
{
    return measured;
}

bool netboot_ask(struct netboot *netboot, EFI_SIMPLE_NETWORK_PROTOCOL *card_snp,
                 struct port_failure *ret)
{
    assert_ptr_equal(card_snp, &snp);
    asked++;
    if (while_at_work)
        while_at_work();
    netboot->known = !network_fails;
    netboot->size = SIZE;
    if (network_fails)
        *ret = (struct port_failure){ EFI_NO_RESPONSE, "nobody there" };
    return !network_fails;
}

bool netboot_fetch(struct netboot *netboot, EFI_SIMPLE_NETWORK_PROTOCOL *card_snp, void *buffer,
                   struct port_failure *ret)
{
    assert_true(netboot->known);
    netboot->known = false;
    fetched++;
    if (network_fails) {
        *ret = (struct port_failure){ EFI_DEVICE_ERROR, "cut" };
        return false;
    }
    memset(buffer, 0x5A, SIZE);
    return true;
}

/* --- tests --- */

static EFI_LOAD_FILE_PROTOCOL *protocol(EFI_HANDLE *ret_handle)
{
    EFI_HANDLE *handles;
    UINTN count;
    if (bs_locate_handle_buffer(ByProtocol, &load_file_guid, NULL, &count, &handles) != EFI_SUCCESS)
        return NULL;
    assert_int_equal(count, 1);
    *ret_handle = handles[0];
    pool_free(handles);
    return handle_interface(*ret_handle, &guid_load_file);
}

static int prepare(void **state)
{
    static bool prepared;
    void *interface = &snp;
    if (!prepared) {
        void *memory = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(memory != MAP_FAILED);
        memory_init();
        memory_add((uint64_t)(uintptr_t)memory, RAM_SIZE, MEMORY_CONVENTIONAL);
        EFI_GUID agent = { 1 };
        assert_int_equal(bs_install_protocol_interface(&driver, &agent, 0, NULL), EFI_SUCCESS);
        assert_int_equal(bs_install_protocol_interface(&program, &agent, 0, NULL), EFI_SUCCESS);
        prepared = true;
    }
    network_guid = guid_simple_network;
    load_file_guid = guid_load_file;
    card = NULL;
    assert_int_equal(bs_install_protocol_interface(&card, &network_guid, 0, interface), EFI_SUCCESS);
    measured = network_fails = false;
    asked = fetched = 0;
    reported[0] = '\0';
    while_at_work = NULL;
    published = load_file_publish(card, &path.mac.Header, &snp, driver);
    return published ? 0 : -1;
}

/* What was published must be gone without a trace, so that the card's handle can go. */
static int finish(void **state)
{
    EFI_HANDLE handle;
    if (!load_file_withdraw(published) || protocol(&handle))
        return -1;
    return bs_uninstall_protocol_interface(card, &network_guid, &snp) == EFI_SUCCESS ? 0 : -1;
}

static void device_path(void **state)
{
    static const uint8_t node[27] = { MESSAGING_DEVICE_PATH, 12, 27 };
    EFI_HANDLE handle;
    assert_non_null(protocol(&handle));
    assert_ptr_not_equal(handle, card);
    EFI_DEVICE_PATH_PROTOCOL *whole = handle_interface(handle, &guid_device_path);
    assert_int_equal(devicepath_size(whole), 37 + 27 + 4);
    assert_memory_equal(whole, &path.mac, 37);
    assert_memory_equal((uint8_t *)whole + 37, node, sizeof(node));
}

static void arguments(void **state)
{
    EFI_HANDLE handle;
    EFI_LOAD_FILE_PROTOCOL *l = protocol(&handle);
    EFI_DEVICE_PATH_PROTOCOL end = path.end, *mac = (void *)(uintptr_t)&path.mac.Header;
    UINTN size = 0;
    assert_int_equal(l->LoadFile(NULL, &end, true, &size, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(l->LoadFile(l, NULL, true, &size, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(l->LoadFile(l, mac, true, &size, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(l->LoadFile(l, &end, true, NULL, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(l->LoadFile(l, &end, false, &size, NULL), EFI_UNSUPPORTED);
    assert_int_equal(asked, 0);
}

static void two_calls(void **state)
{
    EFI_HANDLE handle;
    EFI_LOAD_FILE_PROTOCOL *l = protocol(&handle);
    EFI_DEVICE_PATH_PROTOCOL end = path.end;
    uint8_t *buffer = malloc(SIZE + 10);
    UINTN size = 77;
    assert_int_equal(l->LoadFile(l, &end, true, &size, NULL), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(size, SIZE);
    size = SIZE - 1;
    assert_int_equal(l->LoadFile(l, &end, true, &size, buffer), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(size, SIZE);
    size = SIZE + 10;
    assert_int_equal(l->LoadFile(l, &end, true, &size, buffer), EFI_SUCCESS);
    assert_int_equal(size, SIZE);
    assert_int_equal(buffer[SIZE - 1], 0x5A);
    assert_int_equal(asked, 1);
    assert_int_equal(fetched, 1);
    assert_int_equal(l->LoadFile(l, &end, true, &size, buffer), EFI_SUCCESS); /* at once */
    assert_int_equal(asked, 2);
    assert_int_equal(l->LoadFile(l, &end, true, &size, NULL), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(l->LoadFile(l, &end, true, &size, NULL), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(asked, 4); /* never an old answer */
    free(buffer);
}

static void failures(void **state)
{
    EFI_HANDLE handle;
    EFI_LOAD_FILE_PROTOCOL *l = protocol(&handle);
    EFI_DEVICE_PATH_PROTOCOL end = path.end;
    uint8_t buffer[SIZE];
    UINTN size = 0;
    network_fails = true;
    assert_int_equal(l->LoadFile(l, &end, true, &size, NULL), EFI_NO_RESPONSE);
    assert_string_equal(reported, "network boot: nobody there");
    network_fails = false;
    assert_int_equal(l->LoadFile(l, &end, true, &size, NULL), EFI_BUFFER_TOO_SMALL);
    network_fails = true;
    assert_int_equal(l->LoadFile(l, &end, true, &size, buffer), EFI_DEVICE_ERROR);
    assert_string_equal(reported, "network boot: cut");
}

/* Somebody else's card is not touched; ours is nobody else's, and free afterwards. */
static void the_card(void **state)
{
    EFI_HANDLE handle;
    EFI_LOAD_FILE_PROTOCOL *l = protocol(&handle);
    EFI_DEVICE_PATH_PROTOCOL end = path.end;
    VOID *interface;
    UINTN size = 0;
    static const UINT32 ways[] = { EFI_OPEN_PROTOCOL_EXCLUSIVE, EFI_OPEN_PROTOCOL_BY_DRIVER };
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(bs_open_protocol(card, &network_guid, &interface, program, card, ways[i]),
                         EFI_SUCCESS);
        assert_int_equal(l->LoadFile(l, &end, true, &size, NULL), EFI_DEVICE_ERROR);
        assert_string_equal(reported, "network boot: another program uses the network card");
        assert_int_equal(bs_close_protocol(card, &network_guid, program, card), EFI_SUCCESS);
    }
    assert_int_equal(asked, 0);
    assert_int_equal(l->LoadFile(l, &end, true, &size, NULL), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(bs_open_protocol(card, &network_guid, &interface, program, card,
                                      EFI_OPEN_PROTOCOL_EXCLUSIVE), EFI_SUCCESS);
    assert_int_equal(bs_close_protocol(card, &network_guid, program, card), EFI_SUCCESS);
}

static void disturb(void)
{
    EFI_HANDLE handle;
    EFI_DEVICE_PATH_PROTOCOL end = path.end;
    VOID *interface;
    UINTN size = 0;
    EFI_LOAD_FILE_PROTOCOL *l = protocol(&handle);
    while_at_work = NULL;
    status_at_work = l->LoadFile(l, &end, true, &size, NULL);
    assert_false(load_file_withdraw(published));
    assert_int_equal(bs_open_protocol(card, &network_guid, &interface, program, card,
                                      EFI_OPEN_PROTOCOL_EXCLUSIVE), EFI_ACCESS_DENIED);
}

/* An event of a program's calls, opens and disconnects while the file is on its way. */
static void at_work(void **state)
{
    EFI_HANDLE handle;
    EFI_LOAD_FILE_PROTOCOL *l = protocol(&handle);
    EFI_DEVICE_PATH_PROTOCOL end = path.end;
    UINTN size = 0;
    while_at_work = disturb;
    assert_int_equal(l->LoadFile(l, &end, true, &size, NULL), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(status_at_work, EFI_DEVICE_ERROR);
    assert_int_equal(asked, 1);
}

/* Somebody holds on to it: it stays, and goes when it is let go. */
static void kept(void **state)
{
    EFI_HANDLE handle, again;
    EFI_LOAD_FILE_PROTOCOL *l = protocol(&handle);
    VOID *interface;
    assert_int_equal(bs_open_protocol(handle, &load_file_guid, &interface, program, NULL,
                                      EFI_OPEN_PROTOCOL_EXCLUSIVE), EFI_SUCCESS);
    assert_false(load_file_withdraw(published));
    assert_ptr_equal(protocol(&again), l);
    assert_ptr_equal(again, handle);
    assert_int_equal(bs_close_protocol(handle, &load_file_guid, program, NULL), EFI_SUCCESS);
}

static void not_in_a_measured_boot(void **state)
{
    EFI_HANDLE handle;
    assert_true(load_file_withdraw(published));
    measured = true;
    published = load_file_publish(card, &path.mac.Header, &snp, driver);
    assert_null(published);
    assert_null(protocol(&handle));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, prepare, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(device_path), TEST(arguments), TEST(two_calls), TEST(failures),
        TEST(the_card),    TEST(at_work),   TEST(kept),      TEST(not_in_a_measured_boot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
