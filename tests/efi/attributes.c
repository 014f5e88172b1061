/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The memory attribute protocol (UEFI 2.10 37.7), if there is one: answers and errors, and that the
 * page tables say what the protocol says.
 */
#include "tests/efi/conformance.h"

enum { PAGES = 4, PRESENT = 1, WRITABLE = 2 };
#define NO_EXECUTE (1ull << 63)
#define BEYOND_RAM 0xFED00000ull /* the HPET's page */

static EFI_MEMORY_ATTRIBUTE_PROTOCOL *protocol;
static EFI_PHYSICAL_ADDRESS base;

/* What may be done with the second page: by the protocol, and by the page tables. */
static void show(const char *name, EFI_STATUS status)
{
    uint64_t entry = page_entry(base + EFI_PAGE_SIZE);
    UINT64 a = 0;
    if (status == EFI_SUCCESS)
        status = protocol->GetMemoryAttributes(protocol, base + EFI_PAGE_SIZE, EFI_PAGE_SIZE, &a);
    if (status != EFI_SUCCESS) {
        check_status(name, status);
        return;
    }
    char text[] = "rwx rwx";
    bool may[] = { !(a & EFI_MEMORY_RP), !(a & EFI_MEMORY_RO), !(a & EFI_MEMORY_XP),    true,
                   entry & PRESENT,      entry & WRITABLE,     !(entry & NO_EXECUTE) };
    for (size_t i = 0; i < ARRAY_SIZE(may); i++)
        if (!may[i])
            text[i] = '-';
    check_text(name, text);
}

static EFI_STATUS set(UINT64 attributes)
{
    return protocol->SetMemoryAttributes(protocol, base + EFI_PAGE_SIZE, EFI_PAGE_SIZE, attributes);
}

static EFI_STATUS clear(UINT64 attributes)
{
    return protocol->ClearMemoryAttributes(protocol, base + EFI_PAGE_SIZE, EFI_PAGE_SIZE,
                                           attributes);
}

static void changes(void)
{
    UINT64 attributes = 0;
    show("fresh", EFI_SUCCESS);
    show("read-only", set(EFI_MEMORY_RO));
    check_status("mixed", protocol->GetMemoryAttributes(protocol, base, PAGES * EFI_PAGE_SIZE,
                                                        &attributes));
    check_status("before", protocol->GetMemoryAttributes(protocol, base, EFI_PAGE_SIZE, &attributes));
    check_value("before.attributes", attributes);
    show("both", set(EFI_MEMORY_XP));
    show("writable", clear(EFI_MEMORY_RO));
    show("absent", set(EFI_MEMORY_RP));
    show("all-cleared", clear(EFI_MEMORY_RP | EFI_MEMORY_XP | EFI_MEMORY_RO));
    show("left-read-only", set(EFI_MEMORY_RO));
}

static void arguments(void)
{
    UINT64 a = EFI_MEMORY_RO;
    UINTN size = EFI_PAGE_SIZE;
    check_status("get.null", protocol->GetMemoryAttributes(NULL, base, size, &a));
    check_status("get.no-result", protocol->GetMemoryAttributes(protocol, base, size, NULL));
    check_status("get.nothing", protocol->GetMemoryAttributes(protocol, base, 0, &a));
    check_status("get.unaligned", protocol->GetMemoryAttributes(protocol, base + 8, size, &a));
    check_status("get.part", protocol->GetMemoryAttributes(protocol, base, size + 8, &a));
    check_status("get.no-ram", protocol->GetMemoryAttributes(protocol, BEYOND_RAM, size, &a));
    check_status("set.null", protocol->SetMemoryAttributes(NULL, base, size, EFI_MEMORY_RO));
    check_status("set.nothing", protocol->SetMemoryAttributes(protocol, base, 0, EFI_MEMORY_RO));
    check_status("set.unaligned",
                 protocol->SetMemoryAttributes(protocol, base + 8, size, EFI_MEMORY_RO));
    check_status("set.no-ram",
                 protocol->SetMemoryAttributes(protocol, BEYOND_RAM, size, EFI_MEMORY_RO));
    check_status("set.no-attribute", set(0));
    check_status("set.foreign", set(EFI_MEMORY_WB | EFI_MEMORY_RO));
    check_status("clear.null", protocol->ClearMemoryAttributes(NULL, base, size, EFI_MEMORY_RO));
    check_status("clear.part", protocol->ClearMemoryAttributes(protocol, base, 8, EFI_MEMORY_RO));
    check_status("clear.no-attribute", clear(0));
    check_status("clear.foreign", clear(EFI_MEMORY_WB));
}

void test_memory_attributes(void)
{
    protocol = find_protocol(&memory_attribute_guid);
    check_true("there", protocol != NULL);
    if (!protocol)
        return;
    bs->AllocatePages(AllocateAnyPages, MEMORY_TYPE_BOOT_DATA, PAGES, &base);
    arguments();
    changes();
    /* Whoever gets the pages next finds them writable. */
    bs->FreePages(base, PAGES);
    show("again", bs->AllocatePages(AllocateAddress, MEMORY_TYPE_BOOT_DATA, PAGES, &base));
    bs->FreePages(base, PAGES);
}
