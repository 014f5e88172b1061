/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Verification of SEV certificate chains (SEV API, chapter on certificates) with OpenSSL. */
#include "owner/certs.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "sev/bytes.h"

#define POINT_SIZE (1 + 2 * SEV_P384_SIZE)

/* SHA-256 of AMD's own roots: the signed bytes of ark.cert as published for each product. */
static const struct {
    const char *product;
    uint8_t digest[32];
} genuine_roots[] = {
    { "Naples",
      { 0x8e, 0xfd, 0xdc, 0xaa, 0xf8, 0x49, 0x90, 0xcf, 0x63, 0x54, 0xd9, 0x36,
        0x37, 0xbe, 0x27, 0x02, 0x20, 0xcf, 0x15, 0x79, 0x73, 0x32, 0xb3, 0xd9,
        0x18, 0xc3, 0xb8, 0xcc, 0x77, 0x34, 0x9f, 0x31 } },
    { "Rome",
      { 0xae, 0x24, 0x56, 0xaf, 0x6c, 0x6a, 0xd2, 0x34, 0xba, 0xdd, 0x6c, 0x75,
        0xe5, 0x89, 0x15, 0xbe, 0x61, 0x56, 0x82, 0x86, 0x76, 0x60, 0x83, 0x85,
        0x3b, 0xf6, 0x68, 0xe6, 0xe2, 0x39, 0x77, 0xc3 } },
    { "Milan",
      { 0x26, 0x3b, 0x13, 0xfd, 0x31, 0x70, 0xc6, 0xff, 0xbb, 0x0b, 0x4f, 0x01,
        0xf0, 0x98, 0x48, 0xdc, 0x08, 0xa8, 0xdc, 0x1e, 0x96, 0x37, 0xd4, 0x7e,
        0x42, 0xcb, 0xe6, 0xc1, 0x35, 0xe4, 0xaf, 0x12 } },
    { "Genoa",
      { 0x97, 0x3d, 0xf6, 0x26, 0x5e, 0x1b, 0x40, 0xcf, 0x88, 0x83, 0x30, 0x5c,
        0x1f, 0x6a, 0x6c, 0xd2, 0x54, 0x97, 0x94, 0x46, 0xac, 0xb4, 0x0b, 0xd3,
        0x96, 0x94, 0x6b, 0x2f, 0x19, 0xe7, 0x51, 0xe9 } },
    { "Turin",
      { 0x89, 0x32, 0x76, 0x96, 0xf8, 0x08, 0x2b, 0x20, 0xf5, 0xa5, 0x88, 0x56,
        0x5a, 0xdc, 0x26, 0xd4, 0x78, 0xe1, 0xc6, 0xd5, 0x61, 0x53, 0xc1, 0xde,
        0x65, 0x6e, 0x63, 0x39, 0x6b, 0x8f, 0x8e, 0x20 } },
};

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

static EVP_PKEY *rsa_key(const struct sev_amd_certificate *cert)
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

static bool ecdsa_verify(EVP_PKEY *key, const struct sev_cert_signature *signature,
                         const uint8_t *data, size_t size)
{
    const EVP_MD *hash = ecdsa_hash(signature->algorithm);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t *der = NULL;
    int length = to_der(signature->bytes, &der);
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

/* Is `bytes` signed, in the slot that names this usage, by the P-384 key of `signer`? */
static enum owner_link_state ec_link(const uint8_t *signer, uint32_t usage, const uint8_t *bytes)
{
    struct sev_certificate from, to;
    if (!signer || !bytes)
        return OWNER_LINK_ABSENT;
    if (sev_certificate_decode(signer, SEV_CERT_SIZE, &from) ||
        sev_certificate_decode(bytes, SEV_CERT_SIZE, &to) || from.usage != usage)
        return OWNER_LINK_BAD;
    EVP_PKEY *key = owner_key_from_point(from.x, from.y);
    bool right = false;
    for (int i = 0; key && i < 2; i++)
        right |= to.signature[i].usage == usage &&
                 ecdsa_verify(key, &to.signature[i], bytes, SEV_CERT_SIGNED_SIZE);
    EVP_PKEY_free(key);
    return right ? OWNER_LINK_GOOD : OWNER_LINK_BAD;
}

static enum owner_link_state amd_link(const uint8_t *signer, size_t signer_size,
                                      const uint8_t *bytes, size_t size)
{
    struct sev_amd_certificate from, to;
    if (!signer || !bytes)
        return OWNER_LINK_ABSENT;
    if (sev_amd_certificate_decode(signer, signer_size, &from) ||
        sev_amd_certificate_decode(bytes, size, &to) || from.key_size != to.key_size ||
        memcmp(from.key_id, to.certifying_id, sizeof(from.key_id)) != 0)
        return OWNER_LINK_BAD;
    EVP_PKEY *key = rsa_key(&from);
    bool right = key && rsa_verify(key, from.key_size, to.signature, bytes, to.signed_size);
    EVP_PKEY_free(key);
    return right ? OWNER_LINK_GOOD : OWNER_LINK_BAD;
}

/* The algorithm in the slot must be the one of the ASK's key size: never guess. */
static enum owner_link_state ask_link(const uint8_t *ask, size_t ask_size, const uint8_t *cek)
{
    struct sev_amd_certificate from;
    struct sev_certificate to;
    bool right = false, any = false;
    if (!ask || !cek)
        return OWNER_LINK_ABSENT;
    if (sev_amd_certificate_decode(ask, ask_size, &from) ||
        sev_certificate_decode(cek, SEV_CERT_SIZE, &to))
        return OWNER_LINK_BAD;
    uint32_t algorithm = from.key_size == 512 ? SEV_ALGO_RSA_SHA384 : SEV_ALGO_RSA_SHA256;
    EVP_PKEY *key = rsa_key(&from);
    for (int i = 0; key && i < 2; i++) {
        any |= to.signature[i].usage != SEV_USAGE_INVALID;
        right |= to.signature[i].usage == SEV_USAGE_ASK &&
                 to.signature[i].algorithm == algorithm &&
                 rsa_verify(key, from.key_size, to.signature[i].bytes, cek, SEV_CERT_SIGNED_SIZE);
    }
    EVP_PKEY_free(key);
    if (!any)
        return OWNER_LINK_ABSENT; /* as a platform exports it: the signed one is AMD's to give */
    return right ? OWNER_LINK_GOOD : OWNER_LINK_BAD;
}

static const char *product_of(const uint8_t *ark, size_t size)
{
    struct sev_amd_certificate cert;
    uint8_t digest[32];
    if (!ark || sev_amd_certificate_decode(ark, size, &cert) ||
        EVP_Digest(ark, cert.signed_size, digest, NULL, EVP_sha256(), NULL) != 1)
        return NULL;
    for (size_t i = 0; i < sizeof(genuine_roots) / sizeof(genuine_roots[0]); i++) {
        if (memcmp(digest, genuine_roots[i].digest, sizeof(digest)) == 0)
            return genuine_roots[i].product;
    }
    return NULL;
}

void owner_chain_verify(const struct owner_chain *chain, struct owner_chain_verdict *ret)
{
    const struct owner_chain *c = chain;
    ret->link[OWNER_ARK_SELF] = amd_link(c->ark, c->ark_size, c->ark, c->ark_size);
    ret->link[OWNER_ARK_ASK] = amd_link(c->ark, c->ark_size, c->ask, c->ask_size);
    ret->link[OWNER_ASK_CEK] = ask_link(c->ask, c->ask_size, c->cek);
    ret->link[OWNER_CEK_PEK] = ec_link(c->cek, SEV_USAGE_CEK, c->pek);
    ret->link[OWNER_OCA_SELF] = ec_link(c->oca, SEV_USAGE_OCA, c->oca);
    ret->link[OWNER_OCA_PEK] = ec_link(c->oca, SEV_USAGE_OCA, c->pek);
    ret->link[OWNER_PEK_PDH] = ec_link(c->pek, SEV_USAGE_PEK, c->pdh);
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
