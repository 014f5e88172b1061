/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory and string functions. Long moves are repeated string instructions: fast on hardware, one
 * block operation in an emulator. Usable at runtime (no data of their own).
 */
#include "firmware/lib/string.h"

#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    void *end = to;
    size_t quads = length / 8;

    __asm__ volatile("rep movsq" : "+D"(end), "+S"(from), "+c"(quads) : : "memory");
    length %= 8;
    __asm__ volatile("rep movsb" : "+D"(end), "+S"(from), "+c"(length) : : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    if ((uintptr_t)to - (uintptr_t)from >= length) {
        return memcpy(to, from, length);
    }
    uint8_t *last_to = (uint8_t *)to + length - 1;
    const uint8_t *last_from = (const uint8_t *)from + length - 1;
    __asm__ volatile("std; rep movsb; cld"
                     : "+D"(last_to), "+S"(last_from), "+c"(length) : : "memory", "cc");
    return to;
}

void *memset(void *to, int value, size_t length)
{
    void *end = to;
    size_t quads = length / 8;
    uint64_t pattern = (uint8_t)value * 0x0101010101010101u;

    __asm__ volatile("rep stosq" : "+D"(end), "+c"(quads) : "a"(pattern) : "memory");
    length %= 8;
    __asm__ volatile("rep stosb" : "+D"(end), "+c"(length) : "a"(pattern) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    const uint8_t *x = a, *y = b;

    for (size_t i = 0; i < length; i++) {
        if (x[i] != y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    return 0;
}

size_t strnlen(const char *text, size_t limit)
{
    size_t length = 0;

    while (length < limit && text[length] != '\0') {
        __asm__ volatile("" : : : "memory"); /* keep the loop a loop, not a call of itself */
        length++;
    }
    return length;
}

size_t strlen(const char *text)
{
    return strnlen(text, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t limit)
{
    for (size_t i = 0; i < limit; i++) {
        if (a[i] != b[i] || a[i] == '\0') {
            return (int)(uint8_t)a[i] - (int)(uint8_t)b[i];
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}
