/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Certificates that come from outside (PEK_CERT_IMPORT, LAUNCH_START, SEND_START): judged in the
 * status codes of the SEV API. INVALID_CERTIFICATE is what a certificate says of its key;
 * BAD_SIGNATURE a signature that does not verify, or a slot that is neither empty nor complete.
 */
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"

#define SLOT_SIZE (8 + SEV_CERT_SIG_SIZE) /* usage, algorithm, signature */

static bool slot_is_mixed(const uint8_t *slot)
{
    return (load_le32(slot) == SEV_USAGE_INVALID) != (load_le32(slot + 4) == SEV_ALGO_NONE);
}

uint16_t cert_decode(const uint8_t bytes[SEV_CERT_SIZE], uint32_t usage, uint32_t algorithm,
                     struct sev_certificate *ret)
{
    if (slot_is_mixed(bytes + SEV_CERT_SIGNED_SIZE) ||
        slot_is_mixed(bytes + SEV_CERT_SIGNED_SIZE + SLOT_SIZE))
        return SEV_BAD_SIGNATURE;
    if (sev_certificate_decode(bytes, SEV_CERT_SIZE, ret) || ret->usage != usage ||
        ret->algorithm != algorithm)
        return SEV_INVALID_CERTIFICATE;
    return SEV_SUCCESS;
}

uint16_t cert_decode_peer(const uint8_t bytes[SEV_CERT_SIZE], struct sev_certificate *ret)
{
    uint8_t unsigned_bytes[SEV_CERT_SIZE];
    memset(unsigned_bytes, 0, sizeof(unsigned_bytes));
    memcpy(unsigned_bytes, bytes, SEV_CERT_SIGNED_SIZE);
    store_le32(unsigned_bytes + SEV_CERT_SIGNED_SIZE, SEV_USAGE_INVALID);
    store_le32(unsigned_bytes + SEV_CERT_SIGNED_SIZE + SLOT_SIZE, SEV_USAGE_INVALID);
    return cert_decode(unsigned_bytes, SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256, ret);
}

int cert_slot(const struct sev_certificate *cert, uint32_t usage)
{
    for (int i = 0; i < 2; i++) {
        if (cert->signature[i].usage == usage)
            return i;
    }
    return -1;
}

uint16_t cert_check(const struct sev_certificate *signer, const struct sev_certificate *cert)
{
    int slot = cert_slot(cert, signer->usage);
    EVP_PKEY *key = key_from_point(signer->x, signer->y);
    if (!key)
        return SEV_INVALID_CERTIFICATE; /* not a point of the curve */
    bool right = slot >= 0 && key_verify(key, cert, slot);
    EVP_PKEY_free(key);
    return right ? SEV_SUCCESS : SEV_BAD_SIGNATURE;
}
