/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The Owner Certificate Authority of a platform: its key, and what it signs so that PEK_CERT_IMPORT
 * takes it (SEV API, "Platform Ownership").
 */
#ifndef PRIVET_OWNER_AUTHORITY_H
#define PRIVET_OWNER_AUTHORITY_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "sev/certificate.h"

/* A new P-384 key; the caller's. NULL: the cryptographic library failed. */
EVP_PKEY *owner_authority_key_new(void);

/*
 * The key as unencrypted PEM (PKCS #8): allocated, released by OPENSSL_clear_free(text, size).
 * NULL: the cryptographic library failed.
 */
char *owner_authority_key_encode(EVP_PKEY *key, size_t *ret_size);

/* A private key from PEM, the caller's; NULL with the reason when it is not one on P-384. */
EVP_PKEY *owner_authority_key_decode(const uint8_t *pem, size_t size, const char **reason);

/* Is it a PEK that can be signed? NULL or the reason. */
const char *owner_authority_check(const uint8_t *csr, size_t size);

/*
 * Signs what PEK_CSR gave. Writes the signed PEK, and the OCA's own certificate, which signs itself
 * and carries the request's API version. NULL or the reason.
 */
const char *owner_authority_sign(EVP_PKEY *key, const uint8_t *csr, size_t csr_size,
                                 uint8_t ret_pek[SEV_CERT_SIZE], uint8_t ret_oca[SEV_CERT_SIZE]);

#endif
