/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Serial I/O (UEFI 2.10 12.8) on the port that carries the console. Whoever opens it, GRUB's serial
 * terminal for one, shares the port with ConIn and ConOut; its line parameters are in its device
 * path.
 */
#include "firmware/arch/time.h"
#include "firmware/platform/serial.h"
#include "firmware/uefi/efi_console.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define CLOCK           115200u /* the fastest; a divisor makes less of it */
#define SLOWEST         50u
#define FIFO_DEPTH      16u
#define DEFAULT_TIMEOUT 1000000u /* UEFI 2.10 12.8: of a port that was reset */
#define LONGEST_TIMEOUT 100000000u

enum { PARITY_DEFAULT, PARITY_NONE, PARITY_EVEN, PARITY_ODD, PARITY_MARK, PARITY_SPACE };
enum { STOP_DEFAULT, STOP_ONE, STOP_ONE_AND_HALF, STOP_TWO };

static EFI_SERIAL_IO_MODE mode;

/* The 16550's line control register. */
static uint8_t line_of(const EFI_SERIAL_IO_MODE *want)
{
    static const uint8_t parities[] = { 0, 0, 0x18, 0x08, 0x28, 0x38 };
    return (uint8_t)((want->DataBits - 5) | (want->StopBits == STOP_ONE ? 0 : 4) |
                     parities[want->Parity]);
}

static bool possible(const EFI_SERIAL_IO_MODE *want)
{
    bool stop = want->StopBits == STOP_ONE ||
                want->StopBits == (want->DataBits == 5 ? STOP_ONE_AND_HALF : STOP_TWO);
    return want->BaudRate >= SLOWEST && want->ReceiveFifoDepth <= FIFO_DEPTH &&
           want->Timeout <= LONGEST_TIMEOUT && want->Parity <= PARITY_SPACE &&
           want->DataBits >= 5 && want->DataBits <= 8 && stop;
}

static bool same_line(const EFI_SERIAL_IO_MODE *a, const EFI_SERIAL_IO_MODE *b)
{
    return a->BaudRate == b->BaudRate && a->DataBits == b->DataBits && a->Parity == b->Parity &&
           a->StopBits == b->StopBits;
}

/* The device path tells the new line to whoever uses the port, UEFI 2.10 12.8.3.2. */
static void update_path(void)
{
    EFI_HANDLE handle = system_table->ConsoleOutHandle;
    EFI_GUID guid = guid_device_path;
    EFI_DEVICE_PATH_PROTOCOL *path = handle_interface(handle, &guid), *node = path;
    while (node && !devicepath_is_end(node) &&
           (node->Type != MESSAGING_DEVICE_PATH || node->SubType != MSG_UART_DP))
        node = devicepath_next(node);
    if (!node || devicepath_is_end(node))
        return;
    UART_DEVICE_PATH *uart = (UART_DEVICE_PATH *)node;
    uart->BaudRate = mode.BaudRate;
    uart->DataBits = (UINT8)mode.DataBits;
    uart->Parity = (UINT8)mode.Parity;
    uart->StopBits = (UINT8)mode.StopBits;
    bs_reinstall_protocol_interface(handle, &guid, path, path);
}

static EFI_STATUS EFIAPI set_attributes(EFI_SERIAL_IO_PROTOCOL *this, UINT64 baud, UINT32 depth,
                                        UINT32 timeout, UINT32 parity, UINT8 data_bits,
                                        UINT32 stop_bits)
{
    (void)this;
    EFI_SERIAL_IO_MODE want = { .ControlMask = mode.ControlMask,
                                .Timeout = timeout ? timeout : DEFAULT_TIMEOUT,
                                .BaudRate = baud ? baud : CLOCK,
                                .ReceiveFifoDepth = depth ? depth : FIFO_DEPTH,
                                .DataBits = data_bits ? data_bits : 8,
                                .Parity = parity ? parity : PARITY_NONE,
                                .StopBits = stop_bits ? stop_bits : STOP_ONE };
    if (!possible(&want))
        return EFI_INVALID_PARAMETER;
    uint64_t divisor = want.BaudRate >= CLOCK ? 1 : (CLOCK + want.BaudRate - 1) / want.BaudRate;
    want.BaudRate = CLOCK / divisor; /* the next slower one that there is */
    bool changed = !same_line(&want, &mode);
    mode = want;
    if (!changed)
        return EFI_SUCCESS;
    serial_set_line((uint16_t)divisor, line_of(&want));
    update_path();
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI reset(EFI_SERIAL_IO_PROTOCOL *this)
{
    return set_attributes(this, 0, 0, 0, 0, 0, 0);
}

/* Register bits and what UEFI calls them. */
struct bit_names {
    uint8_t bit;
    uint16_t name;
};
static const struct bit_names outputs[] = { { SERIAL_DTR, EFI_SERIAL_DATA_TERMINAL_READY },
                                            { SERIAL_RTS, EFI_SERIAL_REQUEST_TO_SEND },
                                            { SERIAL_LOOP, EFI_SERIAL_HARDWARE_LOOPBACK_ENABLE } };
static const struct bit_names inputs[] = { { 0x10, EFI_SERIAL_CLEAR_TO_SEND },
                                           { 0x20, EFI_SERIAL_DATA_SET_READY },
                                           { 0x40, EFI_SERIAL_RING_INDICATE },
                                           { 0x80, EFI_SERIAL_CARRIER_DETECT } };

static EFI_STATUS EFIAPI set_control(EFI_SERIAL_IO_PROTOCOL *this, UINT32 control)
{
    uint8_t bits = 0;
    (void)this;
    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
        if (control & outputs[i].name) {
            bits |= outputs[i].bit;
            control &= ~(UINT32)outputs[i].name;
        }
    if (control)
        return EFI_UNSUPPORTED; /* flow control and what is only read */
    serial_set_modem(bits);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_control(EFI_SERIAL_IO_PROTOCOL *this, UINT32 *ret_control)
{
    (void)this;
    if (!ret_control)
        return EFI_INVALID_PARAMETER;
    UINT32 control = 0;
    struct serial_state state = serial_state();
    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
        control |= state.outputs & outputs[i].bit ? outputs[i].name : 0u;
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        control |= state.inputs & inputs[i].bit ? inputs[i].name : 0u;
    control |= state.received ? 0 : EFI_SERIAL_INPUT_BUFFER_EMPTY;
    control |= state.sent ? EFI_SERIAL_OUTPUT_BUFFER_EMPTY : 0;
    *ret_control = control;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI write(EFI_SERIAL_IO_PROTOCOL *this, UINTN *size, VOID *buffer)
{
    (void)this;
    if (!size || (*size && !buffer))
        return EFI_INVALID_PARAMETER;
    UINTN wanted = *size;
    *size = serial_write(buffer, wanted);
    return *size == wanted ? EFI_SUCCESS : EFI_TIMEOUT;
}

/* Each byte has the whole time-out. */
static EFI_STATUS EFIAPI read(EFI_SERIAL_IO_PROTOCOL *this, UINTN *size, VOID *buffer)
{
    uint8_t *out = buffer;
    (void)this;
    if (!size || (*size && !buffer))
        return EFI_INVALID_PARAMETER;
    for (UINTN i = 0; i < *size; i++) {
        uint64_t end = time_now_100ns() + (uint64_t)mode.Timeout * 10;
        while (!serial_read(&out[i]))
            if (time_now_100ns() >= end) {
                *size = i;
                return EFI_TIMEOUT;
            }
    }
    return EFI_SUCCESS;
}

void serial_io_init(void)
{
    static EFI_SERIAL_IO_PROTOCOL protocol = { .Revision = EFI_SERIAL_IO_REVISION,
                                               .Reset = reset,
                                               .SetAttributes = set_attributes,
                                               .SetControl = set_control,
                                               .GetControl = get_control,
                                               .Write = write,
                                               .Read = read,
                                               .Mode = &mode };
    EFI_HANDLE handle = system_table->ConsoleOutHandle;
    mode = (EFI_SERIAL_IO_MODE){ .Timeout = DEFAULT_TIMEOUT,
                                 .BaudRate = CLOCK,
                                 .ReceiveFifoDepth = FIFO_DEPTH,
                                 .DataBits = 8,
                                 .Parity = PARITY_NONE,
                                 .StopBits = STOP_ONE };
    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
        mode.ControlMask |= outputs[i].name;
    if (serial_there())
        handle_install(&handle, &guid_serial_io, &protocol);
}
