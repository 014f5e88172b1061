/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Binary SEV certificates: the 0x824-byte form of PDH, PEK, OCA and CEK, and AMD's ARK/ASK form.
 * Pure codecs: structure and bounds are checked here, cryptography elsewhere.
 */
#ifndef PRIVET_SEV_CERTIFICATE_H
#define PRIVET_SEV_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEV_CERT_SIZE        0x824u
#define SEV_CERT_SIGNED_SIZE 0x414u /* both signatures cover these bytes */
#define SEV_CERT_SIG_SIZE    0x200u
#define SEV_CHAIN_SIZE       (3 * SEV_CERT_SIZE) /* PDH_CERT_EXPORT: PEK, OCA, CEK */
#define SEV_EC_FIELD         72u /* width of a coordinate, little-endian, in certificates */
#define SEV_P384_SIZE        48u

enum sev_usage {
    SEV_USAGE_ARK = 0x0000,
    SEV_USAGE_ASK = 0x0013,
    SEV_USAGE_INVALID = 0x1000, /* empty signature slot */
    SEV_USAGE_OCA = 0x1001,
    SEV_USAGE_PEK = 0x1002,
    SEV_USAGE_PDH = 0x1003,
    SEV_USAGE_CEK = 0x1004,
};

enum sev_algorithm {
    SEV_ALGO_NONE = 0x000,
    SEV_ALGO_RSA_SHA256 = 0x001,
    SEV_ALGO_ECDSA_SHA256 = 0x002,
    SEV_ALGO_ECDH_SHA256 = 0x003,
    SEV_ALGO_RSA_SHA384 = 0x101,
    SEV_ALGO_ECDSA_SHA384 = 0x102,
    SEV_ALGO_ECDH_SHA384 = 0x103,
};

#define SEV_CURVE_P256 1u
#define SEV_CURVE_P384 2u

struct sev_cert_signature {
    uint32_t usage; /* of the signer */
    uint32_t algorithm;
    uint8_t bytes[SEV_CERT_SIG_SIZE];
};

struct sev_certificate {
    uint8_t api_major, api_minor;
    uint32_t usage, algorithm;
    uint32_t curve;
    uint8_t x[SEV_P384_SIZE], y[SEV_P384_SIZE]; /* big-endian */
    struct sev_cert_signature signature[2];
};

/*
 * Decodes a P-384 certificate. NULL when it is well formed, else the reason as a phrase: wrong
 * length or version, reserved bytes, an RSA or P-256 key, a number wider than the curve, a slot
 * with usage but without algorithm. Does not check that the point is on the curve.
 */
const char *sev_certificate_decode(const uint8_t *data, size_t size,
                                   struct sev_certificate *ret_cert);

/* The reverse, all of the SEV_CERT_SIZE bytes. */
void sev_certificate_encode(const struct sev_certificate *cert, uint8_t data[SEV_CERT_SIZE]);

/* Makes a slot empty (usage INVALID, algorithm 0, zeros). */
void sev_signature_clear(struct sev_cert_signature *signature);

/* ECDSA r and s (48 bytes each, big-endian) to and from the slot form. False: too wide. */
void sev_ecdsa_encode(const uint8_t r[SEV_P384_SIZE], const uint8_t s[SEV_P384_SIZE],
                      uint8_t slot[SEV_CERT_SIG_SIZE]);
bool sev_ecdsa_decode(const uint8_t slot[SEV_CERT_SIG_SIZE], uint8_t r[SEV_P384_SIZE],
                      uint8_t s[SEV_P384_SIZE]);

/* AMD root certificate. Numbers point into the caller's bytes and are little-endian. */
struct sev_amd_certificate {
    uint8_t key_id[16], certifying_id[16];
    uint32_t usage;
    size_t key_size;     /* bytes of modulus, exponent field and signature: 256 or 512 */
    size_t signed_size;  /* bytes before the signature */
    size_t size;         /* of the whole certificate */
    const uint8_t *exponent, *modulus, *signature;
};

#define SEV_AMD_CERT_MAX 0x640u

/*
 * Decodes the certificate at the start of `data`; more bytes may follow (ret->size says where it
 * ends). NULL or the reason.
 */
const char *sev_amd_certificate_decode(const uint8_t *data, size_t size,
                                       struct sev_amd_certificate *ret);

/*
 * Encodes everything but the signature, which is left zero. modulus is little-endian, key_size
 * bytes; exponent is 65537. Returns the size.
 */
size_t sev_amd_certificate_encode(uint32_t usage, const uint8_t key_id[16],
                                  const uint8_t certifying_id[16], const uint8_t *modulus,
                                  size_t key_size, uint8_t data[SEV_AMD_CERT_MAX]);

/* "PDH", "ARK", ..., "unknown". */
const char *sev_usage_name(uint32_t usage);

/* Copies `size` bytes in reverse order. */
void sev_reverse(uint8_t *to, const uint8_t *from, size_t size);

#endif
