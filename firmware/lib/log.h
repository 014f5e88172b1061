/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Messages to the serial console and the debug port (0x402). ASCII printf subset: %s %c %d %u %x
 * with l/ll/z, width and 0, %p, %% and %pg for a pointer to a GUID.
 */
#ifndef PRIVET_FIRMWARE_LOG_H
#define PRIVET_FIRMWARE_LOG_H

#include <stdarg.h>
#include <stddef.h>

int format(char *text, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int format_list(char *text, size_t size, const char *fmt, va_list arguments);

/* A line for the user, "privet: " in front, newline added. Usable until ExitBootServices. */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, to the debug port only. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Says why and stops for good: a boot that must not go on. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define assert(condition)                                                                          \
    ((condition) ? (void)0                                                                         \
                 : panic("%s:%d: assertion failed: %s", __FILE_NAME__, __LINE__, #condition))

#endif
