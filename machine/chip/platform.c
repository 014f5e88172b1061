/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Platform commands (SEV API chapter 5). */
#include <string.h>

#include "machine/chip/internal.h"

/* Back to the store of the state folder. */
static void leave_area(struct chip *chip)
{
    if (chip->nv_paddr)
        chip->store = chip->folder_store;
    chip->nv_paddr = 0;
}

/* The store of the folder, or of the area at nv_paddr, with everything that must be in it. */
static uint16_t enter_store(struct chip *chip, uint64_t nv_paddr)
{
    uint16_t status = SEV_SUCCESS;
    if (nv_paddr) {
        chip->folder_store = chip->store;
        chip->nv_paddr = nv_paddr;
        status = nv_load(chip);
    }
    if (status == SEV_SUCCESS && !chip->store.complete &&
        !(identity_make(chip) && store_save(chip) == 0)) {
        chip->store.complete = 0;
        status = SEV_HWERROR_PLATFORM;
    }
    if (status != SEV_SUCCESS)
        leave_area(chip);
    return status;
}

/* What INIT and INIT_EX have in common: `ex` has INIT's fields in other places, and more. */
static uint16_t initialise(struct chip *chip, const struct sev_init_ex *ex)
{
    if (ex->flags & ~SEV_INIT_ES || ex->reserved)
        return SEV_INVALID_CONFIG;
    uint16_t status = enter_store(chip, ex->nv_paddr);
    if (status != SEV_SUCCESS)
        return status;
    if (ex->flags & SEV_INIT_ES)
        status = tmr_begin(chip, ex->tmr_paddr, ex->tmr_len);
    if (status != SEV_SUCCESS) {
        leave_area(chip);
        return status;
    }
    memset(chip->wbinvd, 0, sizeof(chip->wbinvd));
    for (unsigned i = 0; i <= MEMORY_MAX_ASID; i++)
        chip->asid[i] = (struct chip_asid){ .state = ASID_FREE, .dirty = CHIP_ALL_COMPLEXES };
    chip->state = SEV_PLATFORM_INIT;
    return SEV_SUCCESS;
}

uint16_t platform_init(struct chip *chip, void *buffer)
{
    const struct sev_init *init = buffer;
    const struct sev_init_ex ex = { .flags = init->flags, .reserved = init->reserved,
                                    .tmr_paddr = init->tmr_paddr, .tmr_len = init->tmr_len };
    return initialise(chip, &ex);
}

uint16_t platform_init_ex(struct chip *chip, void *buffer)
{
    const struct sev_init_ex *init = buffer;
    if (init->length != sizeof(*init))
        return SEV_INVALID_LENGTH;
    if (init->nv_paddr % MEMORY_PAGE_SIZE)
        return SEV_INVALID_ADDRESS;
    if (init->nv_paddr && init->nv_len != SEV_NV_SIZE)
        return SEV_INVALID_LENGTH;
    if (init->nv_paddr &&
        chip_overlap(init->nv_paddr, SEV_NV_SIZE, init->tmr_paddr, init->tmr_len))
        return SEV_INVALID_ADDRESS;
    return initialise(chip, init);
}

uint16_t platform_shutdown(struct chip *chip, void *buffer)
{
    guests_wipe(chip);
    tmr_end(chip);
    leave_area(chip);
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
    status->config = chip->vmsas ? SEV_CONFIG_ES : 0;
    status->guest_count = chip->guest_count;
    return SEV_SUCCESS;
}

uint16_t platform_nop(struct chip *chip, void *buffer)
{
    return SEV_SUCCESS;
}

/* Its ends are memory of the platform. */
static bool is_reachable(struct chip *chip, uint64_t address, uint32_t length)
{
    uint8_t byte;
    return chip_read(chip, address, &byte, 1) && chip_read(chip, address + length - 1, &byte, 1);
}

/*
 * An image must be signed by AMD for this part, and nobody signs for an emulated one: whatever can
 * be read is a foreign image.
 */
uint16_t platform_download_firmware(struct chip *chip, void *buffer)
{
    const struct sev_download_firmware *command = buffer;
    if (command->fw_paddr % 32)
        return SEV_INVALID_ADDRESS;
    if (!command->fw_len)
        return SEV_INVALID_LENGTH;
    return is_reachable(chip, command->fw_paddr, command->fw_len) ? SEV_BAD_SIGNATURE
                                                                  : SEV_INVALID_ADDRESS;
}

/*
 * SEV API: dirty ASIDs become usable once every core wrote back its caches. Complexes whose cores
 * did are clean, even if others make the command fail. When all are, the TMR is ready for use.
 */
uint16_t platform_df_flush(struct chip *chip, void *buffer)
{
    uint32_t written_back = 0;
    for (unsigned i = 0; i < CHIP_COMPLEXES; i++) {
        if (chip->wbinvd[i] == CHIP_ALL_CORES)
            written_back |= 1u << i;
    }
    for (unsigned i = 0; i <= MEMORY_MAX_ASID; i++)
        chip->asid[i].dirty &= ~written_back;
    if (written_back != CHIP_ALL_COMPLEXES)
        return SEV_WBINVD_REQUIRED;
    chip->tmr_ready = chip->vmsas != NULL;
    return SEV_SUCCESS;
}

static bool queue_is_possible(struct chip *chip, uint64_t commands, uint64_t statuses)
{
    return commands % MEMORY_PAGE_SIZE == 0 && statuses % MEMORY_PAGE_SIZE == 0 &&
           is_reachable(chip, commands, MEMORY_PAGE_SIZE) &&
           is_reachable(chip, statuses, MEMORY_PAGE_SIZE);
}

/*
 * Commands are to come through queues from now on. A queue moves by registers that this part does not
 * have, so none ever comes; the next command through the door ends the mode with RING_BUFFER_EXIT.
 */
uint16_t platform_ring_buffer(struct chip *chip, void *buffer)
{
    const struct sev_ring_buffer *command = buffer;
    if (command->low_size != 1 || command->high_size > 1 ||
        command->flags & ~SEV_RING_BUFFER_INTERRUPT)
        return SEV_INVALID_PARAM;
    if (!queue_is_possible(chip, command->low_command_paddr, command->low_status_paddr) ||
        (command->high_size &&
         !queue_is_possible(chip, command->high_command_paddr, command->high_status_paddr)))
        return SEV_INVALID_ADDRESS;
    chip->ring_buffer = true;
    return SEV_SUCCESS;
}
