/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The ABI of EFI_GRAPHICS_OUTPUT_PROTOCOL (UEFI 2.10 12.9). */
#ifndef PRIVET_FIRMWARE_EFI_GRAPHICS_H
#define PRIVET_FIRMWARE_EFI_GRAPHICS_H

#include "firmware/uefi/efi.h"

enum { PixelBlueGreenRedReserved8BitPerColor = 1 };
enum { EfiBltVideoFill, EfiBltVideoToBltBuffer, EfiBltBufferToVideo, EfiBltVideoToVideo };

typedef struct {
    UINT32 Version, HorizontalResolution, VerticalResolution, PixelFormat;
    UINT32 PixelInformation[4]; /* masks; for formats without one */
    UINT32 PixelsPerScanLine;
} EFI_GRAPHICS_OUTPUT_MODE_INFORMATION;
_Static_assert(sizeof(EFI_GRAPHICS_OUTPUT_MODE_INFORMATION) == 36, "UEFI 2.10 12.9.2.1");

typedef struct {
    UINT32 MaxMode, Mode;
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *Info;
    UINTN SizeOfInfo;
    EFI_PHYSICAL_ADDRESS FrameBufferBase;
    UINTN FrameBufferSize;
} EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE;

/* A pixel is blue, green, red, reserved: a little-endian 32-bit number. */
typedef struct EFI_GRAPHICS_OUTPUT_PROTOCOL {
    EFI_STATUS(EFIAPI *QueryMode)(struct EFI_GRAPHICS_OUTPUT_PROTOCOL *This, UINT32 ModeNumber,
                                  UINTN *SizeOfInfo, EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **Info);
    EFI_STATUS(EFIAPI *SetMode)(struct EFI_GRAPHICS_OUTPUT_PROTOCOL *This, UINT32 ModeNumber);
    EFI_STATUS(EFIAPI *Blt)(struct EFI_GRAPHICS_OUTPUT_PROTOCOL *This, UINT32 *BltBuffer,
                            UINT32 BltOperation, UINTN SourceX, UINTN SourceY, UINTN DestinationX,
                            UINTN DestinationY, UINTN Width, UINTN Height, UINTN Delta);
    EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *Mode;
} EFI_GRAPHICS_OUTPUT_PROTOCOL;

#endif
