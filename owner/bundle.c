/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Tells the forms of certificate files apart by their first bytes and takes them to pieces. */
#include "owner/bundle.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owner/zip.h"
#include "sev/bytes.h"

#define PEM_MARK "-----BEGIN CERTIFICATE-----"

/* Names of the certificates as they come, for the description. */
struct contents {
    struct owner_bundle *bundle;
    char names[160];
};

static void note(struct contents *c, const char *name)
{
    size_t used = strlen(c->names);
    snprintf(c->names + used, sizeof(c->names) - used, "%s%s", used ? ", " : "", name);
}

static const char *add_der(struct contents *c, const uint8_t *der, size_t size)
{
    enum owner_snp_kind kind;
    const char *reason = owner_snp_add(&c->bundle->snp, der, size, &kind);
    if (!reason)
        note(c, owner_snp_kind_name(kind));
    return reason;
}

/* ---- PEM ---- */

/* Only a certificate's block counts: a key in the file must not be taken for one. */
static const char *add_pem_block(struct contents *c, BIO *text, bool *ret_end)
{
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long size;
    ERR_clear_error();
    *ret_end = PEM_read_bio(text, &name, &header, &der, &size) != 1;
    if (*ret_end)
        return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? NULL : "damaged PEM";
    const char *reason = strcmp(name, "CERTIFICATE") != 0
                             ? "a PEM block is something else than a certificate"
                             : add_der(c, der, (size_t)size);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    return reason;
}

static const char *add_pem(struct contents *c, const uint8_t *data, size_t size)
{
    BIO *text = BIO_new_mem_buf(data, (int)size);
    const char *reason = text ? NULL : "out of memory";
    bool end = false;
    while (!reason && !end)
        reason = add_pem_block(c, text, &end);
    BIO_free(text);
    return reason;
}

/* ---- the table that follows an extended SNP report (GHCB 2.03 4.1.8.1) ---- */

enum { TABLE_ENTRY = 24, TABLE_OFFSET = 16, TABLE_LENGTH = 20 };

/* VCEK, VLEK, ASK, ARK, in the order of the text. */
static const uint8_t table_guids[][16] = {
    { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac,
      0xcd },
    { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8,
      0xa1 },
    { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7,
      0x82 },
    { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0,
      0xae },
};

static bool known_entry(const uint8_t *entry)
{
    for (size_t i = 0; i < sizeof(table_guids) / sizeof(table_guids[0]); i++) {
        if (memcmp(entry, table_guids[i], 16) == 0)
            return true;
    }
    return false;
}

/* Entries of other GUIDs are a provider's own and passed over. */
static const char *add_table(struct contents *c, const uint8_t *data, size_t size)
{
    static const uint8_t end[TABLE_ENTRY];
    for (size_t at = 0; size - at >= TABLE_ENTRY; at += TABLE_ENTRY) {
        const uint8_t *entry = data + at;
        size_t from = load_le32(entry + TABLE_OFFSET), length = load_le32(entry + TABLE_LENGTH);
        if (memcmp(entry, end, TABLE_ENTRY) == 0)
            return NULL;
        if (from > size || length > size - from)
            return "an entry of the certificate table goes past the end";
        const char *reason = known_entry(entry) ? add_der(c, data + from, length) : NULL;
        if (reason)
            return reason;
    }
    return "the certificate table has no end";
}

/* ---- AMD's binary certificates ---- */

static const uint8_t *keep(struct owner_bundle *bundle, const uint8_t *data, size_t size)
{
    if (bundle->buffer_count == OWNER_BUNDLE_BUFFERS)
        return NULL;
    uint8_t *copy = malloc(size);
    if (copy) {
        memcpy(copy, data, size);
        bundle->buffers[bundle->buffer_count++] = copy;
    }
    return copy;
}

/* Of bytes that a chain has taken. */
static void note_binary(struct contents *c, const uint8_t *data, size_t size)
{
    struct sev_certificate cert;
    struct sev_amd_certificate amd;
    while (size) {
        size_t used = SEV_CERT_SIZE;
        if (size >= used && !sev_certificate_decode(data, used, &cert)) {
            note(c, sev_usage_name(cert.usage));
        } else if (!sev_amd_certificate_decode(data, size, &amd)) {
            note(c, sev_usage_name(amd.usage));
            used = amd.size;
        } else {
            return;
        }
        data += used;
        size -= used;
    }
}

static const char *add_binary(struct contents *c, const uint8_t *data, size_t size)
{
    const uint8_t *copy = keep(c->bundle, data, size);
    if (!copy)
        return "too many files";
    const char *reason = owner_chain_add(&c->bundle->sev, copy, size);
    if (!reason)
        note_binary(c, copy, size);
    return reason;
}

/* Tools have names for some sequences. */
static const char *binary_name(const char *names)
{
    static const char *const sequences[][2] = {
        { "PDH, PEK, OCA, CEK, ASK, ARK", "sevctl's full chain" },
        { "PDH, PEK, OCA, CEK", "sevctl's chain" },
        { "PEK, OCA, CEK", "a platform's chain (PDH_CERT_EXPORT)" },
        { "ASK, ARK", "AMD's ask_ark file" },
    };
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        if (strcmp(names, sequences[i][0]) == 0)
            return sequences[i][1];
    }
    return strchr(names, ',') ? "SEV certificates" : "a SEV certificate";
}

/* ---- files ---- */

static bool has_text(const uint8_t *data, size_t size, const char *text)
{
    size_t length = strlen(text);
    for (size_t at = 0; size - at >= length && at <= size; at++) {
        if (memcmp(data + at, text, length) == 0)
            return true;
    }
    return false;
}

static const char *add_plain(struct contents *c, const uint8_t *data, size_t size,
                             const char **ret_form)
{
    *ret_form = NULL;
    if (size >= TABLE_ENTRY && known_entry(data)) {
        *ret_form = "an SNP certificate table";
        return add_table(c, data, size);
    }
    if (size >= 2 && data[0] == 0x30 && data[1] >= 0x80) {
        *ret_form = "DER";
        return add_der(c, data, size);
    }
    if (size >= sizeof(PEM_MARK) && has_text(data, size, PEM_MARK)) {
        *ret_form = "PEM";
        return add_pem(c, data, size);
    }
    return add_binary(c, data, size);
}

static const char *add_zipped(void *context, const uint8_t *data, size_t size)
{
    const char *form;
    return zip_is(data, size) ? "there is a zip in the zip"
                                    : add_plain(context, data, size, &form);
}

const char *owner_bundle_add(struct owner_bundle *bundle, const uint8_t *data, size_t size,
                             char *what, size_t what_size)
{
    struct contents contents = { .bundle = bundle };
    const char *reason, *form = "zip";
    if (size == 0)
        return "it is empty";
    if (size > OWNER_BUNDLE_FILE_MAX)
        return "it is larger than any certificate file";
    reason = zip_is(data, size) ? zip_read(data, size, add_zipped, &contents)
                                      : add_plain(&contents, data, size, &form);
    if (reason)
        return reason;
    if (!contents.names[0])
        return "there is no certificate in it";
    snprintf(what, what_size, "%s: %s", form ? form : binary_name(contents.names),
             contents.names);
    return NULL;
}

void owner_bundle_free(struct owner_bundle *bundle)
{
    owner_snp_free(&bundle->snp);
    for (unsigned i = 0; i < bundle->buffer_count; i++)
        free(bundle->buffers[i]);
    memset(bundle, 0, sizeof(*bundle));
}

bool owner_bundle_has_sev(const struct owner_bundle *bundle)
{
    const struct owner_chain *c = &bundle->sev;
    return c->pdh || c->pek || c->oca || c->cek || c->ask || c->ark;
}

bool owner_bundle_has_snp(const struct owner_bundle *bundle)
{
    for (int i = 0; i < OWNER_SNP_KINDS; i++) {
        if (bundle->snp.cert[i])
            return true;
    }
    return false;
}
