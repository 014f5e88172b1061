/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What an owner's authority reads: its key in PEM, and a platform's request. A key that is taken is one
 * on P-384 and signs; a request that is taken comes back signed, with the same public key.
 *
 * Input: a byte, 0: PEM, else a request; then the file.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owner/authority.h"
#include "owner/certs.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EVP_PKEY *authority;
static uint8_t request[SEV_CERT_SIZE]; /* that is in order */

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    authority = owner_authority_key_new();
    EVP_PKEY *platform = owner_authority_key_new();
    struct sev_certificate pek = { .api_minor = 24, .usage = SEV_USAGE_PEK,
                                   .algorithm = SEV_ALGO_ECDSA_SHA256, .curve = SEV_CURVE_P384 };
    require(authority && platform && owner_key_point(platform, pek.x, pek.y), "keys");
    sev_signature_clear(&pek.signature[0]);
    sev_signature_clear(&pek.signature[1]);
    sev_certificate_encode(&pek, request);
    EVP_PKEY_free(platform);
    return 0;
}

static void sign(EVP_PKEY *key, const uint8_t *csr, size_t size)
{
    uint8_t pek[SEV_CERT_SIZE], oca[SEV_CERT_SIZE];
    struct owner_chain chain = { .pek = pek, .oca = oca };
    struct owner_chain_verdict verdict;
    bool good = owner_authority_check(csr, size) == NULL;
    require((owner_authority_sign(key, csr, size, pek, oca) == NULL) == good, "check and sign agree");
    if (!good)
        return;
    struct sev_certificate asked, signed_pek;
    require(!sev_certificate_decode(csr, size, &asked), "the request");
    require(!sev_certificate_decode(pek, sizeof(pek), &signed_pek), "the signed PEK");
    require(memcmp(asked.x, signed_pek.x, sizeof(asked.x)) == 0 &&
                memcmp(asked.y, signed_pek.y, sizeof(asked.y)) == 0, "the key that was signed");
    owner_chain_verify(&chain, &verdict);
    require(verdict.link[OWNER_OCA_SELF] == OWNER_LINK_GOOD, "the authority's own signature");
    require(verdict.link[OWNER_OCA_PEK] == OWNER_LINK_GOOD, "the request's signature");
}

static void read_key(const uint8_t *pem, size_t size)
{
    const char *reason = NULL;
    EVP_PKEY *key = owner_authority_key_decode(pem, size, &reason);
    require((key == NULL) == (reason != NULL), "a key or a reason");
    if (!key)
        return;
    size_t length;
    char *text = owner_authority_key_encode(key, &length);
    require(text != NULL, "a key that is written again");
    EVP_PKEY *again = owner_authority_key_decode((const uint8_t *)text, length, &reason);
    require(again && EVP_PKEY_eq(key, again) == 1, "the same key");
    sign(key, request, sizeof(request));
    OPENSSL_clear_free(text, length);
    EVP_PKEY_free(again);
    EVP_PKEY_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    if (data[0])
        sign(authority, data + 1, size - 1);
    else
        read_key(data + 1, size - 1);
    return 0;
}
