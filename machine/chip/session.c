/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The guest owner's launch session as the chip opens it (SEV API 6, LAUNCH_START). */
#include <openssl/hmac.h>
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"

/* The owner's public key. Its certificate's signature is not looked at: the MACs prove the keys. */
static EVP_PKEY *owner_key(const uint8_t bytes[SEV_CERT_SIZE])
{
    struct sev_certificate cert;
    if (sev_certificate_decode(bytes, SEV_CERT_SIZE, &cert) || cert.usage != SEV_USAGE_PDH ||
        cert.algorithm != SEV_ALGO_ECDH_SHA256)
        return NULL;
    return key_from_point(cert.x, cert.y);
}

static bool mac_is(const uint8_t key[SEV_KEY_SIZE], const void *data, size_t length,
                   const uint8_t expected[SEV_MAC_SIZE])
{
    uint8_t mac[SEV_MAC_SIZE];
    return HMAC(EVP_sha256(), key, SEV_KEY_SIZE, data, length, mac, NULL) &&
           CRYPTO_memcmp(mac, expected, sizeof(mac)) == 0;
}

static bool unwrap(const uint8_t kek[SEV_KEY_SIZE], const struct sev_session *session,
                   uint8_t tek_tik[2 * SEV_KEY_SIZE])
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = 0;
    bool right = context &&
                 EVP_DecryptInit_ex(context, EVP_aes_128_ctr(), NULL, kek, session->wrap_iv) &&
                 EVP_DecryptUpdate(context, tek_tik, &done, session->wrap_tk,
                                   sizeof(session->wrap_tk));
    EVP_CIPHER_CTX_free(context);
    return right && done == (int)sizeof(session->wrap_tk);
}

/* The MACs that bind the wrapped keys to the shared secret and the policy to the keys. */
static uint16_t open_with(const uint8_t secret[SEV_ECDH_SECRET_SIZE], uint32_t policy,
                          const struct sev_session *session, uint8_t tek_tik[2 * SEV_KEY_SIZE])
{
    uint8_t master[SEV_KEY_SIZE], kek[SEV_KEY_SIZE], kik[SEV_KEY_SIZE], policy_bytes[4];
    uint16_t status = SEV_SUCCESS;
    kdf(secret, SEV_ECDH_SECRET_SIZE, SEV_LABEL_MASTER, session->nonce, sizeof(session->nonce),
        master, sizeof(master));
    kdf(master, sizeof(master), SEV_LABEL_KEK, NULL, 0, kek, sizeof(kek));
    kdf(master, sizeof(master), SEV_LABEL_KIK, NULL, 0, kik, sizeof(kik));
    store_le32(policy_bytes, policy);
    if (!mac_is(kik, session->wrap_tk, sizeof(session->wrap_tk), session->wrap_mac))
        status = SEV_BAD_MEASUREMENT;
    else if (!unwrap(kek, session, tek_tik))
        status = SEV_HWERROR_PLATFORM;
    else if (!mac_is(tek_tik + SEV_KEY_SIZE, policy_bytes, 4, session->policy_mac))
        status = SEV_BAD_MEASUREMENT;
    OPENSSL_cleanse(master, sizeof(master));
    OPENSSL_cleanse(kek, sizeof(kek));
    OPENSSL_cleanse(kik, sizeof(kik));
    return status;
}

static bool policy_is_possible(const struct chip *chip, uint32_t policy)
{
    unsigned wanted = (unsigned)sev_policy_api_major(policy) << 8 | sev_policy_api_minor(policy);
    unsigned have = (unsigned)chip->config.api_major << 8 | chip->config.api_minor;
    return wanted <= have && !(policy & SEV_POLICY_RESERVED);
}

uint16_t session_open(struct chip *chip, const struct sev_launch_start *command,
                      uint8_t tek_tik[2 * SEV_KEY_SIZE])
{
    uint8_t cert[SEV_CERT_SIZE], secret[SEV_ECDH_SECRET_SIZE];
    struct sev_session session;
    if (command->session_len != SEV_SESSION_SIZE || command->dh_cert_len != SEV_CERT_SIZE)
        return SEV_INVALID_LENGTH;
    if (!chip_read(chip, command->dh_cert_paddr, cert, sizeof(cert)) ||
        !chip_read(chip, command->session_paddr, &session, sizeof(session)))
        return SEV_INVALID_ADDRESS;
    EVP_PKEY *peer = owner_key(cert);
    if (!peer)
        return SEV_INVALID_CERTIFICATE;
    EVP_PKEY *own = identity_key(chip, CHIP_KEY_PDH);
    bool agreed = own && key_agree(own, peer, secret);
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
    if (!agreed)
        return SEV_INVALID_CERTIFICATE;
    uint16_t status = open_with(secret, command->policy, &session, tek_tik);
    OPENSSL_cleanse(secret, sizeof(secret));
    if (status == SEV_SUCCESS && !policy_is_possible(chip, command->policy))
        status = SEV_POLICY_FAILURE;
    if (status != SEV_SUCCESS)
        OPENSSL_cleanse(tek_tik, 2 * SEV_KEY_SIZE);
    return status;
}
