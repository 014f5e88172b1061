/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The memory attribute protocol (UEFI 2.10 37.7): page permissions for loaders that separate code
 * from data. Any page-aligned range of RAM is taken, since Linux gives up the boot otherwise.
 */
#include "firmware/arch/paging.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define PERMISSIONS (EFI_MEMORY_RP | EFI_MEMORY_XP | EFI_MEMORY_RO)

static EFI_STATUS check(EFI_PHYSICAL_ADDRESS base, UINT64 length)
{
    if (length == 0 || base % EFI_PAGE_SIZE || length % EFI_PAGE_SIZE)
        return EFI_INVALID_PARAMETER;
    return memory_is_ram(base, length) ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI get_attributes(EFI_MEMORY_ATTRIBUTE_PROTOCOL *this,
                                        EFI_PHYSICAL_ADDRESS base, UINT64 length,
                                        UINT64 *ret_attributes)
{
    if (!this || !ret_attributes)
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = check(base, length);
    if (status != EFI_SUCCESS)
        return status;
    uint64_t first = paging_get_attributes(base) & PERMISSIONS;
    for (uint64_t offset = EFI_PAGE_SIZE; offset < length; offset += EFI_PAGE_SIZE)
        if ((paging_get_attributes(base + offset) & PERMISSIONS) != first)
            return EFI_NO_MAPPING; /* not one answer for the whole range */
    *ret_attributes = first;
    return EFI_SUCCESS;
}

/* Whoever gets the pages next must find them writable and executable. */
static void forget(uint64_t base, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++)
        if (paging_get_attributes(base + i * EFI_PAGE_SIZE) & PERMISSIONS)
            paging_set_attributes(base + i * EFI_PAGE_SIZE, EFI_PAGE_SIZE, 0, PERMISSIONS);
}

static EFI_STATUS change(EFI_PHYSICAL_ADDRESS base, UINT64 length, UINT64 set, UINT64 clear)
{
    if ((set | clear) == 0 || ((set | clear) & ~PERMISSIONS))
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = check(base, length);
    if (status == EFI_SUCCESS) {
        memory_on_free = forget;
        paging_set_attributes(base, length, set, clear);
    }
    return status;
}

static EFI_STATUS EFIAPI set_attributes(EFI_MEMORY_ATTRIBUTE_PROTOCOL *this,
                                        EFI_PHYSICAL_ADDRESS base, UINT64 length, UINT64 attributes)
{
    return this ? change(base, length, attributes, 0) : EFI_INVALID_PARAMETER;
}

static EFI_STATUS EFIAPI clear_attributes(EFI_MEMORY_ATTRIBUTE_PROTOCOL *this,
                                          EFI_PHYSICAL_ADDRESS base, UINT64 length,
                                          UINT64 attributes)
{
    return this ? change(base, length, 0, attributes) : EFI_INVALID_PARAMETER;
}

void memory_attribute_init(void)
{
    static EFI_MEMORY_ATTRIBUTE_PROTOCOL protocol = { .GetMemoryAttributes = get_attributes,
                                                      .SetMemoryAttributes = set_attributes,
                                                      .ClearMemoryAttributes = clear_attributes };
    static EFI_HANDLE handle;
    handle_install(&handle, &guid_memory_attribute, &protocol);
}
