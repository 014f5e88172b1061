/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Conversation with the user on the console, in lines: nothing that a serial terminal lacks. */
#ifndef PRIVET_FIRMWARE_DIALOG_H
#define PRIVET_FIRMWARE_DIALOG_H

#include "firmware/uefi/efi.h"

/* '\n' becomes a new line of the terminal. */
void dialog_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void dialog_print_wide(const CHAR16 *text);

/* Forgets what was typed so far; says whether Escape was among it. */
bool dialog_escape_typed(void);
/* Waits at most that long for Escape; other keys are forgotten. */
bool dialog_wait_escape(unsigned seconds);

/*
 * Reads a line with echo, Backspace, Enter; Escape gives an empty line. With `seconds`, false when
 * no key at all is pressed for so long; 0 waits for ever.
 */
bool dialog_read(char *line, size_t room, unsigned seconds);
/* Asks until a number from 0 to `highest` is typed; false: an empty line. */
bool dialog_number(const char *question, unsigned highest, unsigned *ret);

#endif
