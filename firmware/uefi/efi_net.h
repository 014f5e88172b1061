/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The ABI of the Simple Network Protocol (UEFI 2.10 24.1), of the MAC and the IPv4 node (10.3.4). */
#ifndef PRIVET_FIRMWARE_EFI_NET_H
#define PRIVET_FIRMWARE_EFI_NET_H

#include "firmware/uefi/efi.h"

typedef struct {
    UINT8 Addr[32];
} EFI_MAC_ADDRESS;

typedef union {
    UINT32 Addr[4];
    UINT8 v4[4];
    UINT8 v6[16];
} EFI_IP_ADDRESS;

typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    EFI_MAC_ADDRESS MacAddress;
    UINT8 IfType;
} MAC_ADDR_DEVICE_PATH;
_Static_assert(sizeof(MAC_ADDR_DEVICE_PATH) == 37, "UEFI 2.10 10.3.4.8");

typedef struct {
    EFI_DEVICE_PATH_PROTOCOL Header;
    UINT8 LocalIpAddress[4], RemoteIpAddress[4];
    UINT8 LocalPort[2], RemotePort[2], Protocol[2]; /* unaligned, little-endian */
    BOOLEAN StaticIpAddress;
    UINT8 GatewayIpAddress[4], SubnetMask[4];
} IPv4_DEVICE_PATH;
_Static_assert(sizeof(IPv4_DEVICE_PATH) == 27, "UEFI 2.10 10.3.4.11");

enum { NET_IFTYPE_ETHERNET = 1 };

#define EFI_SIMPLE_NETWORK_PROTOCOL_REVISION 0x00010000ull
#define EFI_SIMPLE_NETWORK_RECEIVE_UNICAST 0x01u
#define EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST 0x02u
#define EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST 0x04u
#define EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS 0x08u
#define EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST 0x10u
#define EFI_SIMPLE_NETWORK_RECEIVE_INTERRUPT 0x01u
#define EFI_SIMPLE_NETWORK_TRANSMIT_INTERRUPT 0x02u

enum { EfiSimpleNetworkStopped, EfiSimpleNetworkStarted, EfiSimpleNetworkInitialized };
#define MAX_MCAST_FILTER_CNT 16u

typedef struct {
    UINT32 State, HwAddressSize, MediaHeaderSize, MaxPacketSize, NvRamSize, NvRamAccessSize;
    UINT32 ReceiveFilterMask, ReceiveFilterSetting, MaxMCastFilterCount, MCastFilterCount;
    EFI_MAC_ADDRESS MCastFilter[MAX_MCAST_FILTER_CNT];
    EFI_MAC_ADDRESS CurrentAddress, BroadcastAddress, PermanentAddress;
    UINT8 IfType;
    BOOLEAN MacAddressChangeable, MultipleTxSupported, MediaPresentSupported, MediaPresent;
} EFI_SIMPLE_NETWORK_MODE;
_Static_assert(offsetof(EFI_SIMPLE_NETWORK_MODE, CurrentAddress) == 552, "UEFI 2.10 24.1");

typedef struct {
    UINT64 RxTotalFrames, RxGoodFrames, RxUndersizeFrames, RxOversizeFrames, RxDroppedFrames,
        RxUnicastFrames, RxBroadcastFrames, RxMulticastFrames, RxCrcErrorFrames, RxTotalBytes,
        TxTotalFrames, TxGoodFrames, TxUndersizeFrames, TxOversizeFrames, TxDroppedFrames,
        TxUnicastFrames, TxBroadcastFrames, TxMulticastFrames, TxCrcErrorFrames, TxTotalBytes,
        Collisions, UnsupportedProtocol, RxDuplicatedFrames, RxDecryptErrorFrames, TxErrorFrames,
        TxRetryFrames;
} EFI_NETWORK_STATISTICS;
_Static_assert(sizeof(EFI_NETWORK_STATISTICS) == 26 * 8, "UEFI 2.10 24.1.9");

typedef struct EFI_SIMPLE_NETWORK_PROTOCOL {
    UINT64 Revision;
    EFI_STATUS(EFIAPI *Start)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This);
    EFI_STATUS(EFIAPI *Stop)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This);
    EFI_STATUS(EFIAPI *Initialize)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This, UINTN ExtraRxBufferSize,
                                   UINTN ExtraTxBufferSize);
    EFI_STATUS(EFIAPI *Reset)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This,
                              BOOLEAN ExtendedVerification);
    EFI_STATUS(EFIAPI *Shutdown)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This);
    EFI_STATUS(EFIAPI *ReceiveFilters)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This, UINT32 Enable,
                                       UINT32 Disable, BOOLEAN ResetMCastFilter,
                                       UINTN MCastFilterCnt, EFI_MAC_ADDRESS *MCastFilter);
    EFI_STATUS(EFIAPI *StationAddress)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This, BOOLEAN Reset,
                                       EFI_MAC_ADDRESS *New);
    EFI_STATUS(EFIAPI *Statistics)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This, BOOLEAN Reset,
                                   UINTN *StatisticsSize, EFI_NETWORK_STATISTICS *Table);
    EFI_STATUS(EFIAPI *MCastIpToMac)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This, BOOLEAN IPv6,
                                     EFI_IP_ADDRESS *IP, EFI_MAC_ADDRESS *MAC);
    EFI_STATUS(EFIAPI *NvData)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This, BOOLEAN ReadWrite,
                               UINTN Offset, UINTN BufferSize, VOID *Buffer);
    EFI_STATUS(EFIAPI *GetStatus)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This, UINT32 *InterruptStatus,
                                  VOID **TxBuf);
    EFI_STATUS(EFIAPI *Transmit)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This, UINTN HeaderSize,
                                 UINTN BufferSize, VOID *Buffer, EFI_MAC_ADDRESS *SrcAddr,
                                 EFI_MAC_ADDRESS *DestAddr, UINT16 *Protocol);
    EFI_STATUS(EFIAPI *Receive)(struct EFI_SIMPLE_NETWORK_PROTOCOL *This, UINTN *HeaderSize,
                                UINTN *BufferSize, VOID *Buffer, EFI_MAC_ADDRESS *SrcAddr,
                                EFI_MAC_ADDRESS *DestAddr, UINT16 *Protocol);
    EFI_EVENT WaitForPacket;
    EFI_SIMPLE_NETWORK_MODE *Mode;
} EFI_SIMPLE_NETWORK_PROTOCOL;
_Static_assert(sizeof(EFI_SIMPLE_NETWORK_PROTOCOL) == 16 * 8, "UEFI 2.10 24.1");

#endif
