/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What `privet chip csr|export|import|reset|pek-gen|pdh-gen` made, as JSON. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "cli/chip.h"
#include "cli/error.h"
#include "cli/record.h"
#include "owner/certs.h"

bool chip_may_tell(const struct chip_session *s, const char *path)
{
    if (!s->options->json || strcmp(path, "-") != 0)
        return true;
    error_say("--json: standard output has the JSON document; name another file than -");
    return false;
}

/* A list of words as an array. */
static void tell_words(const char *name, const char *words)
{
    printf(",\"%s\":[", name);
    for (const char *at = words; *at;) {
        size_t length = strcspn(at, " ");
        printf("%s\"%.*s\"", at == words ? "" : ",", (int)length, at);
        at += length + (at[length] == ' ');
    }
    putchar(']');
}

static bool digest_file(const struct chip_file *file, uint8_t digest[32])
{
    if (EVP_Digest(file->data, file->size, digest, NULL, EVP_sha256(), NULL) == 1)
        return true;
    error_say("%s: the cryptographic library failed", file->path);
    return false;
}

static void tell_file(struct record *record, const struct chip_file *file, const uint8_t digest[32])
{
    record_text(record, "file", "%s", file->path);
    record_number(record, "size", file->size);
    record_hex(record, "sha256", digest, 32);
    tell_words("certificates", file->content);
}

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

bool chip_tell(struct chip_session *s, const struct chip_file *file)
{
    static const char *const keys[] = { "pdh-key-sha256", "pek-key-sha256", "oca-key-sha256" };
    struct record record = { .json = true };
    struct sev_platform_status status;
    uint8_t certificates[4 * SEV_CERT_SIZE], digest[32];
    if (!s->options->json)
        return true;
    if (!CHIP_ISSUE(s, PLATFORM_STATUS, &status) || !chip_certificates(s, certificates) ||
        (file && !digest_file(file, digest)))
        return false;
    putchar('{');
    if (file)
        tell_file(&record, file, digest);
    record_text(&record, "state", "%s", sev_platform_state_name(status.state));
    record_text(&record, "owner", "%s", chip_owner_name(&status));
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        tell_key(&record, keys[i], certificates + i * SEV_CERT_SIZE);
    fputs("}\n", stdout);
    return true;
}
