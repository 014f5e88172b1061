/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The launch session (SEV API, 0x80 bytes), the guest policy and the byte strings that go into the
 * MACs of measurement and secret packet. Layouts only: digests and keys come and go as bytes.
 */
#ifndef PRIVET_SEV_SESSION_H
#define PRIVET_SEV_SESSION_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEV_SESSION_SIZE     0x80u
#define SEV_KEY_SIZE         16u /* TEK, TIK, KEK, KIK, master secret, nonces */
#define SEV_MAC_SIZE         32u
#define SEV_DIGEST_SIZE      32u
#define SEV_ECDH_SECRET_SIZE 48u /* x coordinate of a P-384 point, big-endian */

struct sev_session {
    uint8_t nonce[16];
    uint8_t wrap_tk[32]; /* TEK, then TIK, under AES-128-CTR with KEK */
    uint8_t wrap_iv[16];
    uint8_t wrap_mac[32];   /* HMAC-SHA256(KIK, wrap_tk) */
    uint8_t policy_mac[32]; /* HMAC-SHA256(TIK, policy little-endian) */
};
static_assert(sizeof(struct sev_session) == SEV_SESSION_SIZE, "session layout");

/* Labels of the key derivation; one zero byte follows the label, the terminator is not hashed. */
#define SEV_LABEL_MASTER "sev-master-secret"
#define SEV_LABEL_KEK    "sev-kek"
#define SEV_LABEL_KIK    "sev-kik"

/* Guest policy bits. */
#define SEV_POLICY_NODBG    0x00000001u
#define SEV_POLICY_NOKS     0x00000002u
#define SEV_POLICY_ES       0x00000004u
#define SEV_POLICY_NOSEND   0x00000008u
#define SEV_POLICY_DOMAIN   0x00000010u
#define SEV_POLICY_SEV      0x00000020u
#define SEV_POLICY_RESERVED 0x0000FFC0u

static inline uint8_t sev_policy_api_major(uint32_t policy)
{
    return (uint8_t)(policy >> 16);
}

static inline uint8_t sev_policy_api_minor(uint32_t policy)
{
    return (uint8_t)(policy >> 24);
}

/*
 * "0x5", "5", "nodbg,es", "none"; a word api=MAJOR.MINOR sets the minimum version. Words are
 * separated by commas. False: anything else; *ret is then unchanged.
 */
bool sev_policy_parse(const char *text, uint32_t *ret);

/* The bits' words, comma separated ("none" for 0), into `text`; cut off if it does not fit. */
void sev_policy_names(uint32_t policy, char *text, size_t size);

/* What the launch measurement's MAC covers. */
struct sev_measure_input {
    uint8_t api_major, api_minor, build;
    uint32_t policy;
    uint8_t digest[SEV_DIGEST_SIZE];
    uint8_t nonce[16]; /* MNONCE */
};

#define SEV_MEASURE_INPUT_MAX 56u

/* API 0.17 and later: 04h, version bytes, policy, digest, nonce; before: without the first four. */
size_t sev_measure_message(const struct sev_measure_input *input,
                           uint8_t message[SEV_MEASURE_INPUT_MAX]);

/* True if this API's measurement and secret have the version bytes and MEASURE (0.17 and later). */
bool sev_api_binds_version(uint8_t major, uint8_t minor);

/* Output of LAUNCH_MEASURE. */
struct sev_measure_blob {
    uint8_t measure[SEV_MAC_SIZE];
    uint8_t nonce[16];
};
static_assert(sizeof(struct sev_measure_blob) == 0x30, "measurement layout");

/* Output of ATTESTATION, signed by the PEK over what comes before signature_usage. */
struct sev_attestation_report {
    uint8_t mnonce[16]; /* the caller's */
    uint8_t digest[SEV_DIGEST_SIZE];
    uint8_t policy[4]; /* this and the next two little-endian */
    uint8_t signature_usage[4];
    uint8_t signature_algorithm[4];
    uint8_t reserved[4];
    uint8_t signature[144]; /* ECDSA: r, then s, 72 bytes each, little-endian */
};
static_assert(sizeof(struct sev_attestation_report) == 0xD0, "attestation report layout");
static_assert(offsetof(struct sev_attestation_report, signature_usage) == 0x34,
              "attestation report layout");

/* Header of a packet of guest memory (LAUNCH_SECRET, SEND_UPDATE_*, RECEIVE_UPDATE_*). */
#define SEV_PACKET_HEADER_SIZE 0x34u
#define SEV_PACKET_COMPRESSED  0x1u

struct sev_packet_header {
    uint8_t flags[4]; /* little-endian */
    uint8_t iv[16];
    uint8_t mac[32];
};
static_assert(sizeof(struct sev_packet_header) == SEV_PACKET_HEADER_SIZE, "packet layout");

/* First byte under a packet's MAC, so that none passes for one of another kind. */
enum sev_packet_kind { SEV_PACKET_SECRET = 0x01, SEV_PACKET_MIGRATION = 0x02 };

/*
 * First part of what a packet's MAC covers: kind, flags, IV, both lengths. The data follow and, in a
 * secret packet from API 0.17 on, the 32-byte MEASURE.
 */
#define SEV_PACKET_PREFIX_SIZE 29u
void sev_packet_prefix(enum sev_packet_kind kind, uint32_t flags, const uint8_t iv[16],
                       uint32_t guest_length, uint32_t transport_length,
                       uint8_t prefix[SEV_PACKET_PREFIX_SIZE]);

#endif
