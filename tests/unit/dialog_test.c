/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The boot manager's dialogs on a line that never falls silent, and on one that does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firmware/boot/dialog.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/services.h"

enum { SECONDS = 3, POLLS = 1000 /* of the timer, until it is signalled */ };

static CHAR16 typed;  /* the key that comes for ever; 0: none */
static UINT16 scan;   /* and its code */
static unsigned keys, polls;
static bool timer_open;

static EFI_STATUS EFIAPI read_key(EFI_SIMPLE_TEXT_INPUT_PROTOCOL *this, EFI_INPUT_KEY *ret)
{
    if (!typed && !scan)
        return EFI_NOT_READY;
    keys++;
    *ret = (EFI_INPUT_KEY){ .ScanCode = scan, .UnicodeChar = typed };
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI print(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, CHAR16 *text)
{
    return EFI_SUCCESS;
}

static EFI_SIMPLE_TEXT_INPUT_PROTOCOL input = { .ReadKeyStroke = read_key };
static EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL output = { .OutputString = print };
static EFI_SYSTEM_TABLE table = { .ConIn = &input, .ConOut = &output };
EFI_SYSTEM_TABLE *system_table = &table;

int format_list(char *to, size_t size, const char *fmt, va_list arguments)
{
    to[0] = '\0';
    return 0;
}

EFI_STATUS EFIAPI bs_create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, VOID *context,
                                  EFI_EVENT *ret)
{
    timer_open = true;
    *ret = &timer_open;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_set_timer(EFI_EVENT event, EFI_TIMER_DELAY kind, UINT64 time)
{
    assert_int_equal(time, SECONDS * 10000000ull);
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_check_event(EFI_EVENT event)
{
    return ++polls < POLLS ? EFI_NOT_READY : EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_wait_for_event(UINTN count, EFI_EVENT *events, UINTN *ret_index)
{
    assert_int_equal(count, 2);
    *ret_index = 1; /* nobody types */
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_close_event(EFI_EVENT event)
{
    timer_open = false;
    return EFI_SUCCESS;
}

static int fresh(void **state)
{
    typed = scan = 0;
    keys = polls = 0;
    return 0;
}

static void an_endless_line(void **state)
{
    typed = 'x';
    assert_false(dialog_escape_typed());
    assert_false(dialog_wait_escape(SECONDS));
    assert_false(timer_open);
    assert_in_range(keys, 1, 10000);
}

static void escape(void **state)
{
    scan = SCAN_ESC;
    assert_true(dialog_escape_typed());
    assert_true(dialog_wait_escape(SECONDS));
    assert_false(timer_open);
}

static void silence(void **state)
{
    assert_false(dialog_escape_typed());
    assert_false(dialog_wait_escape(SECONDS));
    assert_false(dialog_wait_escape(0));
    assert_false(timer_open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_endless_line, fresh),
        cmocka_unit_test_setup(escape, fresh),
        cmocka_unit_test_setup(silence, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
