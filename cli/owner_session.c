/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet owner session` and `privet owner certs`: whom to trust, and the keys of one launch. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/file.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "owner/certs.h"
#include "owner/session.h"

#define CHAIN_LIMIT (64u << 10)

/* ---- certificates ---- */

struct chain_files {
    struct file files[OPTION_LIST_MAX];
    unsigned count;
    struct owner_chain chain;
};

static void chain_free(struct chain_files *c)
{
    for (unsigned i = 0; i < c->count; i++)
        file_free(&c->files[i]);
}

static bool chain_load(struct chain_files *c, const struct option_list *paths)
{
    for (unsigned i = 0; i < paths->count; i++) {
        struct file *file = &c->files[c->count];
        if (!file_read_base64(paths->items[i], "certificate", CHAIN_LIMIT, file))
            return false;
        c->count++;
        const char *reason = owner_chain_add(&c->chain, file->data, file->size);
        if (reason) {
            fprintf(stderr, "privet: %s: not a SEV certificate or chain: %s\n", paths->items[i],
                    reason);
            return false;
        }
    }
    return true;
}

static const char *const link_words[] = {
    [OWNER_LINK_GOOD] = "valid", [OWNER_LINK_BAD] = "INVALID", [OWNER_LINK_ABSENT] = "not given"
};

static bool any_bad(const struct owner_chain_verdict *verdict)
{
    for (int i = 0; i < OWNER_LINKS; i++) {
        if (verdict->link[i] == OWNER_LINK_BAD)
            return true;
    }
    return false;
}

/* Every link from a genuine root to the PDH is there and valid. */
static bool proves_hardware(const struct owner_chain_verdict *verdict)
{
    return verdict->product && verdict->link[OWNER_ARK_SELF] == OWNER_LINK_GOOD &&
           verdict->link[OWNER_ARK_ASK] == OWNER_LINK_GOOD &&
           verdict->link[OWNER_ASK_CEK] == OWNER_LINK_GOOD &&
           verdict->link[OWNER_CEK_PEK] == OWNER_LINK_GOOD &&
           verdict->link[OWNER_PEK_PDH] == OWNER_LINK_GOOD;
}

static void print_verdict_json(const struct owner_chain_verdict *verdict, bool genuine)
{
    printf("{\"links\":[");
    for (int i = 0; i < OWNER_LINKS; i++)
        printf("%s{\"name\":\"%s\",\"state\":\"%s\"}", i ? "," : "",
               owner_link_name((enum owner_link)i), link_words[verdict->link[i]]);
    printf("],\"root\":");
    printf(verdict->product ? "\"%s\"" : "null", verdict->product);
    printf(",\"genuine\":%s}\n", genuine ? "true" : "false");
}

static void print_verdict(const struct owner_chain_verdict *verdict, bool ark)
{
    for (int i = 0; i < OWNER_LINKS; i++)
        printf("%-18s %s\n", owner_link_name((enum owner_link)i), link_words[verdict->link[i]]);
    if (ark)
        printf("%-18s %s\n", "root", verdict->product ? verdict->product : "not AMD's");
}

int owner_certs_command(int argc, char **argv)
{
    bool json = false, any_root = false;
    const struct option_row rows[] = {
        { "any-root", OPTION_FLAG, &any_root, NULL,
          "accept a chain without AMD's root, such as an emulated chip's", 0, 0, NULL },
        { "json", OPTION_FLAG, &json, NULL, "one JSON document on stdout", 0, 0, NULL },
        { NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL },
    };
    const struct option_verb verb = {
        .usage = "privet owner certs [options] FILE...",
        .summary = "Checks a chain of SEV certificates from AMD's root to a platform's PDH. Each "
                   "file holds one\ncertificate or several, in any order.",
        .rows = rows,
        .footer = "Exit status: 0 the chain proves genuine hardware (or, with --any-root, every "
                  "link given is valid);\n1 usage or host error; 6 it does not.",
        .operands = true,
    };
    struct option_list words = { .count = 0 };
    struct chain_files files = { .count = 0 };
    struct owner_chain_verdict verdict;
    int code = 1;
    enum option_result result = options_parse(&verb, argc, argv, &words);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (words.count == 0)
        fprintf(stderr, "privet: owner certs: a file is missing; try 'privet owner certs "
                        "--help'\n");
    else if (chain_load(&files, &words)) {
        owner_chain_verify(&files.chain, &verdict);
        bool genuine = proves_hardware(&verdict);
        if (json)
            print_verdict_json(&verdict, genuine);
        else
            print_verdict(&verdict, files.chain.ark != NULL);
        code = !output_flush() ? 1 : (any_root ? !any_bad(&verdict) : genuine) ? 0
                                                           : EXIT_VERIFICATION_FAILED;
        if (code == EXIT_VERIFICATION_FAILED)
            fprintf(stderr, "privet: the certificates do not prove a genuine platform: %s\n",
                    any_bad(&verdict) ? "a link is invalid"
                    : files.chain.ark && !verdict.product
                        ? "the root is not AMD's; --any-root accepts it"
                        : "links are missing; give AMD's ask and ark, and the CEK they signed");
    }
    chain_free(&files);
    return code;
}

/* ---- sessions ---- */

enum { FILE_GODH, FILE_SESSION, FILE_TEK, FILE_TIK, SESSION_FILES };

struct session_paths {
    char text[SESSION_FILES][4096];
};

static bool make_paths(const char *name, bool force, struct session_paths *paths)
{
    static const char *const endings[SESSION_FILES] = { "_godh.b64", "_session.b64", "_tek.bin",
                                                        "_tik.bin" };
    struct stat status;
    for (int i = 0; i < SESSION_FILES; i++) {
        char *path = paths->text[i];
        if (snprintf(path, sizeof(paths->text[i]), "%s%s", name, endings[i]) >=
            (int)sizeof(paths->text[i])) {
            fprintf(stderr, "privet: --name: too long\n");
            return false;
        }
        if (!force && lstat(path, &status) == 0) {
            fprintf(stderr, "privet: %s: exists already; choose another --name, or overwrite with "
                            "--force\n", path);
            return false;
        }
    }
    return true;
}

/* All four files or none. */
static bool write_session(const struct session_paths *paths, const struct owner_session *session)
{
    const struct {
        const void *data;
        size_t size;
        unsigned mode;
        bool base64;
    } contents[SESSION_FILES] = {
        [FILE_GODH] = { session->certificate, SEV_CERT_SIZE, 0644, true },
        [FILE_SESSION] = { &session->session, SEV_SESSION_SIZE, 0644, true },
        [FILE_TEK] = { session->keys.tek, SEV_KEY_SIZE, 0600, false },
        [FILE_TIK] = { session->keys.tik, SEV_KEY_SIZE, 0600, false },
    };
    for (int i = 0; i < SESSION_FILES; i++) {
        bool done = (contents[i].base64 ? file_write_base64 : file_write)(
            paths->text[i], contents[i].data, contents[i].size, contents[i].mode);
        while (!done && i--)
            unlink(paths->text[i]);
        if (!done)
            return false;
    }
    return true;
}

/* A chain in the file must hold together: a PDH that its own PEK did not sign is an attack. */
static bool load_pdh(struct chain_files *files, const char *path)
{
    struct option_list one = { .items = { path }, .count = 1 };
    struct owner_chain_verdict verdict;
    if (!chain_load(files, &one))
        return false;
    if (!files->chain.pdh) {
        fprintf(stderr, "privet: %s: there is no PDH certificate in it; use 'privet chip export' "
                        "or 'sevctl export'\n", path);
        return false;
    }
    owner_chain_verify(&files->chain, &verdict);
    if (!any_bad(&verdict))
        return true;
    fprintf(stderr, "privet: %s: the chain is not valid; see 'privet owner certs %s'\n", path,
            path);
    return false;
}

static int make_session(const char *pdh, uint32_t policy, const struct session_paths *paths)
{
    struct chain_files files = { .count = 0 };
    struct owner_session session;
    int code = 1;
    if (load_pdh(&files, pdh)) {
        const char *reason = owner_session_make(files.chain.pdh, SEV_CERT_SIZE, policy, &session);
        if (reason)
            fprintf(stderr, "privet: %s: %s\n", pdh, reason);
        else if (write_session(paths, &session))
            code = 0;
        OPENSSL_cleanse(&session, sizeof(session));
    }
    chain_free(&files);
    return code;
}

int owner_session_command(int argc, char **argv)
{
    const char *pdh = NULL, *name = "vm";
    bool force = false;
    uint64_t policy = SEV_POLICY_NODBG;
    const struct option_row rows[] = {
        { "pdh", OPTION_TEXT, &pdh, "FILE", "the platform's PDH, alone or with its chain", 0, 0,
          NULL },
        { "policy", OPTION_POLICY, &policy, "POLICY",
          "a number, or words of nodbg,noks,es,nosend,domain,sev,api=X.Y; default nodbg", 0, 0,
          NULL },
        { "name", OPTION_TEXT, &name, "NAME", "how the files' names begin; default vm", 0, 0,
          NULL },
        { "force", OPTION_FLAG, &force, NULL, "overwrite files that exist", 0, 0, NULL },
        { NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL },
    };
    const struct option_verb verb = {
        .usage = "privet owner session --pdh FILE [options]",
        .summary = "Makes the owner's part of a launch: NAME_godh.b64 and NAME_session.b64 go to "
                   "the host\n(privet run --dh-cert, --session; QEMU's dh-cert-file, "
                   "session-file); NAME_tek.bin and\nNAME_tik.bin are secret and stay with "
                   "the owner.",
        .rows = rows,
        .footer = "Check the platform's certificates first: 'privet owner certs'.",
    };
    static struct session_paths paths;
    enum option_result result = options_parse(&verb, argc, argv, NULL);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (!pdh) {
        fprintf(stderr, "privet: --pdh is needed: the platform's certificate to make the session "
                        "for\n");
        return 1;
    }
    return make_paths(name, force, &paths) ? make_session(pdh, (uint32_t)policy, &paths) : 1;
}
