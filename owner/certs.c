/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Verification of SEV certificate chains (SEV API, chapter on certificates) with OpenSSL. */
#include "owner/certs.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "sev/bytes.h"

#define POINT_SIZE (1 + 2 * SEV_P384_SIZE)

/* ---- keys ---- */

static EVP_PKEY *from_parameters(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    return key;
}

EVP_PKEY *owner_key_from_point(const uint8_t x[SEV_P384_SIZE], const uint8_t y[SEV_P384_SIZE])
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    uint8_t point[POINT_SIZE];
    point[0] = 4;
    memcpy(point + 1, x, SEV_P384_SIZE);
    memcpy(point + 1 + SEV_P384_SIZE, y, SEV_P384_SIZE);
    if (builder &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-384", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         sizeof(point)) == 1)
        key = from_parameters("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

bool owner_key_point(EVP_PKEY *key, uint8_t x[SEV_P384_SIZE], uint8_t y[SEV_P384_SIZE])
{
    BIGNUM *x_number = NULL, *y_number = NULL;
    bool done = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x_number) == 1 &&
                EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y_number) == 1 &&
                BN_bn2binpad(x_number, x, SEV_P384_SIZE) == SEV_P384_SIZE &&
                BN_bn2binpad(y_number, y, SEV_P384_SIZE) == SEV_P384_SIZE;
    BN_free(x_number);
    BN_free(y_number);
    return done;
}

EVP_PKEY *owner_key_of_amd(const struct sev_amd_certificate *cert)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_lebin2bn(cert->modulus, (int)cert->key_size, NULL);
    BIGNUM *e = BN_lebin2bn(cert->exponent, (int)cert->key_size, NULL);
    EVP_PKEY *key = NULL;
    if (builder && n && e && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        key = from_parameters("RSA", builder);
    BN_free(n);
    BN_free(e);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

bool owner_key_digest(EVP_PKEY *key, uint8_t digest[32])
{
    uint8_t *der = NULL;
    int size = i2d_PUBKEY(key, &der);
    bool done = size > 0 && EVP_Digest(der, (size_t)size, digest, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return done;
}

/* ---- roots ---- */

/*
 * SHA-256 of the public keys (SubjectPublicKeyInfo, DER) of AMD's own roots. From Milan on the ARK in
 * AMD's form (ark.cert) and the one in X.509 have the same key.
 */
static const struct {
    const char *product;
    uint8_t digest[32];
} genuine_roots[] = {
    { "Naples",
      { 0x3a, 0x04, 0xf8, 0xf1, 0x34, 0x7d, 0xe2, 0x06, 0xc9, 0x20, 0x6a, 0x81,
        0x14, 0x8b, 0xa4, 0xef, 0x0a, 0x23, 0x3b, 0x24, 0x5d, 0x43, 0xa1, 0x5d,
        0xd8, 0x2d, 0xe0, 0x43, 0xbb, 0x3e, 0x4f, 0x69 } },
    { "Rome",
      { 0x74, 0x47, 0xff, 0xa2, 0x1e, 0x2b, 0x93, 0x8b, 0xfa, 0xde, 0x89, 0xf5,
        0xe9, 0x06, 0x6c, 0x00, 0xa3, 0x28, 0x81, 0x3b, 0xfc, 0x43, 0x68, 0x56,
        0x05, 0xcc, 0xea, 0xbd, 0x18, 0xda, 0x6f, 0xde } },
    { "Milan",
      { 0x9f, 0x05, 0x6b, 0xee, 0x44, 0x37, 0x7e, 0x29, 0x30, 0x8c, 0xb5, 0xff,
        0xa8, 0x95, 0xbd, 0xfb, 0x62, 0xd1, 0x88, 0x81, 0xfa, 0x6b, 0xed, 0x8d,
        0x6f, 0x07, 0x5b, 0x02, 0x04, 0x08, 0x9c, 0xb9 } },
    { "Genoa",
      { 0x42, 0x9a, 0x69, 0xc9, 0x42, 0x2a, 0xa2, 0x58, 0xee, 0x4d, 0x8d, 0xb5,
        0xfc, 0xda, 0x9c, 0x64, 0x70, 0xef, 0x15, 0xf8, 0xcd, 0x5a, 0x9c, 0xeb,
        0xd6, 0xcb, 0xc7, 0xd9, 0x0b, 0x86, 0x38, 0x31 } },
    { "Turin",
      { 0x4f, 0x12, 0x54, 0x10, 0x56, 0x3a, 0x2a, 0xb9, 0xa5, 0x03, 0x56, 0xf9,
        0x24, 0x3f, 0x6f, 0xe0, 0xb6, 0xf7, 0x3d, 0xe9, 0x86, 0x03, 0xf5, 0x3f,
        0x90, 0x33, 0x9c, 0x70, 0xe9, 0xd7, 0xad, 0x08 } },
};

const char *owner_root_product(EVP_PKEY *ark)
{
    uint8_t digest[32];
    if (!owner_key_digest(ark, digest))
        return NULL;
    for (size_t i = 0; i < sizeof(genuine_roots) / sizeof(genuine_roots[0]); i++) {
        if (memcmp(digest, genuine_roots[i].digest, sizeof(digest)) == 0)
            return genuine_roots[i].product;
    }
    return NULL;
}

/* ---- signatures ---- */

/* RSASSA-PSS with the hash that goes with the key's size; the salt is as long as the hash. */
static bool rsa_verify(EVP_PKEY *key, size_t key_size, const uint8_t *signature,
                       const uint8_t *data, size_t size)
{
    const EVP_MD *hash = key_size == 512 ? EVP_sha384() : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    uint8_t number[512];
    sev_reverse(number, signature, key_size);
    bool right = context && EVP_DigestVerifyInit(context, &options, hash, NULL, key) == 1 &&
                 EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1 &&
                 EVP_DigestVerify(context, number, key_size, data, size) == 1;
    EVP_MD_CTX_free(context);
    return right;
}

static const EVP_MD *ecdsa_hash(uint32_t algorithm)
{
    if (algorithm == SEV_ALGO_ECDSA_SHA256)
        return EVP_sha256();
    return algorithm == SEV_ALGO_ECDSA_SHA384 ? EVP_sha384() : NULL;
}

static int to_der(const uint8_t slot[SEV_CERT_SIG_SIZE], uint8_t **der)
{
    uint8_t r_bytes[SEV_P384_SIZE], s_bytes[SEV_P384_SIZE];
    if (!sev_ecdsa_decode(slot, r_bytes, s_bytes))
        return -1;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(r_bytes, sizeof(r_bytes), NULL);
    BIGNUM *s = BN_bin2bn(s_bytes, sizeof(s_bytes), NULL);
    int length = -1;
    if (signature && r && s && ECDSA_SIG_set0(signature, r, s) == 1)
        length = i2d_ECDSA_SIG(signature, der);
    else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(signature);
    return length;
}

bool owner_ecdsa_verify(EVP_PKEY *key, uint32_t algorithm, const uint8_t slot[SEV_CERT_SIG_SIZE],
                        const uint8_t *data, size_t size)
{
    const EVP_MD *hash = ecdsa_hash(algorithm);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t *der = NULL;
    int length = to_der(slot, &der);
    bool right = hash && context && length > 0 &&
                 EVP_DigestVerifyInit(context, NULL, hash, NULL, key) == 1 &&
                 EVP_DigestVerify(context, der, (size_t)length, data, size) == 1;
    OPENSSL_free(der);
    EVP_MD_CTX_free(context);
    return right;
}

bool owner_certificate_sign(EVP_PKEY *signer, uint32_t usage, struct sev_certificate *cert,
                            int slot)
{
    struct sev_cert_signature *target = &cert->signature[slot];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t bytes[SEV_CERT_SIZE], der[128], r[SEV_P384_SIZE], s[SEV_P384_SIZE];
    const uint8_t *at = der;
    size_t size = sizeof(der);
    ECDSA_SIG *signature = NULL;
    sev_certificate_encode(cert, bytes);
    if (context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signer) == 1 &&
        EVP_DigestSign(context, der, &size, bytes, SEV_CERT_SIGNED_SIZE) == 1)
        signature = d2i_ECDSA_SIG(NULL, &at, (long)size);
    bool done = signature &&
                BN_bn2binpad(ECDSA_SIG_get0_r(signature), r, sizeof(r)) == sizeof(r) &&
                BN_bn2binpad(ECDSA_SIG_get0_s(signature), s, sizeof(s)) == sizeof(s);
    if (done) {
        sev_ecdsa_encode(r, s, target->bytes);
        target->usage = usage;
        target->algorithm = SEV_ALGO_ECDSA_SHA256;
    }
    ECDSA_SIG_free(signature);
    EVP_MD_CTX_free(context);
    return done;
}

/* ---- chains ---- */

static const char *add_amd(struct owner_chain *chain, const uint8_t *data, size_t size,
                           size_t *used)
{
    struct sev_amd_certificate cert;
    const char *reason = sev_amd_certificate_decode(data, size, &cert);
    if (reason)
        return reason;
    bool ark = cert.usage == SEV_USAGE_ARK;
    if (ark ? chain->ark != NULL : chain->ask != NULL)
        return "a certificate of the same kind is already there";
    *(ark ? &chain->ark : &chain->ask) = data;
    *(ark ? &chain->ark_size : &chain->ask_size) = cert.size;
    *used = cert.size;
    return NULL;
}

static bool is_unsigned(const uint8_t *cek)
{
    struct sev_certificate cert;
    return !sev_certificate_decode(cek, SEV_CERT_SIZE, &cert) &&
           cert.signature[0].usage == SEV_USAGE_INVALID &&
           cert.signature[1].usage == SEV_USAGE_INVALID;
}

/* A platform exports its CEK unsigned, AMD has the signed one: it counts, in whichever order. */
static const char *choose_cek(const uint8_t **place, const uint8_t *data)
{
    struct sev_certificate old, new;
    if (sev_certificate_decode(*place, SEV_CERT_SIZE, &old) ||
        sev_certificate_decode(data, SEV_CERT_SIZE, &new))
        return "a CEK is damaged";
    if (memcmp(old.x, new.x, sizeof(old.x)) != 0 || memcmp(old.y, new.y, sizeof(old.y)) != 0)
        return "another chip's CEK is already there";
    if (is_unsigned(*place) == is_unsigned(data))
        return "a certificate of the same kind is already there";
    if (is_unsigned(*place))
        *place = data;
    return NULL;
}

static const char *add_sev(struct owner_chain *chain, const uint8_t *data, size_t size)
{
    struct sev_certificate cert;
    const char *reason = size < SEV_CERT_SIZE ? "it ends inside a certificate"
                                              : sev_certificate_decode(data, SEV_CERT_SIZE, &cert);
    const uint8_t **place = NULL;
    if (reason)
        return reason;
    if (cert.usage == SEV_USAGE_PDH)
        place = &chain->pdh;
    else if (cert.usage == SEV_USAGE_PEK)
        place = &chain->pek;
    else if (cert.usage == SEV_USAGE_OCA)
        place = &chain->oca;
    else if (cert.usage == SEV_USAGE_CEK)
        place = &chain->cek;
    if (!place)
        return "a certificate has an unknown usage";
    if (*place && cert.usage == SEV_USAGE_CEK)
        return choose_cek(place, data);
    if (*place)
        return "a certificate of the same kind is already there";
    *place = data;
    return NULL;
}

/* A SEV certificate has its usage (1001h and up) where AMD's form has bytes of its key id. */
static bool is_sev(const uint8_t *data, size_t size)
{
    return size >= 16 && load_le32(data + 8) >= SEV_USAGE_OCA &&
           load_le32(data + 8) <= SEV_USAGE_CEK && load_le16(data + 6) == 0;
}

const char *owner_chain_add(struct owner_chain *chain, const uint8_t *data, size_t size)
{
    if (size == 0)
        return "it is empty";
    while (size) {
        size_t used = SEV_CERT_SIZE;
        const char *reason = is_sev(data, size) ? add_sev(chain, data, size)
                                                : add_amd(chain, data, size, &used);
        if (reason)
            return reason;
        data += used;
        size -= used;
    }
    return NULL;
}

/* Why `bytes` is not signed, in the slot that names this usage, by the P-384 key of `signer`. */
static const char *ec_link(const uint8_t *signer, uint32_t usage, const uint8_t *bytes)
{
    struct sev_certificate from, to;
    bool right = false, any = false;
    if (sev_certificate_decode(signer, SEV_CERT_SIZE, &from) || from.usage != usage)
        return "the signer's certificate is damaged";
    if (sev_certificate_decode(bytes, SEV_CERT_SIZE, &to))
        return "the signed certificate is damaged";
    EVP_PKEY *key = owner_key_from_point(from.x, from.y);
    if (!key)
        return "the signer's key is not a point of P-384";
    for (int i = 0; i < 2; i++) {
        any |= to.signature[i].usage == usage;
        right |= to.signature[i].usage == usage &&
                 owner_ecdsa_verify(key, to.signature[i].algorithm, to.signature[i].bytes, bytes,
                                    SEV_CERT_SIGNED_SIZE);
    }
    EVP_PKEY_free(key);
    if (right)
        return NULL;
    return any ? "the signature is not by this key, or the certificate was changed"
               : "no signature in it claims to be by this kind of certificate";
}

static const char *amd_link(const uint8_t *signer, size_t signer_size, const uint8_t *bytes,
                            size_t size)
{
    struct sev_amd_certificate from, to;
    if (sev_amd_certificate_decode(signer, signer_size, &from))
        return "the signer's certificate is damaged";
    if (sev_amd_certificate_decode(bytes, size, &to))
        return "the signed certificate is damaged";
    if (from.key_size != to.key_size)
        return "the keys differ in size: certificates of two products";
    if (memcmp(from.key_id, to.certifying_id, sizeof(from.key_id)) != 0)
        return "it names another signer's key id: certificates of two products";
    EVP_PKEY *key = owner_key_of_amd(&from);
    bool right = key && rsa_verify(key, from.key_size, to.signature, bytes, to.signed_size);
    EVP_PKEY_free(key);
    return right ? NULL : "the signature is not by this key, or the certificate was changed";
}

/* The algorithm in the slot must be the one of the ASK's key size: never guess. */
static const char *ask_link(const uint8_t *ask, size_t ask_size, const uint8_t *cek)
{
    struct sev_amd_certificate from;
    struct sev_certificate to;
    bool right = false, fits = false;
    if (sev_amd_certificate_decode(ask, ask_size, &from))
        return "the signer's certificate is damaged";
    if (sev_certificate_decode(cek, SEV_CERT_SIZE, &to))
        return "the signed certificate is damaged";
    uint32_t algorithm = from.key_size == 512 ? SEV_ALGO_RSA_SHA384 : SEV_ALGO_RSA_SHA256;
    EVP_PKEY *key = owner_key_of_amd(&from);
    for (int i = 0; key && i < 2; i++) {
        bool claimed = to.signature[i].usage == SEV_USAGE_ASK &&
                       to.signature[i].algorithm == algorithm;
        fits |= claimed;
        right |= claimed && rsa_verify(key, from.key_size, to.signature[i].bytes, cek,
                                       SEV_CERT_SIGNED_SIZE);
    }
    EVP_PKEY_free(key);
    if (right)
        return NULL;
    return fits ? "the signature is not by this key, or the certificate was changed"
                : "its signature is not of the ASK's kind: certificates of two products";
}

static const char *product_of(const uint8_t *ark, size_t size)
{
    struct sev_amd_certificate cert;
    if (!ark || sev_amd_certificate_decode(ark, size, &cert))
        return NULL;
    EVP_PKEY *key = owner_key_of_amd(&cert);
    const char *product = key ? owner_root_product(key) : NULL;
    EVP_PKEY_free(key);
    return product;
}

static void judge(struct owner_chain_verdict *verdict, enum owner_link link, const char *reason)
{
    verdict->link[link] = reason ? OWNER_LINK_BAD : OWNER_LINK_GOOD;
    verdict->reason[link] = reason;
}

void owner_chain_verify(const struct owner_chain *chain, struct owner_chain_verdict *ret)
{
    const struct owner_chain *c = chain;
    memset(ret, 0, sizeof(*ret));
    for (int i = 0; i < OWNER_LINKS; i++)
        ret->link[i] = OWNER_LINK_ABSENT;
    if (c->ark)
        judge(ret, OWNER_ARK_SELF, amd_link(c->ark, c->ark_size, c->ark, c->ark_size));
    if (c->ark && c->ask)
        judge(ret, OWNER_ARK_ASK, amd_link(c->ark, c->ark_size, c->ask, c->ask_size));
    /* As a platform exports it the CEK is unsigned: the signed one is AMD's to give. */
    if (c->ask && c->cek && !is_unsigned(c->cek))
        judge(ret, OWNER_ASK_CEK, ask_link(c->ask, c->ask_size, c->cek));
    if (c->cek && c->pek)
        judge(ret, OWNER_CEK_PEK, ec_link(c->cek, SEV_USAGE_CEK, c->pek));
    if (c->oca)
        judge(ret, OWNER_OCA_SELF, ec_link(c->oca, SEV_USAGE_OCA, c->oca));
    if (c->oca && c->pek)
        judge(ret, OWNER_OCA_PEK, ec_link(c->oca, SEV_USAGE_OCA, c->pek));
    if (c->pek && c->pdh)
        judge(ret, OWNER_PEK_PDH, ec_link(c->pek, SEV_USAGE_PEK, c->pdh));
    ret->product = product_of(c->ark, c->ark_size);
}

const char *owner_link_name(enum owner_link link)
{
    static const char *const names[OWNER_LINKS] = {
        [OWNER_ARK_SELF] = "ARK signs itself", [OWNER_ARK_ASK] = "ARK signs ASK",
        [OWNER_ASK_CEK] = "ASK signs CEK",     [OWNER_CEK_PEK] = "CEK signs PEK",
        [OWNER_OCA_SELF] = "OCA signs itself", [OWNER_OCA_PEK] = "OCA signs PEK",
        [OWNER_PEK_PDH] = "PEK signs PDH",
    };
    return names[link];
}
