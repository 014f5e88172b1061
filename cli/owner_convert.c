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
#include "owner/zip.h"

enum { PDH, PEK, OCA, CEK, ASK, ARK, SEV_PARTS };

static const char *const part_names[SEV_PARTS] = { "PDH", "PEK", "OCA", "CEK", "ASK", "ARK" };

/* The SEV certificates of a bundle by the names that tools use for their files. */
struct parts {
    struct zip_file file[SEV_PARTS]; /* data NULL: absent */
};

struct job {
    const struct owner_bundle *bundle;
    const char *to, *path;
    struct conversion *done;
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

static bool complain(const struct job *job, const char *fact)
{
    error_say("--to %s: %s", job->to, fact);
    return false;
}

/* One more certificate in the only file. */
static void add_name(struct job *job, const char *name)
{
    char *names = job->done->names;
    size_t used = strlen(names);
    snprintf(names + used, sizeof(job->done->names) - used, "%s%s", used ? " " : "", name);
}

static bool put_file(struct job *job, const char *path, const void *data, size_t size,
                     const char *names)
{
    struct written *file = &job->done->file[job->done->count++];
    return written_make(file, path, data, size, names);
}

static bool put_only_file(struct job *job, const void *data, size_t size)
{
    return put_file(job, job->path, data, size, job->done->names);
}

/* ---- one after the other ---- */

static bool write_sequence(struct job *job, unsigned first, unsigned last)
{
    struct parts parts = sev_parts(job->bundle);
    uint8_t bytes[4 * SEV_CERT_SIZE + 2 * SEV_AMD_CERT_MAX];
    size_t size = 0;
    for (unsigned i = first; i <= last; i++) {
        const struct zip_file *file = &parts.file[i];
        if (!file->data) {
            error_say("--to %s: the form needs %s, which was not given", job->to, part_names[i]);
            return false;
        }
        memcpy(bytes + size, file->data, file->size);
        size += file->size;
        add_name(job, part_names[i]);
    }
    return put_only_file(job, bytes, size);
}

static bool write_sevctl(struct job *job)
{
    return write_sequence(job, PDH, CEK);
}

static bool write_sevctl_full(struct job *job)
{
    return write_sequence(job, PDH, ARK);
}

static bool write_chain(struct job *job)
{
    return write_sequence(job, PEK, CEK);
}

static bool write_ask_ark(struct job *job)
{
    return write_sequence(job, ASK, ARK);
}

/* ---- several files ---- */

static bool write_zip(struct job *job)
{
    struct parts parts = sev_parts(job->bundle);
    struct zip_file files[SEV_PARTS];
    size_t count = 0;
    for (unsigned i = 0; i < SEV_PARTS; i++) {
        if (!parts.file[i].data)
            continue;
        files[count++] = parts.file[i];
        add_name(job, part_names[i]);
    }
    if (count == 0)
        return complain(job, "there are no SEV certificates");
    uint8_t *archive = malloc(zip_size(files, count));
    if (!archive)
        return complain(job, "out of memory");
    zip_write(files, count, archive);
    bool done = put_only_file(job, archive, zip_size(files, count));
    free(archive);
    return done;
}

static bool write_in_folder(struct job *job, const char *name, const uint8_t *data, size_t size,
                            const char *certificate)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/%s", job->path, name) >= (int)sizeof(path))
        return complain(job, "the path is too long");
    return put_file(job, path, data, size, certificate);
}

static bool write_x509_file(struct job *job, enum owner_snp_kind kind, const X509 *cert)
{
    static const char *const names[OWNER_SNP_KINDS] = { "ark.der", "ask.der", "asvk.der",
                                                        "vcek.der", "vlek.der" };
    uint8_t *der = NULL;
    int size = i2d_X509(cert, &der);
    bool done = size > 0 && write_in_folder(job, names[kind], der, (size_t)size,
                                            owner_snp_kind_name(kind));
    OPENSSL_free(der);
    return done;
}

static bool write_files(struct job *job)
{
    struct parts parts = sev_parts(job->bundle);
    struct stat status;
    if (stat(job->path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        error_say("%s: not a folder; --to files writes into one", job->path);
        return false;
    }
    for (unsigned i = 0; i < SEV_PARTS; i++) {
        const struct zip_file *file = &parts.file[i];
        if (file->data && !write_in_folder(job, file->name, file->data, file->size, part_names[i]))
            return false;
    }
    for (int i = 0; i < OWNER_SNP_KINDS; i++) {
        const X509 *cert = job->bundle->snp.cert[i];
        if (cert && !write_x509_file(job, (enum owner_snp_kind)i, cert))
            return false;
    }
    return true;
}

/* ---- X.509 ---- */

/* From the platform's up to the root, as AMD's cert_chain goes on. */
static const enum owner_snp_kind upwards[] = { OWNER_SNP_VCEK, OWNER_SNP_VLEK, OWNER_SNP_ASK,
                                               OWNER_SNP_ASVK, OWNER_SNP_ARK };

static bool write_pem(struct job *job)
{
    BIO *text = BIO_new(BIO_s_mem());
    bool done = text && owner_bundle_has_snp(job->bundle);
    for (size_t i = 0; done && i < sizeof(upwards) / sizeof(upwards[0]); i++) {
        X509 *cert = job->bundle->snp.cert[upwards[i]];
        if (!cert)
            continue;
        done = PEM_write_bio_X509(text, cert) == 1;
        add_name(job, owner_snp_kind_name(upwards[i]));
    }
    if (done) {
        char *bytes;
        long size = BIO_get_mem_data(text, &bytes);
        done = put_only_file(job, bytes, (size_t)size);
    } else {
        complain(job, "there are no X.509 certificates; SEV's own have no such form");
    }
    BIO_free(text);
    return done;
}

static bool write_der(struct job *job)
{
    const X509 *only = NULL;
    unsigned count = 0;
    for (int i = 0; i < OWNER_SNP_KINDS; i++) {
        if (!job->bundle->snp.cert[i])
            continue;
        only = job->bundle->snp.cert[i];
        count++;
        add_name(job, owner_snp_kind_name((enum owner_snp_kind)i));
    }
    if (count != 1)
        return complain(job, "a DER file has exactly one X.509 certificate; --to files writes several");
    uint8_t *der = NULL;
    int size = i2d_X509(only, &der);
    bool done = size > 0 && put_only_file(job, der, (size_t)size);
    OPENSSL_free(der);
    return done;
}

static const struct {
    const char *name;
    bool (*write)(struct job *job);
} forms[] = {
    { "sevctl", write_sevctl },  { "sevctl-full", write_sevctl_full }, { "chain", write_chain },
    { "ask-ark", write_ask_ark }, { "sev-tool", write_zip },            { "files", write_files },
    { "pem", write_pem },        { "der", write_der },
};

bool convert_write(const struct owner_bundle *bundle, const char *to, const char *path,
                   struct conversion *ret)
{
    struct job job = { bundle, to, path, ret };
    if (!to || !path) {
        error_say("owner certs convert: needs --to FORM and --output PATH; try 'privet owner certs "
                  "--help'");
        return false;
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(to, forms[i].name) == 0)
            return forms[i].write(&job);
    }
    return complain(&job, "no such form; 'privet owner certs --help' lists them");
}
