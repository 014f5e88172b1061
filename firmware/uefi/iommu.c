/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * DMA for drivers that loaders bring along: Map, Unmap, AllocateBuffer, FreeBuffer of the PCI
 * protocols (UEFI 2.10 14.2.2), and edk2's IOMMU protocol, published in SEV guests only. In such a
 * guest a device reaches nothing but the shared pool of sev/dma.c: a mapping bounces, a common
 * buffer must come from AllocateBuffer. Memory that is not RAM of the map is never mapped.
 */
#include "firmware/sev/dma.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/pci_protocols.h"
#include "firmware/uefi/services.h"

#define FOUR_GIB (1ull << 32)
#define BUFFER_ATTRIBUTES                                                                          \
    (EFI_PCI_ATTRIBUTE_MEMORY_WRITE_COMBINE | EFI_PCI_ATTRIBUTE_MEMORY_CACHED |                    \
     EFI_PCI_ATTRIBUTE_DUAL_ADDRESS_CYCLE)

/* What was handed out: a mapping, or a buffer of AllocateBuffer (dma.data, dma.length). */
struct item {
    struct item *next;
    struct dma_mapping dma;
    uint32_t operation;
};

static struct item *mappings, *buffers;

static void add(struct item **list, struct item *item)
{
    uint64_t flags = interrupts_save();
    item->next = *list;
    *list = item;
    interrupts_restore(flags);
}

/* Takes an item out of its list; false: it is not there. */
static bool take(struct item **list, const struct item *item)
{
    uint64_t flags = interrupts_save();
    while (*list && *list != item)
        list = &(*list)->next;
    bool found = item && *list == item;
    if (found)
        *list = item->next;
    interrupts_restore(flags);
    return found;
}

static bool is_ram(const void *host, uint64_t bytes)
{
    uint64_t base = (uintptr_t)host & ~(uint64_t)(EFI_PAGE_SIZE - 1);
    uint64_t length;
    return bytes != 0 && !__builtin_add_overflow(bytes, (uintptr_t)host - base, &length) &&
           memory_is_ram(base, length);
}

/* Makes the mapping itself. The device's address ends below 4 GiB unless `wide`. */
static EFI_STATUS map(struct item *item, unsigned kind, bool wide, void *host, uint64_t bytes)
{
    static const enum dma_direction directions[] = {
        [EfiPciOperationBusMasterRead] = DMA_TO_DEVICE,
        [EfiPciOperationBusMasterWrite] = DMA_FROM_DEVICE,
        [EfiPciOperationBusMasterCommonBuffer] = DMA_BOTH,
    };
    bool out_of_reach = sev_active() ? !dma_is_shared(host, bytes)
                                     : !wide && (uintptr_t)host + bytes > FOUR_GIB;
    if (!out_of_reach) {
        item->dma = (struct dma_mapping){ host, (uintptr_t)host, host, bytes, directions[kind] };
        return EFI_SUCCESS;
    }
    if (kind == EfiPciOperationBusMasterCommonBuffer)
        return EFI_UNSUPPORTED;
    return dma_bounce(host, bytes, directions[kind], &item->dma) ? EFI_SUCCESS
                                                                 : EFI_OUT_OF_RESOURCES;
}

EFI_STATUS iommu_map(uint32_t operation, void *host, UINTN *bytes, EFI_PHYSICAL_ADDRESS *ret_device,
                     void **ret_mapping)
{
    if (!host || !bytes || !ret_device || !ret_mapping || operation >= EfiPciOperationMaximum ||
        !is_ram(host, *bytes))
        return EFI_INVALID_PARAMETER;
    struct item *item = pool_allocate(MEMORY_BOOT_DATA, sizeof(*item));
    if (!item)
        return EFI_OUT_OF_RESOURCES;
    bool wide = operation >= EfiPciOperationBusMasterRead64;
    item->operation = operation % EfiPciOperationBusMasterRead64;
    EFI_STATUS status = map(item, item->operation, wide, host, *bytes);
    if (status != EFI_SUCCESS) {
        pool_free(item);
        return status;
    }
    add(&mappings, item);
    *ret_device = item->dma.device;
    *ret_mapping = item;
    return EFI_SUCCESS;
}

EFI_STATUS iommu_unmap(void *mapping)
{
    if (!take(&mappings, mapping))
        return EFI_INVALID_PARAMETER;
    struct item *item = mapping;
    dma_unmap(&item->dma);
    pool_free(item);
    return EFI_SUCCESS;
}

/* Pages that a device can reach: shared ones in a SEV guest, else any below 4 GiB or with DAC. */
static EFI_STATUS allocate_pages(uint32_t type, UINTN pages, uint64_t attributes, void **ret_host)
{
    uint64_t device;
    if (pages > SIZE_MAX / EFI_PAGE_SIZE)
        return EFI_OUT_OF_RESOURCES;
    if (sev_active()) { /* the pool ends with boot services: no buffer for runtime */
        *ret_host = type == MEMORY_BOOT_DATA ? dma_alloc(pages * EFI_PAGE_SIZE, &device) : NULL;
        return *ret_host ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
    }
    EFI_PHYSICAL_ADDRESS base =
        attributes & EFI_PCI_ATTRIBUTE_DUAL_ADDRESS_CYCLE ? UINT64_MAX : FOUR_GIB - 1;
    EFI_STATUS status = bs_allocate_pages(AllocateMaxAddress, type, pages, &base);
    *ret_host = (void *)(uintptr_t)base;
    return status;
}

static EFI_STATUS release_pages(void *host, UINTN pages)
{
    if (!sev_active())
        return bs_free_pages((uintptr_t)host, pages);
    dma_free(host, pages * EFI_PAGE_SIZE);
    return EFI_SUCCESS;
}

EFI_STATUS iommu_allocate(uint32_t type, UINTN pages, void **ret_host, uint64_t attributes)
{
    if (attributes & ~BUFFER_ATTRIBUTES)
        return EFI_UNSUPPORTED;
    if (!ret_host || pages == 0 || (type != MEMORY_BOOT_DATA && type != MEMORY_RUNTIME_DATA))
        return EFI_INVALID_PARAMETER;
    struct item *item = pool_allocate(MEMORY_BOOT_DATA, sizeof(*item));
    if (!item)
        return EFI_OUT_OF_RESOURCES;
    void *host;
    EFI_STATUS status = allocate_pages(type, pages, attributes, &host);
    if (status != EFI_SUCCESS) {
        pool_free(item);
        return status;
    }
    item->dma = (struct dma_mapping){ .data = host, .length = pages };
    add(&buffers, item);
    *ret_host = host;
    return EFI_SUCCESS;
}

EFI_STATUS iommu_free(UINTN pages, void *host)
{
    struct item *item = buffers;
    while (item && (item->dma.data != host || item->dma.length != pages))
        item = item->next;
    if (!take(&buffers, item))
        return EFI_INVALID_PARAMETER;
    pool_free(item);
    return release_pages(host, pages);
}

/* The access must be the one that the mapping was made for, or none. */
static EFI_STATUS EFIAPI set_attribute(EDKII_IOMMU_PROTOCOL *this, EFI_HANDLE device, VOID *mapping,
                                       UINT64 access)
{
    static const uint8_t allowed[] = {
        [EfiPciOperationBusMasterRead] = EDKII_IOMMU_ACCESS_READ,
        [EfiPciOperationBusMasterWrite] = EDKII_IOMMU_ACCESS_WRITE,
        [EfiPciOperationBusMasterCommonBuffer] =
            EDKII_IOMMU_ACCESS_READ | EDKII_IOMMU_ACCESS_WRITE,
    };
    (void)this;
    const struct item *item = mappings;
    while (item && item != mapping)
        item = item->next;
    if (!item || !handle_valid(device) || (access && access != allowed[item->operation]))
        return EFI_INVALID_PARAMETER;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI protocol_map(EDKII_IOMMU_PROTOCOL *this, UINT32 operation, VOID *host,
                                      UINTN *bytes, EFI_PHYSICAL_ADDRESS *device, VOID **mapping)
{
    (void)this;
    return iommu_map(operation, host, bytes, device, mapping);
}

static EFI_STATUS EFIAPI protocol_unmap(EDKII_IOMMU_PROTOCOL *this, VOID *mapping)
{
    (void)this;
    return iommu_unmap(mapping);
}

static EFI_STATUS EFIAPI protocol_allocate(EDKII_IOMMU_PROTOCOL *this, EFI_ALLOCATE_TYPE how,
                                           UINT32 type, UINTN pages, VOID **host, UINT64 attributes)
{
    (void)this;
    (void)how;
    return iommu_allocate(type, pages, host, attributes);
}

static EFI_STATUS EFIAPI protocol_free(EDKII_IOMMU_PROTOCOL *this, UINTN pages, VOID *host)
{
    (void)this;
    return iommu_free(pages, host);
}

void iommu_init(void)
{
    static EDKII_IOMMU_PROTOCOL protocol = { .Revision = EDKII_IOMMU_PROTOCOL_REVISION,
                                             .SetAttribute = set_attribute,
                                             .Map = protocol_map,
                                             .Unmap = protocol_unmap,
                                             .AllocateBuffer = protocol_allocate,
                                             .FreeBuffer = protocol_free };
    static EFI_HANDLE handle;
    if (sev_active())
        handle_install(&handle, &guid_edkii_iommu, &protocol);
}
