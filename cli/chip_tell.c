/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What `privet chip csr|export|import|reset|pek-gen|pdh-gen` made, as JSON. */
#include <openssl/evp.h>
#include <stdio.h>

#include "cli/chip.h"
#include "cli/written.h"
#include "owner/certs.h"

/* The digest that `privet owner certs show` calls key-sha256. */
static void tell_key(struct record *record, const char *name, const uint8_t *bytes)
{
    struct sev_certificate cert;
    uint8_t digest[32];
    EVP_PKEY *key = sev_certificate_decode(bytes, SEV_CERT_SIZE, &cert)
                        ? NULL : owner_key_from_point(cert.x, cert.y);
    if (key && owner_key_digest(key, digest))
        record_hex(record, name, digest, sizeof(digest));
    EVP_PKEY_free(key);
}

bool chip_tell(struct chip_session *s, const struct written *file)
{
    static const char *const keys[] = { "pdh-key-sha256", "pek-key-sha256", "oca-key-sha256" };
    struct record record = { .json = true };
    struct sev_platform_status status;
    uint8_t certificates[4 * SEV_CERT_SIZE];
    if (!s->options->json)
        return true;
    if (!CHIP_ISSUE(s, PLATFORM_STATUS, &status) || !chip_certificates(s, certificates))
        return false;
    putchar('{');
    if (file)
        written_tell(&record, file);
    record_text(&record, "state", "%s", sev_platform_state_name(status.state));
    record_text(&record, "owner", "%s", chip_owner_name(&status));
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        tell_key(&record, keys[i], certificates + i * SEV_CERT_SIZE);
    fputs("}\n", stdout);
    return true;
}
