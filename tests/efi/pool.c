/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Pool memory (UEFI 2.10 7.2.4, 7.2.5). */
#include "tests/efi/conformance.h"

void test_pool(void)
{
    static const UINT32 types[] = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0x6FFFFFFF, 0x70000000, 0x80000000
    };
    static const UINTN sizes[] = { 0, 1, 8, 31, 32, 4080, 4096, 5000, 100000, 3000000 };
    VOID *buffer;
    check_status("no-buffer", bs->AllocatePool(4, 10, NULL));
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        EFI_STATUS status = bs->AllocatePool(types[i], 40, &buffer);
        check_status(name_number("type", types[i]), status);
        if (status == EFI_SUCCESS)
            check_status(name_number("type-free", types[i]), bs->FreePool(buffer));
    }
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        buffer = NULL;
        EFI_STATUS status = bs->AllocatePool(4, sizes[i], &buffer);
        check_status(name_number("size", sizes[i]), status);
        if (status != EFI_SUCCESS)
            continue;
        check_true(name_number("aligned", sizes[i]), (uintptr_t)buffer % 8 == 0);
        memset(buffer, 0xA5, sizes[i]);
        check_status(name_number("free", sizes[i]), bs->FreePool(buffer));
    }
    check_status("huge", bs->AllocatePool(4, 1ull << 50, &buffer));
    check_status("wraps", bs->AllocatePool(4, UINT64_MAX, &buffer));
    check_status("free.null", bs->FreePool(NULL));
    uint64_t *words = take(256);
    check_status("free.inside", bs->FreePool(words + 16));
    check_status("free.good", bs->FreePool(words));
}
