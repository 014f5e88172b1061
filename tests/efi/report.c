/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The report goes to the port itself, before and after ExitBootServices alike: what the console
 * protocols print is under test. Every line begins with a line feed of its own, since a test of the
 * console may have left the cursor anywhere.
 */
#include "tests/efi/conformance.h"

enum { PORT = 0x3F8, STATUS = 5, STATUS_EMPTY = 0x20, NAME_ROOM = 96 };

static const char *section = "";
static uint64_t count;

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void put(const char *text)
{
    for (; *text; text++) {
        while (!(in8(PORT + STATUS) & STATUS_EMPTY))
            ;
        out8(PORT, (uint8_t)*text);
    }
}

static void put_char(char c)
{
    const char text[2] = { c, 0 };
    put(text);
}

static void put_number(uint64_t value, unsigned base)
{
    char digits[24];
    size_t at = sizeof(digits);
    digits[--at] = 0;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    put(digits + at);
}

static void begin(const char *name)
{
    put("\r\ncheck ");
    put(section);
    put(".");
    put(name);
    put(": ");
    count++;
}

static void end(void)
{
    put("\r\n");
}

void report_section(const char *name)
{
    section = name;
}

void report_end(void)
{
    put("\r\nconformance: ");
    put_number(count, 10);
    put(" checks\r\n");
}

/* UEFI 2.10 appendix D */
static const struct {
    EFI_STATUS status;
    const char *name;
} statuses[] = {
    { EFI_SUCCESS, "SUCCESS" },
    { EFI_LOAD_ERROR, "LOAD_ERROR" },
    { EFI_INVALID_PARAMETER, "INVALID_PARAMETER" },
    { EFI_UNSUPPORTED, "UNSUPPORTED" },
    { EFI_BAD_BUFFER_SIZE, "BAD_BUFFER_SIZE" },
    { EFI_BUFFER_TOO_SMALL, "BUFFER_TOO_SMALL" },
    { EFI_NOT_READY, "NOT_READY" },
    { EFI_DEVICE_ERROR, "DEVICE_ERROR" },
    { EFI_WRITE_PROTECTED, "WRITE_PROTECTED" },
    { EFI_OUT_OF_RESOURCES, "OUT_OF_RESOURCES" },
    { EFI_VOLUME_CORRUPTED, "VOLUME_CORRUPTED" },
    { EFI_VOLUME_FULL, "VOLUME_FULL" },
    { EFI_NO_MEDIA, "NO_MEDIA" },
    { EFI_MEDIA_CHANGED, "MEDIA_CHANGED" },
    { EFI_NOT_FOUND, "NOT_FOUND" },
    { EFI_ACCESS_DENIED, "ACCESS_DENIED" },
    { EFI_NO_MAPPING, "NO_MAPPING" },
    { EFI_TIMEOUT, "TIMEOUT" },
    { EFI_NOT_STARTED, "NOT_STARTED" },
    { EFI_ALREADY_STARTED, "ALREADY_STARTED" },
    { EFI_ABORTED, "ABORTED" },
    { EFI_SECURITY_VIOLATION, "SECURITY_VIOLATION" },
    { EFI_WARN_UNKNOWN_GLYPH, "WARN_UNKNOWN_GLYPH" },
    { 2, "WARN_DELETE_FAILURE" },
};

void check_status(const char *name, EFI_STATUS status)
{
    begin(name);
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
        if (statuses[i].status == status) {
            put(statuses[i].name);
            end();
            return;
        }
    put("0x");
    put_number(status, 16);
    end();
}

void check_value(const char *name, uint64_t value)
{
    begin(name);
    if (value < 4096) {
        put_number(value, 10);
    } else {
        put("0x");
        put_number(value, 16);
    }
    end();
}

void check_true(const char *name, bool value)
{
    begin(name);
    put(value ? "yes" : "no");
    end();
}

void check_text(const char *name, const char *value)
{
    begin(name);
    put(value[0] ? value : "none");
    end();
}

void check_wide(const char *name, const CHAR16 *value)
{
    begin(name);
    put(value ? "\"" : "NULL");
    for (; value && *value; value++) {
        if (*value >= ' ' && *value < 0x7F) {
            put_char((char)*value);
        } else {
            put("<");
            put_number(*value, 16);
            put(">");
        }
        if (!value[1])
            break;
    }
    if (value)
        put("\"");
    end();
}

void check_bytes(const char *name, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    begin(name);
    if (!data)
        put("NULL");
    for (size_t i = 0; data && i < length; i++) {
        put_char("0123456789abcdef"[bytes[i] >> 4]);
        put_char("0123456789abcdef"[bytes[i] & 15]);
    }
    end();
}

const char *name_of(const char *name, const char *detail)
{
    static char names[2][NAME_ROOM];
    static unsigned turn;
    char *out = names[turn ^= 1];
    size_t length = 0;
    for (; *name && length < NAME_ROOM - 2; name++)
        out[length++] = *name;
    out[length++] = '.';
    for (; *detail && length < NAME_ROOM - 1; detail++)
        out[length++] = *detail;
    out[length] = 0;
    return out;
}

const char *name_number(const char *name, uint64_t number)
{
    char digits[24];
    size_t at = sizeof(digits);
    digits[--at] = 0;
    do {
        digits[--at] = "0123456789abcdef"[number & 15];
        number >>= 4;
    } while (number);
    return name_of(name, digits + at);
}
