/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Who may receive a guest: what the guest's policy asks of the other platform's certificates (SEV
 * API, SEND_START). SEV: an AMD root down to its PDH; DOMAIN: the same owner as here.
 */
#include <string.h>

#include "machine/chip/internal.h"

struct receiver {
    uint8_t pdh_bytes[SEV_CERT_SIZE], chain_bytes[SEV_CHAIN_SIZE];
    uint8_t amd_bytes[2 * SEV_AMD_CERT_MAX];
    struct sev_certificate pdh, pek, oca, cek;
};

/* ASK and ARK: both RSA-2048, both RSA-4096, or one of each. */
static bool amd_length_is_possible(uint32_t length)
{
    return length == 0x680 || length == 0x980 || length == 0xC80;
}

static uint16_t read_receiver(struct chip *chip, const struct sev_send_start *command,
                              uint32_t policy, struct receiver *ret)
{
    bool chain = policy & (SEV_POLICY_SEV | SEV_POLICY_DOMAIN), amd = policy & SEV_POLICY_SEV;
    if (command->pdh_cert_len != SEV_CERT_SIZE ||
        (chain && command->plat_certs_len != SEV_CHAIN_SIZE) ||
        (amd && !amd_length_is_possible(command->amd_certs_len)))
        return SEV_INVALID_LENGTH;
    if (!chip_read(chip, command->pdh_cert_paddr, ret->pdh_bytes, SEV_CERT_SIZE) ||
        (chain && !chip_read(chip, command->plat_certs_paddr, ret->chain_bytes, SEV_CHAIN_SIZE)) ||
        (amd && !chip_read(chip, command->amd_certs_paddr, ret->amd_bytes, command->amd_certs_len)))
        return SEV_INVALID_ADDRESS;
    return SEV_SUCCESS;
}

/* PDH and PEK, which both policies ask for. */
static uint16_t check_platform(struct receiver *r)
{
    uint16_t status = cert_decode(r->pdh_bytes, SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256, &r->pdh);
    if (status == SEV_SUCCESS)
        status = cert_decode(r->chain_bytes, SEV_USAGE_PEK, SEV_ALGO_ECDSA_SHA256, &r->pek);
    return status == SEV_SUCCESS ? cert_check(&r->pek, &r->pdh) : status;
}

static uint16_t check_domain(const struct chip *chip, struct receiver *r)
{
    const uint8_t *oca = r->chain_bytes + SEV_CERT_SIZE;
    uint16_t status = cert_decode(oca, SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256, &r->oca);
    if (status == SEV_SUCCESS)
        status = cert_check(&r->oca, &r->oca);
    if (status == SEV_SUCCESS)
        status = cert_check(&r->oca, &r->pek);
    if (status == SEV_SUCCESS &&
        memcmp(oca, chip->store.certificate[CHIP_KEY_OCA], SEV_CERT_SIZE) != 0)
        status = SEV_POLICY_FAILURE;
    return status;
}

static bool api_reaches(const struct sev_certificate *pek, uint32_t policy)
{
    return pek->api_major > sev_policy_api_major(policy) ||
           (pek->api_major == sev_policy_api_major(policy) &&
            pek->api_minor >= sev_policy_api_minor(policy));
}

static uint16_t check_genuine(const struct chip *chip, size_t amd_length, uint32_t policy,
                              struct receiver *r)
{
    struct sev_amd_certificate ask;
    uint16_t status = root_check(chip, r->amd_bytes, amd_length, &ask);
    if (status == SEV_SUCCESS)
        status = cert_decode(r->chain_bytes + 2 * SEV_CERT_SIZE, SEV_USAGE_CEK,
                             SEV_ALGO_ECDSA_SHA256, &r->cek);
    if (status == SEV_SUCCESS && !root_signed_cek(&ask, &r->cek))
        status = SEV_BAD_SIGNATURE;
    if (status == SEV_SUCCESS)
        status = cert_check(&r->cek, &r->pek);
    if (status == SEV_SUCCESS && !api_reaches(&r->pek, policy))
        status = SEV_POLICY_FAILURE;
    return status;
}

uint16_t receiver_check(struct chip *chip, const struct sev_send_start *command, uint32_t policy,
                        struct sev_certificate *ret_pdh)
{
    struct receiver receiver;
    uint16_t status = read_receiver(chip, command, policy, &receiver);
    if (status != SEV_SUCCESS)
        return status;
    if (policy & (SEV_POLICY_SEV | SEV_POLICY_DOMAIN))
        status = check_platform(&receiver);
    else
        status = cert_decode_peer(receiver.pdh_bytes, &receiver.pdh);
    if (status == SEV_SUCCESS && (policy & SEV_POLICY_SEV))
        status = check_genuine(chip, command->amd_certs_len, policy, &receiver);
    if (status == SEV_SUCCESS && (policy & SEV_POLICY_DOMAIN))
        status = check_domain(chip, &receiver);
    *ret_pdh = receiver.pdh;
    return status;
}
