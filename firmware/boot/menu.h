/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's menu on the console. */
#ifndef PRIVET_FIRMWARE_MENU_H
#define PRIVET_FIRMWARE_MENU_H

#include <stdbool.h>

enum menu_reason { MENU_ASKED_FOR, MENU_NOTHING_BOOTS };

/*
 * Does the user want it? By OsIndications (which is then cleared), or by Escape: while Timeout or
 * the host's boot menu setting runs, or typed ahead when there is neither.
 */
bool menu_wanted(void);

/*
 * Shows the menu. Asked for, it returns when the user lets the boot go on. When nothing boots it
 * powers off if nobody answers; then it does not return.
 */
void menu_run(enum menu_reason reason);

/* browse.c: lets the user choose a file of a volume, and starts it. */
void browse_and_start(void);
/* status.c: what this firmware is, and what it runs on. */
void status_print(void);

#endif
