/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* ATTESTATION: what was launched and under which policy, signed by the PEK (SEV API 0.24). */
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"

#define SIGNED_SIZE offsetof(struct sev_attestation_report, signature_usage)

static bool make_report(const struct chip *chip, const struct chip_guest *guest,
                        const uint8_t mnonce[16], struct sev_attestation_report *report)
{
    uint8_t slot[SEV_CERT_SIG_SIZE];
    EVP_PKEY *pek = identity_key(chip, CHIP_KEY_PEK);
    memset(report, 0, sizeof(*report));
    memcpy(report->mnonce, mnonce, sizeof(report->mnonce));
    memcpy(report->digest, guest->launch_digest, sizeof(report->digest));
    store_le32(report->policy, guest->policy);
    store_le32(report->signature_usage, SEV_USAGE_PEK);
    store_le32(report->signature_algorithm, SEV_ALGO_ECDSA_SHA256);
    bool done = pek && key_sign_bytes(pek, report, SIGNED_SIZE, slot);
    EVP_PKEY_free(pek);
    if (done)
        memcpy(report->signature, slot, sizeof(report->signature));
    return done;
}

uint16_t attestation(struct chip *chip, void *buffer)
{
    struct sev_attestation *command = buffer;
    struct chip_guest *guest;
    struct sev_attestation_report report;
    uint16_t status = guest_find(chip, SEV_ATTESTATION, command->handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
    if (command->length < sizeof(report)) {
        command->length = sizeof(report);
        return SEV_INVALID_LENGTH;
    }
    if (!make_report(chip, guest, command->mnonce, &report))
        return SEV_HWERROR_PLATFORM;
    command->length = sizeof(report);
    return chip_write(chip, command->paddr, &report, sizeof(report)) ? SEV_SUCCESS
                                                                     : SEV_INVALID_ADDRESS;
}
