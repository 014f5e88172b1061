/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* UTF-16 text as UEFI wants it. */
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

size_t utf16_length(const CHAR16 *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

CHAR16 *utf16_from_ascii(const char *text)
{
    size_t length = strlen(text);
    CHAR16 *wide = pool_allocate(MEMORY_BOOT_DATA, (length + 1) * sizeof(CHAR16));
    if (!wide)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)text[i];
        wide[i] = byte < 0x80 ? byte : '?';
    }
    return wide;
}
