/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Keys of the firmware's console: what terminals send, who is told, and a host that never stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/arch/time.h"
#include "firmware/platform/serial.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

static const char *line = ""; /* what the terminal sends */
static bool flood;
static uint64_t now;
static EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *keys;
static EFI_EVENT_NOTIFY timer;
static unsigned told;
static EFI_SYSTEM_TABLE table;
EFI_SYSTEM_TABLE *system_table = &table;

_Noreturn void panic(const char *fmt, ...);
void panic(const char *fmt, ...)
{
    (void)fmt;
    abort();
}

bool serial_read(uint8_t *ret)
{
    if (flood) {
        *ret = 'x';
        return true;
    }
    if (!*line)
        return false;
    *ret = (uint8_t)*line++;
    return true;
}

uint64_t time_now_100ns(void)
{
    return now += 1000;
}

EFI_TPL EFIAPI bs_raise_tpl(EFI_TPL level)
{
    (void)level;
    return TPL_APPLICATION;
}

VOID EFIAPI bs_restore_tpl(EFI_TPL level)
{
    (void)level;
}

EFI_STATUS EFIAPI bs_create_event(UINT32 type, EFI_TPL level, EFI_EVENT_NOTIFY function,
                                  VOID *context, EFI_EVENT *ret_event)
{
    (void)level;
    (void)context;
    if (type & EVT_TIMER)
        timer = function;
    *ret_event = &timer;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_set_timer(EFI_EVENT event, EFI_TIMER_DELAY how, UINT64 time)
{
    (void)event;
    (void)how;
    (void)time;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_close_event(EFI_EVENT event)
{
    (void)event;
    timer = NULL;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_signal_event(EFI_EVENT event)
{
    (void)event;
    return EFI_SUCCESS;
}

void *pool_allocate(enum memory_type type, size_t size)
{
    (void)type;
    return calloc(1, size);
}

void pool_free(void *data)
{
    free(data);
}

void handle_install(EFI_HANDLE *handle, const EFI_GUID *protocol, void *interface)
{
    (void)handle;
    if (guid_equal(protocol, &guid_text_input_ex))
        keys = interface;
}

static int empty(void **state)
{
    (void)state;
    flood = false;
    line = "";
    told = 0;
    return (int)keys->Reset(keys, false);
}

static void expect(uint16_t scan, uint16_t unicode)
{
    EFI_KEY_DATA data;
    assert_int_equal(keys->ReadKeyStrokeEx(keys, &data), EFI_SUCCESS);
    assert_int_equal(data.Key.ScanCode, scan);
    assert_int_equal(data.Key.UnicodeChar, unicode);
}

static void expect_nothing(void)
{
    EFI_KEY_DATA data;
    assert_int_equal(keys->ReadKeyStrokeEx(keys, &data), EFI_NOT_READY);
}

static void terminals_sequences(void **state)
{
    (void)state;
    line = "a\r\n\x7f\x1b[A\x1bOP\x1b[3~\x1b[24~\xc3\xa4\xe2\x82\xac";
    expect(0, 'a');
    expect(0, '\r');
    expect(0, '\r');
    expect(0, '\b');
    expect(SCAN_UP, 0);
    expect(SCAN_F1, 0);
    expect(SCAN_DELETE, 0);
    expect(SCAN_F1 + 11, 0);
    expect(0, 0xE4);
    expect(0, 0x20AC);
    expect_nothing();
    line = "\x1b";
    expect(SCAN_ESC, 0);
}

static void nonsense_is_no_key(void **state)
{
    (void)state;
    line = "\x1b[99999999999999999999~\x1b[Z\xff\xc3"
           "a";
    expect_nothing();
}

static EFI_STATUS EFIAPI tell(EFI_KEY_DATA *data)
{
    assert_int_equal(data->Key.UnicodeChar, 'q');
    told++;
    return EFI_SUCCESS;
}

static void watchers_are_told(void **state)
{
    (void)state;
    EFI_KEY_DATA hot = { .Key = { .UnicodeChar = 'q' } };
    EFI_KEY_DATA shifted = { .Key = { .UnicodeChar = 'q' }, .KeyState = { 0x80000004, 0 } };
    void *one, *two;
    assert_int_equal(keys->RegisterKeyNotify(keys, &hot, tell, &one), EFI_SUCCESS);
    assert_int_equal(keys->RegisterKeyNotify(keys, &shifted, tell, &two), EFI_SUCCESS);
    line = "aqb";
    assert_non_null(timer);
    timer(NULL, NULL); /* nobody reads */
    assert_int_equal(told, 1);
    expect(0, 'a');
    expect(0, 'q');
    expect(0, 'b');
    assert_int_equal(told, 1);
    assert_int_equal(keys->UnregisterKeyNotify(keys, one), EFI_SUCCESS);
    assert_int_equal(keys->UnregisterKeyNotify(keys, one), EFI_INVALID_PARAMETER);
    assert_non_null(timer);
    assert_int_equal(keys->UnregisterKeyNotify(keys, two), EFI_SUCCESS);
    assert_null(timer);
}

static void a_flood_ends(void **state)
{
    (void)state;
    flood = true;
    for (unsigned i = 0; i < 200; i++)
        expect(0, 'x');
    flood = false;
    unsigned left = 0;
    EFI_KEY_DATA data;
    while (keys->ReadKeyStrokeEx(keys, &data) == EFI_SUCCESS)
        left++;
    assert_true(left > 0 && left <= 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(terminals_sequences, empty),
        cmocka_unit_test_setup(nonsense_is_no_key, empty),
        cmocka_unit_test_setup(watchers_are_told, empty),
        cmocka_unit_test_setup(a_flood_ends, empty),
    };
    keys_init(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
