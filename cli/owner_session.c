/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet owner session`: the keys of one launch. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "cli/owner_trust.h"
#include "owner/session.h"

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
            error_say("--name: too long");
            return false;
        }
        if (!force && lstat(path, &status) == 0) {
            error_say("%s: exists already; choose another --name, or overwrite with --force", path);
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
static bool load_pdh(struct owner_bundle *bundle, const char *path)
{
    struct owner_chain_verdict verdict;
    if (!certificates_load(bundle, path, NULL, 0))
        return false;
    if (!bundle->sev.pdh) {
        error_say("%s: there is no PDH certificate in it; use 'privet chip export' or 'sevctl "
                  "export'", path);
        return false;
    }
    owner_chain_verify(&bundle->sev, &verdict);
    for (int i = 0; i < OWNER_LINKS; i++) {
        if (verdict.link[i] == OWNER_LINK_BAD) {
            error_say("%s: the chain is not valid: '%s': %s", path,
                      owner_link_name((enum owner_link)i), verdict.reason[i]);
            return false;
        }
    }
    return true;
}

static int make_session(const char *pdh, uint32_t policy, const struct session_paths *paths)
{
    struct owner_bundle bundle = { .buffer_count = 0 };
    struct owner_session session;
    int code = 1;
    if (load_pdh(&bundle, pdh)) {
        const char *reason = owner_session_make(bundle.sev.pdh, SEV_CERT_SIZE, policy, &session);
        if (reason)
            error_say("%s: %s", pdh, reason);
        else if (write_session(paths, &session))
            code = 0;
        OPENSSL_cleanse(&session, sizeof(session));
    }
    owner_bundle_free(&bundle);
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
        .path = "owner session",
        .usage = "privet owner session --pdh FILE [options]",
        .summary = "Makes the owner's part of a launch: NAME_godh.b64 and NAME_session.b64 go to "
                   "the host\n(privet run --dh-cert, --session; QEMU's dh-cert-file, "
                   "session-file); NAME_tek.bin and\nNAME_tik.bin are secret and stay with "
                   "the owner.",
        .rows = rows,
        .footer = "Check the platform's certificates first: 'privet owner certs verify'.",
    };
    static struct session_paths paths;
    enum option_result result = options_parse(&verb, argc, argv, NULL);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (!pdh) {
        error_say("--pdh is needed: the platform's certificate to make the session for");
        return 1;
    }
    return make_paths(name, force, &paths) ? make_session(pdh, (uint32_t)policy, &paths) : 1;
}
