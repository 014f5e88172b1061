/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * DMA of a driver in a SEV guest by edk2's IOMMU protocol: what a device is given lies in shared
 * pages and has the right bytes, what the driver keeps stays private.
 */
#include "tests/efi/conformance.h"
#include "firmware/uefi/efi_pci.h"

enum { READ, WRITE, COMMON, OPERATIONS = 6, RUNTIME_DATA = 6, LOADER_DATA = 2 };
enum { OFFSET = 0x123, LENGTH = 0x1100, PAGES = 3 }; /* a piece across two pages of three */
enum { FILL = 0x11, HOST_TEXT = 0x22, DEVICE_TEXT = 0x33 };
#define MEMORY_ENCRYPTION_LEAF 0x8000001Fu
#define WRITE_COMBINE          0x80u

EFI_HANDLE self;
EFI_SYSTEM_TABLE *st;
EFI_BOOT_SERVICES *bs;
EFI_RUNTIME_SERVICES *rt;

static EDKII_IOMMU_PROTOCOL *protocol;

/* APM 3, CPUID Fn8000_001F: EBX[5:0] is the C-bit's place in a page table entry. */
static uint64_t c_bit(void)
{
    uint32_t a = MEMORY_ENCRYPTION_LEAF, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return 1ull << (b & 63);
}

/* "shared", "private", or "mixed" pages. */
static const char *kind(uint64_t address, size_t length)
{
    bool any[2] = { false };
    for (uint64_t at = address & ~0xFFFull; at < address + length; at += EFI_PAGE_SIZE)
        any[(page_entry(at) & c_bit()) != 0] = true;
    return any[0] && any[1] ? "mixed" : any[1] ? "private" : "shared";
}

static bool filled(const uint8_t *data, uint8_t value, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (data[i] != value)
            return false;
    return true;
}

/* A piece of private memory for a device that reads it (READ) or writes to it (WRITE). */
static void piece(uint32_t operation)
{
    EFI_PHYSICAL_ADDRESS base = 0, device = 0;
    VOID *mapping = NULL;
    UINTN bytes = LENGTH;
    bs->AllocatePages(AllocateAnyPages, MEMORY_TYPE_BOOT_DATA, PAGES, &base);
    uint8_t *pages = (uint8_t *)(uintptr_t)base, *data = pages + OFFSET;
    memset(pages, FILL, PAGES * EFI_PAGE_SIZE);
    memset(data, HOST_TEXT, LENGTH);
    check_status(name_number("map", operation),
                 protocol->Map(protocol, operation, data, &bytes, &device, &mapping));
    check_value(name_number("map.bytes", operation), bytes);
    check_text(name_number("map.device", operation), kind(device, LENGTH));
    check_text(name_number("map.host", operation), kind(base, PAGES * EFI_PAGE_SIZE));
    check_true(name_number("map.low", operation), device + LENGTH <= 1ull << 32);
    uint8_t *seen = (uint8_t *)(uintptr_t)device;
    if (operation % 3 == READ)
        check_true(name_number("map.text", operation), filled(seen, HOST_TEXT, LENGTH));
    memset(seen, DEVICE_TEXT, LENGTH);
    check_true(name_number("map.apart", operation), filled(data, HOST_TEXT, LENGTH));
    check_status(name_number("unmap", operation), protocol->Unmap(protocol, mapping));
    check_true(name_number("unmap.text", operation),
               filled(data, operation % 3 == WRITE ? DEVICE_TEXT : HOST_TEXT, LENGTH));
    check_true(name_number("unmap.around", operation),
               filled(pages, FILL, OFFSET) &&
                   filled(data + LENGTH, FILL, PAGES * EFI_PAGE_SIZE - OFFSET - LENGTH));
    bs->FreePages(base, PAGES);
}

/* What driver and device share from AllocateBuffer to FreeBuffer. */
static void common_buffer(uint32_t operation)
{
    VOID *buffer = NULL, *mapping = NULL;
    EFI_PHYSICAL_ADDRESS device = 0;
    UINTN bytes = PAGES * EFI_PAGE_SIZE;
    check_status(name_number("allocate", operation),
                 protocol->AllocateBuffer(protocol, AllocateAnyPages, MEMORY_TYPE_BOOT_DATA, PAGES,
                                          &buffer, WRITE_COMBINE));
    memset(buffer, HOST_TEXT, PAGES * EFI_PAGE_SIZE);
    check_status(name_number("common", operation),
                 protocol->Map(protocol, operation, buffer, &bytes, &device, &mapping));
    check_true(name_number("common.same", operation), device == (uintptr_t)buffer);
    check_text(name_number("common.device", operation), kind(device, bytes));
    check_true(name_number("common.text", operation), filled(buffer, HOST_TEXT, bytes));
    check_status(name_number("common.unmap", operation), protocol->Unmap(protocol, mapping));
    check_true(name_number("common.kept", operation), filled(buffer, HOST_TEXT, bytes));
    check_status(name_number("free", operation), protocol->FreeBuffer(protocol, PAGES, buffer));
}

static void access_rights(void)
{
    static uint8_t data[64];
    EFI_PHYSICAL_ADDRESS device;
    VOID *mapping = NULL;
    UINTN bytes = sizeof(data);
    protocol->Map(protocol, READ, data, &bytes, &device, &mapping);
    check_status("access",
                 protocol->SetAttribute(protocol, self, mapping, EDKII_IOMMU_ACCESS_READ));
    check_status("access.none", protocol->SetAttribute(protocol, self, mapping, 0));
    check_status("access.other",
                 protocol->SetAttribute(protocol, self, mapping, EDKII_IOMMU_ACCESS_WRITE));
    check_status("access.no-mapping", protocol->SetAttribute(protocol, self, NULL, 0));
    check_status("access.no-handle", protocol->SetAttribute(protocol, NULL, mapping, 0));
    protocol->Unmap(protocol, mapping);
}

static void arguments(void)
{
    static uint8_t data[64];
    EFI_PHYSICAL_ADDRESS device;
    VOID *mapping = NULL, *buffer = NULL;
    UINTN bytes = sizeof(data);
    check_status("map.null-host", protocol->Map(protocol, READ, NULL, &bytes, &device, &mapping));
    check_status("map.no-bytes", protocol->Map(protocol, READ, data, NULL, &device, &mapping));
    check_status("map.no-device", protocol->Map(protocol, READ, data, &bytes, NULL, &mapping));
    check_status("map.no-mapping", protocol->Map(protocol, READ, data, &bytes, &device, NULL));
    check_status("map.operation",
                 protocol->Map(protocol, OPERATIONS, data, &bytes, &device, &mapping));
    check_status("unmap.null", protocol->Unmap(protocol, NULL));
    check_status("allocate.type",
                 protocol->AllocateBuffer(protocol, AllocateAnyPages, LOADER_DATA, 1, &buffer, 0));
    check_status("allocate.no-result", protocol->AllocateBuffer(protocol, AllocateAnyPages,
                                                                MEMORY_TYPE_BOOT_DATA, 1, NULL, 0));
    check_status(
        "allocate.attribute",
        protocol->AllocateBuffer(protocol, AllocateAnyPages, MEMORY_TYPE_BOOT_DATA, 1, &buffer, 1));
    check_status("allocate.too-much",
                 protocol->AllocateBuffer(protocol, AllocateAnyPages, MEMORY_TYPE_BOOT_DATA,
                                          UINT64_MAX >> 13, &buffer, 0));
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    self = image;
    st = system_table;
    bs = st->BootServices;
    rt = st->RuntimeServices;
    report_section("iommu");
    protocol = find_protocol(&iommu_guid);
    check_true("there", protocol != NULL);
    if (protocol) {
        check_value("revision", protocol->Revision);
        arguments();
        for (uint32_t operation = 0; operation < OPERATIONS; operation++)
            operation % 3 == COMMON ? common_buffer(operation) : piece(operation);
        access_rights();
    }
    report_end();
    rt->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
    return EFI_ABORTED;
}
