/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Lines in and out through the console's protocols (UEFI 2.10 12.3, 12.4), sleeping between keys. */
#include "firmware/boot/dialog.h"

#include <stdarg.h>

#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define LINE_ROOM   512u
#define SECOND      10000000u /* in 100 ns */
#define NUMBER_ROOM 8u
#define KEYS_MAXIMUM 1000u /* a line that never falls silent must not stop the boot */

void dialog_print_wide(const CHAR16 *text)
{
    system_table->ConOut->OutputString(system_table->ConOut, (CHAR16 *)(uintptr_t)text);
}

void dialog_print(const char *fmt, ...)
{
    char line[LINE_ROOM];
    CHAR16 wide[2 * LINE_ROOM];
    size_t length = 0;
    va_list list;
    va_start(list, fmt);
    format_list(line, sizeof(line), fmt, list);
    va_end(list);
    for (size_t i = 0; line[i]; i++) {
        if (line[i] == '\n')
            wide[length++] = '\r';
        wide[length++] = (uint8_t)line[i];
    }
    wide[length] = 0;
    dialog_print_wide(wide);
}

static bool read_key(EFI_INPUT_KEY *ret)
{
    return system_table->ConIn->ReadKeyStroke(system_table->ConIn, ret) == EFI_SUCCESS;
}

bool dialog_escape_typed(void)
{
    EFI_INPUT_KEY key;
    bool escape = false;
    for (unsigned i = 0; i < KEYS_MAXIMUM && read_key(&key); i++)
        escape |= key.ScanCode == SCAN_ESC;
    return escape;
}

/* A timer that is signalled after so many seconds; NULL: none wanted, or no memory. */
static EFI_EVENT start_timer(unsigned seconds)
{
    EFI_EVENT timer = NULL;
    if (seconds && bs_create_event(EVT_TIMER, TPL_CALLBACK, NULL, NULL, &timer) == EFI_SUCCESS)
        bs_set_timer(timer, TimerRelative, (uint64_t)seconds * SECOND);
    return timer;
}

/* The next key; false: the timer came first. */
static bool wait_key(EFI_EVENT timer, EFI_INPUT_KEY *ret)
{
    EFI_EVENT events[] = { system_table->ConIn->WaitForKey, timer };
    UINTN index;
    while (!read_key(ret))
        if (bs_wait_for_event(timer ? 2 : 1, events, &index) != EFI_SUCCESS || index == 1)
            return false;
    return true;
}

bool dialog_wait_escape(unsigned seconds)
{
    EFI_INPUT_KEY key = { 0 };
    EFI_EVENT timer = start_timer(seconds);
    bool escape = dialog_escape_typed();
    while (timer && !escape && bs_check_event(timer) == EFI_NOT_READY && wait_key(timer, &key))
        escape = key.ScanCode == SCAN_ESC;
    if (timer)
        bs_close_event(timer);
    return escape;
}

/* Adds a key to the line. True: the line is complete. */
static bool take_key(const EFI_INPUT_KEY *key, char *line, size_t room, size_t *length)
{
    CHAR16 letter = key->UnicodeChar;
    if (key->ScanCode == SCAN_ESC)
        *length = 0;
    if (key->ScanCode == SCAN_ESC || letter == '\r')
        return true;
    if (letter == '\b' && *length > 0) {
        --*length;
        dialog_print("\b \b");
    } else if (letter >= ' ' && letter < 0x7F && *length + 1 < room) {
        line[(*length)++] = (char)letter;
        dialog_print("%c", letter);
    }
    return false;
}

bool dialog_read(char *line, size_t room, unsigned seconds)
{
    EFI_INPUT_KEY key;
    size_t length = 0;
    EFI_EVENT timer = start_timer(seconds);
    bool typed = wait_key(timer, &key);
    if (timer)
        bs_close_event(timer);
    if (!typed)
        return false;
    while (!take_key(&key, line, room, &length))
        if (!wait_key(NULL, &key))
            break;
    line[length] = '\0';
    dialog_print("\n");
    return true;
}

static bool parse_number(const char *text, unsigned highest, unsigned *ret)
{
    unsigned value = 0;
    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9')
            return false;
        value = value * 10 + (unsigned)(*at - '0');
    }
    *ret = value;
    return value <= highest;
}

bool dialog_number(const char *question, unsigned highest, unsigned *ret)
{
    char line[NUMBER_ROOM];
    for (;;) {
        dialog_print("%s: ", question);
        if (!dialog_read(line, sizeof(line), 0) || !line[0])
            return false;
        if (parse_number(line, highest, ret))
            return true;
        dialog_print("There is no %s.\n", line);
    }
}
