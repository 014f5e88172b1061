/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Certificate files of any form, several in one input (each with its length before it), put together
 * and judged: zip, PEM, DER, tables, AMD's binary forms.
 */
#include "owner/bundle.h"
#include "sev/bytes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct owner_bundle *bundle)
{
    static struct owner_checks checks;
    struct owner_chain_verdict verdict;
    struct owner_snp_endorsement endorsement;
    checks.count = 0;
    owner_chain_verify(&bundle->sev, &verdict);
    owner_snp_verify(&bundle->snp, 1767225600, &checks);
    for (int i = 0; i < OWNER_SNP_KINDS; i++) {
        if (bundle->snp.cert[i] && !owner_snp_endorsement(bundle->snp.cert[i], &endorsement) &&
            endorsement.hardware_id_size > sizeof(endorsement.hardware_id))
            abort();
    }
}

/* Three bytes of length, or the rest. */
static size_t next_file(const uint8_t *data, size_t size, const uint8_t **ret)
{
    *ret = data + 3;
    size_t length = load_le16(data) | (size_t)data[2] << 16;
    return length < size - 3 ? length : size - 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct owner_bundle bundle;
    char what[256];
    memset(&bundle, 0, sizeof(bundle));
    while (size >= 3) {
        const uint8_t *file;
        size_t length = next_file(data, size, &file);
        if (!owner_bundle_add(&bundle, file, length, what, sizeof(what)) && !strchr(what, ':'))
            abort();
        data = file + length;
        size -= 3 + length;
    }
    judge(&bundle);
    owner_bundle_free(&bundle);
    return 0;
}
