/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The chip's cryptography: key derivation (SP 800-108 counter mode as the SEV API has it), P-384
 * keys, certificates and their signatures. Nothing here knows of commands or states.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"

#define POINT_SIZE (1 + 2 * SEV_P384_SIZE) /* 04h, x, y */

/* K(i) = HMAC(key, i | label | 00h | context | L); i and L (in bits) are little-endian here. */
void kdf(const uint8_t *key, size_t key_length, const char *label, const uint8_t *context,
         size_t context_length, uint8_t *out, size_t length)
{
    uint8_t message[128], block[32];
    size_t label_length = strlen(label);
    size_t size = 4 + label_length + 1 + context_length + 4;
    uint32_t bits = (uint32_t)length * 8;
    if (size > sizeof(message))
        OPENSSL_die("key derivation input too long", __FILE_NAME__, __LINE__);
    memcpy(message + 4, label, label_length + 1);
    if (context_length)
        memcpy(message + 4 + label_length + 1, context, context_length);
    store_le32(message + size - 4, bits);
    for (uint32_t i = 1; length; i++) {
        size_t part = length < sizeof(block) ? length : sizeof(block);
        store_le32(message, i);
        if (!HMAC(EVP_sha256(), key, (int)key_length, message, size, block, NULL))
            OPENSSL_die("HMAC failed", __FILE_NAME__, __LINE__);
        memcpy(out, block, part);
        out += part;
        length -= part;
    }
    OPENSSL_cleanse(block, sizeof(block));
}

bool crypt_ctr(const uint8_t key[16], const uint8_t iv[16], uint8_t *data, size_t length)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = 0;
    bool right = context && EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, key, iv) &&
                 EVP_EncryptUpdate(context, data, &done, data, (int)length);
    EVP_CIPHER_CTX_free(context);
    return right && done == (int)length;
}

/* A key object from a point and, if there is one, its scalar. */
static EVP_PKEY *make_key(const uint8_t point[POINT_SIZE], const BIGNUM *scalar)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY *key = NULL;
    if (context && builder &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-384", 0) &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_SIZE) &&
        (!scalar || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar)))
        parameters = OSSL_PARAM_BLD_to_param(builder);
    if (!parameters || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, scalar ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                          parameters) != 1)
        key = NULL;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return key;
}

static bool public_point(const EC_GROUP *group, const BIGNUM *scalar, uint8_t point[POINT_SIZE])
{
    EC_POINT *public = EC_POINT_new(group);
    bool done = public && EC_POINT_mul(group, public, scalar, NULL, NULL, NULL) &&
                EC_POINT_point2oct(group, public, POINT_CONVERSION_UNCOMPRESSED, point,
                                   POINT_SIZE, NULL) == POINT_SIZE;
    EC_POINT_free(public);
    return done;
}

/* 56 bytes reduced to 1 .. n-1: more than the order, so that the scalar has no bias to speak of. */
static bool reduce(const EC_GROUP *group, const uint8_t wide[56], BIGNUM *scalar)
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *limit = BN_dup(EC_GROUP_get0_order(group));
    BIGNUM *number = BN_bin2bn(wide, 56, NULL);
    bool done = context && limit && number && BN_sub_word(limit, 1) &&
                BN_mod(scalar, number, limit, context) && BN_add_word(scalar, 1);
    BN_clear_free(number);
    BN_free(limit);
    BN_CTX_free(context);
    return done;
}

EVP_PKEY *key_derive(const struct chip *chip, const char *label, uint32_t generation)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp384r1);
    BIGNUM *scalar = BN_secure_new();
    EVP_PKEY *key = NULL;
    uint8_t wide[56], context[4], point[POINT_SIZE];
    store_le32(context, generation);
    kdf(chip->secret, CHIP_SECRET_SIZE, label, context, sizeof(context), wide, sizeof(wide));
    if (group && scalar && reduce(group, wide, scalar) && public_point(group, scalar, point))
        key = make_key(point, scalar);
    OPENSSL_cleanse(wide, sizeof(wide));
    BN_clear_free(scalar);
    EC_GROUP_free(group);
    return key;
}

EVP_PKEY *key_from_point(const uint8_t x[SEV_P384_SIZE], const uint8_t y[SEV_P384_SIZE])
{
    uint8_t point[POINT_SIZE];
    point[0] = 4;
    memcpy(point + 1, x, SEV_P384_SIZE);
    memcpy(point + 1 + SEV_P384_SIZE, y, SEV_P384_SIZE);
    return make_key(point, NULL); /* refuses what is not on the curve */
}

/*
 * The peer's point is on the curve (key_from_point), whose cofactor is 1: OpenSSL's own check would
 * only multiply it by the curve's order once more.
 */
bool key_agree(EVP_PKEY *own, EVP_PKEY *peer, uint8_t secret[SEV_ECDH_SECRET_SIZE])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(own, NULL);
    size_t length = SEV_ECDH_SECRET_SIZE;
    bool done = context && EVP_PKEY_derive_init(context) == 1 &&
                EVP_PKEY_derive_set_peer_ex(context, peer, 0) == 1 &&
                EVP_PKEY_derive(context, secret, &length) == 1 && length == SEV_ECDH_SECRET_SIZE;
    EVP_PKEY_CTX_free(context);
    return done;
}

bool key_certificate(const struct chip *chip, EVP_PKEY *key, uint32_t usage, uint32_t algorithm,
                     struct sev_certificate *ret)
{
    uint8_t point[POINT_SIZE];
    size_t length = 0;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
                                        &length) != 1 ||
        length != sizeof(point))
        return false;
    *ret = (struct sev_certificate){
        .api_major = chip->config.api_major,
        .api_minor = chip->config.api_minor,
        .usage = usage,
        .algorithm = algorithm,
        .curve = SEV_CURVE_P384,
    };
    memcpy(ret->x, point + 1, SEV_P384_SIZE);
    memcpy(ret->y, point + 1 + SEV_P384_SIZE, SEV_P384_SIZE);
    sev_signature_clear(&ret->signature[0]);
    sev_signature_clear(&ret->signature[1]);
    return true;
}

/* DER signature to the slot's two little-endian numbers. */
static bool signature_to_slot(const uint8_t *der, size_t length, uint8_t slot[SEV_CERT_SIG_SIZE])
{
    const uint8_t *at = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)length);
    uint8_t r[SEV_P384_SIZE], s[SEV_P384_SIZE];
    bool done = signature &&
                BN_bn2binpad(ECDSA_SIG_get0_r(signature), r, sizeof(r)) == sizeof(r) &&
                BN_bn2binpad(ECDSA_SIG_get0_s(signature), s, sizeof(s)) == sizeof(s);
    if (done)
        sev_ecdsa_encode(r, s, slot);
    ECDSA_SIG_free(signature);
    return done;
}

bool key_sign_bytes(EVP_PKEY *signer, const void *data, size_t length,
                    uint8_t slot[SEV_CERT_SIG_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t der[128];
    size_t der_length = sizeof(der);
    bool done = context &&
                EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signer) == 1 &&
                EVP_DigestSign(context, der, &der_length, data, length) == 1 &&
                signature_to_slot(der, der_length, slot);
    EVP_MD_CTX_free(context);
    return done;
}

bool key_sign(EVP_PKEY *signer, uint32_t usage, struct sev_certificate *cert, int slot)
{
    struct sev_cert_signature *signature = &cert->signature[slot];
    uint8_t bytes[SEV_CERT_SIZE];
    sev_certificate_encode(cert, bytes);
    if (!key_sign_bytes(signer, bytes, SEV_CERT_SIGNED_SIZE, signature->bytes))
        return false;
    signature->usage = usage;
    signature->algorithm = SEV_ALGO_ECDSA_SHA256;
    return true;
}

static int slot_to_der(const uint8_t slot[SEV_CERT_SIG_SIZE], uint8_t **der)
{
    uint8_t r[SEV_P384_SIZE], s[SEV_P384_SIZE];
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r_number = NULL, *s_number = NULL;
    int length = -1;
    if (signature && sev_ecdsa_decode(slot, r, s)) {
        r_number = BN_bin2bn(r, sizeof(r), NULL);
        s_number = BN_bin2bn(s, sizeof(s), NULL);
        if (r_number && s_number && ECDSA_SIG_set0(signature, r_number, s_number)) {
            r_number = s_number = NULL; /* now the signature's */
            length = i2d_ECDSA_SIG(signature, der);
        }
    }
    BN_free(r_number);
    BN_free(s_number);
    ECDSA_SIG_free(signature);
    return length;
}

bool key_verify(EVP_PKEY *signer, const struct sev_certificate *cert, int slot)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t bytes[SEV_CERT_SIZE], *der = NULL;
    int length = slot_to_der(cert->signature[slot].bytes, &der);
    sev_certificate_encode(cert, bytes);
    bool right = context && length > 0 &&
                 cert->signature[slot].algorithm == SEV_ALGO_ECDSA_SHA256 &&
                 EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, signer) == 1 &&
                 EVP_DigestVerify(context, der, (size_t)length, bytes, SEV_CERT_SIGNED_SIZE) == 1;
    OPENSSL_free(der);
    EVP_MD_CTX_free(context);
    return right;
}
