/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The RNG protocol (UEFI 2.10 37.5) over RDSEED or RDRAND. Nothing of the host is mixed in: if the
 * processor fails, so does the call.
 */
#include "firmware/arch/cpu.h"
#include "firmware/uefi/services.h"

#define RETRIES 64u

static bool have_rdseed, have_rdrand;

static bool rdseed(uint64_t *ret)
{
    uint8_t good;
    __asm__ volatile("rdseed %0; setc %1" : "=r"(*ret), "=qm"(good) : : "cc");
    return good;
}

static bool rdrand(uint64_t *ret)
{
    uint8_t good;
    __asm__ volatile("rdrand %0; setc %1" : "=r"(*ret), "=qm"(good) : : "cc");
    return good;
}

/* One random word. Some processors fail with all ones and carry set: refused as well. */
static bool random_word(uint64_t *ret)
{
    for (unsigned i = 0; have_rdseed && i < RETRIES; i++)
        if (rdseed(ret) && *ret != 0 && *ret != UINT64_MAX)
            return true;
    for (unsigned i = 0; have_rdrand && i < RETRIES; i++)
        if (rdrand(ret) && *ret != 0 && *ret != UINT64_MAX)
            return true;
    return false;
}

static EFI_STATUS EFIAPI get_info(EFI_RNG_PROTOCOL *this, UINTN *size, EFI_GUID *list)
{
    if (!this || !size)
        return EFI_INVALID_PARAMETER;
    UINTN room = *size;
    *size = sizeof(EFI_GUID);
    if (room < sizeof(EFI_GUID))
        return EFI_BUFFER_TOO_SMALL;
    if (!list)
        return EFI_INVALID_PARAMETER;
    *list = guid_rng_raw;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_rng(EFI_RNG_PROTOCOL *this, EFI_GUID *algorithm, UINTN length,
                                 UINT8 *value)
{
    if (!this || length == 0 || !value)
        return EFI_INVALID_PARAMETER;
    if (algorithm && !guid_equal(algorithm, &guid_rng_raw))
        return EFI_UNSUPPORTED;
    while (length > 0) {
        uint64_t word;
        if (!random_word(&word))
            return EFI_DEVICE_ERROR;
        size_t piece = length < sizeof(word) ? length : sizeof(word);
        memcpy(value, &word, piece);
        value += piece;
        length -= piece;
    }
    return EFI_SUCCESS;
}

void rng_init(void)
{
    static EFI_RNG_PROTOCOL protocol = { .GetInfo = get_info, .GetRNG = get_rng };
    static EFI_HANDLE handle;
    have_rdrand = cpuid(1, 0).ecx & 1u << 30;
    have_rdseed = cpuid(0, 0).eax >= 7 && (cpuid(7, 0).ebx & 1u << 18);
    if (have_rdrand || have_rdseed)
        handle_install(&handle, &guid_rng, &protocol);
}
