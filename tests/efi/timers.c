/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Timers (UEFI 2.10 7.1.7) and Stall. Only what time-keeping of any precision must show. */
#include "tests/efi/conformance.h"

#define MILLISECONDS(n) ((n)*10000ull) /* SetTimer counts 100 ns */

static volatile unsigned calls;

static VOID EFIAPI count_call(EFI_EVENT event, VOID *context)
{
    calls++;
}

static void arguments(void)
{
    EFI_EVENT plain, timer;
    bs->CreateEvent(0, 0, NULL, NULL, &plain);
    bs->CreateEvent(EVT_TIMER, 0, NULL, NULL, &timer);
    check_status("set.null", bs->SetTimer(NULL, TimerRelative, 1));
    check_status("set.no-timer", bs->SetTimer(plain, TimerRelative, 1));
    check_status("set.bad-kind", bs->SetTimer(timer, (EFI_TIMER_DELAY)3, 1));
    check_status("set.cancel-idle", bs->SetTimer(timer, TimerCancel, 0));
    check_status("set.relative-far", bs->SetTimer(timer, TimerRelative, UINT64_MAX));
    check_status("far.not-yet", bs->CheckEvent(timer));
    check_status("set.cancel", bs->SetTimer(timer, TimerCancel, 0));
    bs->CloseEvent(plain);
    bs->CloseEvent(timer);
}

static void waits(void)
{
    EFI_EVENT timer;
    UINTN index = 99;
    bs->CreateEvent(EVT_TIMER, 0, NULL, NULL, &timer);
    check_status("relative.set", bs->SetTimer(timer, TimerRelative, MILLISECONDS(300)));
    check_status("relative.not-yet", bs->CheckEvent(timer));
    check_status("relative.wait", bs->WaitForEvent(1, &timer, &index));
    bs->Stall(400000);
    check_status("relative.once", bs->CheckEvent(timer));
    check_status("relative-0.set", bs->SetTimer(timer, TimerRelative, 0));
    check_status("relative-0.wait", bs->WaitForEvent(1, &timer, &index));
    check_status("periodic.set", bs->SetTimer(timer, TimerPeriodic, MILLISECONDS(20)));
    check_status("periodic.wait", bs->WaitForEvent(1, &timer, &index));
    check_status("periodic.wait-again", bs->WaitForEvent(1, &timer, &index));
    check_status("periodic.cancel", bs->SetTimer(timer, TimerCancel, 0));
    bs->CheckEvent(timer);
    bs->Stall(60000);
    check_status("periodic.cancelled", bs->CheckEvent(timer));
    check_status("periodic-0.set", bs->SetTimer(timer, TimerPeriodic, 0));
    check_status("periodic-0.wait", bs->WaitForEvent(1, &timer, &index));
    check_status("periodic-0.wait-again", bs->WaitForEvent(1, &timer, &index));
    check_status("close-armed", bs->CloseEvent(timer));
}

static void notifications(void)
{
    EFI_EVENT timer;
    calls = 0;
    bs->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_call, NULL, &timer);
    bs->SetTimer(timer, TimerPeriodic, MILLISECONDS(20));
    bs->Stall(200000);
    check_true("notify.called", calls > 0);
    EFI_TPL old = bs->RaiseTPL(TPL_CALLBACK);
    unsigned before = calls;
    bs->Stall(100000);
    check_true("notify.held-back", calls == before);
    bs->RestoreTPL(old);
    check_value("notify.made-up", calls - before);
    bs->SetTimer(timer, TimerCancel, 0);
    before = calls;
    bs->Stall(60000);
    check_value("notify.cancelled", calls - before);
    bs->CloseEvent(timer);
}

static uint64_t cycles(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void stalls(void)
{
    uint64_t start = cycles();
    check_status("stall.0", bs->Stall(0));
    check_status("stall.20ms", bs->Stall(20000));
    check_true("stall.takes-time", cycles() - start > 1000000);
}

void test_timers(void)
{
    arguments();
    waits();
    notifications();
    stalls();
}
