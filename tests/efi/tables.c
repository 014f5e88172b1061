/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The tables themselves (UEFI 2.10 4.2 to 4.6): signatures, sizes, CRCs, no empty entry. */
#include "tests/efi/conformance.h"

static bool crc_good(EFI_TABLE_HEADER *header)
{
    uint8_t copy[1024];
    uint32_t crc = 0;
    if (header->HeaderSize > sizeof(copy))
        return false;
    memcpy(copy, header, header->HeaderSize);
    memset(copy + offsetof(EFI_TABLE_HEADER, CRC32), 0, sizeof(crc));
    return bs->CalculateCrc32(copy, header->HeaderSize, &crc) == EFI_SUCCESS &&
           crc == header->CRC32;
}

static unsigned empty_entries(EFI_TABLE_HEADER *header)
{
    VOID **entries = (VOID **)(header + 1);
    unsigned count = 0;
    for (size_t i = 0; i < (header->HeaderSize - sizeof(*header)) / sizeof(VOID *); i++)
        count += entries[i] == NULL;
    return count;
}

/* UEFI 2.10 4.6.2; the services that are missing are those that answer UNSUPPORTED. */
static void runtime_properties(void)
{
    EFI_RT_PROPERTIES_TABLE *table = NULL;
    for (UINTN i = 0; i < st->NumberOfTableEntries; i++)
        if (guid_same(&st->ConfigurationTable[i].VendorGuid, &rt_properties_guid))
            table = st->ConfigurationTable[i].VendorTable;
    check_true("properties", table != NULL);
    if (!table)
        return;
    check_value("properties.version", table->Version);
    check_value("properties.length", table->Length);
    check_value("properties.services", table->RuntimeServicesSupported);
}

void test_tables(void)
{
    check_true("system.signature", st->Hdr.Signature == EFI_SYSTEM_TABLE_SIGNATURE);
    check_true("boot.signature", bs->Hdr.Signature == EFI_BOOT_SERVICES_SIGNATURE);
    check_true("runtime.signature", rt->Hdr.Signature == EFI_RUNTIME_SERVICES_SIGNATURE);
    check_value("system.size", st->Hdr.HeaderSize);
    check_value("boot.size", bs->Hdr.HeaderSize);
    check_value("runtime.size", rt->Hdr.HeaderSize);
    check_true("system.crc", crc_good(&st->Hdr));
    check_true("boot.crc", crc_good(&bs->Hdr));
    check_true("runtime.crc", crc_good(&rt->Hdr));
    check_value("boot.empty", empty_entries(&bs->Hdr));
    check_value("runtime.empty", empty_entries(&rt->Hdr));
    check_true("revisions-agree",
               st->Hdr.Revision == bs->Hdr.Revision && st->Hdr.Revision == rt->Hdr.Revision);
    check_value("revision", st->Hdr.Revision);
    check_true("vendor", st->FirmwareVendor && st->FirmwareVendor[0]);
    check_true("console-in", st->ConsoleInHandle && st->ConIn);
    check_true("console-out", st->ConsoleOutHandle && st->ConOut);
    check_true("standard-error", st->StandardErrorHandle && st->StdErr);
    runtime_properties();
    check_true("configuration", st->NumberOfTableEntries && st->ConfigurationTable);
}
