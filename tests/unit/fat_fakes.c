/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "tests/unit/fat_fakes.h"

#include <stdlib.h>
#include <string.h>

#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

struct test_disk test_disk;
EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *test_volume;
unsigned test_signals;
EFI_EVENT_NOTIFY test_before_exit;

void log_line(const char *fmt, ...)
{
}

/* Volumes stay for good, and so does what is open on them: a list keeps it from being a leak. */
static struct piece {
    struct piece *next, *previous;
} pieces = { &pieces, &pieces };

void *pool_allocate(enum memory_type type, size_t size)
{
    struct piece *piece = calloc(1, sizeof(*piece) + size);
    (void)type;
    piece->next = pieces.next;
    piece->previous = &pieces;
    piece->next->previous = pieces.next = piece;
    return piece + 1;
}

void pool_free(void *data)
{
    struct piece *piece = (struct piece *)data - 1;
    if (!data)
        return;
    piece->next->previous = piece->previous;
    piece->previous->next = piece->next;
    free(piece);
}

void test_forget_volumes(void)
{
    while (pieces.next != &pieces)
        pool_free(pieces.next + 1);
    test_disk = (struct test_disk){ .size = 0 };
}

EFI_TPL block_enter(void)
{
    return TPL_APPLICATION;
}

void block_leave(EFI_TPL tpl)
{
    (void)tpl;
}

static bool in_range(uint64_t offset, size_t length)
{
    return offset <= test_disk.size && length <= test_disk.size - offset &&
           (!test_disk.fail_at || ++test_disk.requests < test_disk.fail_at);
}

bool block_read_bytes(void *range, uint64_t offset, void *data, size_t length)
{
    (void)range;
    test_disk.reads++;
    if (!in_range(offset, length))
        return false;
    memcpy(data, test_disk.bytes + offset, length);
    if (test_disk.lie && length)
        test_disk.lie(offset, data, length);
    return true;
}

bool block_write_bytes(void *range, uint64_t offset, const void *data, size_t length)
{
    (void)range;
    if (test_disk.read_only || !in_range(offset, length))
        return false;
    if (test_disk.on_write)
        test_disk.on_write(offset, data, length);
    memcpy(test_disk.bytes + offset, data, length);
    return true;
}

bool block_flush(void *range)
{
    (void)range;
    return true;
}

uint64_t block_range_size(const struct block_range *range)
{
    (void)range;
    return test_disk.size;
}

bool block_range_read_only(const struct block_range *range)
{
    (void)range;
    return test_disk.read_only;
}

EFI_STATUS EFIAPI bs_install_protocol_interface(EFI_HANDLE *handle, EFI_GUID *protocol, UINT32 type,
                                                VOID *interface)
{
    (void)handle;
    (void)protocol;
    (void)type;
    test_volume = interface;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_signal_event(EFI_EVENT event)
{
    (void)event;
    test_signals++;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_create_event_ex(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY function,
                                     const VOID *context, const EFI_GUID *group,
                                     EFI_EVENT *ret_event)
{
    (void)type;
    (void)tpl;
    (void)context;
    (void)group;
    test_before_exit = function;
    *ret_event = NULL;
    return EFI_SUCCESS;
}

/* A clock whose seconds are the calls. */
EFI_STATUS EFIAPI rt_get_time(EFI_TIME *ret_time, EFI_TIME_CAPABILITIES *ret_capabilities)
{
    static unsigned calls;
    (void)ret_capabilities;
    *ret_time = (EFI_TIME){ .Year = 2024,
                            .Month = 2,
                            .Day = 29,
                            .Hour = 13,
                            .Minute = (UINT8)(calls / 60 % 60),
                            .Second = (UINT8)(calls % 60),
                            .TimeZone = EFI_UNSPECIFIED_TIMEZONE };
    calls++;
    return EFI_SUCCESS;
}

size_t utf16_length(const CHAR16 *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

EFI_FILE_PROTOCOL *test_mount(uint8_t *bytes, uint64_t size)
{
    EFI_FILE_PROTOCOL *root;
    test_disk.bytes = bytes;
    test_disk.size = size;
    test_volume = NULL;
    if (!fatfs_publish(NULL, NULL) || test_volume->OpenVolume(test_volume, &root) != EFI_SUCCESS)
        return NULL;
    return root;
}
