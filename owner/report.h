/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Judges attestation reports: signature, certificate, and what the guest's owner expects. */
#ifndef PRIVET_OWNER_REPORT_H
#define PRIVET_OWNER_REPORT_H

#include "owner/certs.h"
#include "owner/check.h"
#include "owner/snp_certs.h"
#include "sev/report.h"

/*
 * Is the report signed by the chain's PEK, or by its VCEK or VLEK, whichever the report names? For
 * SEV-SNP also: is the certificate for the reported TCB and for this chip? The chain itself is not
 * judged here. A certificate that is missing makes a bad check, not an absent one.
 */
void owner_report_check_sev(const struct sev_report *report, const struct owner_chain *chain,
                            struct owner_checks *checks);
void owner_report_check_snp(const struct sev_report *report, const struct owner_snp_chain *chain,
                            struct owner_checks *checks);

/* The part of a chain that the report's signing key has above it; owns nothing. */
struct owner_snp_chain owner_report_chain(const struct sev_report *report,
                                          const struct owner_snp_chain *chain);

/*
 * Where AMD's key server has the VCEK that a report names, or with `chain` its ASK and ARK; to be
 * fetched by the caller. False if the report does not tell: another key, the chip's id masked, no
 * processor in it (version 2).
 */
bool owner_report_url(const struct sev_report *report, bool chain, char *url, size_t size);

/* Does the policy keep the host from decrypting the guest's memory by debug commands? */
void owner_report_check_debug(const struct sev_report *report, struct owner_checks *checks);

/* Has the field this value, of the field's size? */
void owner_report_expect(const struct sev_report *report, const struct sev_report_field *field,
                         const uint8_t *value, struct owner_checks *checks);

/* Is every part of the reported TCB at least as new as in `minimum`? */
void owner_report_expect_tcb(const struct sev_report *report,
                             const uint8_t minimum[OWNER_SNP_TCB_SIZE],
                             struct owner_checks *checks);

#endif
