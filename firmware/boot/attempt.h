/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * One attempt to boot: load a file, start it, say how it ended. What failed is kept for the report
 * that the user gets when nothing boots.
 */
#ifndef PRIVET_FIRMWARE_ATTEMPT_H
#define PRIVET_FIRMWARE_ATTEMPT_H

#include "firmware/uefi/efi.h"

struct attempt {
    const char *name;    /* "Boot0001 debian", for the user */
    const void *options; /* LoadOptions; copied */
    size_t options_size;
    bool boots; /* a boot option: ReadyToBoot is signalled and the watchdog runs */
};

/* True: the image was started, and came back. */
bool attempt_start(const struct attempt *attempt, EFI_DEVICE_PATH_PROTOCOL *path);
/* Was this very path attempted already? */
bool attempt_was_made(const EFI_DEVICE_PATH_PROTOCOL *path);

/* A line for the report; the second says it at once, too. */
void report_add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void report_now(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints the report, the partitions that hold no volume and the devices that were refused. */
void report_print(void);

/* "Not Found": the name of a status, as UEFI 2.10 appendix D has it. */
const char *status_text(EFI_STATUS status);

#endif
