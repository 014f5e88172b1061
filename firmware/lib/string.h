/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The part of the C library's <string.h> that the firmware and the compiler use. */
#ifndef PRIVET_FIRMWARE_STRING_H
#define PRIVET_FIRMWARE_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit);

#endif
