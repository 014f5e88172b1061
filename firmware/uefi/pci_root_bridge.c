/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * PCI Root Bridge I/O (UEFI 2.10 14.2) of the one root bridge. Memory and ports are reachable inside
 * the bridge's windows and at the legacy addresses of a PC; never RAM.
 */
#include "firmware/platform/pci.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/pci_protocols.h"
#include "firmware/uefi/services.h"

enum { LEGACY_PORTS_END = 0x1000, VGA_BASE = 0xA0000, VGA_END = 0xC0000 };

/* The legacy cycles that q35 always forwards; what OVMF says of its root bridge. */
#define ATTRIBUTES                                                                                 \
    (EFI_PCI_ATTRIBUTE_ISA_MOTHERBOARD_IO | EFI_PCI_ATTRIBUTE_VGA_MEMORY |                         \
     EFI_PCI_ATTRIBUTE_IDE_PRIMARY_IO | EFI_PCI_ATTRIBUTE_IDE_SECONDARY_IO |                       \
     EFI_PCI_ATTRIBUTE_ISA_IO_16 | EFI_PCI_ATTRIBUTE_VGA_PALETTE_IO_16 |                           \
     EFI_PCI_ATTRIBUTE_VGA_IO_16)

EFI_HANDLE pci_root_handle;

static bool inside(uint64_t address, uint64_t bytes, uint64_t base, uint64_t end)
{
    return address >= base && address <= end && bytes <= end - address;
}

static bool in_window(enum pci_window_kind kind, uint64_t address, uint64_t bytes)
{
    struct pci_window window = pci_window(kind);
    return inside(address, bytes, window.base, window.end);
}

/* Turns an address of Pci.Read and Pci.Write into that of pci_transfer (UEFI 2.10 14.2.2). */
static bool unpack_config(uint64_t *address, uint64_t bytes)
{
    uint64_t offset = *address >> 32 ? *address >> 32 : *address & 0xFF;
    unsigned function = *address >> 8 & 0xFF, device = *address >> 16 & 0xFF;
    if (function > 7 || device > 31 || !inside(offset, bytes, 0, 0x1000))
        return false;
    *address = (uint64_t)pci_address(*address >> 24 & 0xFF, device, function) << 12 | offset;
    return true;
}

static EFI_STATUS check(enum pci_space space, uint32_t width, uint64_t count, const void *buffer,
                        uint64_t *address)
{
    uint64_t bytes;
    if (!buffer || !pci_extent(width, count, &bytes))
        return EFI_INVALID_PARAMETER;
    if (*address & ((1u << (width & 3)) - 1))
        return EFI_UNSUPPORTED;
    bool good = false;
    switch (space) {
    case PCI_SPACE_MEMORY:
        good = inside(*address, bytes, VGA_BASE, VGA_END) ||
               in_window(PCI_WINDOW_LOW, *address, bytes) ||
               in_window(PCI_WINDOW_HIGH, *address, bytes);
        break;
    case PCI_SPACE_IO:
        good = inside(*address, bytes, 0, LEGACY_PORTS_END) ||
               in_window(PCI_WINDOW_IO, *address, bytes);
        break;
    case PCI_SPACE_CONFIG:
        good = unpack_config(address, bytes);
        break;
    }
    return good ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
}

static EFI_STATUS transfer(enum pci_space space, UINT32 width, UINT64 address, UINTN count,
                           VOID *buffer, bool write)
{
    EFI_STATUS status = check(space, width, count, buffer, &address);
    return status == EFI_SUCCESS ? pci_transfer(space, width, address, count, buffer, write)
                                 : status;
}

static EFI_STATUS poll(enum pci_space space, UINT32 width, UINT64 address, UINT64 mask,
                       UINT64 value, UINT64 delay, UINT64 *result)
{
    if (width > EfiPciWidthUint64)
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = check(space, width, 1, result, &address);
    return status == EFI_SUCCESS ? pci_poll(space, width, address, mask, value, delay, result)
                                 : status;
}

#define TRANSFER(name, space, write)                                                               \
    static EFI_STATUS EFIAPI name(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this, UINT32 width,             \
                                  UINT64 address, UINTN count, VOID *buffer)                       \
    {                                                                                              \
        (void)this;                                                                                \
        return transfer(space, width, address, count, buffer, write);                              \
    }
TRANSFER(memory_read, PCI_SPACE_MEMORY, false)
TRANSFER(memory_write, PCI_SPACE_MEMORY, true)
TRANSFER(io_read, PCI_SPACE_IO, false)
TRANSFER(io_write, PCI_SPACE_IO, true)
TRANSFER(config_read, PCI_SPACE_CONFIG, false)
TRANSFER(config_write, PCI_SPACE_CONFIG, true)
#undef TRANSFER

static EFI_STATUS EFIAPI poll_memory(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this, UINT32 width,
                                     UINT64 address, UINT64 mask, UINT64 value, UINT64 delay,
                                     UINT64 *result)
{
    (void)this;
    return poll(PCI_SPACE_MEMORY, width, address, mask, value, delay, result);
}

static EFI_STATUS EFIAPI poll_io(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this, UINT32 width,
                                 UINT64 address, UINT64 mask, UINT64 value, UINT64 delay,
                                 UINT64 *result)
{
    (void)this;
    return poll(PCI_SPACE_IO, width, address, mask, value, delay, result);
}

static EFI_STATUS EFIAPI copy_memory(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this, UINT32 width,
                                     UINT64 to, UINT64 from, UINTN count)
{
    uint64_t value, size = 1u << (width & 3);
    (void)this;
    if (width > EfiPciWidthUint64)
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = check(PCI_SPACE_MEMORY, width, count, &value, &to);
    if (status == EFI_SUCCESS)
        status = check(PCI_SPACE_MEMORY, width, count, &value, &from);
    bool backwards = to > from; /* the ranges may overlap */
    for (UINTN i = 0; status == EFI_SUCCESS && i < count; i++) {
        uint64_t offset = size * (backwards ? count - 1 - i : i);
        status = pci_transfer(PCI_SPACE_MEMORY, width, from + offset, 1, &value, false);
        if (status == EFI_SUCCESS)
            status = pci_transfer(PCI_SPACE_MEMORY, width, to + offset, 1, &value, true);
    }
    return status;
}

static EFI_STATUS EFIAPI map(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this, UINT32 operation, VOID *host,
                             UINTN *bytes, EFI_PHYSICAL_ADDRESS *device, VOID **mapping)
{
    (void)this;
    return iommu_map(operation, host, bytes, device, mapping);
}

static EFI_STATUS EFIAPI unmap(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this, VOID *mapping)
{
    (void)this;
    return iommu_unmap(mapping);
}

static EFI_STATUS EFIAPI allocate_buffer(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this,
                                         EFI_ALLOCATE_TYPE how, UINT32 type, UINTN pages,
                                         VOID **host, UINT64 attributes)
{
    (void)this;
    (void)how;
    return iommu_allocate(type, pages, host, attributes);
}

static EFI_STATUS EFIAPI free_buffer(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this, UINTN pages, VOID *host)
{
    (void)this;
    return iommu_free(pages, host);
}

static EFI_STATUS EFIAPI flush(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this)
{
    (void)this;
    return EFI_SUCCESS; /* nothing is posted between a virtual device and memory */
}

static EFI_STATUS EFIAPI get_attributes(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this, UINT64 *supports,
                                        UINT64 *attributes)
{
    (void)this;
    if (!supports && !attributes)
        return EFI_INVALID_PARAMETER;
    if (supports)
        *supports = ATTRIBUTES;
    if (attributes)
        *attributes = ATTRIBUTES;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_attributes(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this, UINT64 attributes,
                                        UINT64 *base, UINT64 *length)
{
    (void)this;
    (void)base;
    (void)length;
    return attributes & ~ATTRIBUTES ? EFI_UNSUPPORTED : EFI_SUCCESS;
}

EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR *pci_describe(EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR *at, unsigned type,
                                                uint64_t base, uint64_t length, uint64_t maximum)
{
    *at = (EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR){
        .Desc = ACPI_ADDRESS_SPACE_DESCRIPTOR,
        .Len = sizeof(*at) - 3,
        .ResType = (UINT8)type,
        .AddrSpaceGranularity = type != ACPI_ADDRESS_SPACE_TYPE_MEM ? 0
                                : base + length > 1ull << 32        ? 64
                                                                    : 32,
        .AddrRangeMin = base,
        .AddrRangeMax = maximum,
        .AddrLen = length,
    };
    return at + 1;
}

static EFI_STATUS EFIAPI configuration(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *this, VOID **ret_resources)
{
    static const uint8_t types[] = { [PCI_WINDOW_IO] = ACPI_ADDRESS_SPACE_TYPE_IO,
                                     [PCI_WINDOW_LOW] = ACPI_ADDRESS_SPACE_TYPE_MEM,
                                     [PCI_WINDOW_HIGH] = ACPI_ADDRESS_SPACE_TYPE_MEM,
                                     [PCI_WINDOW_BUS] = ACPI_ADDRESS_SPACE_TYPE_BUS };
    static EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR list[sizeof(types) + 1];
    EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR *next = list;
    (void)this;
    if (!ret_resources)
        return EFI_INVALID_PARAMETER;
    for (unsigned i = 0; i < sizeof(types); i++) {
        struct pci_window window = pci_window(i);
        if (window.end > window.base)
            next = pci_describe(next, types[i], window.base, window.end - window.base,
                                window.end - 1);
    }
    memcpy(next, &(EFI_ACPI_END_TAG_DESCRIPTOR){ ACPI_END_TAG_DESCRIPTOR, 0 },
           sizeof(EFI_ACPI_END_TAG_DESCRIPTOR));
    *ret_resources = list;
    return EFI_SUCCESS;
}

EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL pci_root_bridge = {
    .PollMem = poll_memory,
    .PollIo = poll_io,
    .Mem = { memory_read, memory_write },
    .Io = { io_read, io_write },
    .Pci = { config_read, config_write },
    .CopyMem = copy_memory,
    .Map = map,
    .Unmap = unmap,
    .AllocateBuffer = allocate_buffer,
    .FreeBuffer = free_buffer,
    .Flush = flush,
    .GetAttributes = get_attributes,
    .SetAttributes = set_attributes,
    .Configuration = configuration,
};

void pci_root_bridge_init(void)
{
    handle_install(&pci_root_handle, &guid_device_path, devicepath_of_pci_root());
    handle_install(&pci_root_handle, &guid_pci_root_bridge_io, &pci_root_bridge);
    pci_root_bridge.ParentHandle = pci_root_handle;
}
