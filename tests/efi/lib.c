/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the compiler and the checks need in place of a C library. */
#include "tests/efi/conformance.h"

void *memcpy(void *to, const void *from, size_t length)
{
    uint8_t *out = to;
    const uint8_t *in = from;
    for (size_t i = 0; i < length; i++)
        out[i] = in[i];
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    uint8_t *out = to;
    const uint8_t *in = from;
    if (out <= in)
        return memcpy(to, from, length);
    while (length-- > 0)
        out[length] = in[length];
    return to;
}

void *memset(void *to, int value, size_t length)
{
    uint8_t *out = to;
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    const uint8_t *left = a, *right = b;
    for (size_t i = 0; i < length; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

size_t wide_length(const CHAR16 *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

bool wide_equal(const CHAR16 *a, const CHAR16 *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool guid_same(const EFI_GUID *a, const EFI_GUID *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

void *take(size_t size)
{
    VOID *pointer = NULL;
    if (bs->AllocatePool(MEMORY_TYPE_BOOT_DATA, size, &pointer) != EFI_SUCCESS) {
        check_text("out-of-memory", "the application cannot go on");
        bs->Exit(self, EFI_OUT_OF_RESOURCES, 0, NULL);
    }
    return memset(pointer, 0, size);
}

void give(void *pointer)
{
    if (pointer)
        bs->FreePool(pointer);
}

void *find_protocol(EFI_GUID *guid)
{
    VOID *interface = NULL;
    return bs->LocateProtocol(guid, NULL, &interface) == EFI_SUCCESS ? interface : NULL;
}

#define TABLE_ADDRESS 0x00007FFFFFFFF000ull /* without a C-bit */

uint64_t page_entry(uint64_t address)
{
    enum { PRESENT = 1, LARGE = 0x80 };
    uint64_t entry;
    __asm__ volatile("movq %%cr3, %0" : "=r"(entry));
    for (unsigned shift = 39; shift >= 12; shift -= 9) {
        const uint64_t *table = (const uint64_t *)(uintptr_t)(entry & TABLE_ADDRESS);
        entry = table[address >> shift & 511];
        if (!(entry & PRESENT) || (entry & LARGE))
            break;
    }
    return entry;
}

uint64_t processor_flags(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    return flags;
}

void processor_interrupts_off(void)
{
    __asm__ volatile("cli" : : : "memory");
}
