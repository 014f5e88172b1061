/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet owner sign-csr`: makes a platform the owner's own. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "owner/authority.h"

#define KEY_FILE_MAX 16384u

struct sign_options {
    const char *key, *name;
    bool new_key, force;
};

struct sign_paths {
    char pek[4096], oca[4096];
};

static bool is_free(const char *path, bool force)
{
    struct stat status;
    if (force || lstat(path, &status) != 0)
        return true;
    error_say("%s: exists already; choose another name, or overwrite with --force", path);
    return false;
}

static bool make_paths(const struct sign_options *o, struct sign_paths *ret)
{
    int pek = snprintf(ret->pek, sizeof(ret->pek), "%s_pek.cert", o->name);
    int oca = snprintf(ret->oca, sizeof(ret->oca), "%s_oca.cert", o->name);
    if (pek < (int)sizeof(ret->pek) && oca < (int)sizeof(ret->oca))
        return is_free(ret->pek, o->force) && is_free(ret->oca, o->force);
    error_say("--name: too long");
    return false;
}

static EVP_PKEY *read_key(const char *path)
{
    struct file file;
    const char *reason;
    if (!file_read(path, "private key", KEY_FILE_MAX, &file))
        return NULL;
    EVP_PKEY *key = owner_authority_key_decode(file.data, file.size, &reason);
    if (!key)
        error_say("%s: %s; --new-key makes one", path, reason);
    OPENSSL_cleanse(file.data, file.size);
    file_free(&file);
    return key;
}

/* An authority's key is never overwritten: what it signed would be lost with it. */
static EVP_PKEY *new_key(const char *path)
{
    struct stat status;
    size_t size;
    if (lstat(path, &status) == 0) {
        error_say("%s: exists already; without --new-key it is used as it is", path);
        return NULL;
    }
    EVP_PKEY *key = owner_authority_key_new();
    char *pem = key ? owner_authority_key_encode(key, &size) : NULL;
    bool done = pem && file_write(path, pem, size, 0600);
    if (!pem)
        error_say("%s: the cryptographic library failed", path);
    else
        OPENSSL_clear_free(pem, size);
    if (done)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

/* Both files or none. */
static bool write_certificates(const struct sign_paths *paths, const uint8_t *pek,
                               const uint8_t *oca)
{
    if (!file_write(paths->pek, pek, SEV_CERT_SIZE, 0644))
        return false;
    if (file_write(paths->oca, oca, SEV_CERT_SIZE, 0644))
        return true;
    unlink(paths->pek);
    return false;
}

/* The request is judged before a key is made for it. */
static int sign(const struct sign_options *o, const char *path, const struct file *csr)
{
    uint8_t pek[SEV_CERT_SIZE], oca[SEV_CERT_SIZE];
    struct sign_paths paths;
    const char *reason = owner_authority_check(csr->data, csr->size);
    bool done = false;
    if (!reason && !make_paths(o, &paths))
        return 1;
    EVP_PKEY *key = reason ? NULL : o->new_key ? new_key(o->key) : read_key(o->key);
    if (key)
        reason = owner_authority_sign(key, csr->data, csr->size, pek, oca);
    if (reason)
        error_say("%s: not a PEK to sign, as 'privet chip csr' or 'sevctl' write it: %s", path,
                  reason);
    else if (key)
        done = write_certificates(&paths, pek, oca);
    EVP_PKEY_free(key);
    return done ? 0 : 1;
}

int owner_sign_command(int argc, char **argv)
{
    struct sign_options o = { .name = "owner" };
    const struct option_row rows[] = {
        { "key", OPTION_TEXT, &o.key, "FILE", "the owner's private key: P-384, PEM" },
        { "new-key", OPTION_FLAG, &o.new_key, NULL, "make the key first, into that file" },
        { "name", OPTION_TEXT, &o.name, "NAME", "how the files' names begin; default owner" },
        { "force", OPTION_FLAG, &o.force, NULL, "overwrite certificates that exist" },
        { .name = NULL },
    };
    const struct option_verb verb = {
        .path = "owner sign-csr",
        .usage = "privet owner sign-csr --key FILE [options] CSR",
        .summary = "Signs a platform's PEK with the owner's key: NAME_pek.cert and NAME_oca.cert "
                   "make the platform\nthe owner's by 'privet chip import' or sev-tool's "
                   "pek_cert_import.",
        .rows = rows,
        .footer = "CSR is what 'privet chip csr' wrote.",
        .operands = true,
    };
    struct option_list words = { .count = 0 };
    struct file csr;
    enum option_result result = options_parse(&verb, argc, argv, &words);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (!o.key || words.count != 1) {
        error_say("owner sign-csr: takes --key and one file; try 'privet owner sign-csr --help'");
        return 1;
    }
    if (!file_read_base64(words.items[0], "PEK to sign", KEY_FILE_MAX, &csr))
        return 1;
    int code = sign(&o, words.items[0], &csr);
    file_free(&csr);
    return code;
}
