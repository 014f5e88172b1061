/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The console on the serial port (UEFI 2.10 12.4): UTF-16 out as UTF-8 with ANSI escape sequences.
 * One handle carries output and what keys.c reads.
 */
#include "firmware/lib/log.h"
#include "firmware/platform/serial.h"
#include "firmware/uefi/services.h"

#define COLUMNS 80

static const struct {
    uint16_t columns, rows;
} modes[] = { { COLUMNS, 25 }, { COLUMNS, 50 } };

static SIMPLE_TEXT_OUTPUT_MODE mode = { .MaxMode = 2, .Attribute = 0x07, .CursorVisible = true };
static EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL output;

static void put(const char *text)
{
    serial_write(text, strlen(text));
}

/* One code point as UTF-8. */
static void put_code(uint32_t code)
{
    char bytes[4];
    size_t length;
    if (code < 0x80) {
        bytes[0] = (char)code;
        length = 1;
    } else if (code < 0x800) {
        bytes[0] = (char)(0xC0 | code >> 6);
        bytes[1] = (char)(0x80 | (code & 0x3F));
        length = 2;
    } else if (code < 0x10000) {
        bytes[0] = (char)(0xE0 | code >> 12);
        bytes[1] = (char)(0x80 | (code >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (code & 0x3F));
        length = 3;
    } else {
        bytes[0] = (char)(0xF0 | code >> 18);
        bytes[1] = (char)(0x80 | (code >> 12 & 0x3F));
        bytes[2] = (char)(0x80 | (code >> 6 & 0x3F));
        bytes[3] = (char)(0x80 | (code & 0x3F));
        length = 4;
    }
    serial_write(bytes, length);
}

static void newline(void)
{
    if (mode.CursorRow + 1 < modes[mode.Mode].rows)
        mode.CursorRow++;
}

/* Keeps the cursor where a terminal of the mode's size would have it (UEFI 2.10 12.4.3). */
static void track(uint32_t code)
{
    switch (code) {
    case '\n':
        newline();
        break;
    case '\r':
        mode.CursorColumn = 0;
        break;
    case '\b':
        mode.CursorColumn -= mode.CursorColumn > 0;
        break;
    default:
        if (++mode.CursorColumn >= COLUMNS) {
            mode.CursorColumn = 0;
            newline();
        }
    }
}

static bool is_surrogate(uint32_t code, uint32_t first)
{
    return (code & 0xFC00) == first;
}

static EFI_STATUS EFIAPI output_string(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, CHAR16 *string)
{
    if (!this || !string)
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = EFI_SUCCESS;
    for (; *string; string++) {
        uint32_t code = *string;
        if (is_surrogate(code, 0xD800) && is_surrogate(string[1], 0xDC00)) {
            code = 0x10000 + ((code & 0x3FF) << 10) + (string[1] & 0x3FF);
            string++;
        } else if (is_surrogate(code, 0xD800) || is_surrogate(code, 0xDC00)) {
            code = 0xFFFD;
            status = EFI_WARN_UNKNOWN_GLYPH;
        }
        put_code(code);
        track(code);
    }
    return status;
}

static EFI_STATUS EFIAPI test_string(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, CHAR16 *string)
{
    return this && string ? EFI_SUCCESS : EFI_INVALID_PARAMETER; /* UTF-8 has them all */
}

static EFI_STATUS EFIAPI query_mode(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, UINTN number,
                                    UINTN *columns, UINTN *rows)
{
    if (!this || !columns || !rows)
        return EFI_INVALID_PARAMETER;
    if (number >= (UINTN)mode.MaxMode)
        return EFI_UNSUPPORTED;
    *columns = modes[number].columns;
    *rows = modes[number].rows;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI clear_screen(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this)
{
    (void)this;
    put("\x1b[2J\x1b[H");
    mode.CursorColumn = mode.CursorRow = 0;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_mode(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, UINTN number)
{
    if (number >= (UINTN)mode.MaxMode)
        return EFI_UNSUPPORTED;
    mode.Mode = (INT32)number;
    return clear_screen(this);
}

static EFI_STATUS EFIAPI set_attribute(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, UINTN attribute)
{
    static const uint8_t ansi[8] = { 0, 4, 2, 6, 1, 5, 3, 7 }; /* EFI counts blue as bit 0 */
    if (attribute & ~(UINTN)0x7F)
        return EFI_UNSUPPORTED;
    if ((INT32)attribute != mode.Attribute) {
        char text[24];
        format(text, sizeof(text), "\x1b[0;%s%u;%um", attribute & 8 ? "1;" : "",
               30u + ansi[attribute & 7], 40u + ansi[attribute >> 4 & 7]);
        put(text);
    }
    mode.Attribute = (INT32)attribute;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_cursor(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, UINTN column, UINTN row)
{
    if (column >= modes[mode.Mode].columns || row >= modes[mode.Mode].rows)
        return EFI_UNSUPPORTED;
    char text[24];
    format(text, sizeof(text), "\x1b[%u;%uH", (unsigned)row + 1, (unsigned)column + 1);
    put(text);
    mode.CursorColumn = (INT32)column;
    mode.CursorRow = (INT32)row;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI enable_cursor(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, BOOLEAN visible)
{
    if (visible != mode.CursorVisible)
        put(visible ? "\x1b[?25h" : "\x1b[?25l");
    mode.CursorVisible = visible;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI reset_output(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, BOOLEAN extended)
{
    (void)extended;
    set_attribute(this, 0x07);
    return set_mode(this, 0);
}

static struct {
    ACPI_HID_DEVICE_PATH root;
    PCI_DEVICE_PATH bridge;
    ACPI_HID_DEVICE_PATH port;
    UART_DEVICE_PATH line;
    EFI_DEVICE_PATH_PROTOCOL end;
} __attribute__((packed)) console_path = {
    .root = { { ACPI_DEVICE_PATH, ACPI_DP, { 12, 0 } }, 0x0A0341D0, 0 }, /* PNP0A03 */
    .bridge = { { HARDWARE_DEVICE_PATH, HW_PCI_DP, { 6, 0 } }, 0, 0x1F },
    .port = { { ACPI_DEVICE_PATH, ACPI_DP, { 12, 0 } }, 0x050141D0, 0 }, /* PNP0501 */
    .line = { { MESSAGING_DEVICE_PATH, MSG_UART_DP, { 19, 0 } }, 0, 115200, 8, 1, 1 },
    .end = { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } },
};

void console_init(void)
{
    EFI_HANDLE handle = NULL;
    output = (EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL){ .Reset = reset_output,
                                                .OutputString = output_string,
                                                .TestString = test_string,
                                                .QueryMode = query_mode,
                                                .SetMode = set_mode,
                                                .SetAttribute = set_attribute,
                                                .ClearScreen = clear_screen,
                                                .SetCursorPosition = set_cursor,
                                                .EnableCursor = enable_cursor,
                                                .Mode = &mode };
    handle_install(&handle, &guid_device_path, &console_path);
    keys_init(handle);
    handle_install(&handle, &guid_text_output, &output);
    system_table->ConsoleInHandle = system_table->ConsoleOutHandle =
        system_table->StandardErrorHandle = handle;
    system_table->ConOut = system_table->StdErr = &output;
}
