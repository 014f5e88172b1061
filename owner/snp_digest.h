/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The launch digest of a SEV-SNP guest (SEV-SNP ABI 8.17.2), which its attestation reports carry as
 * MEASUREMENT. Knows nothing of the machine.
 */
#ifndef PRIVET_OWNER_SNP_DIGEST_H
#define PRIVET_OWNER_SNP_DIGEST_H

#include <stdint.h>

#include "owner/measure.h"

#define OWNER_SNP_DIGEST_SIZE 48u
#define OWNER_SNP_PAGE_SIZE   4096u

/* PAGE_TYPE of SNP_LAUNCH_UPDATE. */
enum owner_snp_page {
    OWNER_SNP_NORMAL = 1,
    OWNER_SNP_VMSA = 2,
    OWNER_SNP_ZERO = 3,
    OWNER_SNP_UNMEASURED = 4,
    OWNER_SNP_SECRETS = 5,
    OWNER_SNP_CPUID = 6,
};

/*
 * Extends the digest, which begins as zeros, by one page at a guest physical address. The contents
 * count for normal pages and VMSAs; `page` is not looked at for the other types and may be NULL.
 */
void owner_snp_digest_page(uint8_t digest[OWNER_SNP_DIGEST_SIZE], enum owner_snp_page type,
                           uint64_t address, const uint8_t *page);

/*
 * The digest of a guest as guest->vmm launches it: the firmware below 4 GiB, the sections of its
 * metadata, with the table of hashes if guest->kernel_hashes, the processors' pages. QEMU takes sections
 * in their order; EC2 the CPUID page last; GCE does not measure memory that the firmware wants as zeros.
 * Policy, API and build have no part in it. NULL, or why this firmware cannot be launched so.
 */
const char *owner_snp_launch_digest(const struct owner_guest *guest,
                                    uint8_t digest[OWNER_SNP_DIGEST_SIZE]);

#endif
