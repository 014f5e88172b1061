/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Guests and their ASIDs (SEV API chapter 6, ACTIVATE to DECOMMISSION). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "machine/chip/internal.h"

struct chip_guest *guest_by_handle(struct chip *chip, uint32_t handle)
{
    if (handle == 0 || handle > CHIP_MAX_GUESTS)
        return NULL;
    struct chip_guest *guest = &chip->guests[handle - 1];
    return guest->state == SEV_GUEST_UNINIT ? NULL : guest;
}

uint32_t guest_handle(const struct chip *chip, const struct chip_guest *guest)
{
    return (uint32_t)(guest - chip->guests) + 1;
}

static void unbind(struct chip *chip, struct chip_guest *guest)
{
    if (!guest->asid)
        return;
    struct chip_asid *asid = &chip->asid[guest->asid];
    memory_set_key(chip->memory, (memory_view)guest->asid, NULL);
    if (asid->state == ASID_IN_USE) { /* else it never ran: nothing of it is cached */
        asid->dirty |= guest->complexes;
        for (unsigned i = 0; i < CHIP_COMPLEXES; i++) {
            if (guest->complexes >> i & 1)
                chip->wbinvd[i] = 0;
        }
    }
    asid->state = ASID_FREE;
    guest->asid = 0;
    guest->complexes = 0;
}

static void wipe(struct chip *chip, struct chip_guest *guest)
{
    unbind(chip, guest);
    vmsas_forget(chip, guest);
    EVP_MD_CTX_free(guest->digest);
    OPENSSL_cleanse(guest, sizeof(*guest));
    chip->guest_count--;
}

void guests_wipe(struct chip *chip)
{
    for (unsigned i = 0; i < CHIP_MAX_GUESTS; i++) {
        if (chip->guests[i].state != SEV_GUEST_UNINIT)
            wipe(chip, &chip->guests[i]);
    }
}

void guest_forget_transport(struct chip_guest *guest)
{
    OPENSSL_cleanse(guest->tek, sizeof(guest->tek));
    OPENSSL_cleanse(guest->tik, sizeof(guest->tik));
}

uint16_t guest_resume(struct chip *chip, enum sev_command id, uint32_t handle)
{
    struct chip_guest *guest;
    uint16_t status = guest_find(chip, id, handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
    guest_forget_transport(guest);
    guest->state = SEV_GUEST_RUNNING;
    if (guest->asid)
        chip->asid[guest->asid].state = ASID_IN_USE;
    return SEV_SUCCESS;
}

static bool asid_exists(const struct chip *chip, uint32_t asid)
{
    return asid && asid <= chip->config.max_asid && asid < MEMORY_SME;
}

const struct chip_guest *guest_of_asid(const struct chip *chip, uint32_t asid)
{
    if (!asid_exists(chip, asid) || chip->asid[asid].state == ASID_FREE)
        return NULL;
    return &chip->guests[chip->asid[asid].guest - 1];
}

bool chip_deny(char *why, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, size, format, arguments);
    va_end(arguments);
    return false;
}

/* Whose the ASID is. NULL: nobody's; said why. */
static const struct chip_guest *tenant(const struct chip *chip, uint32_t asid, uint32_t complex,
                                       char *why, size_t size)
{
    const struct chip_guest *guest = guest_of_asid(chip, asid);
    if (guest)
        return guest;
    chip_deny(why, size, chip->asid[asid].dirty & complex
         ? "no guest is activated on it, and it is not flushed (WBINVD on every core, DF_FLUSH)"
         : "no guest is activated on it (ACTIVATE)");
    return NULL;
}

bool chip_check_run(const struct chip *chip, uint32_t asid, uint32_t apic_id, char *why,
                    size_t why_size)
{
    if (chip->state == SEV_PLATFORM_UNINIT)
        return chip_deny(why, why_size, "the platform is not initialised (INIT)");
    if (!asid_exists(chip, asid))
        return chip_deny(why, why_size, "SEV guests have ASIDs from 1 to %u", chip->config.max_asid);
    if (apic_id >= CHIP_THREADS)
        return chip_deny(why, why_size, "the platform has no thread %u", apic_id);
    uint32_t complex = 1u << apic_id / CHIP_THREADS_PER_COMPLEX;
    const struct chip_guest *guest = tenant(chip, asid, complex, why, why_size);
    if (!guest)
        return false;
    if (chip->asid[asid].state != ASID_IN_USE)
        return chip_deny(why, why_size, "its guest is in the state %s, not running",
                    sev_guest_state_name(guest->state));
    return guest->complexes & complex ||
           chip_deny(why, why_size, "it is not activated on the core complex of thread %u (ACTIVATE_EX)",
                apic_id);
}

bool chip_may_run(const struct chip *chip, uint32_t asid, uint32_t apic_id)
{
    return chip_check_run(chip, asid, apic_id, NULL, 0);
}

uint16_t guest_decommission_command(struct chip *chip, void *buffer)
{
    const struct sev_handle *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    if (!guest)
        return SEV_INVALID_GUEST;
    if (guest->asid)
        return SEV_ACTIVE;
    wipe(chip, guest);
    if (!chip->guest_count)
        chip->state = SEV_PLATFORM_INIT;
    return SEV_SUCCESS;
}

/* In the order of SEV API, ACTIVATE. ASIDs below min_plain_asid are for SEV-ES guests alone. */
static uint16_t check_activation(const struct chip *chip, const struct chip_guest *guest,
                                 uint32_t asid, uint32_t complexes)
{
    if (!asid_exists(chip, asid))
        return SEV_INVALID_ASID;
    if (chip->asid[asid].state != ASID_FREE)
        return SEV_ASID_OWNED;
    if (guest->asid)
        return SEV_ACTIVE;
    if (guest_check_state(SEV_ACTIVATE, guest) != SEV_SUCCESS)
        return SEV_INVALID_GUEST_STATE;
    if (chip->asid[asid].dirty & complexes)
        return SEV_DF_FLUSH_REQUIRED;
    bool for_es = asid < chip->config.min_plain_asid, is_es = guest->policy & SEV_POLICY_ES;
    return for_es == is_es ? SEV_SUCCESS : SEV_INVALID_ASID;
}

/* The guest's key into the engine. Before RUNNING the activation is pending. */
static uint16_t bind(struct chip *chip, struct chip_guest *guest, uint32_t asid,
                     uint32_t complexes)
{
    uint16_t status = check_activation(chip, guest, asid, complexes);
    if (status != SEV_SUCCESS)
        return status;
    bool runs = guest->state == SEV_GUEST_RUNNING || guest->state == SEV_GUEST_SUPDATE;
    chip->asid[asid].state = runs ? ASID_IN_USE : ASID_ALLOCATED;
    chip->asid[asid].guest = guest_handle(chip, guest);
    guest->asid = asid;
    guest->complexes = complexes;
    memory_set_key(chip->memory, (memory_view)asid, guest->memory_key);
    return SEV_SUCCESS;
}

uint16_t guest_activate(struct chip *chip, void *buffer)
{
    const struct sev_activate *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    return guest ? bind(chip, guest, command->asid, CHIP_ALL_COMPLEXES) : SEV_INVALID_GUEST;
}

/* The complexes of a list of APIC ids. */
static uint16_t read_complexes(struct chip *chip, const struct sev_activate_ex *command,
                               uint32_t *ret)
{
    uint32_t ids[CHIP_THREADS], complexes = 0;
    if (!command->numids || command->numids > CHIP_THREADS)
        return SEV_INVALID_PARAM;
    if (!chip_read(chip, command->ids_paddr, ids, command->numids * sizeof(ids[0])))
        return SEV_INVALID_ADDRESS;
    for (uint32_t i = 0; i < command->numids; i++) {
        if (ids[i] >= CHIP_THREADS)
            return SEV_INVALID_PARAM;
        complexes |= 1u << ids[i] / CHIP_THREADS_PER_COMPLEX;
    }
    *ret = complexes;
    return SEV_SUCCESS;
}

/* ACTIVATE on some core complexes; again for the same guest and ASID adds to them. */
uint16_t guest_activate_ex(struct chip *chip, void *buffer)
{
    const struct sev_activate_ex *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    uint32_t complexes;
    if (command->length != sizeof(*command))
        return SEV_INVALID_PARAM;
    if (!guest)
        return SEV_INVALID_GUEST;
    uint16_t status = read_complexes(chip, command, &complexes);
    if (status != SEV_SUCCESS)
        return status;
    if (!guest->asid || guest->asid != command->asid)
        return bind(chip, guest, command->asid, complexes);
    if (guest_check_state(SEV_ACTIVATE_EX, guest) != SEV_SUCCESS)
        return SEV_INVALID_GUEST_STATE;
    if (chip->asid[command->asid].dirty & complexes & ~guest->complexes)
        return SEV_DF_FLUSH_REQUIRED;
    guest->complexes |= complexes;
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
