/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Who the chip is: the certificates OCA, PEK, PDH and CEK, and the platform commands that make,
 * export and replace them (SEV API chapter 5).
 */
#include <string.h>

#include "machine/chip/internal.h"

static const struct {
    const char *label;
    uint32_t usage, algorithm;
} key_kinds[CHIP_KEYS] = {
    [CHIP_KEY_OCA] = { "privet-oca", SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256 },
    [CHIP_KEY_PEK] = { "privet-pek", SEV_USAGE_PEK, SEV_ALGO_ECDSA_SHA256 },
    [CHIP_KEY_PDH] = { "privet-pdh", SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256 },
};

#define CEK_LABEL "sev-chip-endorsement-key"

EVP_PKEY *identity_key(const struct chip *chip, enum chip_key key)
{
    return key_derive(chip, key_kinds[key].label, chip->store.generation[key]);
}

EVP_PKEY *identity_pdh(struct chip *chip)
{
    uint32_t generation = chip->store.generation[CHIP_KEY_PDH];
    if (chip->pdh && chip->pdh_generation == generation)
        return chip->pdh;
    EVP_PKEY_free(chip->pdh);
    chip->pdh = identity_key(chip, CHIP_KEY_PDH);
    chip->pdh_generation = generation;
    return chip->pdh;
}

/* API version of AMD-issued CEK certificates: 0.14 on every part seen. */
bool identity_cek(const struct chip *chip, struct sev_certificate *ret)
{
    EVP_PKEY *key = key_derive(chip, CEK_LABEL, 0);
    bool done = key && key_certificate(chip, key, SEV_USAGE_CEK, SEV_ALGO_ECDSA_SHA256, ret);
    EVP_PKEY_free(key);
    if (done) {
        ret->api_major = 0;
        ret->api_minor = 14;
    }
    return done;
}

static bool sign_with(const struct chip *chip, EVP_PKEY *signer, uint32_t usage,
                      struct sev_certificate *cert, int slot)
{
    bool done = signer && key_sign(signer, usage, cert, slot);
    EVP_PKEY_free(signer);
    return done;
}

/* A new certificate of the current generation: OCA signs itself and PEK, CEK PEK, PEK PDH. */
static bool make(struct chip *chip, enum chip_key which)
{
    struct sev_certificate cert;
    EVP_PKEY *key = identity_key(chip, which);
    bool done = key && key_certificate(chip, key, key_kinds[which].usage,
                                       key_kinds[which].algorithm, &cert);
    EVP_PKEY_free(key);
    if (!done)
        return false;
    if (which == CHIP_KEY_PDH)
        done = sign_with(chip, identity_key(chip, CHIP_KEY_PEK), SEV_USAGE_PEK, &cert, 0);
    else
        done = sign_with(chip, identity_key(chip, CHIP_KEY_OCA), SEV_USAGE_OCA, &cert, 0);
    if (done && which == CHIP_KEY_PEK)
        done = sign_with(chip, key_derive(chip, CEK_LABEL, 0), SEV_USAGE_CEK, &cert, 1);
    if (done)
        sev_certificate_encode(&cert, chip->store.certificate[which]);
    return done;
}

bool identity_make(struct chip *chip)
{
    for (int i = 0; i < CHIP_KEYS; i++) {
        if (!make(chip, (enum chip_key)i))
            return false;
    }
    chip->store.complete = 1;
    return true;
}

/* Changes the store as a whole or not at all. */
static uint16_t renew(struct chip *chip, const struct chip_stored *before, bool made)
{
    if (made && store_save(chip) == 0)
        return SEV_SUCCESS;
    chip->store = *before;
    return SEV_HWERROR_PLATFORM;
}

uint16_t platform_reset(struct chip *chip, void *buffer)
{
    struct chip_stored before = chip->store;
    for (int i = 0; i < CHIP_KEYS; i++)
        chip->store.generation[i]++;
    chip->store.owned = 0;
    chip->store.complete = 0;
    memset(chip->store.certificate, 0, sizeof(chip->store.certificate));
    return renew(chip, &before, true);
}

uint16_t platform_pek_gen(struct chip *chip, void *buffer)
{
    struct chip_stored before = chip->store;
    bool made = true;
    chip->store.owned = 0;
    for (int i = 0; i < CHIP_KEYS && made; i++) {
        chip->store.generation[i]++;
        made = make(chip, (enum chip_key)i);
    }
    return renew(chip, &before, made);
}

uint16_t platform_pdh_gen(struct chip *chip, void *buffer)
{
    struct chip_stored before = chip->store;
    chip->store.generation[CHIP_KEY_PDH]++;
    return renew(chip, &before, make(chip, CHIP_KEY_PDH));
}

uint16_t platform_pek_csr(struct chip *chip, void *buffer)
{
    struct sev_pek_csr *command = buffer;
    struct sev_certificate cert;
    uint8_t bytes[SEV_CERT_SIZE];
    if (command->csr_len < SEV_CERT_SIZE) {
        command->csr_len = SEV_CERT_SIZE;
        return SEV_INVALID_LENGTH;
    }
    if (sev_certificate_decode(chip->store.certificate[CHIP_KEY_PEK], SEV_CERT_SIZE, &cert))
        return SEV_HWERROR_PLATFORM;
    sev_signature_clear(&cert.signature[0]);
    sev_signature_clear(&cert.signature[1]);
    sev_certificate_encode(&cert, bytes);
    command->csr_len = SEV_CERT_SIZE;
    return chip_write(chip, command->csr_paddr, bytes, sizeof(bytes)) ? SEV_SUCCESS
                                                                      : SEV_INVALID_ADDRESS;
}

/* The owner's two certificates: OCA signs itself and the PEK, which is the one of this platform. */
static uint16_t check_import(const struct chip *chip, const uint8_t pek_bytes[SEV_CERT_SIZE],
                             const uint8_t oca_bytes[SEV_CERT_SIZE], struct sev_certificate *pek)
{
    struct sev_certificate oca;
    uint16_t status = cert_decode(oca_bytes, SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256, &oca);
    if (status == SEV_SUCCESS)
        status = cert_decode(pek_bytes, SEV_USAGE_PEK, SEV_ALGO_ECDSA_SHA256, pek);
    if (status == SEV_SUCCESS &&
        memcmp(pek_bytes, chip->store.certificate[CHIP_KEY_PEK], SEV_CERT_SIGNED_SIZE) != 0)
        status = SEV_INVALID_CERTIFICATE;
    if (status == SEV_SUCCESS)
        status = cert_check(&oca, &oca);
    return status == SEV_SUCCESS ? cert_check(&oca, pek) : status;
}

uint16_t platform_pek_cert_import(struct chip *chip, void *buffer)
{
    const struct sev_pek_cert_import *command = buffer;
    struct chip_stored before = chip->store;
    uint8_t pek_bytes[SEV_CERT_SIZE], oca_bytes[SEV_CERT_SIZE];
    struct sev_certificate pek;
    if (chip->store.owned)
        return SEV_ALREADY_OWNED;
    if (command->pek_len != SEV_CERT_SIZE || command->oca_len != SEV_CERT_SIZE)
        return SEV_INVALID_LENGTH;
    if (!chip_read(chip, command->pek_paddr, pek_bytes, sizeof(pek_bytes)) ||
        !chip_read(chip, command->oca_paddr, oca_bytes, sizeof(oca_bytes)))
        return SEV_INVALID_ADDRESS;
    uint16_t status = check_import(chip, pek_bytes, oca_bytes, &pek);
    if (status != SEV_SUCCESS)
        return status;
    /* The firmware puts its own signature back into the slot that the owner left free. */
    int free_slot = 1 - cert_slot(&pek, SEV_USAGE_OCA);
    bool made = sign_with(chip, key_derive(chip, CEK_LABEL, 0), SEV_USAGE_CEK, &pek, free_slot);
    sev_certificate_encode(&pek, chip->store.certificate[CHIP_KEY_PEK]);
    memcpy(chip->store.certificate[CHIP_KEY_OCA], oca_bytes, SEV_CERT_SIZE);
    chip->store.owned = 1;
    chip->store.generation[CHIP_KEY_PDH]++;
    return renew(chip, &before, made && make(chip, CHIP_KEY_PDH));
}

uint16_t platform_pdh_cert_export(struct chip *chip, void *buffer)
{
    struct sev_pdh_cert_export *command = buffer;
    uint8_t chain[SEV_CHAIN_SIZE];
    struct sev_certificate cek;
    bool small = command->pdh_len < SEV_CERT_SIZE || command->certs_len < SEV_CHAIN_SIZE;
    command->pdh_len = SEV_CERT_SIZE;
    command->certs_len = SEV_CHAIN_SIZE;
    if (small)
        return SEV_INVALID_LENGTH;
    if (!identity_cek(chip, &cek))
        return SEV_HWERROR_PLATFORM;
    memcpy(chain, chip->store.certificate[CHIP_KEY_PEK], SEV_CERT_SIZE);
    memcpy(chain + SEV_CERT_SIZE, chip->store.certificate[CHIP_KEY_OCA], SEV_CERT_SIZE);
    sev_certificate_encode(&cek, chain + 2 * SEV_CERT_SIZE);
    if (!chip_write(chip, command->pdh_paddr, chip->store.certificate[CHIP_KEY_PDH],
                    SEV_CERT_SIZE) ||
        !chip_write(chip, command->certs_paddr, chain, sizeof(chain)))
        return SEV_INVALID_ADDRESS;
    return SEV_SUCCESS;
}

void chip_identity(const struct chip *chip, uint8_t id[CHIP_ID_SIZE])
{
    kdf(chip->secret, CHIP_SECRET_SIZE, "privet-chip-id", NULL, 0, id, CHIP_ID_SIZE);
}

uint16_t platform_get_id(struct chip *chip, void *buffer)
{
    struct sev_get_id *command = buffer;
    uint8_t id[CHIP_ID_SIZE];
    bool small = command->id_len < SEV_ID_SIZE;
    command->id_len = SEV_ID_SIZE;
    if (small)
        return SEV_INVALID_LENGTH;
    chip_identity(chip, id);
    return chip_write(chip, command->id_paddr, id, sizeof(id)) ? SEV_SUCCESS
                                                               : SEV_INVALID_ADDRESS;
}
