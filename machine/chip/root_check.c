/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Judges AMD's certificates of another platform: ARK, ASK and what the ASK signed (RSASSA-PSS). */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "machine/chip/internal.h"

static EVP_PKEY *rsa_key(const struct sev_amd_certificate *cert)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_lebin2bn(cert->modulus, (int)cert->key_size, NULL);
    BIGNUM *e = BN_lebin2bn(cert->exponent, (int)cert->key_size, NULL);
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY *key = NULL;
    if (context && builder && n && e &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        parameters = OSSL_PARAM_BLD_to_param(builder);
    if (!parameters || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* `slot` is a little-endian number as wide as the key; the hash goes with that width. */
static bool signed_with(const struct sev_amd_certificate *signer, const uint8_t *data,
                        size_t length, const uint8_t *slot)
{
    const EVP_MD *hash = signer->key_size == 256 ? EVP_sha256() : EVP_sha384();
    EVP_PKEY *key = rsa_key(signer);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    uint8_t signature[SEV_CERT_SIG_SIZE];
    sev_reverse(signature, slot, signer->key_size);
    bool right = key && context &&
                 EVP_DigestVerifyInit(context, &options, hash, NULL, key) == 1 &&
                 EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1 &&
                 EVP_DigestVerify(context, signature, signer->key_size, data, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return right;
}

static bool same_key(const uint8_t *bytes, const struct sev_amd_certificate *ark)
{
    struct sev_amd_certificate known;
    return !sev_amd_certificate_decode(bytes, CHIP_ROOT_ARK_SIZE, &known) &&
           known.key_size == ark->key_size &&
           memcmp(known.modulus, ark->modulus, ark->key_size) == 0 &&
           memcmp(known.exponent, ark->exponent, ark->key_size) == 0;
}

/* A root this chip knows: its own, if it was ever made, or the one it was told of. */
static bool is_known(const struct chip *chip, const struct sev_amd_certificate *ark)
{
    struct chip_root own;
    if (chip->config.peer_ark && same_key(chip->config.peer_ark, ark))
        return true;
    return root_read(chip, &own) == 0 && same_key(own.ark, ark);
}

/* An ASK and, behind it, the ARK that it names; their signatures are not looked at. */
static uint16_t decode_pair(const uint8_t *data, size_t length, struct sev_amd_certificate *ret_ask,
                            struct sev_amd_certificate *ret_ark)
{
    if (sev_amd_certificate_decode(data, length, ret_ask) || ret_ask->usage != SEV_USAGE_ASK)
        return SEV_INVALID_CERTIFICATE;
    if (sev_amd_certificate_decode(data + ret_ask->size, length - ret_ask->size, ret_ark) ||
        ret_ark->usage != SEV_USAGE_ARK || ret_ask->size + ret_ark->size != length)
        return SEV_INVALID_CERTIFICATE;
    return memcmp(ret_ask->certifying_id, ret_ark->key_id, sizeof(ret_ark->key_id)) == 0
               ? SEV_SUCCESS : SEV_INVALID_CERTIFICATE;
}

static bool pair_is_signed(const uint8_t *data, const struct sev_amd_certificate *ask,
                           const struct sev_amd_certificate *ark)
{
    return signed_with(ark, data + ask->size, ark->signed_size, ark->signature) &&
           signed_with(ark, data, ask->signed_size, ask->signature);
}

uint16_t root_check(const struct chip *chip, const uint8_t *data, size_t length,
                    struct sev_amd_certificate *ret_ask)
{
    struct sev_amd_certificate ark;
    uint16_t status = decode_pair(data, length, ret_ask, &ark);
    if (status != SEV_SUCCESS)
        return status;
    if (!is_known(chip, &ark))
        return SEV_INVALID_CERTIFICATE;
    return pair_is_signed(data, ret_ask, &ark) ? SEV_SUCCESS : SEV_BAD_SIGNATURE;
}

/* The stored CEK is this chip's, byte for byte, but for what the ASK put into its slot. */
static bool is_own_cek(const struct chip *chip, const uint8_t bytes[SEV_CERT_SIZE],
                       struct sev_certificate *ret)
{
    struct sev_certificate own;
    uint8_t expected[SEV_CERT_SIZE];
    if (sev_certificate_decode(bytes, SEV_CERT_SIZE, ret) || !identity_cek(chip, &own))
        return false;
    own.signature[0] = ret->signature[0];
    sev_certificate_encode(&own, expected);
    return memcmp(expected, bytes, sizeof(expected)) == 0;
}

bool root_is_whole(const struct chip *chip, const struct chip_root *root)
{
    struct sev_amd_certificate ask, ark;
    struct sev_certificate cek;
    return decode_pair(root->ask, sizeof(root->ask) + sizeof(root->ark), &ask, &ark) ==
               SEV_SUCCESS &&
           pair_is_signed(root->ask, &ask, &ark) && is_own_cek(chip, root->cek, &cek) &&
           root_signed_cek(&ask, &cek);
}

bool root_signed_cek(const struct sev_amd_certificate *ask, const struct sev_certificate *cek)
{
    uint32_t algorithm = ask->key_size == 256 ? SEV_ALGO_RSA_SHA256 : SEV_ALGO_RSA_SHA384;
    uint8_t bytes[SEV_CERT_SIZE];
    int slot = cert_slot(cek, SEV_USAGE_ASK);
    sev_certificate_encode(cek, bytes);
    return slot >= 0 && cek->signature[slot].algorithm == algorithm &&
           signed_with(ask, bytes, SEV_CERT_SIGNED_SIZE, cek->signature[slot].bytes);
}
