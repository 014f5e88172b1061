/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Chains of SEV certificates from AMD's root to a platform's PDH, and P-384 keys. */
#ifndef PRIVET_OWNER_CERTS_H
#define PRIVET_OWNER_CERTS_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "owner/check.h"
#include "sev/certificate.h"

/* Certificates by kind; NULL: absent. They point into the caller's bytes. */
struct owner_chain {
    const uint8_t *pdh, *pek, *oca, *cek; /* SEV_CERT_SIZE bytes each */
    const uint8_t *ask, *ark;
    size_t ask_size, ark_size;
};

/*
 * Adds the certificates of a file (one, or several one after the other, in any order) to a chain.
 * NULL, or the reason: damaged, or a kind that is there twice; but the CEK that AMD signed takes the
 * place of the same one without signature, as platforms export it.
 */
const char *owner_chain_add(struct owner_chain *chain, const uint8_t *data, size_t size);

enum owner_link {
    OWNER_ARK_SELF, /* the ARK signs itself */
    OWNER_ARK_ASK,
    OWNER_ASK_CEK,
    OWNER_CEK_PEK,
    OWNER_OCA_SELF,
    OWNER_OCA_PEK,
    OWNER_PEK_PDH,
    OWNER_LINKS,
};

struct owner_chain_verdict {
    enum owner_link_state link[OWNER_LINKS];
    const char *reason[OWNER_LINKS]; /* why a link is bad, as a phrase */
    const char *product; /* whose genuine root the ARK is, or NULL: not AMD's */
};

/* Checks every link of which both ends are there. */
void owner_chain_verify(const struct owner_chain *chain, struct owner_chain_verdict *ret);

/* "ARK signs ASK", ... */
const char *owner_link_name(enum owner_link link);

/* Key objects; the caller frees them. NULL: not a point of the curve. */
EVP_PKEY *owner_key_from_point(const uint8_t x[SEV_P384_SIZE], const uint8_t y[SEV_P384_SIZE]);
bool owner_key_point(EVP_PKEY *key, uint8_t x[SEV_P384_SIZE], uint8_t y[SEV_P384_SIZE]);
EVP_PKEY *owner_key_of_amd(const struct sev_amd_certificate *cert);

/* SHA-256 of the key as a SubjectPublicKeyInfo: what `openssl pkey -pubout` writes, digested. */
bool owner_key_digest(EVP_PKEY *key, uint8_t digest[32]);

/* The product whose genuine root key this is: "Naples" to "Turin", or NULL. */
const char *owner_root_product(EVP_PKEY *ark);

/* Is it an ECDSA signature by this key, in the SEV API's encoding? False for an unknown algorithm. */
bool owner_ecdsa_verify(EVP_PKEY *key, uint32_t algorithm, const uint8_t slot[SEV_CERT_SIG_SIZE],
                        const uint8_t *data, size_t size);

/* ECDSA with SHA-256 over the certificate's body, into the given slot. */
bool owner_certificate_sign(EVP_PKEY *signer, uint32_t usage, struct sev_certificate *cert,
                            int slot);

#endif
