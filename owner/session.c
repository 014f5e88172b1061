/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Launch sessions and secret packets, from the owner's end (SEV API, LAUNCH_START and
 * LAUNCH_SECRET). */
#include "owner/session.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "owner/certs.h"
#include "sev/bytes.h"

/* HMAC-SHA-256 over the concatenation of parts. */
struct part {
    const void *data;
    size_t size;
};

static bool hmac_parts(const uint8_t *key, size_t key_size, const struct part *parts, size_t count,
                       uint8_t mac[SEV_MAC_SIZE])
{
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = algorithm ? EVP_MAC_CTX_new(algorithm) : NULL;
    size_t size = 0;
    bool done = context && EVP_MAC_init(context, key, key_size, parameters) == 1;
    for (size_t i = 0; done && i < count; i++)
        done = EVP_MAC_update(context, parts[i].data, parts[i].size) == 1;
    done = done && EVP_MAC_final(context, mac, &size, SEV_MAC_SIZE) == 1 && size == SEV_MAC_SIZE;
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(algorithm);
    return done;
}

/* One block of SP 800-108 in counter mode is enough: every key here is 16 bytes. */
static bool derive(const uint8_t *key, size_t key_size, const char *label, const uint8_t *context,
                   size_t context_size, uint8_t out[SEV_KEY_SIZE])
{
    static const uint8_t counter[4] = { 1, 0, 0, 0 }, length[4] = { 128, 0, 0, 0 };
    uint8_t block[SEV_MAC_SIZE];
    const struct part parts[] = {
        { counter, sizeof(counter) },
        { label, strlen(label) + 1 }, /* the terminator is the separator */
        { context, context_size },
        { length, sizeof(length) },
    };
    bool done = hmac_parts(key, key_size, parts, 4, block);
    memcpy(out, block, SEV_KEY_SIZE);
    OPENSSL_cleanse(block, sizeof(block));
    return done;
}

/* AES-128-CTR; the counter is the whole IV as one big-endian number. */
static bool encrypt(const uint8_t key[SEV_KEY_SIZE], const uint8_t iv[16], const uint8_t *from,
                    uint8_t *to, size_t size)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;
    bool done = context && EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, key, iv) == 1 &&
                EVP_EncryptUpdate(context, to, &written, from, (int)size) == 1;
    EVP_CIPHER_CTX_free(context);
    return done && (size_t)written == size;
}

bool owner_session_wrap(const uint8_t secret[SEV_ECDH_SECRET_SIZE],
                        const struct owner_random *random, uint32_t policy,
                        struct sev_session *ret)
{
    uint8_t master[SEV_KEY_SIZE], kek[SEV_KEY_SIZE], kik[SEV_KEY_SIZE], policy_bytes[4];
    uint8_t both[2 * SEV_KEY_SIZE];
    const struct part wrapped = { ret->wrap_tk, sizeof(ret->wrap_tk) };
    const struct part policy_part = { policy_bytes, sizeof(policy_bytes) };
    memcpy(both, random->keys.tek, SEV_KEY_SIZE);
    memcpy(both + SEV_KEY_SIZE, random->keys.tik, SEV_KEY_SIZE);
    memcpy(ret->nonce, random->nonce, sizeof(ret->nonce));
    memcpy(ret->wrap_iv, random->wrap_iv, sizeof(ret->wrap_iv));
    store_le32(policy_bytes, policy);
    bool done = derive(secret, SEV_ECDH_SECRET_SIZE, SEV_LABEL_MASTER, random->nonce,
                       sizeof(random->nonce), master) &&
                derive(master, SEV_KEY_SIZE, SEV_LABEL_KEK, NULL, 0, kek) &&
                derive(master, SEV_KEY_SIZE, SEV_LABEL_KIK, NULL, 0, kik) &&
                encrypt(kek, random->wrap_iv, both, ret->wrap_tk, sizeof(both)) &&
                hmac_parts(kik, SEV_KEY_SIZE, &wrapped, 1, ret->wrap_mac) &&
                hmac_parts(random->keys.tik, SEV_KEY_SIZE, &policy_part, 1, ret->policy_mac);
    OPENSSL_cleanse(master, sizeof(master));
    OPENSSL_cleanse(kek, sizeof(kek));
    OPENSSL_cleanse(kik, sizeof(kik));
    OPENSSL_cleanse(both, sizeof(both));
    return done;
}

static bool agree(EVP_PKEY *own, EVP_PKEY *peer, uint8_t secret[SEV_ECDH_SECRET_SIZE])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(own, NULL);
    size_t size = SEV_ECDH_SECRET_SIZE;
    bool done = context && EVP_PKEY_derive_init(context) == 1 &&
                EVP_PKEY_derive_set_peer(context, peer) == 1 &&
                EVP_PKEY_derive(context, secret, &size) == 1 && size == SEV_ECDH_SECRET_SIZE;
    EVP_PKEY_CTX_free(context);
    return done;
}

/* The owner's certificate: a PDH that signs itself. Chips do not check that signature. */
static bool make_certificate(EVP_PKEY *key, const struct sev_certificate *pdh,
                             uint8_t bytes[SEV_CERT_SIZE])
{
    struct sev_certificate cert = {
        .api_major = pdh->api_major,
        .api_minor = pdh->api_minor,
        .usage = SEV_USAGE_PDH,
        .algorithm = SEV_ALGO_ECDH_SHA256,
        .curve = SEV_CURVE_P384,
    };
    if (!owner_key_point(key, cert.x, cert.y))
        return false;
    sev_signature_clear(&cert.signature[0]);
    sev_signature_clear(&cert.signature[1]);
    if (!owner_certificate_sign(key, SEV_USAGE_PDH, &cert, 0))
        return false;
    sev_certificate_encode(&cert, bytes);
    return true;
}

bool owner_random_bytes(uint8_t bytes[16])
{
    return RAND_bytes(bytes, 16) == 1;
}

static bool make_random(struct owner_random *random)
{
    return RAND_priv_bytes(random->keys.tek, SEV_KEY_SIZE) == 1 &&
           RAND_priv_bytes(random->keys.tik, SEV_KEY_SIZE) == 1 &&
           owner_random_bytes(random->nonce) && owner_random_bytes(random->wrap_iv);
}

const char *owner_session_make(const uint8_t *pdh, size_t pdh_size, uint32_t policy,
                               struct owner_session *ret)
{
    struct sev_certificate cert;
    struct owner_random random;
    uint8_t secret[SEV_ECDH_SECRET_SIZE];
    const char *reason = sev_certificate_decode(pdh, pdh_size, &cert);
    if (reason)
        return reason;
    if (cert.usage != SEV_USAGE_PDH)
        return "it is not a PDH certificate";
    EVP_PKEY *platform = owner_key_from_point(cert.x, cert.y);
    EVP_PKEY *own = EVP_EC_gen("P-384");
    if (!platform)
        reason = "its public key is not a point of the curve";
    else if (!own || !make_random(&random) || !agree(own, platform, secret) ||
             !make_certificate(own, &cert, ret->certificate) ||
             !owner_session_wrap(secret, &random, policy, &ret->session))
        reason = "the cryptographic library failed";
    if (!reason)
        ret->keys = random.keys;
    EVP_PKEY_free(platform);
    EVP_PKEY_free(own);
    OPENSSL_cleanse(&random, sizeof(random));
    OPENSSL_cleanse(secret, sizeof(secret));
    return reason;
}

bool owner_secret_seal(const struct owner_keys *keys, const uint8_t iv[16],
                       const uint8_t *plaintext, size_t size, const uint8_t *measure,
                       struct sev_packet_header *ret_header, uint8_t *data)
{
    uint8_t prefix[SEV_PACKET_PREFIX_SIZE];
    const struct part parts[] = {
        { prefix, sizeof(prefix) },
        { data, size },
        { measure, SEV_MAC_SIZE },
    };
    if (!encrypt(keys->tek, iv, plaintext, data, size))
        return false;
    sev_packet_prefix(SEV_PACKET_SECRET, 0, iv, (uint32_t)size, (uint32_t)size, prefix);
    memset(ret_header->flags, 0, sizeof(ret_header->flags));
    memcpy(ret_header->iv, iv, sizeof(ret_header->iv));
    return hmac_parts(keys->tik, SEV_KEY_SIZE, parts, measure ? 3 : 2, ret_header->mac);
}
