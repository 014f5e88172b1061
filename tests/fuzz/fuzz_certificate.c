/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SEV certificates from a file: what decodes encodes back to the same bytes, and a chain of
 * anything is judged without harm.
 */
#include <stdlib.h>
#include <string.h>

#include "owner/certs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sev_certificate cert;
    struct sev_amd_certificate amd;
    struct owner_chain chain = { 0 };
    struct owner_chain_verdict verdict;
    uint8_t again[SEV_CERT_SIZE];
    if (!sev_certificate_decode(data, size, &cert)) {
        sev_certificate_encode(&cert, again);
        if (memcmp(again, data, SEV_CERT_SIZE) != 0)
            abort();
    }
    if (!sev_amd_certificate_decode(data, size, &amd) &&
        (amd.size > size || amd.signature + amd.key_size != data + amd.size))
        abort();
    owner_chain_add(&chain, data, size);
    owner_chain_verify(&chain, &verdict);
    return 0;
}
