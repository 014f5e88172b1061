/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Sessions: the transport keys TEK and TIK, wrapped with what two Diffie-Hellman keys agree upon.
 * The chip opens those of guest owners and senders, and makes those for receivers (SEV API 6,
 * LAUNCH_START, RECEIVE_START, SEND_START).
 */
#include <openssl/hmac.h>
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"

/* The keys that wrap (KEK) and authenticate (KIK) the transport keys. */
struct wrapping {
    uint8_t kek[SEV_KEY_SIZE], kik[SEV_KEY_SIZE];
};

static uint16_t agree(struct chip *chip, const struct sev_certificate *peer_cert,
                      const uint8_t nonce[16], struct wrapping *ret)
{
    uint8_t secret[SEV_ECDH_SECRET_SIZE], master[SEV_KEY_SIZE];
    EVP_PKEY *peer = key_from_point(peer_cert->x, peer_cert->y);
    EVP_PKEY *own = identity_pdh(chip);
    bool agreed = own && peer && key_agree(own, peer, secret);
    EVP_PKEY_free(peer);
    if (!agreed)
        return SEV_INVALID_CERTIFICATE; /* not a point of the curve */
    kdf(secret, sizeof(secret), SEV_LABEL_MASTER, nonce, 16, master, sizeof(master));
    kdf(master, sizeof(master), SEV_LABEL_KEK, NULL, 0, ret->kek, sizeof(ret->kek));
    kdf(master, sizeof(master), SEV_LABEL_KIK, NULL, 0, ret->kik, sizeof(ret->kik));
    OPENSSL_cleanse(secret, sizeof(secret));
    OPENSSL_cleanse(master, sizeof(master));
    return SEV_SUCCESS;
}

static bool mac_of(const uint8_t key[SEV_KEY_SIZE], const void *data, size_t length,
                   uint8_t mac[SEV_MAC_SIZE])
{
    return HMAC(EVP_sha256(), key, SEV_KEY_SIZE, data, length, mac, NULL) != NULL;
}

static bool policy_mac(const uint8_t tek_tik[2 * SEV_KEY_SIZE], uint32_t policy,
                       uint8_t mac[SEV_MAC_SIZE])
{
    uint8_t bytes[4];
    store_le32(bytes, policy);
    return mac_of(tek_tik + SEV_KEY_SIZE, bytes, sizeof(bytes), mac);
}

/* The MACs bind the wrapped keys to the shared secret, and the policy to the keys. */
static uint16_t unwrap(const struct wrapping *wrapping, uint32_t policy,
                       const struct sev_session *session, uint8_t tek_tik[2 * SEV_KEY_SIZE])
{
    uint8_t mac[SEV_MAC_SIZE];
    if (!mac_of(wrapping->kik, session->wrap_tk, sizeof(session->wrap_tk), mac))
        return SEV_HWERROR_PLATFORM;
    if (CRYPTO_memcmp(mac, session->wrap_mac, sizeof(mac)) != 0)
        return SEV_BAD_MEASUREMENT;
    memcpy(tek_tik, session->wrap_tk, sizeof(session->wrap_tk));
    if (!crypt_ctr(wrapping->kek, session->wrap_iv, tek_tik, 2 * SEV_KEY_SIZE) ||
        !policy_mac(tek_tik, policy, mac))
        return SEV_HWERROR_PLATFORM;
    return CRYPTO_memcmp(mac, session->policy_mac, sizeof(mac)) == 0 ? SEV_SUCCESS
                                                                     : SEV_BAD_MEASUREMENT;
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
    uint8_t cert[SEV_CERT_SIZE];
    struct sev_session session;
    struct sev_certificate peer;
    struct wrapping wrapping;
    if (command->session_len != SEV_SESSION_SIZE || command->dh_cert_len != SEV_CERT_SIZE)
        return SEV_INVALID_LENGTH;
    if (!chip_read(chip, command->dh_cert_paddr, cert, sizeof(cert)) ||
        !chip_read(chip, command->session_paddr, &session, sizeof(session)))
        return SEV_INVALID_ADDRESS;
    uint16_t status = cert_decode_peer(cert, &peer);
    if (status == SEV_SUCCESS)
        status = agree(chip, &peer, session.nonce, &wrapping);
    if (status != SEV_SUCCESS)
        return status;
    status = unwrap(&wrapping, command->policy, &session, tek_tik);
    OPENSSL_cleanse(&wrapping, sizeof(wrapping));
    if (status == SEV_SUCCESS && !policy_is_possible(chip, command->policy))
        status = SEV_POLICY_FAILURE;
    if (status != SEV_SUCCESS)
        OPENSSL_cleanse(tek_tik, 2 * SEV_KEY_SIZE);
    return status;
}

uint16_t session_make(struct chip *chip, const struct sev_certificate *peer, uint32_t policy,
                      const uint8_t tek_tik[2 * SEV_KEY_SIZE], struct sev_session *ret)
{
    struct wrapping wrapping;
    chip_random(chip, ret->nonce, sizeof(ret->nonce));
    chip_random(chip, ret->wrap_iv, sizeof(ret->wrap_iv));
    memcpy(ret->wrap_tk, tek_tik, sizeof(ret->wrap_tk));
    uint16_t status = agree(chip, peer, ret->nonce, &wrapping);
    if (status == SEV_SUCCESS &&
        !(crypt_ctr(wrapping.kek, ret->wrap_iv, ret->wrap_tk, sizeof(ret->wrap_tk)) &&
          mac_of(wrapping.kik, ret->wrap_tk, sizeof(ret->wrap_tk), ret->wrap_mac) &&
          policy_mac(tek_tik, policy, ret->policy_mac)))
        status = SEV_HWERROR_PLATFORM;
    if (status != SEV_SUCCESS)
        OPENSSL_cleanse(ret, sizeof(*ret));
    OPENSSL_cleanse(&wrapping, sizeof(wrapping));
    return status;
}
