/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "owner/report.h"

#include <stdio.h>
#include <string.h>

#include "sev/session.h"

/* ---- signatures ---- */

static bool signed_by(const struct sev_report *report, EVP_PKEY *key)
{
    uint8_t slot[SEV_CERT_SIG_SIZE] = { 0 };
    memcpy(slot, report->signature, (size_t)2 * SEV_EC_FIELD);
    return key && owner_ecdsa_verify(key, report->algorithm, slot, report->data,
                                     report->signed_size);
}

void owner_report_check_sev(const struct sev_report *report, const struct owner_chain *chain,
                            struct owner_checks *checks)
{
    static const char name[] = "PEK signs the report";
    struct sev_certificate pek;
    if (!chain->pek || sev_certificate_decode(chain->pek, SEV_CERT_SIZE, &pek)) {
        owner_check_add(checks, name, OWNER_LINK_BAD,
                        "the PEK was not given; name the platform's certificates after the report");
        return;
    }
    EVP_PKEY *key = owner_key_from_point(pek.x, pek.y);
    if (signed_by(report, key))
        owner_check_add(checks, name, OWNER_LINK_GOOD, NULL);
    else
        owner_check_add(checks, name, OWNER_LINK_BAD,
                        "the report was changed, or another platform made it");
    EVP_PKEY_free(key);
}

/* ---- SEV-SNP ---- */

static const struct signer {
    enum owner_snp_kind leaf, authority;
    const char *check;
} signers[] = {
    [SEV_SNP_KEY_VCEK] = { OWNER_SNP_VCEK, OWNER_SNP_ASK, "VCEK signs the report" },
    [SEV_SNP_KEY_VLEK] = { OWNER_SNP_VLEK, OWNER_SNP_ASVK, "VLEK signs the report" },
};

/* NULL: the report is unsigned, or says something that nobody knows. */
static const struct signer *signer_of(const struct sev_report *report)
{
    unsigned key = sev_snp_signing_key(report);
    return key < sizeof(signers) / sizeof(signers[0]) ? &signers[key] : NULL;
}

struct owner_snp_chain owner_report_chain(const struct sev_report *report,
                                          const struct owner_snp_chain *chain)
{
    const struct signer *signer = signer_of(report);
    struct owner_snp_chain part = { { NULL } };
    part.cert[OWNER_SNP_ARK] = chain->cert[OWNER_SNP_ARK];
    if (signer) {
        part.cert[signer->leaf] = chain->cert[signer->leaf];
        part.cert[signer->authority] = chain->cert[signer->authority];
    }
    return part;
}

static void tcb_text(const uint8_t tcb[OWNER_SNP_TCB_SIZE], char text[17])
{
    for (unsigned i = 0; i < OWNER_SNP_TCB_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", tcb[i]);
}

/* The key is made from chip and TCB: a certificate for other firmware does not vouch for this. */
static void check_tcb(const struct sev_report *report, const struct owner_snp_endorsement *e,
                      struct owner_checks *checks)
{
    const uint8_t *reported = sev_report_bytes(report, "reported-tcb");
    char theirs[17], certified[17];
    if (memcmp(reported, e->tcb, OWNER_SNP_TCB_SIZE) == 0) {
        owner_check_add(checks, "reported TCB", OWNER_LINK_GOOD, NULL);
        return;
    }
    tcb_text(reported, theirs);
    tcb_text(e->tcb, certified);
    owner_check_add(checks, "reported TCB", OWNER_LINK_BAD,
                    "the report has %s, the certificate is for %s (bytes in the report's order)",
                    theirs, certified);
}

/* On Turin the hardware id is the first 8 bytes; a host may have the chip id masked. */
static void check_chip(const struct sev_report *report, const struct owner_snp_endorsement *e,
                       struct owner_checks *checks)
{
    static const uint8_t zeros[64];
    const uint8_t *chip = sev_report_bytes(report, "chip-id");
    size_t size = e->hardware_id_size;
    if (memcmp(chip, zeros, sizeof(zeros)) == 0)
        owner_check_add(checks, "chip id", OWNER_LINK_GOOD,
                        "masked by the host; the signature alone tells the chip");
    else if (memcmp(chip, e->hardware_id, size) == 0 &&
             memcmp(chip + size, zeros, sizeof(zeros) - size) == 0)
        owner_check_add(checks, "chip id", OWNER_LINK_GOOD, NULL);
    else
        owner_check_add(checks, "chip id", OWNER_LINK_BAD,
                        "the certificate is for another chip's hardware id");
}

static void check_endorsement(const struct sev_report *report, X509 *cert,
                              struct owner_checks *checks)
{
    struct owner_snp_endorsement e;
    const char *reason = owner_snp_endorsement(cert, &e);
    if (reason) {
        owner_check_add(checks, "certificate", OWNER_LINK_BAD, "%s", reason);
        return;
    }
    check_tcb(report, &e, checks);
    if (e.hardware_id_size)
        check_chip(report, &e, checks);
}

void owner_report_check_snp(const struct sev_report *report, const struct owner_snp_chain *chain,
                            struct owner_checks *checks)
{
    const struct signer *signer = signer_of(report);
    if (!signer) {
        owner_check_add(checks, "signature", OWNER_LINK_BAD,
                        sev_snp_signing_key(report) == SEV_SNP_KEY_NONE
                            ? "the host had the report not signed (MASK_CHIP_KEY)"
                            : "the report names an unknown signing key");
        return;
    }
    X509 *cert = chain->cert[signer->leaf];
    if (!cert) {
        owner_check_add(checks, signer->check, OWNER_LINK_BAD,
                        "the %s was not given; name it and its chain after the report",
                        owner_snp_kind_name(signer->leaf));
        return;
    }
    if (!signed_by(report, X509_get0_pubkey(cert))) {
        owner_check_add(checks, signer->check, OWNER_LINK_BAD,
                        "the report was changed, or the certificate is for another chip or TCB");
        return;
    }
    owner_check_add(checks, signer->check, OWNER_LINK_GOOD, NULL);
    check_endorsement(report, cert, checks);
}

/* ---- the key server ---- */

/* Processors as CPUID names them; products as the key server does (AMD publication 57230). */
static const struct product {
    uint8_t family, first, last; /* models */
    const char *name;
} products[] = {
    { 0x19, 0x00, 0x0F, "Milan" },
    { 0x19, 0x10, 0x1F, "Genoa" },
    { 0x19, 0xA0, 0xAF, "Genoa" }, /* Bergamo, Siena */
    { 0x1A, 0x00, 0x11, "Turin" },
};

static const char *product_of(const struct sev_report *report)
{
    if (report->version < 3)
        return NULL;
    uint64_t family = sev_report_number(report, "cpu-family");
    uint64_t model = sev_report_number(report, "cpu-model");
    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
        const struct product *p = &products[i];
        if (family == p->family && model >= p->first && model <= p->last)
            return p->name;
    }
    return NULL;
}

/* The chip's id and the reported TCB, part by part in the order of its bytes. */
static void vcek_query(const struct sev_report *report, char *url, size_t size)
{
    static const char *const names[2][OWNER_SNP_TCB_SIZE] = {
        { "bl", "tee", NULL, NULL, NULL, NULL, "snp", "ucode" },
        { "fmc", "bl", "tee", "snp", NULL, NULL, NULL, "ucode" },
    };
    const uint8_t *tcb = sev_report_bytes(report, "reported-tcb");
    const uint8_t *chip = sev_report_bytes(report, "chip-id");
    bool turin = sev_snp_is_turin(report);
    size_t used = strlen(url);
    for (unsigned i = 0; i < (turin ? 8 : 64) && used < size; i++)
        used += (size_t)snprintf(url + used, size - used, "%02x", chip[i]);
    for (unsigned i = 0; i < OWNER_SNP_TCB_SIZE && used < size; i++) {
        if (names[turin][i])
            used += (size_t)snprintf(url + used, size - used, "%c%sSPL=%02u", i ? '&' : '?',
                                     names[turin][i], tcb[i]);
    }
}

bool owner_report_url(const struct sev_report *report, bool chain, char *url, size_t size)
{
    static const uint8_t zeros[64];
    const char *product = report->snp ? product_of(report) : NULL;
    if (!product || sev_snp_signing_key(report) != SEV_SNP_KEY_VCEK ||
        memcmp(sev_report_bytes(report, "chip-id"), zeros, sizeof(zeros)) == 0)
        return false;
    snprintf(url, size, "https://kdsintf.amd.com/vcek/v1/%s/%s", product,
             chain ? "cert_chain" : "");
    if (!chain)
        vcek_query(report, url, size);
    return true;
}

/* ---- expectations ---- */

void owner_report_check_debug(const struct sev_report *report, struct owner_checks *checks)
{
    uint64_t policy = sev_report_number(report, "policy");
    bool open = report->snp ? (policy & SEV_SNP_POLICY_DEBUG) != 0
                            : (policy & SEV_POLICY_NODBG) == 0;
    if (open)
        owner_check_add(checks, "no debugging", OWNER_LINK_BAD,
                        "the policy lets the host decrypt the guest; --policy %#llx accepts it",
                        (unsigned long long)policy);
    else
        owner_check_add(checks, "no debugging", OWNER_LINK_GOOD, NULL);
}

void owner_report_expect(const struct sev_report *report, const struct sev_report_field *field,
                         const uint8_t *value, struct owner_checks *checks)
{
    char text[2 * 64 + 1] = "";
    if (memcmp(report->data + field->at, value, field->size) == 0) {
        owner_check_add(checks, field->name, OWNER_LINK_GOOD, "as expected");
        return;
    }
    if (field->form == SEV_FORM_BYTES) {
        for (unsigned i = 0; i < field->size; i++)
            snprintf(text + (size_t)2 * i, 3, "%02x", report->data[field->at + i]);
    } else {
        snprintf(text, sizeof(text), "%#llx",
                 (unsigned long long)sev_report_number(report, field->name));
    }
    owner_check_add(checks, field->name, OWNER_LINK_BAD, "not as expected, but %s", text);
}

void owner_report_expect_tcb(const struct sev_report *report,
                             const uint8_t minimum[OWNER_SNP_TCB_SIZE],
                             struct owner_checks *checks)
{
    const uint8_t *reported = sev_report_bytes(report, "reported-tcb");
    bool turin = sev_snp_is_turin(report);
    for (unsigned i = 0; i < OWNER_SNP_TCB_SIZE; i++) {
        const char *part = owner_snp_tcb_part(turin, i);
        if (reported[i] < minimum[i]) {
            owner_check_add(checks, "minimum TCB", OWNER_LINK_BAD, "%s is %u, older than %u",
                            part ? part : "a spare part", reported[i], minimum[i]);
            return;
        }
    }
    owner_check_add(checks, "minimum TCB", OWNER_LINK_GOOD, NULL);
}
