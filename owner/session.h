/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guest owner's side of a launch session: from the platform's PDH certificate to the owner's
 * Diffie-Hellman certificate, the session buffer and the transport keys; and the secret packet.
 */
#ifndef PRIVET_OWNER_SESSION_H
#define PRIVET_OWNER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sev/certificate.h"
#include "sev/session.h"

struct owner_keys {
    uint8_t tek[SEV_KEY_SIZE], tik[SEV_KEY_SIZE];
};

/* Everything in a session that is chosen at random. */
struct owner_random {
    struct owner_keys keys;
    uint8_t nonce[16], wrap_iv[16];
};

/*
 * The session buffer from the shared secret (x coordinate, big-endian) and the chosen values.
 * False only when the cryptographic library fails.
 */
bool owner_session_wrap(const uint8_t secret[SEV_ECDH_SECRET_SIZE],
                        const struct owner_random *random, uint32_t policy,
                        struct sev_session *ret);

struct owner_session {
    uint8_t certificate[SEV_CERT_SIZE]; /* usage PDH, signed by its own key */
    struct sev_session session;
    struct owner_keys keys;
};

/*
 * Makes a new session for the platform whose PDH certificate is given. NULL, or the reason why not
 * (the certificate is no PDH, its point is not on the curve, no random source). Whether the PDH is
 * to be trusted is the caller's question (owner/certs.h).
 */
const char *owner_session_make(const uint8_t *pdh, size_t pdh_size, uint32_t policy,
                               struct owner_session *ret);

/* Bytes of secret that LAUNCH_SECRET takes at most (what every tool of the field assumes). */
#define OWNER_SECRET_MAX 0x4000u

/*
 * Encrypts `size` bytes (a non-zero multiple of 16) into `data` and makes the packet header, bound
 * to the launch whose 32-byte MEASURE is given. NULL for `measure`: the form before API 0.17.
 */
bool owner_secret_seal(const struct owner_keys *keys, const uint8_t iv[16],
                       const uint8_t *plaintext, size_t size, const uint8_t *measure,
                       struct sev_packet_header *ret_header, uint8_t *data);

/* 16 fresh random bytes; false: no random source. */
bool owner_random_bytes(uint8_t bytes[16]);

#endif
