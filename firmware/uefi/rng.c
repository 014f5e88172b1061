/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The RNG protocol (UEFI 2.10 37.5) and Linux's seed table over the firmware's DRBG. Algorithms: the
 * DRBG as it is, the default, and "raw", for which it is seeded anew for every 256 bits.
 */
#include "firmware/lib/log.h"
#include "firmware/uefi/entropy.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define SEED_SIZE 32u /* what Linux's own stub asks for */

/* Linux's struct linux_efi_random_seed. */
struct seed_table {
    uint32_t size;
    uint8_t bits[SEED_SIZE];
};

static EFI_STATUS EFIAPI get_info(EFI_RNG_PROTOCOL *this, UINTN *size, EFI_GUID *list)
{
    const EFI_GUID algorithms[] = { guid_rng_hmac_256, guid_rng_raw };
    if (!this || !size)
        return EFI_INVALID_PARAMETER;
    UINTN room = *size;
    *size = sizeof(algorithms);
    if (room < sizeof(algorithms))
        return EFI_BUFFER_TOO_SMALL;
    if (!list)
        return EFI_INVALID_PARAMETER;
    memcpy(list, algorithms, sizeof(algorithms));
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_rng(EFI_RNG_PROTOCOL *this, EFI_GUID *algorithm, UINTN length,
                                 UINT8 *value)
{
    if (!this || length == 0 || !value)
        return EFI_INVALID_PARAMETER;
    bool raw = algorithm && guid_equal(algorithm, &guid_rng_raw);
    if (algorithm && !raw && !guid_equal(algorithm, &guid_rng_hmac_256))
        return EFI_UNSUPPORTED;
    EFI_TPL tpl = bs_raise_tpl(TPL_NOTIFY);
    bool good = entropy_fill(value, length, raw);
    bs_restore_tpl(tpl);
    return good ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

void rng_init(void)
{
    static EFI_RNG_PROTOCOL protocol = { .GetInfo = get_info, .GetRNG = get_rng };
    static EFI_HANDLE handle;
    static bool started;
    if (!started)
        entropy_init();
    started = true;
    if (!handle && entropy_available())
        handle_install(&handle, &guid_rng, &protocol);
}

void rng_publish_seed(void)
{
    struct seed_table *table = NULL;
    if (!entropy_available()) {
        log_line("no random numbers: the processor has no RDRAND, and there is no virtio-rng");
        return;
    }
    table = pool_allocate(MEMORY_ACPI_RECLAIM, sizeof(*table)); /* as Linux's stub has it */
    if (!table || !entropy_fill(table->bits, SEED_SIZE, true)) {
        log_line("no seed for the operating system's random numbers");
        pool_free(table);
        return;
    }
    table->size = SEED_SIZE;
    uefi_set_table(&guid_linux_random_seed, table);
}
