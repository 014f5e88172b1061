/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* ABI of serial I/O (UEFI 2.10 12.8) and Unicode collation (13.6). */
#ifndef PRIVET_FIRMWARE_EFI_CONSOLE_H
#define PRIVET_FIRMWARE_EFI_CONSOLE_H

#include "firmware/uefi/efi.h"

#define EFI_SERIAL_IO_REVISION 0x00010000u

enum {
    EFI_SERIAL_DATA_TERMINAL_READY = 0x1,
    EFI_SERIAL_REQUEST_TO_SEND = 0x2,
    EFI_SERIAL_CLEAR_TO_SEND = 0x10,
    EFI_SERIAL_DATA_SET_READY = 0x20,
    EFI_SERIAL_RING_INDICATE = 0x40,
    EFI_SERIAL_CARRIER_DETECT = 0x80,
    EFI_SERIAL_INPUT_BUFFER_EMPTY = 0x100,
    EFI_SERIAL_OUTPUT_BUFFER_EMPTY = 0x200,
    EFI_SERIAL_HARDWARE_LOOPBACK_ENABLE = 0x1000,
};

typedef struct {
    UINT32 ControlMask;
    UINT32 Timeout; /* microseconds */
    UINT64 BaudRate;
    UINT32 ReceiveFifoDepth, DataBits, Parity, StopBits;
} EFI_SERIAL_IO_MODE;

typedef struct EFI_SERIAL_IO_PROTOCOL {
    UINT32 Revision;
    EFI_STATUS(EFIAPI *Reset)(struct EFI_SERIAL_IO_PROTOCOL *This);
    EFI_STATUS(EFIAPI *SetAttributes)
    (struct EFI_SERIAL_IO_PROTOCOL *This, UINT64 BaudRate, UINT32 ReceiveFifoDepth, UINT32 Timeout,
     UINT32 Parity, UINT8 DataBits, UINT32 StopBits);
    EFI_STATUS(EFIAPI *SetControl)(struct EFI_SERIAL_IO_PROTOCOL *This, UINT32 Control);
    EFI_STATUS(EFIAPI *GetControl)(struct EFI_SERIAL_IO_PROTOCOL *This, UINT32 *Control);
    EFI_STATUS(EFIAPI *Write)(struct EFI_SERIAL_IO_PROTOCOL *This, UINTN *BufferSize, VOID *Buffer);
    EFI_STATUS(EFIAPI *Read)(struct EFI_SERIAL_IO_PROTOCOL *This, UINTN *BufferSize, VOID *Buffer);
    EFI_SERIAL_IO_MODE *Mode;
} EFI_SERIAL_IO_PROTOCOL;
_Static_assert(sizeof(EFI_SERIAL_IO_PROTOCOL) == 64, "UEFI 2.10 12.8");

typedef struct EFI_UNICODE_COLLATION_PROTOCOL {
    INTN(EFIAPI *StriColl)(struct EFI_UNICODE_COLLATION_PROTOCOL *This, CHAR16 *One, CHAR16 *Two);
    BOOLEAN(EFIAPI *MetaiMatch)
    (struct EFI_UNICODE_COLLATION_PROTOCOL *This, CHAR16 *String, CHAR16 *Pattern);
    VOID(EFIAPI *StrLwr)(struct EFI_UNICODE_COLLATION_PROTOCOL *This, CHAR16 *String);
    VOID(EFIAPI *StrUpr)(struct EFI_UNICODE_COLLATION_PROTOCOL *This, CHAR16 *String);
    VOID(EFIAPI *FatToStr)
    (struct EFI_UNICODE_COLLATION_PROTOCOL *This, UINTN FatSize, CHAR8 *Fat, CHAR16 *String);
    BOOLEAN(EFIAPI *StrToFat)
    (struct EFI_UNICODE_COLLATION_PROTOCOL *This, CHAR16 *String, UINTN FatSize, CHAR8 *Fat);
    CHAR8 *SupportedLanguages;
} EFI_UNICODE_COLLATION_PROTOCOL;
_Static_assert(sizeof(EFI_UNICODE_COLLATION_PROTOCOL) == 56, "UEFI 2.10 13.6");

#endif
