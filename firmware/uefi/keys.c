/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Keys from the serial port (UEFI 2.10 12.2, 12.3): what terminals send becomes key strokes, which
 * wait in a ring. Whoever wants to be told of a key is, even while nobody reads: then a timer
 * looks.
 */
#include "firmware/arch/time.h"
#include "firmware/lib/log.h"
#include "firmware/platform/serial.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

/* A sequence follows its ESC at line speed; a key press does not. */
#define ESCAPE_WAIT_US         10000u
#define ESCAPE                 0x1B
#define KEY_SHIFT_STATE_VALID  0x80000000u
#define KEY_TOGGLE_STATE_VALID 0x80u
#define KEY_STATE_EXPOSED      0x40u
#define RING                   64u
#define POLL_100NS             200000u

static EFI_SIMPLE_TEXT_INPUT_PROTOCOL input;
static EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL input_ex;

struct key_notify {
    struct key_notify *next;
    EFI_KEY_DATA key;
    EFI_KEY_NOTIFY_FUNCTION function;
};

static struct key_notify *key_notifies;
static EFI_EVENT poll_timer; /* while there are notifies */
static EFI_INPUT_KEY ring[RING];
static size_t ring_first, ring_count; /* strokes that nobody has read yet */

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

static EFI_KEY_DATA data_of(EFI_INPUT_KEY key)
{
    return (EFI_KEY_DATA){ .Key = key,
                           .KeyState = { KEY_SHIFT_STATE_VALID, KEY_TOGGLE_STATE_VALID } };
}

/* A state of 0 is any state, UEFI 2.10 12.3.5. */
static bool wants(const struct key_notify *n, const EFI_KEY_DATA *data)
{
    return n->key.Key.ScanCode == data->Key.ScanCode &&
           n->key.Key.UnicodeChar == data->Key.UnicodeChar &&
           (n->key.KeyState.KeyShiftState == 0 ||
            n->key.KeyState.KeyShiftState == data->KeyState.KeyShiftState) &&
           (n->key.KeyState.KeyToggleState == 0 ||
            n->key.KeyState.KeyToggleState == data->KeyState.KeyToggleState);
}

static bool is_registered(const struct key_notify *notify)
{
    const struct key_notify *n = key_notifies;
    while (n && n != notify)
        n = n->next;
    return n != NULL;
}

/* Whoever is told may unregister itself and others. */
static void notify(EFI_INPUT_KEY key)
{
    EFI_KEY_DATA data = data_of(key);
    for (struct key_notify *n = key_notifies, *next; n && is_registered(n); n = next) {
        next = n->next;
        if (wants(n, &data))
            n->function(&data);
    }
}

/*
 * Takes what has come in, but only so much at a time: a host that floods us stops nothing. A full
 * ring loses the new key.
 */
static void fill(void)
{
    uint8_t byte;
    for (unsigned i = 0; i < RING && serial_read(&byte); i++) {
        EFI_INPUT_KEY key = decode(byte);
        if (!key.ScanCode && !key.UnicodeChar)
            continue;
        if (ring_count < RING)
            ring[(ring_first + ring_count++) % RING] = key;
        notify(key);
    }
}

/* Keys are touched at the level of the timer only, which so cannot come in between. */
static bool take(EFI_INPUT_KEY *ret)
{
    EFI_TPL old = bs_raise_tpl(TPL_HIGH_LEVEL);
    bs_restore_tpl(old);
    if (old < TPL_NOTIFY)
        bs_raise_tpl(TPL_NOTIFY);
    fill();
    bool there = ring_count > 0;
    if (there && ret) {
        *ret = ring[ring_first];
        ring_first = (ring_first + 1) % RING;
        ring_count--;
    }
    if (old < TPL_NOTIFY)
        bs_restore_tpl(old);
    return there;
}

static EFI_STATUS EFIAPI read_key(EFI_SIMPLE_TEXT_INPUT_PROTOCOL *this, EFI_INPUT_KEY *key)
{
    if (!this || !key)
        return EFI_INVALID_PARAMETER;
    return take(key) ? EFI_SUCCESS : EFI_NOT_READY;
}

static EFI_STATUS EFIAPI reset_input(EFI_SIMPLE_TEXT_INPUT_PROTOCOL *this, BOOLEAN extended)
{
    (void)this;
    (void)extended;
    ring_count = 0;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_key_ex(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *this, EFI_KEY_DATA *data)
{
    if (!this || !data)
        return EFI_INVALID_PARAMETER;
    *data = data_of((EFI_INPUT_KEY){ 0 });
    return take(&data->Key) ? EFI_SUCCESS : EFI_NOT_READY;
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

static VOID EFIAPI poll(EFI_EVENT event, VOID *context)
{
    (void)event;
    (void)context;
    take(NULL);
}

static EFI_STATUS start_polling(void)
{
    EFI_STATUS status =
        bs_create_event(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_NOTIFY, poll, NULL, &poll_timer);
    return status == EFI_SUCCESS ? bs_set_timer(poll_timer, TimerPeriodic, POLL_100NS) : status;
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
    if (!poll_timer && start_polling() != EFI_SUCCESS) {
        pool_free(n);
        return EFI_OUT_OF_RESOURCES;
    }
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
            if (!key_notifies) {
                bs_close_event(poll_timer);
                poll_timer = NULL;
            }
            return EFI_SUCCESS;
        }
    return EFI_INVALID_PARAMETER;
}

static VOID EFIAPI wait_key(EFI_EVENT event, VOID *context)
{
    (void)context;
    if (take(NULL))
        bs_signal_event(event);
}

static void create_key_event(EFI_EVENT *ret_event)
{
    if (bs_create_event(EVT_NOTIFY_WAIT, TPL_NOTIFY, wait_key, NULL, ret_event) != EFI_SUCCESS)
        panic("no memory for the console");
}

void keys_init(EFI_HANDLE handle)
{
    input = (EFI_SIMPLE_TEXT_INPUT_PROTOCOL){ .Reset = reset_input, .ReadKeyStroke = read_key };
    input_ex = (EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL){ .Reset = reset_input_ex,
                                                    .ReadKeyStrokeEx = read_key_ex,
                                                    .SetState = set_state,
                                                    .RegisterKeyNotify = register_notify,
                                                    .UnregisterKeyNotify = unregister_notify };
    create_key_event(&input.WaitForKey);
    create_key_event(&input_ex.WaitForKeyEx);
    handle_install(&handle, &guid_text_input, &input);
    handle_install(&handle, &guid_text_input_ex, &input_ex);
    system_table->ConIn = &input;
}
