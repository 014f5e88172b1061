/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Runtime services after ExitBootServices; run again at virtual addresses (UEFI 2.10 8). */
#include "tests/efi/conformance.h"

void test_runtime(void)
{
    EFI_TIME time = { 0 };
    UINT32 high = 0, next = 0;
    VOID *list[] = { NULL };
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
    check_status("alarm.null", rt->GetWakeupTime(NULL, NULL, NULL));
    test_runtime_variables();
}
