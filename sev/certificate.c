/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Codecs of binary SEV certificates (SEV API, appendix C: certificate formats). */
#include "sev/certificate.h"

#include <string.h>

#include "sev/bytes.h"

enum {
    AT_VERSION = 0x000,
    AT_API = 0x004,
    AT_RESERVED = 0x006,
    AT_USAGE = 0x008,
    AT_ALGORITHM = 0x00C,
    AT_CURVE = 0x010,
    AT_X = 0x014,
    AT_Y = 0x05C,
    AT_KEY_END = 0x0A4,
    AT_SIGNATURE = 0x414,
    SIGNATURE_STEP = 0x208,

    AMD_VERSION = 0x00,
    AMD_KEY_ID = 0x04,
    AMD_CERTIFYING_ID = 0x14,
    AMD_USAGE = 0x24,
    AMD_EXPONENT_BITS = 0x38,
    AMD_MODULUS_BITS = 0x3C,
    AMD_NUMBERS = 0x40,
};

void sev_reverse(uint8_t *to, const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = from[size - 1 - i];
}

static bool all_zero(const uint8_t *p, size_t size)
{
    uint8_t any = 0;

    for (size_t i = 0; i < size; i++)
        any |= p[i];
    return any == 0;
}

/* 72 little-endian bytes of which only 48 may be used, to 48 big-endian ones. */
static bool load_coordinate(const uint8_t *field, uint8_t number[SEV_P384_SIZE])
{
    if (!all_zero(field + SEV_P384_SIZE, SEV_EC_FIELD - SEV_P384_SIZE))
        return false;
    sev_reverse(number, field, SEV_P384_SIZE);
    return true;
}

static const char *decode_slot(const uint8_t *slot, struct sev_cert_signature *signature)
{
    signature->usage = load_le32(slot);
    signature->algorithm = load_le32(slot + 4);
    memcpy(signature->bytes, slot + 8, SEV_CERT_SIG_SIZE);
    if ((signature->usage == SEV_USAGE_INVALID) != (signature->algorithm == SEV_ALGO_NONE))
        return "a signature slot is neither empty nor complete";
    return NULL;
}

const char *sev_certificate_decode(const uint8_t *data, size_t size,
                                   struct sev_certificate *ret_cert)
{
    struct sev_certificate cert;

    if (size != SEV_CERT_SIZE)
        return "the length is not 2084 bytes";
    if (load_le32(data + AT_VERSION) != 1)
        return "the certificate version is not 1";
    cert.api_major = data[AT_API];
    cert.api_minor = data[AT_API + 1];
    cert.usage = load_le32(data + AT_USAGE);
    cert.algorithm = load_le32(data + AT_ALGORITHM);
    cert.curve = load_le32(data + AT_CURVE);
    if (load_le16(data + AT_RESERVED) != 0)
        return "reserved bytes are not zero";
    if (cert.algorithm != SEV_ALGO_ECDSA_SHA256 && cert.algorithm != SEV_ALGO_ECDH_SHA256 &&
        cert.algorithm != SEV_ALGO_ECDSA_SHA384 && cert.algorithm != SEV_ALGO_ECDH_SHA384)
        return "the key is not an elliptic curve key";
    if (cert.curve != SEV_CURVE_P384)
        return "the curve is not P-384";
    if (!load_coordinate(data + AT_X, cert.x) || !load_coordinate(data + AT_Y, cert.y))
        return "a coordinate is wider than the curve";
    if (!all_zero(data + AT_KEY_END, AT_SIGNATURE - AT_KEY_END))
        return "bytes after the key are not zero";
    for (int i = 0; i < 2; i++) {
        const char *reason =
            decode_slot(data + AT_SIGNATURE + i * SIGNATURE_STEP, &cert.signature[i]);

        if (reason)
            return reason;
    }
    *ret_cert = cert;
    return NULL;
}

void sev_certificate_encode(const struct sev_certificate *cert, uint8_t data[SEV_CERT_SIZE])
{
    memset(data, 0, SEV_CERT_SIZE);
    store_le32(data + AT_VERSION, 1);
    data[AT_API] = cert->api_major;
    data[AT_API + 1] = cert->api_minor;
    store_le32(data + AT_USAGE, cert->usage);
    store_le32(data + AT_ALGORITHM, cert->algorithm);
    store_le32(data + AT_CURVE, cert->curve);
    sev_reverse(data + AT_X, cert->x, SEV_P384_SIZE);
    sev_reverse(data + AT_Y, cert->y, SEV_P384_SIZE);
    for (int i = 0; i < 2; i++) {
        uint8_t *slot = data + AT_SIGNATURE + i * SIGNATURE_STEP;

        store_le32(slot, cert->signature[i].usage);
        store_le32(slot + 4, cert->signature[i].algorithm);
        memcpy(slot + 8, cert->signature[i].bytes, SEV_CERT_SIG_SIZE);
    }
}

void sev_signature_clear(struct sev_cert_signature *signature)
{
    memset(signature, 0, sizeof(*signature));
    signature->usage = SEV_USAGE_INVALID;
}

void sev_ecdsa_encode(const uint8_t r[SEV_P384_SIZE], const uint8_t s[SEV_P384_SIZE],
                      uint8_t slot[SEV_CERT_SIG_SIZE])
{
    memset(slot, 0, SEV_CERT_SIG_SIZE);
    sev_reverse(slot, r, SEV_P384_SIZE);
    sev_reverse(slot + SEV_EC_FIELD, s, SEV_P384_SIZE);
}

bool sev_ecdsa_decode(const uint8_t slot[SEV_CERT_SIG_SIZE], uint8_t r[SEV_P384_SIZE],
                      uint8_t s[SEV_P384_SIZE])
{
    return load_coordinate(slot, r) && load_coordinate(slot + SEV_EC_FIELD, s);
}

const char *sev_amd_certificate_decode(const uint8_t *data, size_t size,
                                       struct sev_amd_certificate *ret)
{
    struct sev_amd_certificate cert;
    uint32_t exponent_bits, modulus_bits;

    if (size < AMD_NUMBERS)
        return "it is too short for an AMD root certificate";
    if (load_le32(data + AMD_VERSION) != 1)
        return "the certificate version is not 1";
    exponent_bits = load_le32(data + AMD_EXPONENT_BITS);
    modulus_bits = load_le32(data + AMD_MODULUS_BITS);
    if (modulus_bits != 2048 && modulus_bits != 4096)
        return "the key is neither RSA-2048 nor RSA-4096";
    if (exponent_bits != modulus_bits)
        return "exponent and modulus differ in width";
    memcpy(cert.key_id, data + AMD_KEY_ID, 16);
    memcpy(cert.certifying_id, data + AMD_CERTIFYING_ID, 16);
    cert.usage = load_le32(data + AMD_USAGE);
    if (cert.usage != SEV_USAGE_ARK && cert.usage != SEV_USAGE_ASK)
        return "it is neither an ARK nor an ASK";
    cert.key_size = modulus_bits / 8;
    cert.signed_size = AMD_NUMBERS + 2 * cert.key_size;
    cert.size = cert.signed_size + cert.key_size;
    if (size < cert.size)
        return "it ends before its signature does";
    cert.exponent = data + AMD_NUMBERS;
    cert.modulus = cert.exponent + cert.key_size;
    cert.signature = cert.modulus + cert.key_size;
    *ret = cert;
    return NULL;
}

size_t sev_amd_certificate_encode(uint32_t usage, const uint8_t key_id[16],
                                  const uint8_t certifying_id[16], const uint8_t *modulus,
                                  size_t key_size, uint8_t data[SEV_AMD_CERT_MAX])
{
    memset(data, 0, SEV_AMD_CERT_MAX);
    store_le32(data + AMD_VERSION, 1);
    memcpy(data + AMD_KEY_ID, key_id, 16);
    memcpy(data + AMD_CERTIFYING_ID, certifying_id, 16);
    store_le32(data + AMD_USAGE, usage);
    store_le32(data + AMD_EXPONENT_BITS, (uint32_t)key_size * 8);
    store_le32(data + AMD_MODULUS_BITS, (uint32_t)key_size * 8);
    store_le32(data + AMD_NUMBERS, 65537);
    memcpy(data + AMD_NUMBERS + key_size, modulus, key_size);
    return AMD_NUMBERS + 3 * key_size;
}

const char *sev_usage_name(uint32_t usage)
{
    switch (usage) {
    case SEV_USAGE_ARK:
        return "ARK";
    case SEV_USAGE_ASK:
        return "ASK";
    case SEV_USAGE_OCA:
        return "OCA";
    case SEV_USAGE_PEK:
        return "PEK";
    case SEV_USAGE_PDH:
        return "PDH";
    case SEV_USAGE_CEK:
        return "CEK";
    default:
        return "unknown";
    }
}
