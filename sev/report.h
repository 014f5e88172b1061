/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Attestation reports: that of SEV's ATTESTATION command (API 0.24, 0xD0 bytes) and SEV-SNP's (ABI
 * chapter on MSG_REPORT_REQ, 0x4A0 bytes, versions 2, 3 and 5). Structure only; signatures and
 * meaning are checked elsewhere.
 */
#ifndef PRIVET_SEV_REPORT_H
#define PRIVET_SEV_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEV_REPORT_SIZE     0xD0u /* struct sev_attestation_report */
#define SEV_SNP_REPORT_SIZE 0x4A0u

enum sev_report_form {
    SEV_FORM_NUMBER,
    SEV_FORM_MASK,    /* a number of flags */
    SEV_FORM_BYTES,
    SEV_FORM_TCB,     /* TCB_VERSION, 8 bytes */
    SEV_FORM_VERSION, /* build, minor, major */
};

struct sev_report_field {
    const char *name; /* kebab-case */
    uint16_t at;
    uint8_t size;
    uint8_t form;  /* of enum sev_report_form */
    uint8_t since; /* version of the report that has it first */
};

struct sev_report {
    bool snp;
    uint32_t version; /* SNP; else 0 */
    const uint8_t *data;
    const struct sev_report_field *fields; /* up to the last; those of a later version are absent */
    size_t field_count;
    size_t signed_size;
    uint32_t algorithm;       /* of the signature, as enum sev_algorithm */
    const uint8_t *signature; /* 144 bytes: r, s */
};

enum sev_snp_signing_key { SEV_SNP_KEY_VCEK = 0, SEV_SNP_KEY_VLEK = 1, SEV_SNP_KEY_NONE = 7 };

/* Guest policy of SEV-SNP (ABI, chapter on the guest policy). */
#define SEV_SNP_POLICY_DEBUG (1ull << 19)

/*
 * Recognises a report by its size and content; it may be within the answer of /dev/sev-guest
 * (MSG_REPORT_RSP, with zeros after it). The result points into `data`. NULL, or the reason: sizes,
 * an unknown version or algorithm, reserved bytes that are not zero.
 */
const char *sev_report_decode(const uint8_t *data, size_t size, struct sev_report *ret);

/* The field of this name, if this report has it. */
const struct sev_report_field *sev_report_field(const struct sev_report *report, const char *name);

/* The value of a field of up to 8 bytes, which must be there. */
uint64_t sev_report_number(const struct sev_report *report, const char *name);

/* The bytes of a field, which must be there. */
const uint8_t *sev_report_bytes(const struct sev_report *report, const char *name);

/* Of an SNP report: enum sev_snp_signing_key, or a reserved value. */
unsigned sev_snp_signing_key(const struct sev_report *report);

/* Does the report's chip write TCB_VERSION as Turin does? False if the report does not say. */
bool sev_snp_is_turin(const struct sev_report *report);

/* The words of an SNP policy's bits, comma separated, with abi=X.Y; cut off if it does not fit. */
void sev_snp_policy_names(uint64_t policy, char *text, size_t size);

#endif
