/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The saved state of SEV-ES guests' processors (VMSA, APM 2 15.35.5 and table B-4): pages under the
 * guest's key, each with a checksum in the trusted memory region, which the chip checks and renews
 * for the microcode. How it is computed is hardware's own business; here it is SHA-256.
 */
#include <stdlib.h>
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"

/* The two quadwords that LAUNCH_UPDATE_VMSA fills in, and the end of what the checksum covers. */
#define INTEGRITY_ZERO  0x380u
#define INTEGRITY_PLACE 0x388u
#define COVERED         0xFC0u

/* ---- the trusted memory region ---- */

/* The region is not written to: what hardware has there, no host could read. */
uint16_t tmr_begin(struct chip *chip, uint64_t paddr, uint32_t length)
{
    uint8_t byte;
    if (paddr % SEV_TMR_SIZE)
        return SEV_INVALID_ADDRESS;
    if (length != SEV_TMR_SIZE)
        return SEV_INVALID_LENGTH;
    if (!chip_read(chip, paddr, &byte, 1) || !chip_read(chip, paddr + length - 1, &byte, 1))
        return SEV_INVALID_ADDRESS;
    chip->vmsas = calloc(CHIP_MAX_VMSAS, sizeof(*chip->vmsas));
    if (!chip->vmsas)
        return SEV_HWERROR_PLATFORM;
    chip->tmr_paddr = paddr;
    return SEV_SUCCESS;
}

void tmr_end(struct chip *chip)
{
    free(chip->vmsas);
    chip->vmsas = NULL;
    chip->vmsa_count = 0;
    chip->tmr_ready = false;
}

static struct chip_vmsa *find(const struct chip *chip, uint32_t guest, uint64_t paddr)
{
    for (unsigned i = 0; i < chip->vmsa_count; i++) {
        struct chip_vmsa *vmsa = &chip->vmsas[i];
        if (vmsa->guest == guest && (!guest || vmsa->paddr == paddr))
            return vmsa;
    }
    return NULL;
}

/* The guest's for that page, a free one, or NULL. */
static struct chip_vmsa *find_or_take(struct chip *chip, uint32_t guest, uint64_t paddr)
{
    struct chip_vmsa *vmsa = find(chip, guest, paddr);
    if (!vmsa)
        vmsa = find(chip, 0, 0);
    if (!vmsa && chip->vmsa_count < CHIP_MAX_VMSAS)
        vmsa = &chip->vmsas[chip->vmsa_count++];
    return vmsa;
}

void vmsas_forget(struct chip *chip, const struct chip_guest *guest)
{
    uint32_t handle = guest_handle(chip, guest);
    for (unsigned i = 0; i < chip->vmsa_count; i++) {
        if (chip->vmsas[i].guest == handle)
            chip->vmsas[i] = (struct chip_vmsa){ 0 };
    }
}

/* ---- pages ---- */

static bool compute_checksum(const uint8_t page[SEV_VMSA_SIZE], uint8_t checksum[32])
{
    return EVP_Digest(page, COVERED, checksum, NULL, EVP_sha256(), NULL) == 1;
}

/* A page with its checksum, encrypted to where it belongs. */
static uint16_t seal(struct chip *chip, const struct chip_guest *guest, struct chip_vmsa *vmsa,
                     uint8_t page[SEV_VMSA_SIZE])
{
    uint64_t slot = chip->tmr_paddr + (uint64_t)(vmsa - chip->vmsas) * CHIP_VMSA_SLOT;
    uint8_t checksum[sizeof(vmsa->checksum)];
    store_le64(page + INTEGRITY_ZERO, 0);
    store_le64(page + INTEGRITY_PLACE, slot);
    if (!compute_checksum(page, checksum))
        return SEV_HWERROR_PLATFORM;
    if (!chip_write_as(chip, (memory_view)guest->asid, vmsa->paddr, page, SEV_VMSA_SIZE))
        return SEV_INVALID_ADDRESS;
    memcpy(vmsa->checksum, checksum, sizeof(checksum));
    return SEV_SUCCESS;
}

uint16_t vmsa_find(struct chip *chip, enum sev_command id, uint32_t handle,
                   struct chip_guest **ret)
{
    uint16_t status = guest_find(chip, id, handle, ret);
    if (status != SEV_SUCCESS)
        return status;
    if (!((*ret)->policy & SEV_POLICY_ES))
        return SEV_UNSUPPORTED;
    return (*ret)->asid ? SEV_SUCCESS : SEV_INACTIVE;
}

uint16_t vmsa_make(struct chip *chip, const struct chip_guest *guest, uint64_t paddr,
                   uint8_t page[SEV_VMSA_SIZE])
{
    const uint32_t handle = guest_handle(chip, guest);
    if (!chip->tmr_ready)
        return SEV_DF_FLUSH_REQUIRED;
    struct chip_vmsa *vmsa = find_or_take(chip, handle, paddr);
    if (!vmsa)
        return SEV_RESOURCE_LIMIT;
    vmsa->paddr = paddr;
    uint16_t status = seal(chip, guest, vmsa, page);
    if (status == SEV_SUCCESS)
        vmsa->guest = handle;
    return status;
}

uint16_t vmsa_read(struct chip *chip, const struct chip_guest *guest, uint64_t paddr,
                   uint8_t page[SEV_VMSA_SIZE])
{
    const struct chip_vmsa *vmsa = find(chip, guest_handle(chip, guest), paddr);
    uint8_t checksum[sizeof(vmsa->checksum)];
    if (!chip_read_as(chip, (memory_view)guest->asid, paddr, page, SEV_VMSA_SIZE))
        return SEV_INVALID_ADDRESS;
    if (vmsa && compute_checksum(page, checksum) &&
        CRYPTO_memcmp(checksum, vmsa->checksum, sizeof(checksum)) == 0)
        return SEV_SUCCESS;
    OPENSSL_cleanse(page, SEV_VMSA_SIZE);
    return SEV_INVALID_PARAM;
}

/* ---- the microcode ---- */

bool chip_vmsa_load(struct chip *chip, uint32_t asid, uint64_t vmsa_paddr,
                    uint8_t ret[CHIP_VMSA_SIZE], char *why, size_t why_size)
{
    const struct chip_guest *guest = guest_of_asid(chip, asid);
    if (!guest)
        return chip_deny(why, why_size, "no guest is activated on it (ACTIVATE)");
    if (!(guest->policy & SEV_POLICY_ES))
        return chip_deny(why, why_size, "its guest is not a SEV-ES guest");
    if (vmsa_paddr % MEMORY_PAGE_SIZE || !find(chip, guest_handle(chip, guest), vmsa_paddr))
        return chip_deny(why, why_size, "0x%llx is not a VMSA of its guest (LAUNCH_UPDATE_VMSA, "
                         "RECEIVE_UPDATE_VMSA)", (unsigned long long)vmsa_paddr);
    return vmsa_read(chip, guest, vmsa_paddr, ret) == SEV_SUCCESS ||
           chip_deny(why, why_size, "the VMSA at 0x%llx is not what the processor left there",
                     (unsigned long long)vmsa_paddr);
}

bool chip_vmsa_store(struct chip *chip, uint32_t asid, uint64_t vmsa_paddr,
                     const uint8_t state[CHIP_VMSA_SIZE])
{
    const struct chip_guest *guest = guest_of_asid(chip, asid);
    struct chip_vmsa *vmsa = guest ? find(chip, guest_handle(chip, guest), vmsa_paddr) : NULL;
    uint8_t page[CHIP_VMSA_SIZE];
    if (!vmsa)
        return false;
    memcpy(page, state, sizeof(page));
    bool stored = seal(chip, guest, vmsa, page) == SEV_SUCCESS;
    OPENSSL_cleanse(page, sizeof(page));
    return stored;
}
