/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Certificates from files, whose root to trust, and checks as text and JSON. */
#include "cli/owner_trust.h"

#include <stdio.h>
#include <string.h>

#include "cli/error.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/record.h"

bool certificates_load(struct owner_bundle *bundle, const char *path, char *what, size_t what_size)
{
    struct file file;
    char ignored[256];
    if (!file_read_base64(path, "certificate", OWNER_BUNDLE_FILE_MAX, &file))
        return false;
    const char *reason = owner_bundle_add(bundle, file.data, file.size, what ? what : ignored,
                                          what ? what_size : sizeof(ignored));
    if (reason)
        error_say("%s: not a certificate or chain of SEV: %s", path, reason);
    file_free(&file);
    return !reason;
}

/* ---- options ---- */

/* A date, or date and time in UTC, or seconds since 1970. */
static bool time_parse(const char *text, time_t *ret)
{
    struct tm parts = { .tm_isdst = 0 };
    int end = 0;
    uint64_t seconds;
    if (text[0] == '@') {
        if (!number_parse(text + 1, &seconds) || seconds > INT64_MAX)
            return false;
        *ret = (time_t)seconds;
        return true;
    }
    int got = sscanf(text, "%4d-%2d-%2d%nT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon,
                     &parts.tm_mday, &end, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &end);
    if ((got != 3 && got != 6) || strcmp(text + end, got == 6 ? "Z" : "") != 0)
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    struct tm normal = parts;
    *ret = timegm(&normal); /* moves what is out of range: then it is another date */
    return normal.tm_year == parts.tm_year && normal.tm_mon == parts.tm_mon &&
           normal.tm_mday == parts.tm_mday && normal.tm_hour == parts.tm_hour &&
           normal.tm_min == parts.tm_min && normal.tm_sec == parts.tm_sec;
}

bool trust_open(const struct trust_options *options, struct trust *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->any_root = options->any_root;
    ret->at = time(NULL);
    if (options->at && !time_parse(options->at, &ret->at)) {
        error_say("--at: not a time; give 2025-06-01, 2025-06-01T12:00:00Z (UTC) or @SECONDS");
        return false;
    }
    if (!options->root)
        return true;
    if (!certificates_load(&ret->root, options->root, NULL, 0))
        return false;
    if (ret->root.sev.ark || ret->root.snp.cert[OWNER_SNP_ARK])
        return true;
    error_say("--root: %s: there is no ARK in it", options->root);
    return false;
}

void trust_close(struct trust *trust)
{
    owner_bundle_free(&trust->root);
}

void trust_complete(const struct trust *trust, struct owner_bundle *bundle)
{
    X509 **ark = &bundle->snp.cert[OWNER_SNP_ARK];
    if (owner_bundle_has_sev(bundle) && !bundle->sev.ark) {
        bundle->sev.ark = trust->root.sev.ark;
        bundle->sev.ark_size = trust->root.sev.ark_size;
    }
    if (owner_bundle_has_snp(bundle) && !*ark && trust->root.snp.cert[OWNER_SNP_ARK]) {
        *ark = trust->root.snp.cert[OWNER_SNP_ARK];
        X509_up_ref(*ark);
    }
}

/* ---- roots ---- */

static EVP_PKEY *sev_root_key(const struct owner_chain *chain)
{
    struct sev_amd_certificate cert;
    if (!chain->ark || sev_amd_certificate_decode(chain->ark, chain->ark_size, &cert))
        return NULL;
    return owner_key_of_amd(&cert);
}

static bool same_key(EVP_PKEY *a, EVP_PKEY *b)
{
    return a && b && EVP_PKEY_eq(a, b) == 1;
}

static bool is_trusted(const struct trust *trust, EVP_PKEY *ark)
{
    X509 *other = trust->root.snp.cert[OWNER_SNP_ARK];
    EVP_PKEY *sev = sev_root_key(&trust->root.sev);
    bool right = same_key(ark, sev) || (other && same_key(ark, X509_get0_pubkey(other)));
    EVP_PKEY_free(sev);
    return right;
}

void trust_check_root(const struct trust *trust, EVP_PKEY *ark, const char *product,
                      struct owner_checks *checks)
{
    if (product)
        owner_check_add(checks, "root", OWNER_LINK_GOOD, "AMD's for %s", product);
    else if (!ark)
        owner_check_add(checks, "root", OWNER_LINK_ABSENT, "the ARK was not given");
    else if (is_trusted(trust, ark))
        owner_check_add(checks, "root", OWNER_LINK_GOOD, "not AMD's; that of --root");
    else if (trust->any_root)
        owner_check_add(checks, "root", OWNER_LINK_GOOD, "not AMD's; accepted by --any-root");
    else
        owner_check_add(checks, "root", OWNER_LINK_BAD,
                        "the ARK's key is none of AMD's for Naples to Turin; --root FILE trusts it");
}

/* Missing for this link; NULL: all there. An unsigned CEK is what a platform exports. */
static const char *missing(const struct owner_chain *c, enum owner_link link)
{
    switch (link) {
    case OWNER_ARK_SELF:
        return "the ARK was not given";
    case OWNER_ARK_ASK:
        return c->ark ? "the ASK was not given" : "the ARK was not given";
    case OWNER_ASK_CEK:
        if (c->ask && c->cek)
            return "the CEK is not signed, as platforms export it; AMD has the signed one at "
                   "https://kdsintf.amd.com/cek/id/ID, ID as of 'sevctl show identifier'";
        return c->ask ? "the CEK was not given" : "the ASK was not given";
    case OWNER_CEK_PEK:
        return c->cek ? "the PEK was not given" : "the CEK was not given";
    case OWNER_PEK_PDH:
        return c->pek ? "the PDH was not given" : "the PEK was not given";
    default:
        return "the PEK was not given";
    }
}

const char *trust_check_sev(const struct trust *trust, const struct owner_chain *chain,
                            enum owner_link last, struct owner_checks *checks)
{
    struct owner_chain_verdict verdict;
    owner_chain_verify(chain, &verdict);
    for (int i = 0; i <= (int)last; i++) {
        enum owner_link link = (enum owner_link)i;
        /* The hardware's proof does without the owner's authority. */
        if (!chain->oca && (link == OWNER_OCA_SELF || link == OWNER_OCA_PEK))
            continue;
        const char *reason = verdict.link[i] == OWNER_LINK_ABSENT ? missing(chain, link)
                                                                  : verdict.reason[i];
        owner_check_add(checks, owner_link_name(link), verdict.link[i], reason ? "%s" : NULL,
                        reason);
    }
    EVP_PKEY *ark = sev_root_key(chain);
    trust_check_root(trust, ark, verdict.product, checks);
    EVP_PKEY_free(ark);
    return verdict.product;
}

const char *trust_check_snp(const struct trust *trust, const struct owner_snp_chain *chain,
                            struct owner_checks *checks)
{
    X509 *ark = chain->cert[OWNER_SNP_ARK];
    const char *product = owner_snp_verify(chain, trust->at, checks);
    trust_check_root(trust, ark ? X509_get0_pubkey(ark) : NULL, product, checks);
    return product;
}

/* ---- results ---- */

static const char *const state_words[] = {
    [OWNER_LINK_GOOD] = "valid", [OWNER_LINK_BAD] = "INVALID", [OWNER_LINK_ABSENT] = "not given"
};

bool checks_passed(const struct owner_checks *checks, bool lenient)
{
    for (unsigned i = 0; i < checks->count; i++) {
        enum owner_link_state state = checks->items[i].state;
        if (state == OWNER_LINK_BAD || (state == OWNER_LINK_ABSENT && !lenient))
            return false;
    }
    return true;
}

const struct owner_check *checks_culprit(const struct owner_checks *checks)
{
    for (unsigned i = 0; i < checks->count; i++) {
        if (checks->items[i].state == OWNER_LINK_BAD)
            return &checks->items[i];
    }
    return owner_check_failed(checks);
}

void checks_print(const struct owner_checks *checks)
{
    for (unsigned i = 0; i < checks->count; i++) {
        const struct owner_check *check = &checks->items[i];
        printf("%-26s%s%s%s\n", check->name, state_words[check->state],
               check->reason[0] ? ": " : "", check->reason);
    }
}

void checks_print_json(const struct owner_checks *checks)
{
    putchar('[');
    for (unsigned i = 0; i < checks->count; i++) {
        struct record record = { .json = true };
        fputs(i ? ",{" : "{", stdout);
        record_text(&record, "name", "%s", checks->items[i].name);
        record_text(&record, "state", "%s", state_words[checks->items[i].state]);
        if (checks->items[i].reason[0])
            record_text(&record, "reason", "%s", checks->items[i].reason);
        putchar('}');
    }
    putchar(']');
}
