/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The Owner Certificate Authority: keys and the two certificates that make a platform its own. */
#include "owner/authority.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <string.h>

#include "owner/certs.h"

EVP_PKEY *owner_authority_key_new(void)
{
    return EVP_EC_gen("P-384");
}

char *owner_authority_key_encode(EVP_PKEY *key, size_t *ret_size)
{
    BIO *text = BIO_new(BIO_s_secmem());
    char *copy = NULL, *data;
    if (text && PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) == 1) {
        long size = BIO_get_mem_data(text, &data);
        copy = OPENSSL_malloc((size_t)size);
        if (copy) {
            memcpy(copy, data, (size_t)size);
            *ret_size = (size_t)size;
        }
    }
    BIO_free(text);
    return copy;
}

/* A key with a passphrase would ask for it on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
    return -1;
}

/* 384 bits are Brainpool's, too: the point decides. */
static bool is_on_p384(EVP_PKEY *key)
{
    uint8_t x[SEV_P384_SIZE], y[SEV_P384_SIZE];
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_bits(key) != 384 ||
        !owner_key_point(key, x, y))
        return false;
    EVP_PKEY *point = owner_key_from_point(x, y);
    EVP_PKEY_free(point);
    return point != NULL;
}

/* A file may name a public key that is not the private key's; nothing that it signs would verify. */
static bool is_pair(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool pair = context && EVP_PKEY_pairwise_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return pair;
}

EVP_PKEY *owner_authority_key_decode(const uint8_t *pem, size_t size, const char **reason)
{
    BIO *text = size <= INT_MAX ? BIO_new_mem_buf(pem, (int)size) : NULL;
    EVP_PKEY *key = text ? PEM_read_bio_PrivateKey(text, NULL, no_passphrase, NULL) : NULL;
    BIO_free(text);
    if (!key) {
        *reason = "not a private key in PEM, or one with a passphrase";
        return NULL;
    }
    if (is_on_p384(key) && is_pair(key))
        return key;
    *reason = is_on_p384(key) ? "damaged: its public key is not its private key's"
                              : "not a key on the curve P-384, which the SEV API asks for";
    EVP_PKEY_free(key);
    return NULL;
}

/* The OCA's own certificate: as the request says for the version, signed by itself. */
static bool make_oca(EVP_PKEY *key, const struct sev_certificate *csr,
                     uint8_t ret_oca[SEV_CERT_SIZE])
{
    struct sev_certificate oca = {
        .api_major = csr->api_major,
        .api_minor = csr->api_minor,
        .usage = SEV_USAGE_OCA,
        .algorithm = SEV_ALGO_ECDSA_SHA256,
        .curve = SEV_CURVE_P384,
    };
    sev_signature_clear(&oca.signature[0]);
    sev_signature_clear(&oca.signature[1]);
    if (!owner_key_point(key, oca.x, oca.y) ||
        !owner_certificate_sign(key, SEV_USAGE_OCA, &oca, 0))
        return false;
    sev_certificate_encode(&oca, ret_oca);
    return true;
}

static const char *decode_request(const uint8_t *csr, size_t size, struct sev_certificate *ret)
{
    const char *reason = sev_certificate_decode(csr, size, ret);
    if (reason)
        return reason;
    if (ret->usage != SEV_USAGE_PEK)
        return "it is not a PEK";
    EVP_PKEY *platform = owner_key_from_point(ret->x, ret->y);
    EVP_PKEY_free(platform);
    return platform ? NULL : "its public key is not a point of the curve";
}

const char *owner_authority_check(const uint8_t *csr, size_t size)
{
    struct sev_certificate pek;
    return decode_request(csr, size, &pek);
}

const char *owner_authority_sign(EVP_PKEY *key, const uint8_t *csr, size_t csr_size,
                                 uint8_t ret_pek[SEV_CERT_SIZE], uint8_t ret_oca[SEV_CERT_SIZE])
{
    struct sev_certificate pek;
    const char *reason = decode_request(csr, csr_size, &pek);
    if (reason)
        return reason;
    sev_signature_clear(&pek.signature[0]);
    sev_signature_clear(&pek.signature[1]);
    if (!owner_certificate_sign(key, SEV_USAGE_OCA, &pek, 0) || !make_oca(key, &pek, ret_oca))
        return "the cryptographic library failed";
    sev_certificate_encode(&pek, ret_pek);
    return NULL;
}
