/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * X.509 certificates of SEV-SNP (VCEK and VLEK certificate specification, AMD publications 57230 and
 * 58369): AMD's root ARK, the intermediates ASK and ASVK, a chip's VCEK, a provider's VLEK.
 */
#ifndef PRIVET_OWNER_SNP_CERTS_H
#define PRIVET_OWNER_SNP_CERTS_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "owner/check.h"

enum owner_snp_kind {
    OWNER_SNP_ARK,
    OWNER_SNP_ASK,
    OWNER_SNP_ASVK,
    OWNER_SNP_VCEK,
    OWNER_SNP_VLEK,
    OWNER_SNP_KINDS,
};

/* Certificates by kind, NULL: absent. Begins zeroed; owner_snp_free releases them. */
struct owner_snp_chain {
    X509 *cert[OWNER_SNP_KINDS];
};

/*
 * Adds one DER certificate of exactly `size` bytes; it is of the kind that its subject names. NULL,
 * or the reason. The same certificate may come again.
 */
const char *owner_snp_add(struct owner_snp_chain *chain, const uint8_t *der, size_t size,
                          enum owner_snp_kind *ret_kind);

void owner_snp_free(struct owner_snp_chain *chain);

/* "ARK", "VCEK", ... */
const char *owner_snp_kind_name(enum owner_snp_kind kind);

/*
 * Checks every link of which both ends are there, at the given time: signature (RSASSA-PSS with
 * SHA-384), names, key types, CA bits, validity of both. Adds a check for each certificate that is
 * there. Returns the product whose genuine root key the ARK has, or NULL.
 */
const char *owner_snp_verify(const struct owner_snp_chain *chain, time_t at,
                             struct owner_checks *checks);

#define OWNER_SNP_TCB_SIZE 8u

/* AMD's extensions of a VCEK or VLEK: for what chip and firmware versions its key is. */
struct owner_snp_endorsement {
    char product[24];
    char provider[128];                  /* of a VLEK, else empty */
    bool turin;                          /* layout of the TCB: with an FMC version */
    uint8_t tcb[OWNER_SNP_TCB_SIZE];     /* in the order of a report's TCB_VERSION */
    uint8_t hardware_id[64];
    size_t hardware_id_size;             /* 0: none (VLEK) */
};

/* Reads the extensions. NULL or the reason: absent, twice, malformed, of an unknown version. */
const char *owner_snp_endorsement(const X509 *cert, struct owner_snp_endorsement *ret);

/* The part of a TCB_VERSION that byte `index` is: "boot loader", ..., or NULL: reserved. */
const char *owner_snp_tcb_part(bool turin, unsigned index);

#endif
