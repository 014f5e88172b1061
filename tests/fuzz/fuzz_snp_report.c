/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Attestation reports of SEV and SEV-SNP: what decodes has its fields within its bytes, and is judged
 * without harm, under no certificate.
 */
#include <stdlib.h>
#include <string.h>

#include "owner/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_field(const struct sev_report *report, const struct sev_report_field *field,
                        const uint8_t *data, size_t size, struct owner_checks *checks)
{
    const uint8_t *bytes = sev_report_bytes(report, field->name);
    if (bytes < data || field->size > (size_t)(data + size - bytes))
        abort();
    checks->count = 0;
    owner_report_expect(report, field, bytes, checks);
    if (owner_check_failed(checks))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t minimum[OWNER_SNP_TCB_SIZE];
    const struct owner_chain sev = { .pek = NULL };
    const struct owner_snp_chain snp = { { NULL } };
    static struct owner_checks checks;
    struct sev_report report;
    char names[64], url[200];
    if (sev_report_decode(data, size, &report))
        return 0;
    for (size_t i = 0; i < report.field_count; i++) {
        if (sev_report_field(&report, report.fields[i].name) == &report.fields[i])
            check_field(&report, &report.fields[i], data, size, &checks);
    }
    checks.count = 0;
    owner_report_check_debug(&report, &checks);
    if (report.snp) {
        owner_report_check_snp(&report, &snp, &checks);
        owner_report_expect_tcb(&report, minimum, &checks);
        sev_snp_policy_names(sev_report_number(&report, "policy"), names, sizeof(names));
        if (owner_report_url(&report, false, url, sizeof(url)) && strlen(url) >= sizeof(url))
            abort();
    } else {
        owner_report_check_sev(&report, &sev, &checks);
    }
    if (!owner_check_failed(&checks)) /* nothing signed it */
        abort();
    return 0;
}
