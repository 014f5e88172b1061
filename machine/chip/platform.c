/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Platform commands (SEV API chapter 5). */
#include <string.h>

#include "machine/chip/internal.h"

/* What INIT and INIT_EX have in common. This part has no SEV-ES. */
static uint16_t initialise(struct chip *chip, uint32_t flags, uint32_t reserved)
{
    if (flags & ~SEV_INIT_ES || reserved)
        return SEV_INVALID_CONFIG;
    if (flags & SEV_INIT_ES)
        return SEV_UNSUPPORTED;
    if (!chip->store.complete && !identity_complete(chip))
        return SEV_HWERROR_PLATFORM;
    chip->wbinvd = false;
    for (unsigned i = 0; i <= MEMORY_MAX_ASID; i++)
        chip->asid[i] = ASID_DIRTY;
    chip->state = SEV_PLATFORM_INIT;
    return SEV_SUCCESS;
}

uint16_t platform_init(struct chip *chip, void *buffer)
{
    const struct sev_init *init = buffer;
    return initialise(chip, init->flags, init->reserved);
}

uint16_t platform_shutdown(struct chip *chip, void *buffer)
{
    guests_wipe(chip);
    chip->state = SEV_PLATFORM_UNINIT;
    return SEV_SUCCESS;
}

uint16_t platform_status(struct chip *chip, void *buffer)
{
    struct sev_platform_status *status = buffer;
    *status = (struct sev_platform_status){
        .api_major = chip->config.api_major,
        .api_minor = chip->config.api_minor,
        .build = chip->config.build,
        .state = (uint8_t)chip->state,
    };
    if (chip->state == SEV_PLATFORM_UNINIT)
        return SEV_SUCCESS;
    status->owner = (uint8_t)chip->store.owned;
    for (unsigned i = 0; i < CHIP_MAX_GUESTS; i++)
        status->guest_count += chip->guests[i].state != SEV_GUEST_UNINIT;
    return SEV_SUCCESS;
}

uint16_t platform_nop(struct chip *chip, void *buffer)
{
    return SEV_SUCCESS;
}

/*
 * An image must be signed by AMD for this part, and nobody signs for an emulated one: whatever can
 * be read is a foreign image.
 */
uint16_t platform_download_firmware(struct chip *chip, void *buffer)
{
    const struct sev_download_firmware *command = buffer;
    uint8_t byte;
    if (command->fw_paddr % 32)
        return SEV_INVALID_ADDRESS;
    if (!command->fw_len)
        return SEV_INVALID_LENGTH;
    return chip_read(chip, command->fw_paddr, &byte, 1) &&
                   chip_read(chip, command->fw_paddr + command->fw_len - 1, &byte, 1)
               ? SEV_BAD_SIGNATURE : SEV_INVALID_ADDRESS;
}

/* SEV API: dirty ASIDs become usable once every core wrote back its caches. */
uint16_t platform_df_flush(struct chip *chip, void *buffer)
{
    if (!chip->wbinvd)
        return SEV_WBINVD_REQUIRED;
    for (unsigned i = 0; i <= MEMORY_MAX_ASID; i++) {
        if (chip->asid[i] == ASID_DIRTY)
            chip->asid[i] = ASID_CLEAN;
    }
    return SEV_SUCCESS;
}
