/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Runtime services after ExitBootServices; run again at virtual addresses (UEFI 2.10 8). */
#include "tests/efi/conformance.h"

void test_runtime(void)
{
    EFI_TIME time = { 0 };
    UINT32 high = 0, next = 0;
    static struct {
        EFI_GUID guid;
        UINT32 header_size, flags, size, data;
    } capsule = { { 0x3c1fc3a2, 0x1b0c, 0x4c7e, { 1, 2, 3, 4, 5, 6, 7, 8 } }, 28, 0, 32, 0 };
    VOID *list[] = { NULL }, *capsules[] = { &capsule };
    UINT64 largest = 0;
    EFI_RESET_TYPE type = EfiResetCold;
    BOOLEAN enabled, pending;
    check_status("time", rt->GetTime(&time, NULL));
    check_true("time.sane", time.Year >= 2020 && time.Year < 2100 && time.Month >= 1 &&
                                time.Month <= 12 && time.Day >= 1 && time.Day <= 31);
    check_status("time.null", rt->GetTime(NULL, NULL));
    check_status("time.set-null", rt->SetTime(NULL));
    check_status("time.set", rt->SetTime(&time));
    check_status("high", rt->GetNextHighMonotonicCount(&high));
    rt->GetNextHighMonotonicCount(&next);
    check_value("high.step", next - high);
    check_status("high.null", rt->GetNextHighMonotonicCount(NULL));
    check_status("capsule.none", rt->UpdateCapsule(list, 0, 0));
    check_status("capsule.unknown", rt->UpdateCapsule(capsules, 1, 0));
    check_status("capsule.query-none", rt->QueryCapsuleCapabilities(capsules, 0, &largest, &type));
    check_status("capsule.query-no-result", rt->QueryCapsuleCapabilities(capsules, 1, NULL, &type));
    check_status("capsule.query", rt->QueryCapsuleCapabilities(capsules, 1, &largest, &type));
    check_status("alarm.null", rt->GetWakeupTime(NULL, NULL, NULL));
    check_status("alarm", rt->GetWakeupTime(&enabled, &pending, &time));
    check_status("alarm.off", rt->SetWakeupTime(false, NULL));
    test_runtime_variables();
}
