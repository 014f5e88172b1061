/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Platform commands (SEV API chapter 5). */
#include <string.h>

#include "machine/chip/internal.h"

static void drop_guests(struct chip *chip)
{
    for (unsigned i = 0; i < CHIP_MAX_GUESTS; i++)
        guest_wipe(chip, &chip->guests[i]);
}

uint16_t platform_init(struct chip *chip, void *buffer)
{
    const struct sev_init *init = buffer;
    bool es = init->flags & SEV_INIT_ES;
    if (init->flags & ~SEV_INIT_ES || init->reserved)
        return SEV_INVALID_CONFIG;
    if (es && !chip->config.es)
        return SEV_UNSUPPORTED;
    if (!chip->store.complete && !identity_complete(chip))
        return SEV_HWERROR_PLATFORM;
    chip->es = es;
    chip->wbinvd = false;
    for (unsigned i = 0; i <= MEMORY_MAX_ASID; i++)
        chip->asid[i] = ASID_DIRTY;
    chip->state = SEV_PLATFORM_INIT;
    return SEV_SUCCESS;
}

uint16_t platform_shutdown(struct chip *chip, void *buffer)
{
    drop_guests(chip);
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
    status->config = chip->es;
    for (unsigned i = 0; i < CHIP_MAX_GUESTS; i++)
        status->guest_count += chip->guests[i].state != SEV_GUEST_UNINIT;
    return SEV_SUCCESS;
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
