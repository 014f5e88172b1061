/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The console on the serial port (UEFI 2.10 12): UTF-16 out as UTF-8 with ANSI escape sequences,
 * key presses in from what terminals send. One handle carries input, extended input and output.
 */
#include "firmware/arch/time.h"
#include "firmware/lib/log.h"
#include "firmware/platform/serial.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

/* A sequence follows its ESC at line speed; a key press does not. */
#define ESCAPE_WAIT_US         10000u
#define ESCAPE                 0x1B
#define COLUMNS                80
#define KEY_SHIFT_STATE_VALID  0x80000000u
#define KEY_TOGGLE_STATE_VALID 0x80u
#define KEY_STATE_EXPOSED      0x40u

static const struct {
    uint16_t columns, rows;
} modes[] = { { COLUMNS, 25 }, { COLUMNS, 50 } };

static SIMPLE_TEXT_OUTPUT_MODE mode = { .MaxMode = 2, .Attribute = 0x07, .CursorVisible = true };
static EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL output;
static EFI_SIMPLE_TEXT_INPUT_PROTOCOL input;
static EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL input_ex;

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

/* --- keys --- */

struct key_notify {
    struct key_notify *next;
    EFI_KEY_DATA key;
    EFI_KEY_NOTIFY_FUNCTION function;
};

static struct key_notify *key_notifies;
static EFI_INPUT_KEY pending_key; /* read for CheckEvent, not yet taken */
static bool key_pending;

static bool read_soon(uint8_t *ret)
{
    uint64_t end = time_now_100ns() + ESCAPE_WAIT_US * 10;
    do {
        if (serial_read(ret))
            return true;
    } while (time_now_100ns() < end);
    return false;
}

static uint16_t scan_of_letter(uint8_t letter)
{
    static const struct {
        char letter;
        uint8_t scan;
    } table[] = { { 'A', SCAN_UP },    { 'B', SCAN_DOWN },   { 'C', SCAN_RIGHT },
                  { 'D', SCAN_LEFT },  { 'H', SCAN_HOME },   { 'F', SCAN_END },
                  { 'P', SCAN_F1 },    { 'Q', SCAN_F1 + 1 }, { 'R', SCAN_F1 + 2 },
                  { 'S', SCAN_F1 + 3 } };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].letter == (char)letter)
            return table[i].scan;
    return SCAN_NULL;
}

static uint16_t scan_of_number(unsigned number)
{
    static const uint8_t table[] = {
        [1] = SCAN_HOME,    [2] = SCAN_INSERT,    [3] = SCAN_DELETE,   [4] = SCAN_END,
        [5] = SCAN_PAGE_UP, [6] = SCAN_PAGE_DOWN, [7] = SCAN_HOME,     [8] = SCAN_END,
        [11] = SCAN_F1,     SCAN_F1 + 1,          SCAN_F1 + 2,         SCAN_F1 + 3,
        SCAN_F1 + 4,        [17] = SCAN_F1 + 5,   SCAN_F1 + 6,         SCAN_F1 + 7,
        SCAN_F1 + 8,        SCAN_F1 + 9,          [23] = SCAN_F1 + 10, SCAN_F1 + 11,
    };
    return number < sizeof(table) ? table[number] : SCAN_NULL;
}

/* What follows ESC: "[A", "OP", "[3~"; nothing within the wait is the Escape key itself. */
static EFI_INPUT_KEY read_sequence(void)
{
    EFI_INPUT_KEY key = { .ScanCode = SCAN_ESC };
    uint8_t byte;
    if (!read_soon(&byte))
        return key;
    key.ScanCode = SCAN_NULL;
    if ((byte != '[' && byte != 'O') || !read_soon(&byte))
        return key;
    unsigned number = 0;
    while (byte >= '0' && byte <= '9') {
        number = (number * 10 + byte - '0') % 1000;
        if (!read_soon(&byte))
            return key;
    }
    key.ScanCode = byte == '~' ? scan_of_number(number) : scan_of_letter(byte);
    return key;
}

/* The rest of a UTF-8 character of two or three bytes; others have no CHAR16. */
static uint16_t read_utf8(uint8_t first)
{
    unsigned more = (first & 0xE0) == 0xC0 ? 1 : (first & 0xF0) == 0xE0 ? 2 : 0;
    uint32_t code = first & (0x3Fu >> more);
    uint8_t byte;
    for (unsigned i = 0; i < more; i++) {
        if (!read_soon(&byte) || (byte & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (byte & 0x3F);
    }
    return more ? (uint16_t)code : 0;
}

static EFI_INPUT_KEY decode(uint8_t byte)
{
    if (byte == ESCAPE)
        return read_sequence();
    if (byte == 0x7F)
        return (EFI_INPUT_KEY){ .UnicodeChar = '\b' };
    if (byte == '\n')
        return (EFI_INPUT_KEY){ .UnicodeChar = '\r' };
    return (EFI_INPUT_KEY){ .UnicodeChar = byte < 0x80 ? byte : read_utf8(byte) };
}

static bool fill_key(void)
{
    uint8_t byte;
    while (!key_pending && serial_read(&byte)) {
        pending_key = decode(byte);
        key_pending = pending_key.ScanCode || pending_key.UnicodeChar;
    }
    return key_pending;
}

static void notify_key(EFI_INPUT_KEY key)
{
    for (struct key_notify *n = key_notifies; n; n = n->next)
        if (n->key.Key.ScanCode == key.ScanCode && n->key.Key.UnicodeChar == key.UnicodeChar) {
            EFI_KEY_DATA data = { .Key = key };
            n->function(&data);
        }
}

static EFI_STATUS EFIAPI read_key(EFI_SIMPLE_TEXT_INPUT_PROTOCOL *this, EFI_INPUT_KEY *key)
{
    if (!this || !key)
        return EFI_INVALID_PARAMETER;
    if (!fill_key())
        return EFI_NOT_READY;
    key_pending = false;
    *key = pending_key;
    notify_key(*key);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI reset_input(EFI_SIMPLE_TEXT_INPUT_PROTOCOL *this, BOOLEAN extended)
{
    (void)this;
    (void)extended;
    key_pending = false;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_key_ex(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *this, EFI_KEY_DATA *data)
{
    if (!this || !data)
        return EFI_INVALID_PARAMETER;
    *data = (EFI_KEY_DATA){ .KeyState = { KEY_SHIFT_STATE_VALID, KEY_TOGGLE_STATE_VALID } };
    return read_key(&input, &data->Key);
}

static EFI_STATUS EFIAPI reset_input_ex(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *this, BOOLEAN extended)
{
    (void)this;
    return reset_input(&input, extended);
}

static EFI_STATUS EFIAPI set_state(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *this, UINT8 *state)
{
    if (!this || !state)
        return EFI_INVALID_PARAMETER;
    /* A terminal has no locks that could be set; partial keys may be asked for, there are none. */
    return (*state & ~KEY_STATE_EXPOSED) == KEY_TOGGLE_STATE_VALID ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI register_notify(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *this,
                                         EFI_KEY_DATA *data, EFI_KEY_NOTIFY_FUNCTION function,
                                         VOID **ret_handle)
{
    if (!this || !data || !function || !ret_handle)
        return EFI_INVALID_PARAMETER;
    struct key_notify *n = pool_allocate(MEMORY_BOOT_DATA, sizeof(*n));
    if (!n)
        return EFI_OUT_OF_RESOURCES;
    *n = (struct key_notify){ .next = key_notifies, .key = *data, .function = function };
    key_notifies = n;
    *ret_handle = n;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI unregister_notify(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *this, VOID *handle)
{
    (void)this;
    for (struct key_notify **link = &key_notifies; *link; link = &(*link)->next)
        if (*link == handle) {
            struct key_notify *n = *link;
            *link = n->next;
            pool_free(n);
            return EFI_SUCCESS;
        }
    return EFI_INVALID_PARAMETER;
}

static VOID EFIAPI wait_key(EFI_EVENT event, VOID *context)
{
    (void)context;
    if (fill_key())
        bs_signal_event(event);
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

static void create_key_event(EFI_EVENT *ret_event)
{
    if (bs_create_event(EVT_NOTIFY_WAIT, TPL_NOTIFY, wait_key, NULL, ret_event) != EFI_SUCCESS)
        panic("no memory for the console");
}

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
    input = (EFI_SIMPLE_TEXT_INPUT_PROTOCOL){ .Reset = reset_input, .ReadKeyStroke = read_key };
    input_ex = (EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL){ .Reset = reset_input_ex,
                                                    .ReadKeyStrokeEx = read_key_ex,
                                                    .SetState = set_state,
                                                    .RegisterKeyNotify = register_notify,
                                                    .UnregisterKeyNotify = unregister_notify };
    create_key_event(&input.WaitForKey);
    create_key_event(&input_ex.WaitForKeyEx);
    handle_install(&handle, &guid_device_path, &console_path);
    handle_install(&handle, &guid_text_input, &input);
    handle_install(&handle, &guid_text_input_ex, &input_ex);
    handle_install(&handle, &guid_text_output, &output);
    system_table->ConsoleInHandle = system_table->ConsoleOutHandle =
        system_table->StandardErrorHandle = handle;
    system_table->ConIn = &input;
    system_table->ConOut = system_table->StdErr = &output;
}
