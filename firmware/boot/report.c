/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What was tried and why it failed, in a bounded text. */
#include <stdarg.h>

#include "firmware/boot/attempt.h"
#include "firmware/boot/bootpath.h"
#include "firmware/drivers/drivers.h"
#include "firmware/lib/log.h"
#include "firmware/platform/pci.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define REPORT_ROOM 4096u
#define LINE_ROOM   480u

static char report[REPORT_ROOM]; /* lines, each with its NUL */
static size_t report_length;
static bool report_full;

static void keep(const char *line)
{
    size_t length = strlen(line) + 1;
    if (length > sizeof(report) - report_length) {
        report_full = true;
        return;
    }
    memcpy(report + report_length, line, length);
    report_length += length;
}

void report_add(const char *fmt, ...)
{
    char line[LINE_ROOM];
    va_list list;
    va_start(list, fmt);
    format_list(line, sizeof(line), fmt, list);
    va_end(list);
    keep(line);
}

void report_now(const char *fmt, ...)
{
    char line[LINE_ROOM];
    va_list list;
    va_start(list, fmt);
    format_list(line, sizeof(line), fmt, list);
    va_end(list);
    keep(line);
    log_line("%s", line);
}

/* Disks and partitions on which no file system was found. */
static void print_unreadable(void)
{
    EFI_GUID guid = guid_block_io;
    EFI_HANDLE *disks;
    UINTN count;
    if (bs_locate_handle_buffer(ByProtocol, &guid, NULL, &count, &disks) != EFI_SUCCESS) {
        log_line("  there is no disk");
        return;
    }
    for (UINTN i = 0; i < count; i++) {
        char where[PATH_TEXT_ROOM];
        EFI_BLOCK_IO_PROTOCOL *block = handle_interface(disks[i], &guid_block_io);
        EFI_DEVICE_PATH_PROTOCOL *path = handle_interface(disks[i], &guid_device_path);
        if (!path || !block->Media->LogicalPartition ||
            handle_interface(disks[i], &guid_simple_file_system))
            continue;
        log_line("  %s: no FAT file system", bootpath_text(path, where, sizeof(where)));
    }
    pool_free(disks);
}

void report_print(void)
{
    for (size_t at = 0; at < report_length; at += strlen(report + at) + 1)
        log_line("  %s", report + at);
    if (report_full)
        log_line("  ... and more");
    print_unreadable();
    const struct refusal *refusal;
    for (size_t i = 0; device_refused_at(i, &refusal); i++)
        log_line("  %s at " PCI_PLACE " was left out: %s", refusal->driver,
                 PCI_PLACE_OF(refusal->address), refusal->reason);
}

const char *status_text(EFI_STATUS status)
{
    static const char *const errors[] = {
        [1] = "Load Error",          [2] = "Invalid Parameter",  [3] = "Unsupported",
        [4] = "Bad Buffer Size",     [5] = "Buffer Too Small",   [6] = "Not Ready",
        [7] = "Device Error",        [8] = "Write Protected",    [9] = "Out of Resources",
        [10] = "Volume Corrupted",   [11] = "Volume Full",       [12] = "No Media",
        [13] = "Media Changed",      [14] = "Not Found",         [15] = "Access Denied",
        [16] = "No Response",        [17] = "No Mapping",        [18] = "Timeout",
        [19] = "Not Started",        [20] = "Already Started",   [21] = "Aborted",
        [22] = "ICMP Error",         [23] = "TFTP Error",        [24] = "Protocol Error",
        [25] = "Incompatible Version", [26] = "Security Violation", [27] = "CRC Error",
        [28] = "End of Media",       [31] = "End of File",       [32] = "Invalid Language",
        [33] = "Compromised Data",   [35] = "HTTP Error",
    };
    EFI_STATUS code = status & ~EFI_ERROR_BIT;
    if (status == EFI_SUCCESS)
        return "Success";
    if (!EFI_ERROR(status))
        return "a warning";
    if (code >= sizeof(errors) / sizeof(errors[0]) || !errors[code])
        return "an error that UEFI does not name";
    return errors[code];
}
