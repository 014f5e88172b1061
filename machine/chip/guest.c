/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Guests and their ASIDs (SEV API chapter 6, ACTIVATE to DECOMMISSION). */
#include <string.h>

#include "machine/chip/internal.h"

struct chip_guest *guest_by_handle(struct chip *chip, uint32_t handle)
{
    if (handle == 0 || handle > CHIP_MAX_GUESTS)
        return NULL;
    struct chip_guest *guest = &chip->guests[handle - 1];
    return guest->state == SEV_GUEST_UNINIT ? NULL : guest;
}

static void unbind(struct chip *chip, struct chip_guest *guest)
{
    if (!guest->asid)
        return;
    memory_set_key(chip->memory, (memory_view)guest->asid, NULL);
    if (guest->state == SEV_GUEST_RUNNING) {
        chip->asid[guest->asid] = ASID_DIRTY;
        chip->wbinvd = false;
    } else {
        chip->asid[guest->asid] = ASID_CLEAN; /* it never ran: nothing of it is cached */
    }
    guest->asid = 0;
}

void guest_wipe(struct chip *chip, struct chip_guest *guest)
{
    unbind(chip, guest);
    EVP_MD_CTX_free(guest->digest);
    OPENSSL_cleanse(guest, sizeof(*guest));
}

uint16_t guest_decommission_command(struct chip *chip, void *buffer)
{
    const struct sev_handle *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    if (!guest)
        return SEV_INVALID_GUEST;
    if (guest->asid)
        return SEV_ACTIVE;
    guest_wipe(chip, guest);
    for (unsigned i = 0; i < CHIP_MAX_GUESTS; i++) {
        if (chip->guests[i].state != SEV_GUEST_UNINIT)
            return SEV_SUCCESS;
    }
    chip->state = SEV_PLATFORM_INIT;
    return SEV_SUCCESS;
}

/* Plain guests use min_plain_asid and up, SEV-ES guests what lies below (SEV API, ACTIVATE). */
static bool asid_in_range(const struct chip *chip, const struct chip_guest *guest, uint32_t asid)
{
    bool es = guest->policy & SEV_POLICY_ES;
    return asid && asid <= chip->config.max_asid && asid <= MEMORY_MAX_ASID &&
           es == (asid < chip->config.min_plain_asid);
}

uint16_t guest_activate(struct chip *chip, void *buffer)
{
    const struct sev_activate *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    if (!guest)
        return SEV_INVALID_GUEST;
    if (guest->state == SEV_GUEST_SENT)
        return SEV_INVALID_GUEST_STATE;
    if (!asid_in_range(chip, guest, command->asid))
        return SEV_INVALID_ASID;
    if (chip->asid[command->asid] == ASID_IN_USE)
        return SEV_ASID_OWNED;
    if (guest->asid)
        return SEV_ACTIVE;
    if (chip->asid[command->asid] == ASID_DIRTY)
        return SEV_DF_FLUSH_REQUIRED;
    chip->asid[command->asid] = ASID_IN_USE;
    guest->asid = command->asid;
    memory_set_key(chip->memory, (memory_view)guest->asid, guest->memory_key);
    return SEV_SUCCESS;
}

uint16_t guest_deactivate(struct chip *chip, void *buffer)
{
    const struct sev_handle *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    if (!guest)
        return SEV_INVALID_GUEST;
    if (!guest->asid)
        return SEV_INACTIVE;
    unbind(chip, guest);
    return SEV_SUCCESS;
}

uint16_t guest_status(struct chip *chip, void *buffer)
{
    struct sev_guest_status *status = buffer;
    const struct chip_guest *guest = guest_by_handle(chip, status->handle);
    status->policy = guest ? guest->policy : 0;
    status->asid = guest ? guest->asid : 0;
    status->state = (uint8_t)(guest ? guest->state : SEV_GUEST_UNINIT);
    return SEV_SUCCESS;
}
