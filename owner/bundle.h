/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Certificates from files of any form that the field uses: AMD's binary formats, alone or one after
 * the other; X.509 as PEM or DER; SNP certificate tables; zip archives of any of these.
 */
#ifndef PRIVET_OWNER_BUNDLE_H
#define PRIVET_OWNER_BUNDLE_H

#include "owner/certs.h"
#include "owner/snp_certs.h"

#define OWNER_BUNDLE_FILE_MAX (256u << 10)
#define OWNER_BUNDLE_BUFFERS  64

/* Begins zeroed; owner_bundle_free releases it. */
struct owner_bundle {
    struct owner_chain sev;
    struct owner_snp_chain snp;
    uint8_t *buffers[OWNER_BUNDLE_BUFFERS]; /* what `sev` points into */
    unsigned buffer_count;
};

/*
 * Adds what a file contains, which is copied. `what` gets a description: "sevctl's full chain: PDH,
 * PEK, OCA, CEK, ASK, ARK", "PEM: ASK, ARK". NULL or the reason; the bundle is then good for
 * owner_bundle_free only.
 */
const char *owner_bundle_add(struct owner_bundle *bundle, const uint8_t *data, size_t size,
                             char *what, size_t what_size);

void owner_bundle_free(struct owner_bundle *bundle);

bool owner_bundle_has_sev(const struct owner_bundle *bundle);
bool owner_bundle_has_snp(const struct owner_bundle *bundle);

#endif
