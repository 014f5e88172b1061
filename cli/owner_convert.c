/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Writes certificates in the forms of AMD, sevctl, sev-tool and X.509. */
#include "cli/owner_convert.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/file.h"
#include "owner/zip.h"

enum { PDH, PEK, OCA, CEK, ASK, ARK, SEV_PARTS };

/* The SEV certificates of a bundle by the names that tools use for them. */
struct parts {
    struct owner_zip_file file[SEV_PARTS]; /* data NULL: absent */
};

static struct parts sev_parts(const struct owner_bundle *bundle)
{
    const struct owner_chain *c = &bundle->sev;
    return (struct parts){ {
        [PDH] = { "pdh.cert", c->pdh, SEV_CERT_SIZE },
        [PEK] = { "pek.cert", c->pek, SEV_CERT_SIZE },
        [OCA] = { "oca.cert", c->oca, SEV_CERT_SIZE },
        [CEK] = { "cek.cert", c->cek, SEV_CERT_SIZE },
        [ASK] = { "ask.cert", c->ask, c->ask_size },
        [ARK] = { "ark.cert", c->ark, c->ark_size },
    } };
}

static bool complain(const char *to, const char *fact)
{
    error_say("--to %s: %s", to, fact);
    return false;
}

/* ---- one after the other ---- */

static bool write_sequence(const struct owner_bundle *bundle, const char *to, const char *path,
                           unsigned first, unsigned last)
{
    struct parts parts = sev_parts(bundle);
    uint8_t bytes[4 * SEV_CERT_SIZE + 2 * SEV_AMD_CERT_MAX];
    size_t size = 0;
    for (unsigned i = first; i <= last; i++) {
        const struct owner_zip_file *file = &parts.file[i];
        if (!file->data) {
            error_say("--to %s: the form needs %.3s, which was not given", to, file->name);
            return false;
        }
        memcpy(bytes + size, file->data, file->size);
        size += file->size;
    }
    return file_write(path, bytes, size, 0644);
}

static bool write_sevctl(const struct owner_bundle *bundle, const char *to, const char *path)
{
    return write_sequence(bundle, to, path, PDH, CEK);
}

static bool write_sevctl_full(const struct owner_bundle *bundle, const char *to, const char *path)
{
    return write_sequence(bundle, to, path, PDH, ARK);
}

static bool write_chain(const struct owner_bundle *bundle, const char *to, const char *path)
{
    return write_sequence(bundle, to, path, PEK, CEK);
}

static bool write_ask_ark(const struct owner_bundle *bundle, const char *to, const char *path)
{
    return write_sequence(bundle, to, path, ASK, ARK);
}

/* ---- several files ---- */

static bool write_zip(const struct owner_bundle *bundle, const char *to, const char *path)
{
    struct parts parts = sev_parts(bundle);
    struct owner_zip_file files[SEV_PARTS];
    size_t count = 0;
    for (unsigned i = 0; i < SEV_PARTS; i++) {
        if (parts.file[i].data)
            files[count++] = parts.file[i];
    }
    if (count == 0)
        return complain(to, "there are no SEV certificates");
    uint8_t *archive = malloc(owner_zip_size(files, count));
    if (!archive)
        return complain(to, "out of memory");
    owner_zip_write(files, count, archive);
    bool done = file_write(path, archive, owner_zip_size(files, count), 0644);
    free(archive);
    return done;
}

static bool write_in_folder(const char *folder, const char *name, const uint8_t *data, size_t size)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return complain("files", "the path is too long");
    return file_write(path, data, size, 0644);
}

static bool write_x509_file(const char *folder, enum owner_snp_kind kind, const X509 *cert)
{
    static const char *const names[OWNER_SNP_KINDS] = { "ark.der", "ask.der", "asvk.der",
                                                        "vcek.der", "vlek.der" };
    uint8_t *der = NULL;
    int size = i2d_X509(cert, &der);
    bool done = size > 0 && write_in_folder(folder, names[kind], der, (size_t)size);
    OPENSSL_free(der);
    return done;
}

static bool write_files(const struct owner_bundle *bundle, const char *to, const char *path)
{
    struct parts parts = sev_parts(bundle);
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        error_say("%s: not a folder; --to files writes into one", path);
        return false;
    }
    for (unsigned i = 0; i < SEV_PARTS; i++) {
        const struct owner_zip_file *file = &parts.file[i];
        if (file->data && !write_in_folder(path, file->name, file->data, file->size))
            return false;
    }
    for (int i = 0; i < OWNER_SNP_KINDS; i++) {
        const X509 *cert = bundle->snp.cert[i];
        if (cert && !write_x509_file(path, (enum owner_snp_kind)i, cert))
            return false;
    }
    return true;
}

/* ---- X.509 ---- */

/* From the platform's up to the root, as AMD's cert_chain goes on. */
static const enum owner_snp_kind upwards[] = { OWNER_SNP_VCEK, OWNER_SNP_VLEK, OWNER_SNP_ASK,
                                               OWNER_SNP_ASVK, OWNER_SNP_ARK };

static bool write_pem(const struct owner_bundle *bundle, const char *to, const char *path)
{
    BIO *text = BIO_new(BIO_s_mem());
    bool done = text && owner_bundle_has_snp(bundle);
    for (size_t i = 0; done && i < sizeof(upwards) / sizeof(upwards[0]); i++) {
        X509 *cert = bundle->snp.cert[upwards[i]];
        done = !cert || PEM_write_bio_X509(text, cert) == 1;
    }
    if (done) {
        char *bytes;
        long size = BIO_get_mem_data(text, &bytes);
        done = file_write(path, bytes, (size_t)size, 0644);
    } else {
        complain(to, "there are no X.509 certificates; SEV's own have no such form");
    }
    BIO_free(text);
    return done;
}

static bool write_der(const struct owner_bundle *bundle, const char *to, const char *path)
{
    const X509 *only = NULL;
    unsigned count = 0;
    for (int i = 0; i < OWNER_SNP_KINDS; i++) {
        if (bundle->snp.cert[i]) {
            only = bundle->snp.cert[i];
            count++;
        }
    }
    if (count != 1)
        return complain(to, "a DER file has exactly one X.509 certificate; --to files writes several");
    uint8_t *der = NULL;
    int size = i2d_X509(only, &der);
    bool done = size > 0 && file_write(path, der, (size_t)size, 0644);
    OPENSSL_free(der);
    return done;
}

static const struct {
    const char *name;
    bool (*write)(const struct owner_bundle *bundle, const char *to, const char *path);
} forms[] = {
    { "sevctl", write_sevctl },  { "sevctl-full", write_sevctl_full }, { "chain", write_chain },
    { "ask-ark", write_ask_ark }, { "sev-tool", write_zip },            { "files", write_files },
    { "pem", write_pem },        { "der", write_der },
};

bool convert_write(const struct owner_bundle *bundle, const char *to, const char *path)
{
    if (!to || !path) {
        error_say("owner certs convert: needs --to FORM and --output PATH; try 'privet owner certs "
                  "--help'");
        return false;
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(to, forms[i].name) == 0)
            return forms[i].write(bundle, to, path);
    }
    return complain(to, "no such form; 'privet owner certs --help' lists them");
}
