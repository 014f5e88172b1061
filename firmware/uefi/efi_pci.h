/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The ABI of the PCI protocols (UEFI 2.10 14.2 and 14.4), of the descriptors that they hand out
 * (ACPI 6.4 6.4.3.5.1, 6.4.2.9), and of edk2's IOMMU protocol, which OVMF publishes in SEV guests.
 */
#ifndef PRIVET_FIRMWARE_EFI_PCI_H
#define PRIVET_FIRMWARE_EFI_PCI_H

#include "firmware/uefi/efi.h"

/* Widths of both protocols: 8 to 64 bits, then the same at one address, then from one value. */
enum { EfiPciWidthUint64 = 3, EfiPciWidthFifoUint8 = 4, EfiPciWidthFillUint8 = 8,
       EfiPciWidthMaximum = 12 };

/* UEFI 2.10 14.2; the first three are also those of EFI_PCI_IO_PROTOCOL, without DAC */
enum {
    EfiPciOperationBusMasterRead, EfiPciOperationBusMasterWrite,
    EfiPciOperationBusMasterCommonBuffer, EfiPciOperationBusMasterRead64,
    EfiPciOperationBusMasterWrite64, EfiPciOperationBusMasterCommonBuffer64, EfiPciOperationMaximum
};

/* Attributes of both protocols */
#define EFI_PCI_ATTRIBUTE_ISA_MOTHERBOARD_IO 0x1ull
#define EFI_PCI_ATTRIBUTE_VGA_PALETTE_IO 0x4ull
#define EFI_PCI_ATTRIBUTE_VGA_MEMORY 0x8ull
#define EFI_PCI_ATTRIBUTE_VGA_IO 0x10ull
#define EFI_PCI_ATTRIBUTE_IDE_PRIMARY_IO 0x20ull
#define EFI_PCI_ATTRIBUTE_IDE_SECONDARY_IO 0x40ull
#define EFI_PCI_ATTRIBUTE_MEMORY_WRITE_COMBINE 0x80ull
#define EFI_PCI_IO_ATTRIBUTE_IO 0x100ull
#define EFI_PCI_IO_ATTRIBUTE_MEMORY 0x200ull
#define EFI_PCI_IO_ATTRIBUTE_BUS_MASTER 0x400ull
#define EFI_PCI_ATTRIBUTE_MEMORY_CACHED 0x800ull
#define EFI_PCI_IO_ATTRIBUTE_EMBEDDED_DEVICE 0x2000ull
#define EFI_PCI_ATTRIBUTE_DUAL_ADDRESS_CYCLE 0x8000ull
#define EFI_PCI_ATTRIBUTE_ISA_IO_16 0x10000ull
#define EFI_PCI_ATTRIBUTE_VGA_PALETTE_IO_16 0x20000ull
#define EFI_PCI_ATTRIBUTE_VGA_IO_16 0x40000ull

typedef struct EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL;
typedef EFI_STATUS(EFIAPI *EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL_POLL_IO_MEM)(
    EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *This, UINT32 Width, UINT64 Address, UINT64 Mask, UINT64 Value,
    UINT64 Delay, UINT64 *Result);
typedef EFI_STATUS(EFIAPI *EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL_IO_MEM)(
    EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *This, UINT32 Width, UINT64 Address, UINTN Count, VOID *Buffer);
typedef struct {
    EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL_IO_MEM Read, Write;
} EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL_ACCESS;

struct EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL {
    EFI_HANDLE ParentHandle;
    EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL_POLL_IO_MEM PollMem, PollIo;
    EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL_ACCESS Mem, Io, Pci;
    EFI_STATUS(EFIAPI *CopyMem)(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *This, UINT32 Width,
                                UINT64 DestAddress, UINT64 SrcAddress, UINTN Count);
    EFI_STATUS(EFIAPI *Map)(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *This, UINT32 Operation,
                            VOID *HostAddress, UINTN *NumberOfBytes,
                            EFI_PHYSICAL_ADDRESS *DeviceAddress, VOID **Mapping);
    EFI_STATUS(EFIAPI *Unmap)(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *This, VOID *Mapping);
    EFI_STATUS(EFIAPI *AllocateBuffer)(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *This,
                                       EFI_ALLOCATE_TYPE Type, UINT32 MemoryType, UINTN Pages,
                                       VOID **HostAddress, UINT64 Attributes);
    EFI_STATUS(EFIAPI *FreeBuffer)(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *This, UINTN Pages,
                                   VOID *HostAddress);
    EFI_STATUS(EFIAPI *Flush)(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *This);
    EFI_STATUS(EFIAPI *GetAttributes)(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *This, UINT64 *Supports,
                                      UINT64 *Attributes);
    EFI_STATUS(EFIAPI *SetAttributes)(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *This, UINT64 Attributes,
                                      UINT64 *ResourceBase, UINT64 *ResourceLength);
    EFI_STATUS(EFIAPI *Configuration)(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *This, VOID **Resources);
    UINT32 SegmentNumber;
};
_Static_assert(sizeof(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL) == 19 * 8, "UEFI 2.10 14.2");

/* UEFI 2.10 14.4 */
enum { EFI_PCI_IO_PASS_THROUGH_BAR = 0xFF };
enum {
    EfiPciIoAttributeOperationGet, EfiPciIoAttributeOperationSet, EfiPciIoAttributeOperationEnable,
    EfiPciIoAttributeOperationDisable, EfiPciIoAttributeOperationSupported,
    EfiPciIoAttributeOperationMaximum
};

typedef struct EFI_PCI_IO_PROTOCOL EFI_PCI_IO_PROTOCOL;
typedef EFI_STATUS(EFIAPI *EFI_PCI_IO_PROTOCOL_POLL_IO_MEM)(EFI_PCI_IO_PROTOCOL *This, UINT32 Width,
                                                            UINT8 BarIndex, UINT64 Offset,
                                                            UINT64 Mask, UINT64 Value, UINT64 Delay,
                                                            UINT64 *Result);
typedef EFI_STATUS(EFIAPI *EFI_PCI_IO_PROTOCOL_IO_MEM)(EFI_PCI_IO_PROTOCOL *This, UINT32 Width,
                                                       UINT8 BarIndex, UINT64 Offset, UINTN Count,
                                                       VOID *Buffer);
typedef EFI_STATUS(EFIAPI *EFI_PCI_IO_PROTOCOL_CONFIG)(EFI_PCI_IO_PROTOCOL *This, UINT32 Width,
                                                       UINT32 Offset, UINTN Count, VOID *Buffer);

struct EFI_PCI_IO_PROTOCOL {
    EFI_PCI_IO_PROTOCOL_POLL_IO_MEM PollMem, PollIo;
    struct {
        EFI_PCI_IO_PROTOCOL_IO_MEM Read, Write;
    } Mem, Io;
    struct {
        EFI_PCI_IO_PROTOCOL_CONFIG Read, Write;
    } Pci;
    EFI_STATUS(EFIAPI *CopyMem)(EFI_PCI_IO_PROTOCOL *This, UINT32 Width, UINT8 DestBarIndex,
                                UINT64 DestOffset, UINT8 SrcBarIndex, UINT64 SrcOffset,
                                UINTN Count);
    EFI_STATUS(EFIAPI *Map)(EFI_PCI_IO_PROTOCOL *This, UINT32 Operation, VOID *HostAddress,
                            UINTN *NumberOfBytes, EFI_PHYSICAL_ADDRESS *DeviceAddress,
                            VOID **Mapping);
    EFI_STATUS(EFIAPI *Unmap)(EFI_PCI_IO_PROTOCOL *This, VOID *Mapping);
    EFI_STATUS(EFIAPI *AllocateBuffer)(EFI_PCI_IO_PROTOCOL *This, EFI_ALLOCATE_TYPE Type,
                                       UINT32 MemoryType, UINTN Pages, VOID **HostAddress,
                                       UINT64 Attributes);
    EFI_STATUS(EFIAPI *FreeBuffer)(EFI_PCI_IO_PROTOCOL *This, UINTN Pages, VOID *HostAddress);
    EFI_STATUS(EFIAPI *Flush)(EFI_PCI_IO_PROTOCOL *This);
    EFI_STATUS(EFIAPI *GetLocation)(EFI_PCI_IO_PROTOCOL *This, UINTN *SegmentNumber,
                                    UINTN *BusNumber, UINTN *DeviceNumber, UINTN *FunctionNumber);
    EFI_STATUS(EFIAPI *Attributes)(EFI_PCI_IO_PROTOCOL *This, UINT32 Operation, UINT64 Attributes,
                                   UINT64 *Result);
    EFI_STATUS(EFIAPI *GetBarAttributes)(EFI_PCI_IO_PROTOCOL *This, UINT8 BarIndex,
                                         UINT64 *Supports, VOID **Resources);
    EFI_STATUS(EFIAPI *SetBarAttributes)(EFI_PCI_IO_PROTOCOL *This, UINT64 Attributes,
                                         UINT8 BarIndex, UINT64 *Offset, UINT64 *Length);
    UINT64 RomSize;
    VOID *RomImage;
};
_Static_assert(sizeof(EFI_PCI_IO_PROTOCOL) == 20 * 8, "UEFI 2.10 14.4");

#pragma pack(push, 1)
/* ACPI 6.4 6.4.3.5.1: QWORD address space descriptor */
typedef struct {
    UINT8 Desc;
    UINT16 Len;
    UINT8 ResType, GenFlag, SpecificFlag;
    UINT64 AddrSpaceGranularity, AddrRangeMin, AddrRangeMax, AddrTranslationOffset, AddrLen;
} EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR;
/* ACPI 6.4 6.4.2.9: end tag; checksum 0 counts as right */
typedef struct {
    UINT8 Desc, Checksum;
} EFI_ACPI_END_TAG_DESCRIPTOR;
#pragma pack(pop)
_Static_assert(sizeof(EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR) == 46, "ACPI 6.4 6.4.3.5.1");
enum { ACPI_ADDRESS_SPACE_DESCRIPTOR = 0x8A, ACPI_END_TAG_DESCRIPTOR = 0x79 };
enum { ACPI_ADDRESS_SPACE_TYPE_MEM, ACPI_ADDRESS_SPACE_TYPE_IO, ACPI_ADDRESS_SPACE_TYPE_BUS };
enum { ACPI_MEMORY_PREFETCHABLE = 6 }; /* in SpecificFlag */

/* edk2, MdeModulePkg/Include/Protocol/IoMmu.h */
#define EDKII_IOMMU_PROTOCOL_REVISION 0x00010000ull
#define EDKII_IOMMU_ACCESS_READ 1ull
#define EDKII_IOMMU_ACCESS_WRITE 2ull
typedef struct EDKII_IOMMU_PROTOCOL {
    UINT64 Revision;
    EFI_STATUS(EFIAPI *SetAttribute)(struct EDKII_IOMMU_PROTOCOL *This, EFI_HANDLE DeviceHandle,
                                     VOID *Mapping, UINT64 IoMmuAccess);
    EFI_STATUS(EFIAPI *Map)(struct EDKII_IOMMU_PROTOCOL *This, UINT32 Operation, VOID *HostAddress,
                            UINTN *NumberOfBytes, EFI_PHYSICAL_ADDRESS *DeviceAddress,
                            VOID **Mapping);
    EFI_STATUS(EFIAPI *Unmap)(struct EDKII_IOMMU_PROTOCOL *This, VOID *Mapping);
    EFI_STATUS(EFIAPI *AllocateBuffer)(struct EDKII_IOMMU_PROTOCOL *This, EFI_ALLOCATE_TYPE Type,
                                       UINT32 MemoryType, UINTN Pages, VOID **HostAddress,
                                       UINT64 Attributes);
    EFI_STATUS(EFIAPI *FreeBuffer)(struct EDKII_IOMMU_PROTOCOL *This, UINTN Pages,
                                   VOID *HostAddress);
} EDKII_IOMMU_PROTOCOL;

#endif
