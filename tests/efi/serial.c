/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Serial I/O on the first port (UEFI 2.10 12.8), which carries the report as well. */
#include "tests/efi/conformance.h"

typedef struct {
    UINT32 ControlMask, Timeout;
    UINT64 BaudRate;
    UINT32 ReceiveFifoDepth, DataBits, Parity, StopBits;
} SERIAL_MODE;

typedef struct SERIAL {
    UINT32 Revision;
    EFI_STATUS(EFIAPI *Reset)(struct SERIAL *This);
    EFI_STATUS(EFIAPI *SetAttributes)
    (struct SERIAL *This, UINT64 Baud, UINT32 Depth, UINT32 Timeout, UINT32 Parity, UINT8 DataBits,
     UINT32 StopBits);
    EFI_STATUS(EFIAPI *SetControl)(struct SERIAL *This, UINT32 Control);
    EFI_STATUS(EFIAPI *GetControl)(struct SERIAL *This, UINT32 *Control);
    EFI_STATUS(EFIAPI *Write)(struct SERIAL *This, UINTN *Size, VOID *Buffer);
    EFI_STATUS(EFIAPI *Read)(struct SERIAL *This, UINTN *Size, VOID *Buffer);
    SERIAL_MODE *Mode;
} SERIAL;

static SERIAL *port;

static void show_mode(const char *name)
{
    check_value(name_of(name, "baud"), port->Mode->BaudRate);
    check_value(name_of(name, "bits"), port->Mode->DataBits);
    check_value(name_of(name, "parity"), port->Mode->Parity);
    check_value(name_of(name, "stop"), port->Mode->StopBits);
}

static void attributes(void)
{
    static const struct {
        const char *name;
        UINT64 baud;
        UINT32 depth, timeout, parity, bits, stop;
    } table[] = {
        { "defaults", 0, 0, 0, 0, 0, 0 },
        { "same", 115200, 0, 1000000, 1, 8, 1 },
        { "timeout", 115200, 0, 50000, 1, 8, 1 },
        { "too-fast", 10000000, 0, 1000000, 1, 8, 1 },
        { "bad-parity", 115200, 0, 1000000, 9, 8, 1 },
        { "bad-bits", 115200, 0, 1000000, 1, 9, 1 },
        { "bad-stop", 115200, 0, 1000000, 1, 8, 9 },
        { "mark", 115200, 0, 1000000, 4, 8, 1 },
        { "five-bits", 115200, 0, 1000000, 1, 5, 1 },
        { "five-bits-1.5", 115200, 0, 1000000, 1, 5, 2 },
        { "eight-bits-1.5", 115200, 0, 1000000, 1, 8, 2 },
        { "back", 115200, 0, 1000000, 1, 8, 1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        EFI_STATUS status =
            port->SetAttributes(port, table[i].baud, table[i].depth, table[i].timeout,
                                table[i].parity, (UINT8)table[i].bits, table[i].stop);
        UINT64 baud = port->Mode->BaudRate;
        UINT32 bits = port->Mode->DataBits;
        if (status == EFI_SUCCESS) /* so that the report can be read */
            port->SetAttributes(port, 115200, 0, 1000000, 1, 8, 1);
        check_status(name_of("attributes", table[i].name), status);
        check_value(name_of(name_of("attributes", table[i].name), "baud"), baud);
        check_value(name_of(name_of("attributes", table[i].name), "bits"), bits);
    }
    show_mode("after");
}

static void transfers(void)
{
    char text[] = "serial\r\n";
    UINT8 byte;
    UINT32 control = 0;
    UINTN size = sizeof(text) - 1;
    check_status("write", port->Write(port, &size, text));
    check_value("write.size", size);
    size = 0;
    check_status("write.nothing", port->Write(port, &size, text));
    port->SetAttributes(port, 115200, 0, 10000, 1, 8, 1);
    size = 1;
    check_status("read.none", port->Read(port, &size, &byte));
    check_value("read.none-size", size);
    size = 0;
    check_status("read.nothing", port->Read(port, &size, &byte));
    port->SetAttributes(port, 115200, 0, 1000000, 1, 8, 1);
    check_status("control.get", port->GetControl(port, &control));
    check_true("control.input-empty", control & 0x100);
    check_status("control.set-none", port->SetControl(port, 0));
    check_status("control.set-dtr-rts", port->SetControl(port, 3));
    port->GetControl(port, &control);
    check_value("control.dtr-rts", control & 3);
    check_status("control.set-status-bit", port->SetControl(port, 0x10));
    check_status("control.set-unknown", port->SetControl(port, 0x80000000));
}

void test_serial(void)
{
    port = find_protocol(&serial_io_guid);
    check_true("there", port != NULL);
    if (!port)
        return;
    check_value("revision", port->Revision);
    show_mode("mode");
    check_status("reset", port->Reset(port));
    attributes();
    transfers();
    check_status("reset.end", port->Reset(port));
    show_mode("end");
}
