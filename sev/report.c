/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "sev/report.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sev/bytes.h"
#include "sev/certificate.h"
#include "sev/session.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SEV_AT(field) offsetof(struct sev_attestation_report, field)

static const struct sev_report_field sev_fields[] = {
    { "nonce", SEV_AT(mnonce), 16, SEV_FORM_BYTES, 0 },
    { "launch-digest", SEV_AT(digest), SEV_DIGEST_SIZE, SEV_FORM_BYTES, 0 },
    { "policy", SEV_AT(policy), 4, SEV_FORM_MASK, 0 },
};

static const struct sev_report_field snp_fields[] = {
    { "version", 0x000, 4, SEV_FORM_NUMBER, 2 },
    { "guest-svn", 0x004, 4, SEV_FORM_NUMBER, 2 },
    { "policy", 0x008, 8, SEV_FORM_MASK, 2 },
    { "family-id", 0x010, 16, SEV_FORM_BYTES, 2 },
    { "image-id", 0x020, 16, SEV_FORM_BYTES, 2 },
    { "vmpl", 0x030, 4, SEV_FORM_NUMBER, 2 },
    { "current-tcb", 0x038, 8, SEV_FORM_TCB, 2 },
    { "platform-info", 0x040, 8, SEV_FORM_MASK, 2 },
    { "key-info", 0x048, 4, SEV_FORM_MASK, 2 },
    { "report-data", 0x050, 64, SEV_FORM_BYTES, 2 },
    { "measurement", 0x090, 48, SEV_FORM_BYTES, 2 },
    { "host-data", 0x0C0, 32, SEV_FORM_BYTES, 2 },
    { "id-key-digest", 0x0E0, 48, SEV_FORM_BYTES, 2 },
    { "author-key-digest", 0x110, 48, SEV_FORM_BYTES, 2 },
    { "report-id", 0x140, 32, SEV_FORM_BYTES, 2 },
    { "report-id-ma", 0x160, 32, SEV_FORM_BYTES, 2 },
    { "reported-tcb", 0x180, 8, SEV_FORM_TCB, 2 },
    { "cpu-family", 0x188, 1, SEV_FORM_NUMBER, 3 },
    { "cpu-model", 0x189, 1, SEV_FORM_NUMBER, 3 },
    { "cpu-stepping", 0x18A, 1, SEV_FORM_NUMBER, 3 },
    { "chip-id", 0x1A0, 64, SEV_FORM_BYTES, 2 },
    { "committed-tcb", 0x1E0, 8, SEV_FORM_TCB, 2 },
    { "current-version", 0x1E8, 3, SEV_FORM_VERSION, 2 },
    { "committed-version", 0x1EC, 3, SEV_FORM_VERSION, 2 },
    { "launch-tcb", 0x1F0, 8, SEV_FORM_TCB, 2 },
    { "launch-mitigations", 0x1F8, 8, SEV_FORM_MASK, 5 },
    { "current-mitigations", 0x200, 8, SEV_FORM_MASK, 5 },
};

enum {
    SNP_ALGO_AT = 0x034,
    SNP_ALGO_ECDSA_P384_SHA384 = 1,
    SNP_KEY_INFO_AT = 0x048,
    SNP_KEY_INFO_RESERVED = ~0x1F,
    SNP_SIGNED = 0x2A0,
    SNP_SIGNATURE_END = SNP_SIGNED + 2 * SEV_EC_FIELD,
    RESPONSE_HEADER = 0x20, /* MSG_REPORT_RSP: status, size, reserved */
};

static bool all_zero(const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (p[i])
            return false;
    }
    return true;
}

/* ---- SEV ---- */

static const char *decode_sev(const uint8_t *data, struct sev_report *report)
{
    uint32_t algorithm = load_le32(data + SEV_AT(signature_algorithm));
    if (load_le32(data + SEV_AT(signature_usage)) != SEV_USAGE_PEK)
        return "the report is not signed by a PEK";
    if (algorithm != SEV_ALGO_ECDSA_SHA256 && algorithm != SEV_ALGO_ECDSA_SHA384)
        return "the report's signature algorithm is unknown";
    if (!all_zero(data + SEV_AT(reserved), 4))
        return "reserved bytes are not zero";
    *report = (struct sev_report){
        .data = data,
        .fields = sev_fields,
        .field_count = COUNT(sev_fields),
        .signed_size = SEV_AT(signature_usage),
        .algorithm = algorithm,
        .signature = data + SEV_AT(signature),
    };
    return NULL;
}

/* ---- SEV-SNP ---- */

/* Between the fields that this version has, and after the signature, there are only zeros. */
static bool reserved_zero(const struct sev_report *report)
{
    uint8_t rest[SEV_SNP_REPORT_SIZE];
    memcpy(rest, report->data, sizeof(rest));
    for (size_t i = 0; i < report->field_count; i++) {
        const struct sev_report_field *field = &report->fields[i];
        if (field->since <= report->version)
            memset(rest + field->at, 0, field->size);
    }
    memset(rest + SNP_ALGO_AT, 0, 4);
    memset(rest + SNP_SIGNED, 0, SNP_SIGNATURE_END - SNP_SIGNED);
    return all_zero(rest, sizeof(rest));
}

static const char *decode_snp(const uint8_t *data, struct sev_report *report)
{
    uint32_t version = load_le32(data);
    *report = (struct sev_report){
        .snp = true,
        .version = version,
        .data = data,
        .fields = snp_fields,
        .field_count = COUNT(snp_fields),
        .signed_size = SNP_SIGNED,
        .algorithm = SEV_ALGO_ECDSA_SHA384,
        .signature = data + SNP_SIGNED,
    };
    if (version != 2 && version != 3 && version != 5)
        return "the report's version is unknown; this Privet knows 2, 3 and 5";
    if (load_le32(data + SNP_ALGO_AT) != SNP_ALGO_ECDSA_P384_SHA384)
        return "the report's signature algorithm is unknown";
    if (load_le32(data + SNP_KEY_INFO_AT) & (uint32_t)SNP_KEY_INFO_RESERVED ||
        !reserved_zero(report))
        return "reserved bytes are not zero";
    return NULL;
}

/* The guest's driver gives the firmware's whole answer, padded to 4000 bytes. */
static const char *decode_response(const uint8_t *data, size_t size, struct sev_report *report)
{
    size_t used = RESPONSE_HEADER + SEV_SNP_REPORT_SIZE;
    if (load_le32(data) != 0)
        return "it is the firmware's answer to a report request, which failed";
    if (!all_zero(data + 8, RESPONSE_HEADER - 8) || !all_zero(data + used, size - used))
        return "reserved bytes of the answer to a report request are not zero";
    return decode_snp(data + RESPONSE_HEADER, report);
}

const char *sev_report_decode(const uint8_t *data, size_t size, struct sev_report *ret)
{
    if (size == SEV_REPORT_SIZE)
        return decode_sev(data, ret);
    if (size == SEV_SNP_REPORT_SIZE)
        return decode_snp(data, ret);
    if (size >= RESPONSE_HEADER + SEV_SNP_REPORT_SIZE &&
        load_le32(data + 4) == SEV_SNP_REPORT_SIZE)
        return decode_response(data, size, ret);
    return "a report has 208 bytes (SEV) or 1184 bytes (SEV-SNP)";
}

/* ---- fields ---- */

const struct sev_report_field *sev_report_field(const struct sev_report *report, const char *name)
{
    for (size_t i = 0; i < report->field_count; i++) {
        const struct sev_report_field *field = &report->fields[i];
        if (field->since <= report->version && strcmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}

uint64_t sev_report_number(const struct sev_report *report, const char *name)
{
    const struct sev_report_field *field = sev_report_field(report, name);
    uint64_t value = 0;
    assert(field && field->size <= sizeof(value));
    for (unsigned i = field->size; i-- > 0;)
        value = value << 8 | report->data[field->at + i];
    return value;
}

const uint8_t *sev_report_bytes(const struct sev_report *report, const char *name)
{
    const struct sev_report_field *field = sev_report_field(report, name);
    assert(field);
    return report->data + field->at;
}

unsigned sev_snp_signing_key(const struct sev_report *report)
{
    return (unsigned)(sev_report_number(report, "key-info") >> 2) & 7;
}

bool sev_snp_is_turin(const struct sev_report *report)
{
    return report->version >= 3 && sev_report_number(report, "cpu-family") == 0x1A;
}

void sev_snp_policy_names(uint64_t policy, char *text, size_t size)
{
    static const struct {
        unsigned bit;
        const char *name;
    } bits[] = {
        { 16, "smt" },         { 18, "migration-agent" }, { 19, "debug" },
        { 20, "single-socket" }, { 21, "cxl" },             { 22, "aes-256-xts" },
        { 23, "no-rapl" },     { 24, "ciphertext-hiding" }, { 25, "no-page-swap" },
    };
    int used = snprintf(text, size, "abi=%u.%u", (unsigned)(policy >> 8) & 0xFF,
                        (unsigned)policy & 0xFF);
    for (size_t i = 0; i < COUNT(bits) && used >= 0 && (size_t)used < size; i++) {
        if (policy >> bits[i].bit & 1)
            used += snprintf(text + used, size - (size_t)used, ",%s", bits[i].name);
    }
}
