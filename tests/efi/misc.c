/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* CRC, memory helpers, monotonic count, configuration tables (UEFI 2.10 7.5). */
#include "tests/efi/conformance.h"

static void crc(void)
{
    UINT32 value = 0;
    char text[] = "123456789";
    check_status("crc", bs->CalculateCrc32(text, 9, &value));
    check_value("crc.value", value);
    check_status("crc.no-data", bs->CalculateCrc32(NULL, 9, &value));
    check_status("crc.no-size", bs->CalculateCrc32(text, 0, &value));
    check_status("crc.no-result", bs->CalculateCrc32(text, 9, NULL));
}

static void memory(void)
{
    char text[] = "abcdefghijklmnop";
    bs->CopyMem(text + 2, text, 8);
    check_text("copy.up", text);
    bs->CopyMem(text, text + 4, 8);
    check_text("copy.down", text);
    bs->CopyMem(text, text + 4, 0);
    check_text("copy.nothing", text);
    bs->SetMem(text + 1, 3, 'z');
    check_text("set", text);
    bs->SetMem(text, 0, 'y');
    check_text("set.nothing", text);
}

static void counts(void)
{
    UINT64 one = 0, two = 0;
    UINT32 high = 0;
    check_status("count.null", bs->GetNextMonotonicCount(NULL));
    check_status("count", bs->GetNextMonotonicCount(&one));
    bs->GetNextMonotonicCount(&two);
    check_true("count.grows", two == one + 1);
    check_status("high.null", rt->GetNextHighMonotonicCount(NULL));
    check_status("high", rt->GetNextHighMonotonicCount(&high));
    check_value("high.step", high - (one >> 32));
    bs->GetNextMonotonicCount(&two);
    check_true("count.has-high", two >> 32 == high);
    check_true("count.not-smaller", two > one);
}

static VOID *table(EFI_GUID *guid)
{
    for (UINTN i = 0; i < st->NumberOfTableEntries; i++)
        if (guid_same(&st->ConfigurationTable[i].VendorGuid, guid))
            return st->ConfigurationTable[i].VendorTable;
    return NULL;
}

static bool crc_good(void)
{
    EFI_SYSTEM_TABLE copy = *st;
    uint32_t value = 0;
    copy.Hdr.CRC32 = 0;
    bs->CalculateCrc32(&copy, copy.Hdr.HeaderSize, &value);
    return value == st->Hdr.CRC32;
}

static void tables(void)
{
    static int first, second;
    UINTN count = st->NumberOfTableEntries;
    check_status("table.null", bs->InstallConfigurationTable(NULL, &first));
    check_status("table.remove-absent", bs->InstallConfigurationTable(&test_table_guid, NULL));
    check_status("table.install", bs->InstallConfigurationTable(&test_table_guid, &first));
    check_value("table.count", st->NumberOfTableEntries - count);
    check_true("table.found", table(&test_table_guid) == &first);
    check_true("table.crc", crc_good());
    check_status("table.replace", bs->InstallConfigurationTable(&test_table_guid, &second));
    check_value("table.replace.count", st->NumberOfTableEntries - count);
    check_true("table.replaced", table(&test_table_guid) == &second);
    check_status("table.remove", bs->InstallConfigurationTable(&test_table_guid, NULL));
    check_value("table.remove.count", st->NumberOfTableEntries - count);
    check_true("table.remove.crc", crc_good());
    check_true("table.gone", table(&test_table_guid) == NULL);
    for (UINTN i = 0; i < 100; i++) {
        EFI_GUID guid = test_table_guid;
        guid.a += (UINT32)i;
        bs->InstallConfigurationTable(&guid, &first);
    }
    check_value("table.many", st->NumberOfTableEntries - count);
    for (UINTN i = 0; i < 100; i++) {
        EFI_GUID guid = test_table_guid;
        guid.a += (UINT32)i;
        bs->InstallConfigurationTable(&guid, NULL);
    }
    check_value("table.many-removed", st->NumberOfTableEntries - count);
    check_true("table.acpi", table(&acpi_guid) != NULL);
}

void test_misc(void)
{
    crc();
    memory();
    counts();
    tables();
    check_status("watchdog.set", bs->SetWatchdogTimer(100, 0x10000, 0, NULL));
    check_status("watchdog.data", bs->SetWatchdogTimer(100, 0x10000, 10, L"test"));
    check_status("watchdog.code-0", bs->SetWatchdogTimer(100, 0, 0, NULL));
    check_status("watchdog.code-ffff", bs->SetWatchdogTimer(100, 0xFFFF, 0, NULL));
    check_status("watchdog.off", bs->SetWatchdogTimer(0, 0x10000, 0, NULL));
    check_status("watchdog.off-code-0", bs->SetWatchdogTimer(0, 0, 0, NULL));
}
