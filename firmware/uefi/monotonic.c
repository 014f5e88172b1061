/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The monotonic count (UEFI 2.10 7.5.2, 8.5.2). Its upper half grows with each reset: it is kept in
 * a variable, edk2's, and written when somebody asks for the first time. Where variables do not last,
 * it begins with the seconds of the calendar.
 */
#include "firmware/arch/time.h"
#include "firmware/uefi/services.h"

static EFI_GUID guid_count = {
    0xeb704011, 0x1402, 0x11d3, { 0x8e, 0x77, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};
static uint64_t count;
static bool started;

static uint32_t seconds(void)
{
    struct calendar_time now;
    rtc_get(&now);
    uint64_t days = (uint64_t)now.year * 372 + now.month * 31u + now.day;
    return (uint32_t)(((days * 24 + now.hour) * 60 + now.minute) * 60 + now.second);
}

static EFI_STATUS next_high(void)
{
    CHAR16 name[] = u"MTC";
    uint32_t high = (uint32_t)(count >> 32);
    UINTN size = sizeof(high);
    if (!started && (rt_get_variable(name, &guid_count, NULL, &size, &high) != EFI_SUCCESS ||
                     size != sizeof(high)))
        high = seconds();
    started = true;
    high++;
    count = (uint64_t)high << 32;
    return rt_set_variable(name, &guid_count,
                           EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS |
                               EFI_VARIABLE_RUNTIME_ACCESS,
                           sizeof(high), &high);
}

EFI_STATUS EFIAPI bs_get_next_monotonic_count(UINT64 *ret_count)
{
    if (!ret_count)
        return EFI_INVALID_PARAMETER;
    if (!started || (uint32_t)count == UINT32_MAX) {
        EFI_STATUS status = next_high();
        if (status != EFI_SUCCESS)
            return EFI_DEVICE_ERROR;
    }
    uint64_t flags = interrupts_save();
    *ret_count = count++;
    interrupts_restore(flags);
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI rt_get_next_high_monotonic_count(UINT32 *ret_high)
{
    if (!ret_high)
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = next_high();
    if (status != EFI_SUCCESS)
        return EFI_DEVICE_ERROR;
    *ret_high = (UINT32)(count >> 32);
    return EFI_SUCCESS;
}
