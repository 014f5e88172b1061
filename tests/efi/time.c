/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Time and capsules before ExitBootServices (UEFI 2.10 8.3, 8.5.3). The time is put back. */
#include "tests/efi/conformance.h"

static EFI_TIME good(void)
{
    return (EFI_TIME){ .Year = 2024,
                       .Month = 2,
                       .Day = 29,
                       .Hour = 23,
                       .Minute = 58,
                       .Second = 7,
                       .TimeZone = EFI_UNSPECIFIED_TIMEZONE };
}

#define TRY(name, field, value)                                                                    \
    do {                                                                                           \
        EFI_TIME time = good();                                                                    \
        time.field = value;                                                                        \
        check_status("set." name, rt->SetTime(&time));                                             \
    } while (0)

static void settings(void)
{
    EFI_TIME now;
    check_status("set.null", rt->SetTime(NULL));
    TRY("year-1899", Year, 1899);
    TRY("year-10000", Year, 10000);
    TRY("month-0", Month, 0);
    TRY("month-13", Month, 13);
    TRY("day-0", Day, 0);
    TRY("day-30-of-february", Day, 30);
    TRY("hour-24", Hour, 24);
    TRY("minute-60", Minute, 60);
    TRY("second-60", Second, 60);
    TRY("nanosecond-too-large", Nanosecond, 1000000000);
    TRY("zone-1441", TimeZone, 1441);
    TRY("zone-minus-1441", TimeZone, -1441);
    TRY("daylight-4", Daylight, 4);
    TRY("zone-1440", TimeZone, 1440);
    TRY("daylight-3", Daylight, 3);
    EFI_TIME time = good();
    check_status("set", rt->SetTime(&time));
    check_status("get-back", rt->GetTime(&now, NULL));
    check_value("get-back.year", now.Year);
    check_value("get-back.month", now.Month);
    check_value("get-back.day", now.Day);
    check_value("get-back.hour", now.Hour);
    check_value("get-back.minute", now.Minute);
    check_true("get-back.second", now.Second >= 7 && now.Second <= 9);
    time.TimeZone = -120;
    time.Daylight = 1;
    check_status("set.zone", rt->SetTime(&time));
    rt->GetTime(&now, NULL);
    check_true("zone-kept", now.TimeZone == -120);
    check_value("daylight-kept", now.Daylight);
}

void test_time(void)
{
    EFI_TIME now = { 0 }, alarm;
    EFI_TIME_CAPABILITIES capabilities = { 0 };
    BOOLEAN enabled, pending;
    check_status("get", rt->GetTime(&now, &capabilities));
    check_status("get.null", rt->GetTime(NULL, &capabilities));
    check_status("get.no-capabilities", rt->GetTime(&now, NULL));
    check_value("resolution", capabilities.Resolution);
    check_true("accuracy", capabilities.Accuracy > 0);
    check_true("sets-to-zero", capabilities.SetsToZero);
    EFI_TIME saved = now;
    settings();
    check_status("restore", rt->SetTime(&saved));
    check_status("alarm.get-null", rt->GetWakeupTime(NULL, &pending, &alarm));
    check_status("alarm.get-no-time", rt->GetWakeupTime(&enabled, &pending, NULL));
    check_status("alarm.get", rt->GetWakeupTime(&enabled, &pending, &alarm));
    check_status("alarm.set-no-time", rt->SetWakeupTime(true, NULL));
    check_status("alarm.off", rt->SetWakeupTime(false, NULL));
}

void test_capsules(void)
{
    struct {
        EFI_GUID guid;
        UINT32 header_size, flags, size;
        UINT32 data;
    } capsule = { test_guid_1, 28, 0, 32, 0 };
    VOID *list[] = { &capsule };
    UINT64 largest = 0;
    EFI_RESET_TYPE type = EfiResetCold;
    check_status("update.none", rt->UpdateCapsule(list, 0, 0));
    check_status("update.unknown", rt->UpdateCapsule(list, 1, 0));
    check_status("query.none", rt->QueryCapsuleCapabilities(list, 0, &largest, &type));
    check_status("query.no-result", rt->QueryCapsuleCapabilities(list, 1, NULL, &type));
    check_status("query.unknown", rt->QueryCapsuleCapabilities(list, 1, &largest, &type));
    capsule.flags = 0x00020000; /* populate the system table without persistence: not allowed */
    check_status("update.populate-only", rt->UpdateCapsule(list, 1, 0));
    check_status("query.populate-only", rt->QueryCapsuleCapabilities(list, 1, &largest, &type));
    capsule.flags = 0x00040000; /* reset without persistence: not allowed */
    check_status("update.reset-only", rt->UpdateCapsule(list, 1, 0));
    capsule.flags = 0x00010000;
    check_status("update.persist-no-list", rt->UpdateCapsule(list, 1, 0));
}
