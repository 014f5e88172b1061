/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Variables (UEFI 2.10 8.2 and 3.3), with boot services and after them. */
#include "tests/efi/conformance.h"

#define BS     EFI_VARIABLE_BOOTSERVICE_ACCESS
#define RT     EFI_VARIABLE_RUNTIME_ACCESS
#define NV     EFI_VARIABLE_NON_VOLATILE
#define APPEND EFI_VARIABLE_APPEND_WRITE
#define ALL    (NV | BS | RT)
#define SIGNED                                                                                     \
    (EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS |                                          \
     EFI_VARIABLE_ENHANCED_AUTHENTICATED_ACCESS)

static EFI_STATUS set_of(CHAR16 *name, EFI_GUID *guid, UINT32 attributes, UINTN size,
                         const void *data)
{
    return rt->SetVariable(name, guid, attributes, size, (void *)(uintptr_t)data);
}

static EFI_STATUS set(CHAR16 *name, UINT32 attributes, UINTN size, const void *data)
{
    return set_of(name, &test_vendor_guid, attributes, size, data);
}

static void check_content(const char *what, CHAR16 *name)
{
    UINT8 data[64];
    UINTN size = sizeof(data);
    UINT32 attributes = 0;
    EFI_STATUS status = rt->GetVariable(name, &test_vendor_guid, &attributes, &size, data);
    check_status(what, status);
    if (status != EFI_SUCCESS)
        return;
    check_bytes(name_of(what, "data"), data, size);
    check_value(name_of(what, "attributes"), attributes);
}

static void test_get(void)
{
    CHAR16 name[] = L"Conformance", absent[] = L"ConformanceAbsent", empty[] = L"";
    UINT8 data[64];
    UINTN size = sizeof(data);
    UINT32 attributes = 0;
    check_status("get.no-name", rt->GetVariable(NULL, &test_vendor_guid, NULL, &size, data));
    check_status("get.no-guid", rt->GetVariable(name, NULL, NULL, &size, data));
    check_status("get.no-size", rt->GetVariable(name, &test_vendor_guid, NULL, NULL, data));
    check_status("get.empty-name", rt->GetVariable(empty, &test_vendor_guid, NULL, &size, data));
    check_status("get.absent", rt->GetVariable(absent, &test_vendor_guid, NULL, &size, data));
    check_value("get.absent.size", size);
    check_status("set", set(name, ALL, 10, "0123456789"));
    size = 4;
    check_status("get.small", rt->GetVariable(name, &test_vendor_guid, &attributes, &size, data));
    check_value("get.small.size", size);
    check_value("get.small.attributes", attributes);
    size = 0;
    check_status("get.size-only", rt->GetVariable(name, &test_vendor_guid, NULL, &size, NULL));
    check_value("get.size-only.size", size);
    check_status("get.no-data", rt->GetVariable(name, &test_vendor_guid, NULL, &size, NULL));
    check_status("get.other-guid", rt->GetVariable(name, &test_guid_1, NULL, &size, data));
    check_content("get", name);
}

static void test_set(void)
{
    CHAR16 name[] = L"Conformance", other[] = L"ConformanceOther", empty[] = L"";
    check_status("set.same", set(name, ALL, 10, "0123456789"));
    check_status("set.append", set(name, ALL | APPEND, 2, "AB"));
    check_status("set.append-nothing", set(name, ALL | APPEND, 0, NULL));
    check_content("appended", name);
    check_status("set.other-attributes", set(name, BS | RT, 1, "x"));
    check_status("set.delete-with-other-attributes", set(name, BS | RT, 0, NULL));
    check_status("set.append-with-other-attributes", set(name, BS | RT | APPEND, 1, "x"));
    check_status("set.append-alone", set(name, APPEND, 1, "x"));
    check_status("set.shorter", set(name, ALL, 3, "abc"));
    check_content("shorter", name);
    check_status("set.no-name", set(NULL, ALL, 1, "x"));
    check_status("set.empty-name", set(empty, ALL, 1, "x"));
    check_status("set.no-guid", set_of(name, NULL, ALL, 1, "x"));
    check_status("set.no-data", set(name, ALL, 1, NULL));
    check_status("set.absurd-size", set(name, ALL, 0x10000000, name));
    check_status("set.absurd-size-volatile", set(other, BS, 0x10000000, name));
    check_content("unchanged", name);
    check_status("set.append-to-nothing", set(other, BS | APPEND, 0, NULL));
    check_content("still-nothing", other);
    check_status("set.append-creates", set(other, BS | APPEND, 2, "xy"));
    check_content("created", other);
    check_status("delete.by-attributes", set(other, 0, 5, "other"));
    check_status("delete.by-attributes-again", set(other, 0, 5, "other"));
    check_status("delete.by-size", set(name, ALL, 0, NULL));
    check_status("delete.by-size-again", set(name, ALL, 0, NULL));
    check_content("deleted", name);
}

/* Every combination of the attributes that there are. */
static void test_attributes(void)
{
    CHAR16 name[] = L"ConformanceAttributes";
    UINT64 maximum, remaining, largest;
    for (UINT32 attributes = 0; attributes < 0x100; attributes++) {
        check_status(name_number("attributes.set", attributes), set(name, attributes, 1, "x"));
        set(name, 0, 0, NULL);
        if ((attributes & SIGNED) && (attributes & ~SIGNED) != ALL)
            continue; /* a firmware has them or has not */
        check_status(name_number("attributes.query", attributes),
                     rt->QueryVariableInfo(attributes, &maximum, &remaining, &largest));
    }
    check_status("attributes.unknown", set(name, 0x100 | BS, 1, "x"));
    check_status("query.unknown", rt->QueryVariableInfo(0x100, &maximum, &remaining, &largest));
    check_status("query.no-maximum", rt->QueryVariableInfo(BS, NULL, &remaining, &largest));
    check_status("query.no-remaining", rt->QueryVariableInfo(BS, &maximum, NULL, &largest));
    check_status("query.no-largest", rt->QueryVariableInfo(BS, &maximum, &remaining, NULL));
}

static void test_space(const char *what, UINT32 attributes)
{
    CHAR16 name[] = L"ConformanceSpace";
    UINT64 maximum, before, after, largest;
    UINT8 *data = take(0x1000);
    rt->QueryVariableInfo(attributes, &maximum, &before, &largest);
    check_true(name_of(what, "enough"), largest >= 0x2000 && maximum >= before);
    check_status(name_of(what, "take"), set(name, attributes, 0x1000, data));
    rt->QueryVariableInfo(attributes, &maximum, &after, &largest);
    check_true(name_of(what, "taken"), before - after > 0x1000 && before - after < 0x1100);
    check_status(name_of(what, "give"), set(name, attributes, 0, NULL));
    rt->QueryVariableInfo(attributes, &maximum, &after, &largest);
    check_true(name_of(what, "given"), before == after);
    give(data);
}

enum { NAMES = 12, NAME_ROOM = 512 };

static void test_names(void)
{
    CHAR16 name[NAME_ROOM] = L"", number[] = L"ConformanceName0", one[] = L"x";
    UINTN size = NAME_ROOM, seen[NAMES] = { 0 }, count = 0, foreign = 0;
    EFI_GUID guid = { 0 };
    check_status("next.no-size", rt->GetNextVariableName(NULL, name, &guid));
    check_status("next.no-name", rt->GetNextVariableName(&size, NULL, &guid));
    check_status("next.no-guid", rt->GetNextVariableName(&size, name, NULL));
    size = 0;
    check_status("next.size-0", rt->GetNextVariableName(&size, name, &guid));
    size = 2;
    check_status("next.small", rt->GetNextVariableName(&size, name, &guid));
    check_true("next.small.size", size > 2);
    size = 2;
    check_status("next.not-terminated", rt->GetNextVariableName(&size, one, &guid));
    size = sizeof(number);
    number[15] = 'Z';
    check_status("next.unknown", rt->GetNextVariableName(&size, number, &test_vendor_guid));
    for (CHAR16 i = 0; i < NAMES; i++) {
        number[15] = (CHAR16)('A' + i);
        set(number, i % 2 ? ALL : BS, 1, "x");
        if (i % 3 == 0)
            set(number, i % 2 ? ALL : BS, 2, "xx");
    }
    for (EFI_STATUS status = EFI_SUCCESS; status == EFI_SUCCESS && count++ < 1000;) {
        size = sizeof(name);
        status = rt->GetNextVariableName(&size, name, &guid);
        if (status != EFI_SUCCESS)
            check_status("next.end", status);
        else if (!guid_same(&guid, &test_vendor_guid))
            foreign++;
        else if (size == sizeof(number) && name[15] >= 'A' && name[15] < 'A' + NAMES)
            seen[name[15] - 'A']++;
    }
    UINTN once = 0;
    for (UINTN i = 0; i < NAMES; i++)
        once += seen[i] == 1;
    check_value("next.once", once);
    check_true("next.others", foreign > 0);
    for (CHAR16 i = 0; i < NAMES; i++) {
        number[15] = (CHAR16)('A' + i);
        set(number, 0, 0, NULL);
    }
}

/* UEFI's own names: attributes, sizes, contents. */
static void test_global(void)
{
    static const UINT8 option[] = { 1, 0, 0, 0, 4, 0, 'A', 0, 0, 0, 0x7F, 0xFF, 4, 0, 'o', 'p' };
    static const UINT8 far_path[] = { 1, 0, 0, 0, 8, 0, 'A', 0, 0, 0, 0x7F, 0xFF, 4, 0 };
    static const UINT8 no_end[] = { 1, 0, 0, 0, 4, 0, 'A', 0, 0, 0, 1, 1, 4, 0 };
    static const UINT8 path[] = { 2, 3, 8, 0, 0, 0, 0, 0, 0x7F, 0xFF, 4, 0 };
    static const struct {
        const char *what;
        CHAR16 name[24];
        UINT32 attributes;
        UINTN size;
        const void *data;
    } rows[] = {
        { "next", L"BootNext", ALL, 2, "\1" },
        { "next.long", L"BootNext", ALL, 3, "\1\1" },
        { "next.volatile", L"BootNext", BS | RT, 2, "\1" },
        { "option", L"BootFFF0", ALL, sizeof(option), option },
        { "option.small-letter", L"Bootfff1", ALL, sizeof(option), option },
        { "option.far-path", L"BootFFF1", ALL, sizeof(far_path), far_path },
        { "option.no-end", L"BootFFF1", ALL, sizeof(no_end), no_end },
        { "option.short", L"BootFFF1", ALL, 4, option },
        { "driver-option", L"DriverFFF0", ALL, sizeof(option), option },
        { "order.odd", L"DriverOrder", ALL, 3, "\1\1" },
        { "order", L"DriverOrder", ALL, 4, "\0\0\1" },
        { "path", L"ErrOutDev", BS | RT, sizeof(path), path },
        { "path.short", L"ErrOutDev", BS | RT, sizeof(path) - 1, path },
        { "language.no-nul", L"PlatformLang", ALL, 2, "en" },
        { "indications", L"OsIndications", ALL, 8, "\0\0\0\0\0\0\0" },
        { "indications.short", L"OsIndications", ALL, 4, "\0\0\0" },
        { "secure-boot", L"SecureBoot", BS | RT, 1, "\1" },
        { "setup-mode", L"SetupMode", BS | RT, 1, "\1" },
        { "vendor-keys", L"VendorKeys", BS | RT, 1, "\1" },
        { "no-such-name", L"ConformanceName", ALL, 1, "x" },
        { "almost", L"BootNextX", ALL, 2, "\1" },
    };
    for (UINTN i = 0; i < ARRAY_SIZE(rows); i++) {
        CHAR16 name[24];
        memcpy(name, rows[i].name, sizeof(name));
        EFI_STATUS status = set_of(name, &global_variable_guid, rows[i].attributes, rows[i].size,
                                   rows[i].data);
        check_status(name_of("global", rows[i].what), status);
        if (status == EFI_SUCCESS)
            set_of(name, &global_variable_guid, 0, 0, NULL);
    }
    CHAR16 indications[] = L"OsIndicationsSupported", codes[] = L"PlatformLangCodes";
    UINT8 data[64];
    UINTN size = sizeof(data);
    UINT32 attributes = 0;
    check_status("global.indications-supported",
                 rt->GetVariable(indications, &global_variable_guid, &attributes, &size, data));
    check_value("global.indications-supported.attributes", attributes);
    check_value("global.indications-supported.size", size);
    size = sizeof(data);
    check_status("global.languages",
                 rt->GetVariable(codes, &global_variable_guid, &attributes, &size, data));
    check_value("global.languages.attributes", attributes);
}

static CHAR16 boot_name[] = L"ConformanceBoot", fleeting_name[] = L"ConformanceFleeting",
              lasting_name[] = L"ConformanceLasting", new_name[] = L"ConformanceNew";

void test_variables(void)
{
    test_get();
    test_set();
    test_attributes();
    test_space("space.volatile", BS | RT);
    test_space("space.lasting", ALL);
    test_names();
    test_global();
    set(boot_name, NV | BS, 4, "boot"); /* for what comes after boot services */
    set(fleeting_name, BS | RT, 8, "fleeting");
    set(lasting_name, ALL, 7, "lasting");
}

void test_runtime_variables(void)
{
    CHAR16 name[NAME_ROOM] = L"";
    EFI_GUID guid;
    UINT64 maximum, remaining, largest;
    UINTN hidden = 0, count = 0;
    UINTN size = sizeof(name);
    check_status("get.no-name", rt->GetVariable(NULL, &test_vendor_guid, NULL, &size, name));
    check_status("get.no-guid", rt->GetVariable(lasting_name, NULL, NULL, &size, name));
    check_status("get.no-size", rt->GetVariable(lasting_name, &test_vendor_guid, NULL, NULL, name));
    size = 2;
    check_status("get.small", rt->GetVariable(lasting_name, &test_vendor_guid, NULL, &size, name));
    check_value("get.small.size", size);
    check_status("next.no-size", rt->GetNextVariableName(NULL, name, &guid));
    check_status("query.no-maximum", rt->QueryVariableInfo(ALL, NULL, &remaining, &largest));
    check_status("set.no-name", set(NULL, ALL, 1, "x"));
    check_status("set.no-data", set(lasting_name, ALL, 1, NULL));
    check_status("set.authenticated",
                 set(new_name, ALL | EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS, 1, "x"));
    check_status("set.counted", set(new_name, ALL | EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS, 1, "x"));
    name[0] = 0;
    check_content("boot", boot_name);
    check_content("fleeting", fleeting_name);
    check_content("lasting", lasting_name);
    check_status("boot.set", set(boot_name, NV | BS, 1, "x"));
    check_status("boot.delete", set(boot_name, 0, 0, NULL));
    check_status("fleeting.set", set(fleeting_name, BS | RT, 1, "x"));
    check_status("fleeting.delete", set(fleeting_name, BS | RT, 0, NULL));
    check_status("lasting.append", set(lasting_name, ALL | APPEND, 1, "!"));
    check_content("lasting.appended", lasting_name);
    check_status("lasting.set", set(lasting_name, ALL, 7, "changed"));
    check_content("lasting.changed", lasting_name);
    check_status("lasting.other-attributes", set(lasting_name, NV | BS, 1, "x"));
    check_status("new.volatile", set(new_name, BS | RT, 1, "x"));
    check_status("new.boot", set(new_name, NV | BS, 1, "x"));
    check_status("new.delete", set(new_name, ALL, 0, NULL));
    check_status("new", set(new_name, ALL, 3, "new"));
    check_content("new.content", new_name);
    check_status("new.deleted", set(new_name, ALL, 0, NULL));
    check_status("query.boot", rt->QueryVariableInfo(BS, &maximum, &remaining, &largest));
    check_status("query.boot-lasting", rt->QueryVariableInfo(NV | BS, &maximum, &remaining, &largest));
    check_status("query.volatile", rt->QueryVariableInfo(BS | RT, &maximum, &remaining, &largest));
    check_status("query.lasting", rt->QueryVariableInfo(ALL, &maximum, &remaining, &largest));
    for (;; count++) {
        size = sizeof(name);
        if (count == 1000 || rt->GetNextVariableName(&size, name, &guid) != EFI_SUCCESS)
            break;
        hidden += guid_same(&guid, &test_vendor_guid) && wide_equal(name, boot_name);
    }
    check_true("next.some", count > 3 && count < 1000);
    check_value("next.hidden", hidden);
}
