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

enum form { FORM_SEVCTL, FORM_SEV_TOOL }; /* of --to */

struct session_options {
    struct trust_options trust;
    const char *pdh, *name;
    unsigned form; /* of enum form */
    bool force;
    uint64_t policy;
};

/* What a tool calls the parts of a session, behind NAME, and how it has them. */
#define SESSION_FILES 4
static const struct session_file {
    const char *ending; /* NULL: there are no more */
    enum { GODH, SESSION, TEK, TIK, BOTH_KEYS } part;
    unsigned mode;
    bool base64;
} session_files[][SESSION_FILES] = {
    [FORM_SEVCTL] = { { "_godh.b64", GODH, 0644, true },
                      { "_session.b64", SESSION, 0644, true },
                      { "_tek.bin", TEK, 0600, false },
                      { "_tik.bin", TIK, 0600, false } },
    [FORM_SEV_TOOL] = { { "/godh.cert", GODH, 0644, false },
                        { "/launch_blob.bin", SESSION, 0644, false },
                        { "/tmp_tk.bin", BOTH_KEYS, 0600, false } },
};
_Static_assert(sizeof(struct owner_keys) == 2 * SEV_KEY_SIZE, "TEK, then TIK");

struct session_paths {
    char text[SESSION_FILES][4096];
};

static bool make_paths(const struct session_options *o, struct session_paths *paths)
{
    const struct session_file *files = session_files[o->form];
    const char *name = o->name ? o->name : o->form == FORM_SEV_TOOL ? "." : "vm";
    struct stat status;
    for (int i = 0; i < SESSION_FILES && files[i].ending; i++) {
        char *path = paths->text[i];
        if (snprintf(path, sizeof(paths->text[i]), "%s%s", name, files[i].ending) >=
            (int)sizeof(paths->text[i])) {
            error_say("--name: too long");
            return false;
        }
        if (!o->force && lstat(path, &status) == 0) {
            error_say("%s: exists already; choose another --name, or overwrite with --force", path);
            return false;
        }
    }
    return true;
}

static bool write_file(const char *path, const struct session_file *file,
                       const struct owner_session *session)
{
    const struct {
        const void *data;
        size_t size;
    } parts[] = {
        [GODH] = { session->certificate, SEV_CERT_SIZE },
        [SESSION] = { &session->session, SEV_SESSION_SIZE },
        [TEK] = { session->keys.tek, SEV_KEY_SIZE },
        [TIK] = { session->keys.tik, SEV_KEY_SIZE },
        [BOTH_KEYS] = { &session->keys, sizeof(session->keys) },
    };
    return (file->base64 ? file_write_base64 : file_write)(path, parts[file->part].data,
                                                           parts[file->part].size, file->mode);
}

/* All of the files or none. */
static bool write_session(enum form form, const struct session_paths *paths,
                          const struct owner_session *session)
{
    const struct session_file *files = session_files[form];
    for (int i = 0; i < SESSION_FILES && files[i].ending; i++) {
        bool done = write_file(paths->text[i], &files[i], session);
        while (!done && i--)
            unlink(paths->text[i]);
        if (!done)
            return false;
    }
    return true;
}

/* The certificates of --pdh and of the files beside it. */
static bool load_chain(struct owner_bundle *bundle, const char *pdh, const struct option_list *more)
{
    if (!certificates_load(bundle, pdh, NULL, 0))
        return false;
    for (unsigned i = 0; i < more->count; i++) {
        if (!certificates_load(bundle, more->items[i], NULL, 0))
            return false;
    }
    if (!bundle->sev.pdh)
        error_say("%s: there is no PDH certificate in it; use 'privet chip export' or 'sevctl "
                  "export'", pdh);
    return bundle->sev.pdh;
}

/* Whoever has the other half of the PDH gets the keys: it must be a platform's, up to the root. */
static bool is_verified(const struct trust *trust, struct owner_bundle *bundle, const char *pdh)
{
    static struct owner_checks checks;
    trust_complete(trust, bundle);
    trust_check_sev(trust, &bundle->sev, OWNER_PEK_PDH, &checks);
    if (checks_passed(&checks, trust->any_root))
        return true;
    const struct owner_check *check = checks_culprit(&checks);
    error_say("%s: its chain does not hold: '%s': %s%s", pdh, check->name, check->reason,
              check->state == OWNER_LINK_ABSENT
                  ? "; name the file, or do without by --any-root" : "");
    return false;
}

static int make_session(const struct session_options *o, const struct option_list *more,
                        const struct session_paths *paths)
{
    struct owner_bundle bundle = { .buffer_count = 0 };
    struct owner_session session;
    struct trust trust;
    int code = 1;
    if (trust_open(&o->trust, &trust) && load_chain(&bundle, o->pdh, more)) {
        const char *reason = NULL;
        if (!is_verified(&trust, &bundle, o->pdh))
            code = EXIT_VERIFICATION_FAILED;
        else if ((reason = owner_session_make(bundle.sev.pdh, SEV_CERT_SIZE, (uint32_t)o->policy,
                                              &session)) != NULL)
            error_say("%s: %s", o->pdh, reason);
        else if (write_session((enum form)o->form, paths, &session))
            code = 0;
        OPENSSL_cleanse(&session, sizeof(session));
    }
    owner_bundle_free(&bundle);
    trust_close(&trust);
    return code;
}

int owner_session_command(int argc, char **argv)
{
    static const char *const forms[] = { [FORM_SEVCTL] = "sevctl", [FORM_SEV_TOOL] = "sev-tool",
                                         NULL };
    struct session_options o = { .policy = SEV_POLICY_NODBG };
    const struct option_row rows[] = {
        { "pdh", OPTION_TEXT, &o.pdh, "FILE", "the platform's PDH, alone or with its chain" },
        { "policy", OPTION_POLICY, &o.policy, "POLICY",
          "a number, or words of nodbg,noks,es,nosend,domain,sev,api=X.Y; default nodbg" },
        { "any-root", OPTION_FLAG, &o.trust.any_root, NULL,
          "accept a chain without AMD's root, such as an emulated chip's" },
        { "root", OPTION_TEXT, &o.trust.root, "FILE",
          "trust the ARK in this file as well as AMD's" },
        { "to", OPTION_CHOICE, &o.form, "sevctl|sev-tool", "whose files to write; default sevctl", 0,
          0, forms },
        { "name", OPTION_TEXT, &o.name, "NAME",
          "how the files' names begin; default vm. sev-tool: their folder; default this one" },
        { "force", OPTION_FLAG, &o.force, NULL, "overwrite files that exist" },
        { NULL, OPTION_FLAG, NULL, NULL, NULL },
    };
    const struct option_verb verb = {
        .path = "owner session",
        .usage = "privet owner session --pdh FILE [options] [CERTIFICATES...]",
        .summary = "Makes the owner's part of a launch: NAME_godh.b64 and NAME_session.b64 go to "
                   "the host\n(privet run --dh-cert, --session; QEMU's dh-cert-file, "
                   "session-file); NAME_tek.bin and\nNAME_tik.bin are secret and stay with "
                   "the owner. The PDH is verified up to AMD's root, by certificates\nin its file "
                   "or in others.",
        .rows = rows,
        .footer = "Exit status: 0 done; 1 usage or host error; 6 the chain does not hold.",
        .operands = true,
    };
    static struct session_paths paths;
    struct option_list more = { .count = 0 };
    enum option_result result = options_parse(&verb, argc, argv, &more);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (!o.pdh) {
        error_say("--pdh is needed: the platform's certificate to make the session for");
        return 1;
    }
    return make_paths(&o, &paths) ? make_session(&o, &more, &paths) : 1;
}
