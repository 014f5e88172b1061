/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the firmware's FAT file system stands on, played by a test: a disk in memory, a clock. */
#ifndef PRIVET_TEST_FAT_FAKES_H
#define PRIVET_TEST_FAT_FAKES_H

#include "firmware/storage/block.h"

struct test_disk {
    uint8_t *bytes;
    uint64_t size;
    bool read_only;
    unsigned requests, fail_at; /* requests from this number on fail; 0: none does */
    uint64_t reads;
    void (*on_write)(uint64_t offset, const void *data, size_t length); /* before it happens */
    void (*lie)(uint64_t offset, uint8_t *data, size_t length);         /* about what was read */
};
extern struct test_disk test_disk;
extern EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *test_volume;
extern unsigned test_signals;            /* events that were signalled */
extern EFI_EVENT_NOTIFY test_before_exit; /* what runs before ExitBootServices */

/* The root directory of a volume; NULL: it is none. */
EFI_FILE_PROTOCOL *test_mount(uint8_t *bytes, uint64_t size);
/* Frees the memory of all volumes and handles, which must not be used any more. */
void test_forget_volumes(void);

#endif
