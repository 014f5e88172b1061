/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * PCI I/O (UEFI 2.10 14.4) on a handle for every function that the enumeration found. There is no
 * option ROM on any of them: the host's code is never run.
 */
#include "firmware/platform/pci.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/pci_protocols.h"
#include "firmware/uefi/services.h"

enum {
    PCI_COMMAND = 4,
    COMMAND_ENABLES = 7, /* I/O, memory, bus master: attribute bits 8 to 10 */
    ENABLES_SHIFT = 8,
    CAPABILITY_EXPRESS = 0x10,
    CONFIG_SIZE = 0x100,
    CONFIG_SIZE_EXPRESS = 0x1000,
    CLASS_VGA = 0x0300,
    CLASS_IDE = 0x0101,
    CLASS_ISA_BRIDGE = 0x0601,
};
#define ENABLES ((uint64_t)COMMAND_ENABLES << ENABLES_SHIFT)

struct pci_device {
    EFI_PCI_IO_PROTOCOL io; /* first: This is the device */
    const struct pci_function *function;
    struct pci_device *next;
    EFI_HANDLE handle;
    uint32_t config_size;
    uint64_t supports;
    uint64_t attributes; /* without ENABLES: those are in the command register */
};

static struct pci_device *devices;

static struct pci_device *device_of(EFI_PCI_IO_PROTOCOL *this)
{
    return (struct pci_device *)this;
}

/* The bus address of a range of a BAR, or of any range for the pass-through index. */
static EFI_STATUS locate(const struct pci_device *device, enum pci_space space, uint32_t width,
                         unsigned bar, uint64_t count, uint64_t *offset)
{
    uint64_t bytes;
    if (!pci_extent(width, count, &bytes))
        return EFI_INVALID_PARAMETER;
    if (bar >= PCI_BARS)
        return EFI_UNSUPPORTED;
    const struct pci_bar *range = &device->function->bars[bar];
    if (range->base == 0 || range->io != (space == PCI_SPACE_IO) || bytes > range->size ||
        *offset > range->size - bytes)
        return EFI_UNSUPPORTED;
    *offset += range->base;
    return EFI_SUCCESS;
}

static EFI_STATUS transfer(EFI_PCI_IO_PROTOCOL *this, enum pci_space space, UINT32 width, UINT8 bar,
                           UINT64 offset, UINTN count, VOID *buffer, bool write)
{
    if (!this || !buffer)
        return EFI_INVALID_PARAMETER;
    if (bar == EFI_PCI_IO_PASS_THROUGH_BAR) {
        EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL_ACCESS *access =
            space == PCI_SPACE_IO ? &pci_root_bridge.Io : &pci_root_bridge.Mem;
        return (write ? access->Write : access->Read)(&pci_root_bridge, width, offset, count,
                                                      buffer);
    }
    EFI_STATUS status = locate(device_of(this), space, width, bar, count, &offset);
    return status == EFI_SUCCESS ? pci_transfer(space, width, offset, count, buffer, write)
                                 : status;
}

static EFI_STATUS poll(EFI_PCI_IO_PROTOCOL *this, enum pci_space space, UINT32 width, UINT8 bar,
                       UINT64 offset, UINT64 mask, UINT64 value, UINT64 delay, UINT64 *result)
{
    if (!this || !result || width > EfiPciWidthUint64)
        return EFI_INVALID_PARAMETER;
    if (bar == EFI_PCI_IO_PASS_THROUGH_BAR)
        return (space == PCI_SPACE_IO ? pci_root_bridge.PollIo : pci_root_bridge.PollMem)(
            &pci_root_bridge, width, offset, mask, value, delay, result);
    EFI_STATUS status = locate(device_of(this), space, width, bar, 1, &offset);
    return status == EFI_SUCCESS ? pci_poll(space, width, offset, mask, value, delay, result)
                                 : status;
}

#define ACCESS(name, space)                                                                        \
    static EFI_STATUS EFIAPI name##_read(EFI_PCI_IO_PROTOCOL *this, UINT32 width, UINT8 bar,       \
                                         UINT64 offset, UINTN count, VOID *buffer)                 \
    {                                                                                              \
        return transfer(this, space, width, bar, offset, count, buffer, false);                    \
    }                                                                                              \
    static EFI_STATUS EFIAPI name##_write(EFI_PCI_IO_PROTOCOL *this, UINT32 width, UINT8 bar,      \
                                          UINT64 offset, UINTN count, VOID *buffer)                \
    {                                                                                              \
        return transfer(this, space, width, bar, offset, count, buffer, true);                     \
    }                                                                                              \
    static EFI_STATUS EFIAPI name##_poll(EFI_PCI_IO_PROTOCOL *this, UINT32 width, UINT8 bar,       \
                                         UINT64 offset, UINT64 mask, UINT64 value, UINT64 delay,   \
                                         UINT64 *result)                                           \
    {                                                                                              \
        return poll(this, space, width, bar, offset, mask, value, delay, result);                  \
    }
ACCESS(memory, PCI_SPACE_MEMORY)
ACCESS(io, PCI_SPACE_IO)
#undef ACCESS

static EFI_STATUS config(EFI_PCI_IO_PROTOCOL *this, UINT32 width, UINT32 offset, UINTN count,
                         VOID *buffer, bool write)
{
    uint64_t bytes;
    if (!this || !buffer || !pci_extent(width, count, &bytes))
        return EFI_INVALID_PARAMETER;
    const struct pci_device *device = device_of(this);
    if (bytes > device->config_size || offset > device->config_size - bytes)
        return EFI_UNSUPPORTED;
    return pci_transfer(PCI_SPACE_CONFIG, width, (uint64_t)device->function->address << 12 | offset,
                        count, buffer, write);
}

static EFI_STATUS EFIAPI config_read(EFI_PCI_IO_PROTOCOL *this, UINT32 width, UINT32 offset,
                                     UINTN count, VOID *buffer)
{
    return config(this, width, offset, count, buffer, false);
}

static EFI_STATUS EFIAPI config_write(EFI_PCI_IO_PROTOCOL *this, UINT32 width, UINT32 offset,
                                      UINTN count, VOID *buffer)
{
    return config(this, width, offset, count, buffer, true);
}

static EFI_STATUS EFIAPI copy_memory(EFI_PCI_IO_PROTOCOL *this, UINT32 width, UINT8 to_bar,
                                     UINT64 to, UINT8 from_bar, UINT64 from, UINTN count)
{
    EFI_STATUS status = EFI_SUCCESS;
    if (!this || width > EfiPciWidthUint64)
        return EFI_INVALID_PARAMETER;
    if (to_bar != EFI_PCI_IO_PASS_THROUGH_BAR)
        status = locate(device_of(this), PCI_SPACE_MEMORY, width, to_bar, count, &to);
    if (status == EFI_SUCCESS && from_bar != EFI_PCI_IO_PASS_THROUGH_BAR)
        status = locate(device_of(this), PCI_SPACE_MEMORY, width, from_bar, count, &from);
    return status == EFI_SUCCESS
               ? pci_root_bridge.CopyMem(&pci_root_bridge, width, to, from, count)
               : status;
}

static EFI_STATUS EFIAPI map(EFI_PCI_IO_PROTOCOL *this, UINT32 operation, VOID *host, UINTN *bytes,
                             EFI_PHYSICAL_ADDRESS *device, VOID **mapping)
{
    if (!this || operation > EfiPciOperationBusMasterCommonBuffer)
        return EFI_INVALID_PARAMETER;
    if (device_of(this)->attributes & EFI_PCI_ATTRIBUTE_DUAL_ADDRESS_CYCLE)
        operation += EfiPciOperationBusMasterRead64;
    return iommu_map(operation, host, bytes, device, mapping);
}

static EFI_STATUS EFIAPI unmap(EFI_PCI_IO_PROTOCOL *this, VOID *mapping)
{
    (void)this;
    return iommu_unmap(mapping);
}

static EFI_STATUS EFIAPI allocate_buffer(EFI_PCI_IO_PROTOCOL *this, EFI_ALLOCATE_TYPE how,
                                         UINT32 type, UINTN pages, VOID **host, UINT64 attributes)
{
    (void)how;
    if (!this)
        return EFI_INVALID_PARAMETER;
    if (attributes & ~(EFI_PCI_ATTRIBUTE_MEMORY_WRITE_COMBINE | EFI_PCI_ATTRIBUTE_MEMORY_CACHED))
        return EFI_UNSUPPORTED;
    return iommu_allocate(
        type, pages, host,
        attributes | (device_of(this)->attributes & EFI_PCI_ATTRIBUTE_DUAL_ADDRESS_CYCLE));
}

static EFI_STATUS EFIAPI free_buffer(EFI_PCI_IO_PROTOCOL *this, UINTN pages, VOID *host)
{
    (void)this;
    return iommu_free(pages, host);
}

static EFI_STATUS EFIAPI flush(EFI_PCI_IO_PROTOCOL *this)
{
    (void)this;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_location(EFI_PCI_IO_PROTOCOL *this, UINTN *segment, UINTN *bus,
                                      UINTN *device, UINTN *function)
{
    if (!this || !segment || !bus || !device || !function)
        return EFI_INVALID_PARAMETER;
    uint16_t address = device_of(this)->function->address;
    *segment = 0;
    *bus = address >> 8;
    *device = address >> 3 & 31;
    *function = address & 7;
    return EFI_SUCCESS;
}

static void change_attributes(struct pci_device *device, uint64_t set, uint64_t clear)
{
    uint16_t address = device->function->address;
    uint16_t command = pci_read16(address, PCI_COMMAND);
    uint16_t on = (uint16_t)((set & ENABLES) >> ENABLES_SHIFT);
    uint16_t off = (uint16_t)((clear & ENABLES) >> ENABLES_SHIFT);
    if (on || off)
        pci_write16(address, PCI_COMMAND, (uint16_t)((command & ~off) | on));
    device->attributes = (device->attributes & ~clear) | (set & ~ENABLES);
}

static uint64_t current_attributes(const struct pci_device *device)
{
    uint64_t command = pci_read16(device->function->address, PCI_COMMAND);
    return device->attributes | (command << ENABLES_SHIFT & ENABLES & device->supports);
}

static EFI_STATUS EFIAPI attributes(EFI_PCI_IO_PROTOCOL *this, UINT32 operation, UINT64 wanted,
                                    UINT64 *ret_result)
{
    bool asks = operation == EfiPciIoAttributeOperationGet ||
                operation == EfiPciIoAttributeOperationSupported;
    if (!this || operation >= EfiPciIoAttributeOperationMaximum || (asks && !ret_result))
        return EFI_INVALID_PARAMETER;
    struct pci_device *device = device_of(this);
    if (asks) {
        *ret_result = operation == EfiPciIoAttributeOperationGet ? current_attributes(device)
                                                                 : device->supports;
        return EFI_SUCCESS;
    }
    if (operation != EfiPciIoAttributeOperationSet && (wanted & ENABLES) == ENABLES)
        wanted &= device->supports; /* edk2's EFI_PCI_DEVICE_ENABLE: whichever the device has */
    if (wanted & ~device->supports)
        return EFI_UNSUPPORTED;
    uint64_t clear = operation == EfiPciIoAttributeOperationDisable ? wanted
                     : operation == EfiPciIoAttributeOperationSet   ? device->supports & ~wanted
                                                                    : 0;
    change_attributes(device, operation == EfiPciIoAttributeOperationDisable ? 0 : wanted, clear);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_bar_attributes(EFI_PCI_IO_PROTOCOL *this, UINT8 bar,
                                            UINT64 *ret_supports, VOID **ret_resources)
{
    if (!this || (!ret_supports && !ret_resources))
        return EFI_INVALID_PARAMETER;
    if (bar >= PCI_BARS || device_of(this)->function->bars[bar].base == 0)
        return EFI_UNSUPPORTED;
    const struct pci_bar *range = &device_of(this)->function->bars[bar];
    if (ret_resources) {
        EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR *list = pool_allocate(
            MEMORY_BOOT_DATA, sizeof(*list) + sizeof(EFI_ACPI_END_TAG_DESCRIPTOR));
        if (!list)
            return EFI_OUT_OF_RESOURCES;
        /* UEFI 2.10 14.4.16: the maximum is that of the alignment */
        EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR *end = pci_describe(
            list, range->io ? ACPI_ADDRESS_SPACE_TYPE_IO : ACPI_ADDRESS_SPACE_TYPE_MEM, range->base,
            range->size, range->size - 1);
        if (!range->io)
            list->AddrSpaceGranularity = range->wide ? 64 : 32;
        if (range->prefetchable)
            list->SpecificFlag = ACPI_MEMORY_PREFETCHABLE;
        memcpy(end, &(EFI_ACPI_END_TAG_DESCRIPTOR){ ACPI_END_TAG_DESCRIPTOR, 0 },
               sizeof(EFI_ACPI_END_TAG_DESCRIPTOR));
        *ret_resources = list;
    }
    if (ret_supports)
        *ret_supports = 0; /* every BAR is uncached and stays so */
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_bar_attributes(EFI_PCI_IO_PROTOCOL *this, UINT64 wanted, UINT8 bar,
                                            UINT64 *offset, UINT64 *length)
{
    if (!this || !offset || !length)
        return EFI_INVALID_PARAMETER;
    if (wanted != 0 || bar >= PCI_BARS)
        return EFI_UNSUPPORTED;
    const struct pci_bar *range = &device_of(this)->function->bars[bar];
    if (range->base == 0 || *length > range->size || *offset > range->size - *length)
        return EFI_UNSUPPORTED;
    return EFI_SUCCESS;
}

static const EFI_PCI_IO_PROTOCOL protocol = {
    .PollMem = memory_poll,
    .PollIo = io_poll,
    .Mem = { memory_read, memory_write },
    .Io = { io_read, io_write },
    .Pci = { config_read, config_write },
    .CopyMem = copy_memory,
    .Map = map,
    .Unmap = unmap,
    .AllocateBuffer = allocate_buffer,
    .FreeBuffer = free_buffer,
    .Flush = flush,
    .GetLocation = get_location,
    .Attributes = attributes,
    .GetBarAttributes = get_bar_attributes,
    .SetBarAttributes = set_bar_attributes,
};

/* Legacy cycles are forwarded to the root bus only. */
static uint64_t legacy_attributes(const struct pci_function *function)
{
    if (function->address >> 8 != 0)
        return 0;
    switch (function->class_code >> 8) {
    case CLASS_VGA:
        return EFI_PCI_ATTRIBUTE_VGA_MEMORY | EFI_PCI_ATTRIBUTE_VGA_IO_16 |
               EFI_PCI_ATTRIBUTE_VGA_PALETTE_IO_16;
    case CLASS_IDE:
        return EFI_PCI_ATTRIBUTE_IDE_PRIMARY_IO | EFI_PCI_ATTRIBUTE_IDE_SECONDARY_IO;
    case CLASS_ISA_BRIDGE:
        return EFI_PCI_ATTRIBUTE_ISA_MOTHERBOARD_IO | EFI_PCI_ATTRIBUTE_ISA_IO_16;
    default:
        return 0;
    }
}

static void publish(const struct pci_function *function)
{
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_of_pci(function->address);
    struct pci_device *device = pool_allocate(MEMORY_BOOT_DATA, sizeof(*device));
    if (!path || !device)
        panic("no memory for PCI functions");
    /* The enumeration has set all that the command register takes. */
    uint64_t command = pci_read16(function->address, PCI_COMMAND);
    bool express = pci_capability(function->address, CAPABILITY_EXPRESS, 0) != 0;
    *device = (struct pci_device){
        .io = protocol,
        .function = function,
        .next = devices,
        .config_size = express ? CONFIG_SIZE_EXPRESS : CONFIG_SIZE,
        .supports = (command << ENABLES_SHIFT & ENABLES) | legacy_attributes(function) |
                    EFI_PCI_ATTRIBUTE_DUAL_ADDRESS_CYCLE,
    };
    devices = device;
    handle_install(&device->handle, &guid_device_path, path);
    handle_install(&device->handle, &guid_pci_io, &device->io);
}

EFI_HANDLE pci_io_handle(uint16_t address)
{
    struct pci_device *device = devices;
    while (device && device->function->address != address)
        device = device->next;
    return device ? device->handle : NULL;
}

const struct pci_function *pci_io_function(EFI_HANDLE handle)
{
    struct pci_device *device = devices;
    while (device && device->handle != handle)
        device = device->next;
    return device ? device->function : NULL;
}

/* Opens the function behind a device path for the firmware; twice does no harm. */
static void claim(EFI_DEVICE_PATH_PROTOCOL *path)
{
    EFI_GUID guid = guid_pci_io;
    EFI_HANDLE handle;
    void *interface;
    if (path && bs_locate_device_path(&guid, &path, &handle) == EFI_SUCCESS)
        (void)bs_open_protocol(handle, &guid, &interface, firmware_image, handle,
                               EFI_OPEN_PROTOCOL_BY_DRIVER);
}

void pci_io_claim(const EFI_GUID *users)
{
    EFI_GUID guid = *users;
    EFI_HANDLE *handles;
    UINTN count;
    if (bs_locate_handle_buffer(ByProtocol, &guid, NULL, &count, &handles) != EFI_SUCCESS)
        return;
    for (UINTN i = 0; i < count; i++)
        claim(handle_interface(handles[i], &guid_device_path));
    pool_free(handles);
}

void pci_io_init(void)
{
    const struct pci_function *function;
    pci_root_bridge_init();
    iommu_init();
    for (size_t i = 0; pci_function_at(i, &function); i++)
        publish(function);
}
