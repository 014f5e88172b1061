/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Formatting and messages. The formatter is a small state machine over one sink; it always ends
 * the text with NUL and returns the length it would have had, as snprintf does.
 */
#include "firmware/lib/log.h"

#include <stdbool.h>
#include <stdint.h>

#include "firmware/arch/cpu.h"
#include "firmware/lib/string.h"
#include "firmware/platform/serial.h"
#include "firmware/uefi/uefi.h"

struct sink {
    char *text;
    size_t size, length;
};

static void put(struct sink *sink, char c)
{
    if (sink->length + 1 < sink->size) {
        sink->text[sink->length] = c;
    }
    sink->length++;
}

static void put_number(struct sink *sink, uint64_t value, unsigned base, unsigned width, char pad,
                       bool negative)
{
    char digits[24];
    unsigned count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    if (negative && pad == '0') {
        put(sink, '-');
    }
    for (unsigned length = count + negative; length < width; length++) {
        put(sink, pad);
    }
    if (negative && pad != '0') {
        put(sink, '-');
    }
    while (count > 0) {
        put(sink, digits[--count]);
    }
}

static void put_text(struct sink *sink, const char *text, unsigned width)
{
    if (text == NULL) {
        text = "(null)";
    }
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        put(sink, text[i]);
    }
    for (; length < width; length++) {
        put(sink, ' ');
    }
}

static void put_guid(struct sink *sink, const struct guid *guid)
{
    put_number(sink, guid->a, 16, 8, '0', false);
    put(sink, '-');
    put_number(sink, guid->b, 16, 4, '0', false);
    put(sink, '-');
    put_number(sink, guid->c, 16, 4, '0', false);
    for (unsigned i = 0; i < 8; i++) {
        if (i == 0 || i == 2) {
            put(sink, '-');
        }
        put_number(sink, guid->d[i], 16, 2, '0', false);
    }
}

int format_list(char *text, size_t size, const char *fmt, va_list arguments)
{
    struct sink sink = { text, size, 0 };

    for (; *fmt != '\0'; fmt++) {
        if (*fmt != '%') {
            put(&sink, *fmt);
            continue;
        }
        char pad = ' ';
        unsigned width = 0, longs = 0;
        fmt++;
        if (*fmt == '-') {
            fmt++; /* text is always left-aligned */
        }
        if (*fmt == '0') {
            pad = '0';
            fmt++;
        }
        for (; *fmt >= '0' && *fmt <= '9'; fmt++) {
            width = width * 10 + (unsigned)(*fmt - '0');
        }
        for (; *fmt == 'l' || *fmt == 'z'; fmt++) {
            longs++;
        }
        switch (*fmt) {
        case 'd': {
            int64_t value = longs ? va_arg(arguments, long) : va_arg(arguments, int);
            uint64_t size_of = value < 0 ? -(uint64_t)value : (uint64_t)value;
            put_number(&sink, size_of, 10, width, pad, value < 0);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t value = longs ? va_arg(arguments, unsigned long)
                                   : va_arg(arguments, unsigned int);
            put_number(&sink, value, *fmt == 'x' ? 16 : 10, width, pad, false);
            break;
        }
        case 'p': {
            const void *pointer = va_arg(arguments, const void *);
            if (fmt[1] == 'g') {
                put_guid(&sink, pointer);
                fmt++;
                break;
            }
            put_text(&sink, "0x", 0);
            put_number(&sink, (uintptr_t)pointer, 16, 0, pad, false);
            break;
        }
        case 's':
            put_text(&sink, va_arg(arguments, const char *), width);
            break;
        case 'c':
            put(&sink, (char)va_arg(arguments, int));
            break;
        case '\0':
            fmt--;
            break;
        default:
            put(&sink, *fmt);
            break;
        }
    }
    if (size > 0) {
        text[sink.length < size ? sink.length : size - 1] = '\0';
    }
    return (int)sink.length;
}

int format(char *text, size_t size, const char *fmt, ...)
{
    va_list arguments;

    va_start(arguments, fmt);
    int length = format_list(text, size, fmt, arguments);
    va_end(arguments);
    return length;
}

static void emit(bool serial, const char *fmt, va_list arguments)
{
    char line[512] = "privet: ";
    const size_t prefix = 8;
    int length = format_list(line + prefix, sizeof(line) - prefix - 2, fmt, arguments);
    size_t end = prefix + (size_t)length;

    if (end > sizeof(line) - 3) {
        end = sizeof(line) - 3;
    }
    debug_write(line, end);
    debug_write("\n", 1);
    if (serial) {
        serial_write(line, end);
        serial_write("\r\n", 2);
    }
}

void log_line(const char *fmt, ...)
{
    va_list arguments;

    va_start(arguments, fmt);
    emit(true, fmt, arguments);
    va_end(arguments);
}

void log_debug(const char *fmt, ...)
{
    va_list arguments;

    va_start(arguments, fmt);
    emit(false, fmt, arguments);
    va_end(arguments);
}

void panic(const char *fmt, ...)
{
    va_list arguments;

    (void)interrupts_disable();
    va_start(arguments, fmt);
    emit(true, fmt, arguments);
    va_end(arguments);
    log_line("stopped");
    cpu_stop();
}
