/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The ABI of UEFI 2.10: types, status codes, tables and the protocols that Privet publishes.
 * Names and layouts are those of the specification; chapters are named at each group. Only what
 * crosses the border to a loader is here.
 */
#ifndef PRIVET_FIRMWARE_EFI_H
#define PRIVET_FIRMWARE_EFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/uefi/uefi.h"

#define EFIAPI __attribute__((ms_abi))

/* UEFI 2.10 2.3.1: common types */
typedef uint8_t BOOLEAN;
typedef int64_t INTN;
typedef uint64_t UINTN;
typedef int16_t INT16;
typedef int32_t INT32;
typedef int64_t INT64;
typedef uint8_t UINT8;
typedef uint16_t UINT16;
typedef uint32_t UINT32;
typedef uint64_t UINT64;
typedef char CHAR8;
typedef uint16_t CHAR16;
typedef void VOID;
typedef UINTN EFI_STATUS;
typedef void *EFI_HANDLE;
typedef void *EFI_EVENT;
typedef UINTN EFI_TPL;
typedef UINT64 EFI_LBA;
typedef UINT64 EFI_PHYSICAL_ADDRESS;
typedef UINT64 EFI_VIRTUAL_ADDRESS;
typedef struct guid EFI_GUID;

_Static_assert(sizeof(EFI_GUID) == 16, "a GUID has 16 bytes");
_Static_assert(sizeof(UINTN) == sizeof(void *), "64-bit only");

/* UEFI 2.10 appendix D */
#define EFI_ERROR_BIT (1ull << 63)
#define EFI_ERROR(status) (((status) & EFI_ERROR_BIT) != 0)
#define EFI_SUCCESS 0ull
#define EFI_LOAD_ERROR (EFI_ERROR_BIT | 1)
#define EFI_INVALID_PARAMETER (EFI_ERROR_BIT | 2)
#define EFI_UNSUPPORTED (EFI_ERROR_BIT | 3)
#define EFI_BAD_BUFFER_SIZE (EFI_ERROR_BIT | 4)
#define EFI_BUFFER_TOO_SMALL (EFI_ERROR_BIT | 5)
#define EFI_NOT_READY (EFI_ERROR_BIT | 6)
#define EFI_DEVICE_ERROR (EFI_ERROR_BIT | 7)
#define EFI_WRITE_PROTECTED (EFI_ERROR_BIT | 8)
#define EFI_OUT_OF_RESOURCES (EFI_ERROR_BIT | 9)
#define EFI_VOLUME_CORRUPTED (EFI_ERROR_BIT | 10)
#define EFI_VOLUME_FULL (EFI_ERROR_BIT | 11)
#define EFI_NO_MEDIA (EFI_ERROR_BIT | 12)
#define EFI_MEDIA_CHANGED (EFI_ERROR_BIT | 13)
#define EFI_NOT_FOUND (EFI_ERROR_BIT | 14)
#define EFI_ACCESS_DENIED (EFI_ERROR_BIT | 15)
#define EFI_NO_RESPONSE (EFI_ERROR_BIT | 16)
#define EFI_NO_MAPPING (EFI_ERROR_BIT | 17)
#define EFI_TIMEOUT (EFI_ERROR_BIT | 18)
#define EFI_NOT_STARTED (EFI_ERROR_BIT | 19)
#define EFI_ALREADY_STARTED (EFI_ERROR_BIT | 20)
#define EFI_ABORTED (EFI_ERROR_BIT | 21)
#define EFI_SECURITY_VIOLATION (EFI_ERROR_BIT | 26)
#define EFI_WARN_UNKNOWN_GLYPH 1ull
#define EFI_WARN_DELETE_FAILURE 2ull

/* UEFI 2.10 4.2: table header */
typedef struct {
    UINT64 Signature;
    UINT32 Revision;
    UINT32 HeaderSize;
    UINT32 CRC32;
    UINT32 Reserved;
} EFI_TABLE_HEADER;

#define EFI_SYSTEM_TABLE_SIGNATURE 0x5453595320494249ull
#define EFI_BOOT_SERVICES_SIGNATURE 0x56524553544f4f42ull
#define EFI_RUNTIME_SERVICES_SIGNATURE 0x56524553544e5552ull
#define EFI_REVISION_2_100 0x00020064u /* of the tables: what the services implement, 2.10 */

/* UEFI 2.10 10.2: device path nodes */
typedef struct {
    UINT8 Type;
    UINT8 SubType;
    UINT8 Length[2];
} EFI_DEVICE_PATH_PROTOCOL;

enum {
    HARDWARE_DEVICE_PATH = 1, ACPI_DEVICE_PATH = 2, MESSAGING_DEVICE_PATH = 3,
    MEDIA_DEVICE_PATH = 4, BBS_DEVICE_PATH = 5, END_DEVICE_PATH = 0x7F,
    HW_PCI_DP = 1, HW_MEMMAP_DP = 3, HW_VENDOR_DP = 4,
    ACPI_DP = 1,
    MSG_SCSI_DP = 2, MSG_USB_DP = 5, MSG_MAC_DP = 11, MSG_IPv4_DP = 12,
    MSG_UART_DP = 14, MSG_SATA_DP = 18,
    MSG_NVME_DP = 23,
    MEDIA_HARDDRIVE_DP = 1, MEDIA_CDROM_DP = 2, MEDIA_VENDOR_DP = 3, MEDIA_FILEPATH_DP = 4,
    END_INSTANCE_DP = 1, END_ENTIRE_DP = 0xFF,
};

#pragma pack(push, 1)
typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    EFI_GUID Guid;
} VENDOR_DEVICE_PATH;
typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    UINT8 Function, Device;
} PCI_DEVICE_PATH;
typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    UINT32 HID, UID;
} ACPI_HID_DEVICE_PATH;
typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    UINT32 Reserved;
    UINT64 BaudRate;
    UINT8 DataBits, Parity, StopBits;
} UART_DEVICE_PATH;
typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    UINT16 Target, Lun;
} SCSI_DEVICE_PATH;
typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    UINT16 Port, Multiplier, Lun;
} SATA_DEVICE_PATH;
typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    UINT32 NamespaceId;
    UINT64 NamespaceUuid;
} NVME_NAMESPACE_DEVICE_PATH;
typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    UINT32 PartitionNumber;
    UINT64 PartitionStart, PartitionSize;
    UINT8 Signature[16];
    UINT8 MBRType, SignatureType;
} HARDDRIVE_DEVICE_PATH;
typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    UINT32 BootEntry;
    UINT64 PartitionStart, PartitionSize;
} CDROM_DEVICE_PATH;
typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    UINT32 MemoryType;
    EFI_PHYSICAL_ADDRESS StartingAddress, EndingAddress;
} MEMMAP_DEVICE_PATH;
#pragma pack(pop)
_Static_assert(sizeof(HARDDRIVE_DEVICE_PATH) == 42, "UEFI 2.10 10.3.5.1");
_Static_assert(sizeof(UART_DEVICE_PATH) == 19, "UEFI 2.10 10.3.4.10");

/* UEFI 2.10 12.3: simple text input */
typedef struct {
    UINT16 ScanCode;
    CHAR16 UnicodeChar;
} EFI_INPUT_KEY;

enum {
    SCAN_NULL = 0, SCAN_UP = 1, SCAN_DOWN = 2, SCAN_RIGHT = 3, SCAN_LEFT = 4, SCAN_HOME = 5,
    SCAN_END = 6, SCAN_INSERT = 7, SCAN_DELETE = 8, SCAN_PAGE_UP = 9, SCAN_PAGE_DOWN = 10,
    SCAN_F1 = 11, SCAN_ESC = 23,
};

typedef struct EFI_SIMPLE_TEXT_INPUT_PROTOCOL {
    EFI_STATUS(EFIAPI *Reset)(struct EFI_SIMPLE_TEXT_INPUT_PROTOCOL *This, BOOLEAN Extended);
    EFI_STATUS(EFIAPI *ReadKeyStroke)(struct EFI_SIMPLE_TEXT_INPUT_PROTOCOL *This,
                                      EFI_INPUT_KEY *Key);
    EFI_EVENT WaitForKey;
} EFI_SIMPLE_TEXT_INPUT_PROTOCOL;

typedef struct {
    UINT32 KeyShiftState;
    UINT8 KeyToggleState;
} EFI_KEY_STATE;
typedef struct {
    EFI_INPUT_KEY Key;
    EFI_KEY_STATE KeyState;
} EFI_KEY_DATA;
typedef EFI_STATUS(EFIAPI *EFI_KEY_NOTIFY_FUNCTION)(EFI_KEY_DATA *KeyData);

typedef struct EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL {
    EFI_STATUS(EFIAPI *Reset)(struct EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *This, BOOLEAN Extended);
    EFI_STATUS(EFIAPI *ReadKeyStrokeEx)(struct EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *This,
                                        EFI_KEY_DATA *KeyData);
    EFI_EVENT WaitForKeyEx;
    EFI_STATUS(EFIAPI *SetState)(struct EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *This, UINT8 *State);
    EFI_STATUS(EFIAPI *RegisterKeyNotify)(struct EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *This,
                                          EFI_KEY_DATA *KeyData, EFI_KEY_NOTIFY_FUNCTION Function,
                                          VOID **NotifyHandle);
    EFI_STATUS(EFIAPI *UnregisterKeyNotify)(struct EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *This,
                                            VOID *NotifyHandle);
} EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL;

/* UEFI 2.10 12.4: simple text output */
typedef struct {
    INT32 MaxMode, Mode, Attribute, CursorColumn, CursorRow;
    BOOLEAN CursorVisible;
} SIMPLE_TEXT_OUTPUT_MODE;

typedef struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL {
    EFI_STATUS(EFIAPI *Reset)(struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *This, BOOLEAN Extended);
    EFI_STATUS(EFIAPI *OutputString)(struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *This, CHAR16 *String);
    EFI_STATUS(EFIAPI *TestString)(struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *This, CHAR16 *String);
    EFI_STATUS(EFIAPI *QueryMode)(struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *This, UINTN ModeNumber,
                                  UINTN *Columns, UINTN *Rows);
    EFI_STATUS(EFIAPI *SetMode)(struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *This, UINTN ModeNumber);
    EFI_STATUS(EFIAPI *SetAttribute)(struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *This, UINTN Attribute);
    EFI_STATUS(EFIAPI *ClearScreen)(struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *This);
    EFI_STATUS(EFIAPI *SetCursorPosition)(struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *This,
                                          UINTN Column, UINTN Row);
    EFI_STATUS(EFIAPI *EnableCursor)(struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *This, BOOLEAN Visible);
    SIMPLE_TEXT_OUTPUT_MODE *Mode;
} EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL;

/* UEFI 2.10 7.2: memory */
typedef enum { AllocateAnyPages, AllocateMaxAddress, AllocateAddress, MaxAllocateType }
    EFI_ALLOCATE_TYPE;

typedef struct {
    UINT32 Type;
    EFI_PHYSICAL_ADDRESS PhysicalStart;
    EFI_VIRTUAL_ADDRESS VirtualStart;
    UINT64 NumberOfPages;
    UINT64 Attribute;
} EFI_MEMORY_DESCRIPTOR;
_Static_assert(sizeof(EFI_MEMORY_DESCRIPTOR) == 40, "UEFI 2.10 7.2.3");

#define EFI_MEMORY_UC 0x1ull
#define EFI_MEMORY_WC 0x2ull
#define EFI_MEMORY_WT 0x4ull
#define EFI_MEMORY_WB 0x8ull
#define EFI_MEMORY_RP 0x2000ull
#define EFI_MEMORY_XP 0x4000ull
#define EFI_MEMORY_RO 0x20000ull
#define EFI_MEMORY_RUNTIME (1ull << 63)
#define EFI_PAGE_SIZE 4096u
#define EFI_PAGE_SHIFT 12

/* UEFI 2.10 7.1: events */
#define EVT_TIMER 0x80000000u
#define EVT_RUNTIME 0x40000000u
#define EVT_NOTIFY_WAIT 0x00000100u
#define EVT_NOTIFY_SIGNAL 0x00000200u
#define EVT_SIGNAL_EXIT_BOOT_SERVICES 0x00000201u
#define EVT_SIGNAL_VIRTUAL_ADDRESS_CHANGE 0x60000202u
enum { TPL_APPLICATION = 4, TPL_CALLBACK = 8, TPL_NOTIFY = 16, TPL_HIGH_LEVEL = 31 };
typedef VOID(EFIAPI *EFI_EVENT_NOTIFY)(EFI_EVENT Event, VOID *Context);
typedef enum { TimerCancel, TimerPeriodic, TimerRelative } EFI_TIMER_DELAY;

/* UEFI 2.10 7.3: protocol handlers */
typedef enum { AllHandles, ByRegisterNotify, ByProtocol } EFI_LOCATE_SEARCH_TYPE;
#define EFI_OPEN_PROTOCOL_BY_HANDLE_PROTOCOL 0x01u
#define EFI_OPEN_PROTOCOL_GET_PROTOCOL 0x02u
#define EFI_OPEN_PROTOCOL_TEST_PROTOCOL 0x04u
#define EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER 0x08u
#define EFI_OPEN_PROTOCOL_BY_DRIVER 0x10u
#define EFI_OPEN_PROTOCOL_EXCLUSIVE 0x20u
typedef struct {
    EFI_HANDLE AgentHandle;
    EFI_HANDLE ControllerHandle;
    UINT32 Attributes;
    UINT32 OpenCount;
} EFI_OPEN_PROTOCOL_INFORMATION_ENTRY;

/* UEFI 2.10 11.1: driver binding, for drivers that loaders bring along */
typedef struct EFI_DRIVER_BINDING_PROTOCOL {
    EFI_STATUS(EFIAPI *Supported)(struct EFI_DRIVER_BINDING_PROTOCOL *This, EFI_HANDLE Controller,
                                  EFI_DEVICE_PATH_PROTOCOL *Remaining);
    EFI_STATUS(EFIAPI *Start)(struct EFI_DRIVER_BINDING_PROTOCOL *This, EFI_HANDLE Controller,
                              EFI_DEVICE_PATH_PROTOCOL *Remaining);
    EFI_STATUS(EFIAPI *Stop)(struct EFI_DRIVER_BINDING_PROTOCOL *This, EFI_HANDLE Controller,
                             UINTN NumberOfChildren, EFI_HANDLE *Children);
    UINT32 Version;
    EFI_HANDLE ImageHandle;
    EFI_HANDLE DriverBindingHandle;
} EFI_DRIVER_BINDING_PROTOCOL;

/* UEFI 2.10 11.2, 11.4, 11.3: who says which driver is asked first */
typedef struct EFI_PLATFORM_DRIVER_OVERRIDE_PROTOCOL {
    EFI_STATUS(EFIAPI *GetDriver)(struct EFI_PLATFORM_DRIVER_OVERRIDE_PROTOCOL *This,
                                  EFI_HANDLE Controller, EFI_HANDLE *DriverImage);
    EFI_STATUS(EFIAPI *GetDriverPath)(struct EFI_PLATFORM_DRIVER_OVERRIDE_PROTOCOL *This,
                                      EFI_HANDLE Controller, EFI_DEVICE_PATH_PROTOCOL **Path);
    EFI_STATUS(EFIAPI *DriverLoaded)(struct EFI_PLATFORM_DRIVER_OVERRIDE_PROTOCOL *This,
                                     EFI_HANDLE Controller, EFI_DEVICE_PATH_PROTOCOL *Path,
                                     EFI_HANDLE DriverImage);
} EFI_PLATFORM_DRIVER_OVERRIDE_PROTOCOL;
typedef struct EFI_DRIVER_FAMILY_OVERRIDE_PROTOCOL {
    UINT32(EFIAPI *GetVersion)(struct EFI_DRIVER_FAMILY_OVERRIDE_PROTOCOL *This);
} EFI_DRIVER_FAMILY_OVERRIDE_PROTOCOL;
typedef struct EFI_BUS_SPECIFIC_DRIVER_OVERRIDE_PROTOCOL {
    EFI_STATUS(EFIAPI *GetDriver)(struct EFI_BUS_SPECIFIC_DRIVER_OVERRIDE_PROTOCOL *This,
                                  EFI_HANDLE *DriverImage);
} EFI_BUS_SPECIFIC_DRIVER_OVERRIDE_PROTOCOL;

/* UEFI 2.10 8: runtime services' types */
typedef struct {
    UINT16 Year;
    UINT8 Month, Day, Hour, Minute, Second, Pad1;
    UINT32 Nanosecond;
    INT16 TimeZone;
    UINT8 Daylight, Pad2;
} EFI_TIME;
_Static_assert(sizeof(EFI_TIME) == 16, "UEFI 2.10 8.3");
#define EFI_UNSPECIFIED_TIMEZONE 0x07FF
typedef struct {
    UINT32 Resolution, Accuracy;
    BOOLEAN SetsToZero;
} EFI_TIME_CAPABILITIES;
typedef enum {
    EfiResetCold, EfiResetWarm, EfiResetShutdown, EfiResetPlatformSpecific
} EFI_RESET_TYPE;

#define EFI_VARIABLE_NON_VOLATILE 0x01u
#define EFI_VARIABLE_BOOTSERVICE_ACCESS 0x02u
#define EFI_VARIABLE_RUNTIME_ACCESS 0x04u
#define EFI_VARIABLE_HARDWARE_ERROR_RECORD 0x08u
#define EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS 0x10u
#define EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS 0x20u
#define EFI_VARIABLE_APPEND_WRITE 0x40u
#define EFI_VARIABLE_ENHANCED_AUTHENTICATED_ACCESS 0x80u

/* UEFI 2.10 4.6.2: which runtime services there are after ExitBootServices, in the table's order */
typedef struct {
    UINT16 Version, Length;
    UINT32 RuntimeServicesSupported;
} EFI_RT_PROPERTIES_TABLE;
#define EFI_RT_PROPERTIES_TABLE_VERSION 1u
#define EFI_RT_SUPPORTED_ALL 0x3FFFu
#define EFI_RT_SUPPORTED_GET_WAKEUP_TIME 0x0004u
#define EFI_RT_SUPPORTED_SET_WAKEUP_TIME 0x0008u
#define EFI_RT_SUPPORTED_UPDATE_CAPSULE 0x0800u
#define EFI_RT_SUPPORTED_QUERY_CAPSULE_CAPABILITIES 0x1000u

/* UEFI 2.10 4.4 */
typedef struct {
    EFI_TABLE_HEADER Hdr;
    EFI_TPL(EFIAPI *RaiseTPL)(EFI_TPL NewTpl);
    VOID(EFIAPI *RestoreTPL)(EFI_TPL OldTpl);
    EFI_STATUS(EFIAPI *AllocatePages)(EFI_ALLOCATE_TYPE Type, UINT32 MemoryType, UINTN Pages,
                                      EFI_PHYSICAL_ADDRESS *Memory);
    EFI_STATUS(EFIAPI *FreePages)(EFI_PHYSICAL_ADDRESS Memory, UINTN Pages);
    EFI_STATUS(EFIAPI *GetMemoryMap)(UINTN *MemoryMapSize, EFI_MEMORY_DESCRIPTOR *MemoryMap,
                                     UINTN *MapKey, UINTN *DescriptorSize,
                                     UINT32 *DescriptorVersion);
    EFI_STATUS(EFIAPI *AllocatePool)(UINT32 PoolType, UINTN Size, VOID **Buffer);
    EFI_STATUS(EFIAPI *FreePool)(VOID *Buffer);
    EFI_STATUS(EFIAPI *CreateEvent)(UINT32 Type, EFI_TPL NotifyTpl, EFI_EVENT_NOTIFY Function,
                                    VOID *Context, EFI_EVENT *Event);
    EFI_STATUS(EFIAPI *SetTimer)(EFI_EVENT Event, EFI_TIMER_DELAY Type, UINT64 TriggerTime);
    EFI_STATUS(EFIAPI *WaitForEvent)(UINTN NumberOfEvents, EFI_EVENT *Event, UINTN *Index);
    EFI_STATUS(EFIAPI *SignalEvent)(EFI_EVENT Event);
    EFI_STATUS(EFIAPI *CloseEvent)(EFI_EVENT Event);
    EFI_STATUS(EFIAPI *CheckEvent)(EFI_EVENT Event);
    EFI_STATUS(EFIAPI *InstallProtocolInterface)(EFI_HANDLE *Handle, EFI_GUID *Protocol,
                                                 UINT32 InterfaceType, VOID *Interface);
    EFI_STATUS(EFIAPI *ReinstallProtocolInterface)(EFI_HANDLE Handle, EFI_GUID *Protocol,
                                                   VOID *OldInterface, VOID *NewInterface);
    EFI_STATUS(EFIAPI *UninstallProtocolInterface)(EFI_HANDLE Handle, EFI_GUID *Protocol,
                                                   VOID *Interface);
    EFI_STATUS(EFIAPI *HandleProtocol)(EFI_HANDLE Handle, EFI_GUID *Protocol, VOID **Interface);
    VOID *Reserved;
    EFI_STATUS(EFIAPI *RegisterProtocolNotify)(EFI_GUID *Protocol, EFI_EVENT Event,
                                               VOID **Registration);
    EFI_STATUS(EFIAPI *LocateHandle)(EFI_LOCATE_SEARCH_TYPE SearchType, EFI_GUID *Protocol,
                                     VOID *SearchKey, UINTN *BufferSize, EFI_HANDLE *Buffer);
    EFI_STATUS(EFIAPI *LocateDevicePath)(EFI_GUID *Protocol, EFI_DEVICE_PATH_PROTOCOL **DevicePath,
                                         EFI_HANDLE *Device);
    EFI_STATUS(EFIAPI *InstallConfigurationTable)(EFI_GUID *Guid, VOID *Table);
    EFI_STATUS(EFIAPI *LoadImage)(BOOLEAN BootPolicy, EFI_HANDLE ParentImageHandle,
                                  EFI_DEVICE_PATH_PROTOCOL *DevicePath, VOID *SourceBuffer,
                                  UINTN SourceSize, EFI_HANDLE *ImageHandle);
    EFI_STATUS(EFIAPI *StartImage)(EFI_HANDLE ImageHandle, UINTN *ExitDataSize, CHAR16 **ExitData);
    EFI_STATUS(EFIAPI *Exit)(EFI_HANDLE ImageHandle, EFI_STATUS ExitStatus, UINTN ExitDataSize,
                             CHAR16 *ExitData);
    EFI_STATUS(EFIAPI *UnloadImage)(EFI_HANDLE ImageHandle);
    EFI_STATUS(EFIAPI *ExitBootServices)(EFI_HANDLE ImageHandle, UINTN MapKey);
    EFI_STATUS(EFIAPI *GetNextMonotonicCount)(UINT64 *Count);
    EFI_STATUS(EFIAPI *Stall)(UINTN Microseconds);
    EFI_STATUS(EFIAPI *SetWatchdogTimer)(UINTN Timeout, UINT64 WatchdogCode, UINTN DataSize,
                                         CHAR16 *WatchdogData);
    EFI_STATUS(EFIAPI *ConnectController)(EFI_HANDLE ControllerHandle,
                                          EFI_HANDLE *DriverImageHandle,
                                          EFI_DEVICE_PATH_PROTOCOL *Remaining, BOOLEAN Recursive);
    EFI_STATUS(EFIAPI *DisconnectController)(EFI_HANDLE ControllerHandle,
                                             EFI_HANDLE DriverImageHandle, EFI_HANDLE ChildHandle);
    EFI_STATUS(EFIAPI *OpenProtocol)(EFI_HANDLE Handle, EFI_GUID *Protocol, VOID **Interface,
                                     EFI_HANDLE AgentHandle, EFI_HANDLE ControllerHandle,
                                     UINT32 Attributes);
    EFI_STATUS(EFIAPI *CloseProtocol)(EFI_HANDLE Handle, EFI_GUID *Protocol,
                                      EFI_HANDLE AgentHandle, EFI_HANDLE ControllerHandle);
    EFI_STATUS(EFIAPI *OpenProtocolInformation)(EFI_HANDLE Handle, EFI_GUID *Protocol,
                                                EFI_OPEN_PROTOCOL_INFORMATION_ENTRY **Entries,
                                                UINTN *EntryCount);
    EFI_STATUS(EFIAPI *ProtocolsPerHandle)(EFI_HANDLE Handle, EFI_GUID ***ProtocolBuffer,
                                           UINTN *Count);
    EFI_STATUS(EFIAPI *LocateHandleBuffer)(EFI_LOCATE_SEARCH_TYPE SearchType, EFI_GUID *Protocol,
                                           VOID *SearchKey, UINTN *NoHandles, EFI_HANDLE **Buffer);
    EFI_STATUS(EFIAPI *LocateProtocol)(EFI_GUID *Protocol, VOID *Registration, VOID **Interface);
    EFI_STATUS(EFIAPI *InstallMultipleProtocolInterfaces)(EFI_HANDLE *Handle, ...);
    EFI_STATUS(EFIAPI *UninstallMultipleProtocolInterfaces)(EFI_HANDLE Handle, ...);
    EFI_STATUS(EFIAPI *CalculateCrc32)(VOID *Data, UINTN DataSize, UINT32 *Crc32);
    VOID(EFIAPI *CopyMem)(VOID *Destination, VOID *Source, UINTN Length);
    VOID(EFIAPI *SetMem)(VOID *Buffer, UINTN Size, UINT8 Value);
    EFI_STATUS(EFIAPI *CreateEventEx)(UINT32 Type, EFI_TPL NotifyTpl, EFI_EVENT_NOTIFY Function,
                                      const VOID *Context, const EFI_GUID *EventGroup,
                                      EFI_EVENT *Event);
} EFI_BOOT_SERVICES;
_Static_assert(sizeof(EFI_BOOT_SERVICES) == 24 + 44 * 8, "UEFI 2.10 4.4");
_Static_assert(offsetof(EFI_BOOT_SERVICES, ExitBootServices) == 232, "UEFI 2.10 4.4");

/* UEFI 2.10 4.5 */
typedef struct {
    EFI_TABLE_HEADER Hdr;
    EFI_STATUS(EFIAPI *GetTime)(EFI_TIME *Time, EFI_TIME_CAPABILITIES *Capabilities);
    EFI_STATUS(EFIAPI *SetTime)(EFI_TIME *Time);
    EFI_STATUS(EFIAPI *GetWakeupTime)(BOOLEAN *Enabled, BOOLEAN *Pending, EFI_TIME *Time);
    EFI_STATUS(EFIAPI *SetWakeupTime)(BOOLEAN Enable, EFI_TIME *Time);
    EFI_STATUS(EFIAPI *SetVirtualAddressMap)(UINTN MemoryMapSize, UINTN DescriptorSize,
                                             UINT32 DescriptorVersion,
                                             EFI_MEMORY_DESCRIPTOR *VirtualMap);
    EFI_STATUS(EFIAPI *ConvertPointer)(UINTN DebugDisposition, VOID **Address);
    EFI_STATUS(EFIAPI *GetVariable)(CHAR16 *Name, EFI_GUID *Vendor, UINT32 *Attributes,
                                    UINTN *DataSize, VOID *Data);
    EFI_STATUS(EFIAPI *GetNextVariableName)(UINTN *NameSize, CHAR16 *Name, EFI_GUID *Vendor);
    EFI_STATUS(EFIAPI *SetVariable)(CHAR16 *Name, EFI_GUID *Vendor, UINT32 Attributes,
                                    UINTN DataSize, VOID *Data);
    EFI_STATUS(EFIAPI *GetNextHighMonotonicCount)(UINT32 *HighCount);
    VOID(EFIAPI *ResetSystem)(EFI_RESET_TYPE Type, EFI_STATUS Status, UINTN DataSize, VOID *Data);
    EFI_STATUS(EFIAPI *UpdateCapsule)(VOID **Headers, UINTN Count, EFI_PHYSICAL_ADDRESS List);
    EFI_STATUS(EFIAPI *QueryCapsuleCapabilities)(VOID **Headers, UINTN Count, UINT64 *MaximumSize,
                                                 EFI_RESET_TYPE *ResetType);
    EFI_STATUS(EFIAPI *QueryVariableInfo)(UINT32 Attributes, UINT64 *MaximumStorage,
                                          UINT64 *RemainingStorage, UINT64 *MaximumSize);
} EFI_RUNTIME_SERVICES;
_Static_assert(sizeof(EFI_RUNTIME_SERVICES) == 136, "UEFI 2.10 4.5");

typedef struct {
    EFI_GUID VendorGuid;
    VOID *VendorTable;
} EFI_CONFIGURATION_TABLE;

/* UEFI 2.10 4.3 */
typedef struct {
    EFI_TABLE_HEADER Hdr;
    CHAR16 *FirmwareVendor;
    UINT32 FirmwareRevision;
    EFI_HANDLE ConsoleInHandle;
    EFI_SIMPLE_TEXT_INPUT_PROTOCOL *ConIn;
    EFI_HANDLE ConsoleOutHandle;
    EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *ConOut;
    EFI_HANDLE StandardErrorHandle;
    EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *StdErr;
    EFI_RUNTIME_SERVICES *RuntimeServices;
    EFI_BOOT_SERVICES *BootServices;
    UINTN NumberOfTableEntries;
    EFI_CONFIGURATION_TABLE *ConfigurationTable;
} EFI_SYSTEM_TABLE;
_Static_assert(sizeof(EFI_SYSTEM_TABLE) == 120, "UEFI 2.10 4.3");

typedef EFI_STATUS(EFIAPI *EFI_IMAGE_ENTRY_POINT)(EFI_HANDLE Image, EFI_SYSTEM_TABLE *SystemTable);
typedef EFI_STATUS(EFIAPI *EFI_IMAGE_UNLOAD)(EFI_HANDLE Image);

/* UEFI 2.10 9.1 */
typedef struct {
    UINT32 Revision;
    EFI_HANDLE ParentHandle;
    EFI_SYSTEM_TABLE *SystemTable;
    EFI_HANDLE DeviceHandle;
    EFI_DEVICE_PATH_PROTOCOL *FilePath;
    VOID *Reserved;
    UINT32 LoadOptionsSize;
    VOID *LoadOptions;
    VOID *ImageBase;
    UINT64 ImageSize;
    UINT32 ImageCodeType;
    UINT32 ImageDataType;
    EFI_IMAGE_UNLOAD Unload;
} EFI_LOADED_IMAGE_PROTOCOL;
_Static_assert(sizeof(EFI_LOADED_IMAGE_PROTOCOL) == 96, "UEFI 2.10 9.1");

/* UEFI 2.10 13.1, 13.2 */
typedef struct EFI_LOAD_FILE2_PROTOCOL {
    EFI_STATUS(EFIAPI *LoadFile)(struct EFI_LOAD_FILE2_PROTOCOL *This,
                                 EFI_DEVICE_PATH_PROTOCOL *FilePath, BOOLEAN BootPolicy,
                                 UINTN *BufferSize, VOID *Buffer);
} EFI_LOAD_FILE2_PROTOCOL;
typedef EFI_LOAD_FILE2_PROTOCOL EFI_LOAD_FILE_PROTOCOL;

/* UEFI 2.10 13.4, 13.5 */
#define EFI_FILE_MODE_READ 1ull
#define EFI_FILE_MODE_WRITE 2ull
#define EFI_FILE_MODE_CREATE (1ull << 63)
#define EFI_FILE_READ_ONLY 1ull
#define EFI_FILE_DIRECTORY 0x10ull
#define EFI_FILE_VALID_ATTR 0x37ull
typedef struct {
    EFI_EVENT Event;
    EFI_STATUS Status;
    UINTN BufferSize;
    VOID *Buffer;
} EFI_FILE_IO_TOKEN;
typedef struct EFI_FILE_PROTOCOL {
    UINT64 Revision;
    EFI_STATUS(EFIAPI *Open)(struct EFI_FILE_PROTOCOL *This, struct EFI_FILE_PROTOCOL **NewHandle,
                             CHAR16 *FileName, UINT64 OpenMode, UINT64 Attributes);
    EFI_STATUS(EFIAPI *Close)(struct EFI_FILE_PROTOCOL *This);
    EFI_STATUS(EFIAPI *Delete)(struct EFI_FILE_PROTOCOL *This);
    EFI_STATUS(EFIAPI *Read)(struct EFI_FILE_PROTOCOL *This, UINTN *BufferSize, VOID *Buffer);
    EFI_STATUS(EFIAPI *Write)(struct EFI_FILE_PROTOCOL *This, UINTN *BufferSize, VOID *Buffer);
    EFI_STATUS(EFIAPI *GetPosition)(struct EFI_FILE_PROTOCOL *This, UINT64 *Position);
    EFI_STATUS(EFIAPI *SetPosition)(struct EFI_FILE_PROTOCOL *This, UINT64 Position);
    EFI_STATUS(EFIAPI *GetInfo)(struct EFI_FILE_PROTOCOL *This, EFI_GUID *InformationType,
                                UINTN *BufferSize, VOID *Buffer);
    EFI_STATUS(EFIAPI *SetInfo)(struct EFI_FILE_PROTOCOL *This, EFI_GUID *InformationType,
                                UINTN BufferSize, VOID *Buffer);
    EFI_STATUS(EFIAPI *Flush)(struct EFI_FILE_PROTOCOL *This);
    /* from revision 2 on */
    EFI_STATUS(EFIAPI *OpenEx)(struct EFI_FILE_PROTOCOL *This, struct EFI_FILE_PROTOCOL **NewHandle,
                               CHAR16 *FileName, UINT64 OpenMode, UINT64 Attributes,
                               EFI_FILE_IO_TOKEN *Token);
    EFI_STATUS(EFIAPI *ReadEx)(struct EFI_FILE_PROTOCOL *This, EFI_FILE_IO_TOKEN *Token);
    EFI_STATUS(EFIAPI *WriteEx)(struct EFI_FILE_PROTOCOL *This, EFI_FILE_IO_TOKEN *Token);
    EFI_STATUS(EFIAPI *FlushEx)(struct EFI_FILE_PROTOCOL *This, EFI_FILE_IO_TOKEN *Token);
} EFI_FILE_PROTOCOL;
#define EFI_FILE_PROTOCOL_REVISION 0x00010000u
#define EFI_FILE_PROTOCOL_REVISION2 0x00020000u

typedef struct EFI_SIMPLE_FILE_SYSTEM_PROTOCOL {
    UINT64 Revision;
    EFI_STATUS(EFIAPI *OpenVolume)(struct EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *This,
                                   EFI_FILE_PROTOCOL **Root);
} EFI_SIMPLE_FILE_SYSTEM_PROTOCOL;

typedef struct {
    UINT64 Size, FileSize, PhysicalSize;
    EFI_TIME CreateTime, LastAccessTime, ModificationTime;
    UINT64 Attribute;
    CHAR16 FileName[];
} EFI_FILE_INFO;
_Static_assert(sizeof(EFI_FILE_INFO) == 80, "UEFI 2.10 13.5.16");
typedef struct {
    UINT64 Size;
    BOOLEAN ReadOnly;
    UINT64 VolumeSize, FreeSpace;
    UINT32 BlockSize;
    CHAR16 VolumeLabel[];
} EFI_FILE_SYSTEM_INFO;
_Static_assert(offsetof(EFI_FILE_SYSTEM_INFO, VolumeLabel) == 36, "UEFI 2.10 13.5.18");

/* UEFI 2.10 13.7 (disk I/O), 13.9 (block I/O) */
typedef struct {
    UINT32 MediaId;
    BOOLEAN RemovableMedia, MediaPresent, LogicalPartition, ReadOnly, WriteCaching;
    UINT32 BlockSize;
    UINT32 IoAlign;
    EFI_LBA LastBlock;
    EFI_LBA LowestAlignedLba;
    UINT32 LogicalBlocksPerPhysicalBlock;
    UINT32 OptimalTransferLengthGranularity;
} EFI_BLOCK_IO_MEDIA;
typedef struct EFI_BLOCK_IO_PROTOCOL {
    UINT64 Revision;
    EFI_BLOCK_IO_MEDIA *Media;
    EFI_STATUS(EFIAPI *Reset)(struct EFI_BLOCK_IO_PROTOCOL *This, BOOLEAN Extended);
    EFI_STATUS(EFIAPI *ReadBlocks)(struct EFI_BLOCK_IO_PROTOCOL *This, UINT32 MediaId, EFI_LBA Lba,
                                   UINTN BufferSize, VOID *Buffer);
    EFI_STATUS(EFIAPI *WriteBlocks)(struct EFI_BLOCK_IO_PROTOCOL *This, UINT32 MediaId,
                                    EFI_LBA Lba, UINTN BufferSize, VOID *Buffer);
    EFI_STATUS(EFIAPI *FlushBlocks)(struct EFI_BLOCK_IO_PROTOCOL *This);
} EFI_BLOCK_IO_PROTOCOL;
#define EFI_BLOCK_IO_PROTOCOL_REVISION3 0x0002001Fu
typedef struct EFI_DISK_IO_PROTOCOL {
    UINT64 Revision;
    EFI_STATUS(EFIAPI *ReadDisk)(struct EFI_DISK_IO_PROTOCOL *This, UINT32 MediaId, UINT64 Offset,
                                 UINTN BufferSize, VOID *Buffer);
    EFI_STATUS(EFIAPI *WriteDisk)(struct EFI_DISK_IO_PROTOCOL *This, UINT32 MediaId, UINT64 Offset,
                                  UINTN BufferSize, VOID *Buffer);
} EFI_DISK_IO_PROTOCOL;

/* UEFI 2.10 37.5 */
typedef struct EFI_RNG_PROTOCOL {
    EFI_STATUS(EFIAPI *GetInfo)(struct EFI_RNG_PROTOCOL *This, UINTN *ListSize, EFI_GUID *List);
    EFI_STATUS(EFIAPI *GetRNG)(struct EFI_RNG_PROTOCOL *This, EFI_GUID *Algorithm, UINTN Length,
                               UINT8 *Value);
} EFI_RNG_PROTOCOL;

/* UEFI 2.10 37.7 */
typedef struct EFI_MEMORY_ATTRIBUTE_PROTOCOL {
    EFI_STATUS(EFIAPI *GetMemoryAttributes)(struct EFI_MEMORY_ATTRIBUTE_PROTOCOL *This,
                                            EFI_PHYSICAL_ADDRESS Base, UINT64 Length,
                                            UINT64 *Attributes);
    EFI_STATUS(EFIAPI *SetMemoryAttributes)(struct EFI_MEMORY_ATTRIBUTE_PROTOCOL *This,
                                            EFI_PHYSICAL_ADDRESS Base, UINT64 Length,
                                            UINT64 Attributes);
    EFI_STATUS(EFIAPI *ClearMemoryAttributes)(struct EFI_MEMORY_ATTRIBUTE_PROTOCOL *This,
                                              EFI_PHYSICAL_ADDRESS Base, UINT64 Length,
                                              UINT64 Attributes);
} EFI_MEMORY_ATTRIBUTE_PROTOCOL;

/* UEFI 2.10 10.5, 10.6 */
typedef struct {
    CHAR16 *(EFIAPI *ConvertDeviceNodeToText)(const EFI_DEVICE_PATH_PROTOCOL *Node,
                                              BOOLEAN DisplayOnly, BOOLEAN AllowShortcuts);
    CHAR16 *(EFIAPI *ConvertDevicePathToText)(const EFI_DEVICE_PATH_PROTOCOL *Path,
                                              BOOLEAN DisplayOnly, BOOLEAN AllowShortcuts);
} EFI_DEVICE_PATH_TO_TEXT_PROTOCOL;
typedef struct {
    EFI_DEVICE_PATH_PROTOCOL *(EFIAPI *ConvertTextToDeviceNode)(const CHAR16 *Text);
    EFI_DEVICE_PATH_PROTOCOL *(EFIAPI *ConvertTextToDevicePath)(const CHAR16 *Text);
} EFI_DEVICE_PATH_FROM_TEXT_PROTOCOL;
typedef struct {
    UINTN(EFIAPI *GetDevicePathSize)(const EFI_DEVICE_PATH_PROTOCOL *Path);
    EFI_DEVICE_PATH_PROTOCOL *(EFIAPI *DuplicateDevicePath)(const EFI_DEVICE_PATH_PROTOCOL *Path);
    EFI_DEVICE_PATH_PROTOCOL *(EFIAPI *AppendDevicePath)(const EFI_DEVICE_PATH_PROTOCOL *First,
                                                         const EFI_DEVICE_PATH_PROTOCOL *Second);
    EFI_DEVICE_PATH_PROTOCOL *(EFIAPI *AppendDeviceNode)(const EFI_DEVICE_PATH_PROTOCOL *Path,
                                                         const EFI_DEVICE_PATH_PROTOCOL *Node);
    EFI_DEVICE_PATH_PROTOCOL *(EFIAPI *AppendDevicePathInstance)(
        const EFI_DEVICE_PATH_PROTOCOL *Path, const EFI_DEVICE_PATH_PROTOCOL *Instance);
    EFI_DEVICE_PATH_PROTOCOL *(EFIAPI *GetNextDevicePathInstance)(EFI_DEVICE_PATH_PROTOCOL **Path,
                                                                  UINTN *Size);
    BOOLEAN(EFIAPI *IsDevicePathMultiInstance)(const EFI_DEVICE_PATH_PROTOCOL *Path);
    EFI_DEVICE_PATH_PROTOCOL *(EFIAPI *CreateDeviceNode)(UINT8 Type, UINT8 SubType, UINT16 Length);
} EFI_DEVICE_PATH_UTILITIES_PROTOCOL;

#endif
