/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet chip export|csr|import|verify`: the platform's certificates and its owner's. */
#include <stdio.h>
#include <string.h>

#include "cli/chip.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/owner_trust.h"
#include "cli/record.h"
#include "cli/refusal.h"
#include "sev/certificate.h"

/* PDH, PEK, OCA, CEK as the chip exports them, then ASK and ARK. */
struct chain {
    uint8_t certificates[4 * SEV_CERT_SIZE];
    uint8_t amd[CHIP_ROOT_ASK_SIZE + CHIP_ROOT_ARK_SIZE];
};
_Static_assert(sizeof(struct chain) == 4 * SEV_CERT_SIZE + CHIP_ROOT_ASK_SIZE + CHIP_ROOT_ARK_SIZE,
               "written to files as it is");

bool chip_certificates(struct chip_session *s, uint8_t certificates[4 * SEV_CERT_SIZE])
{
    struct sev_pdh_cert_export export = {
        .pdh_paddr = chip_map(s->chip, certificates, SEV_CERT_SIZE),
        .pdh_len = SEV_CERT_SIZE,
        .certs_paddr = chip_map(s->chip, certificates + SEV_CERT_SIZE, SEV_CHAIN_SIZE),
        .certs_len = SEV_CHAIN_SIZE,
    };
    return CHIP_ISSUE(s, PDH_CERT_EXPORT, &export);
}

static bool export_chain(struct chip_session *s, struct chain *chain)
{
    return chip_initialise(s) && chip_certificates(s, chain->certificates);
}

bool chip_peer_root(const char *path, uint8_t ark[CHIP_ROOT_ARK_SIZE])
{
    struct owner_bundle bundle = { .buffer_count = 0 };
    bool loaded = certificates_load(&bundle, path, NULL, 0), found = loaded && bundle.sev.ark;
    memset(ark, 0, CHIP_ROOT_ARK_SIZE); /* one with a key of 2048 bits is shorter */
    if (found)
        memcpy(ark, bundle.sev.ark, bundle.sev.ark_size);
    else if (loaded)
        error_say("--peer-root: %s: there is no ARK in AMD's form in it, as 'privet chip export "
                  "--full' writes it", path);
    owner_bundle_free(&bundle);
    return found;
}

/* The CEK becomes the one that the emulated AMD signed, and the chain goes up to its root. */
static bool complete_chain(struct chip_session *s, struct chain *chain)
{
    struct chip_root root;
    struct chip_failure failure;
    if (!chip_root_certificates(s->chip, &root, &failure)) {
        refusal_say_failure(&failure);
        return false;
    }
    memcpy(chain->certificates + 3 * SEV_CERT_SIZE, root.cek, sizeof(root.cek));
    memcpy(chain->amd, root.ask, sizeof(root.ask));
    memcpy(chain->amd + sizeof(root.ask), root.ark, sizeof(root.ark));
    return true;
}

int chip_export(struct chip_session *s, const char *const *files)
{
    struct chain chain;
    struct written file;
    bool full = s->options->full;
    if (!written_may_tell(s->options->json, files[0]) || !export_chain(s, &chain) ||
        (full && !complete_chain(s, &chain)))
        return 1;
    bool done = full ? written_make(&file, files[0], &chain, sizeof(chain), "PDH PEK OCA CEK ASK ARK")
                     : written_make(&file, files[0], chain.certificates, sizeof(chain.certificates),
                                    "PDH PEK OCA CEK");
    return done && chip_tell(s, &file) ? 0 : 1;
}

int chip_csr(struct chip_session *s, const char *const *files)
{
    uint8_t request[SEV_CERT_SIZE];
    struct sev_pek_csr csr = { .csr_paddr = chip_map(s->chip, request, sizeof(request)),
                               .csr_len = sizeof(request) };
    struct written file;
    if (!written_may_tell(s->options->json, files[0]) || !chip_initialise(s) ||
        !CHIP_ISSUE(s, PEK_CSR, &csr))
        return 1;
    return written_make(&file, files[0], request, sizeof(request), "PEK") && chip_tell(s, &file) ? 0 : 1;
}

static bool read_certificate(const char *path, const char *what, struct file *ret)
{
    if (!file_read_base64(path, what, OWNER_BUNDLE_FILE_MAX, ret))
        return false;
    if (ret->size == SEV_CERT_SIZE)
        return true;
    error_say("%s: not a %s: %zu bytes instead of %u", path, what, ret->size, SEV_CERT_SIZE);
    file_free(ret);
    return false;
}

int chip_import(struct chip_session *s, const char *const *files)
{
    struct file pek = { .size = 0 }, oca = { .size = 0 };
    bool done = false;
    if (read_certificate(files[0], "PEK certificate", &pek) &&
        read_certificate(files[1], "OCA certificate", &oca)) {
        struct sev_pek_cert_import import = {
            .pek_paddr = chip_map(s->chip, pek.data, pek.size),
            .pek_len = (uint32_t)pek.size,
            .oca_paddr = chip_map(s->chip, oca.data, oca.size),
            .oca_len = (uint32_t)oca.size,
        };
        done = chip_initialise(s) && CHIP_ISSUE(s, PEK_CERT_IMPORT, &import) && chip_tell(s, NULL);
    }
    file_free(&pek);
    file_free(&oca);
    return done ? 0 : 1;
}

/* The emulated AMD's root counts here, and no other: it is this chip's own. */
int chip_verify(struct chip_session *s, const char *const *files)
{
    struct chain chain;
    struct owner_bundle bundle = { .buffer_count = 0 };
    struct trust trust = { .at = 0 };
    static struct owner_checks checks;
    (void)files;
    if (!export_chain(s, &chain) || !complete_chain(s, &chain))
        return 1;
    const char *reason = owner_chain_add(&bundle.sev, (const uint8_t *)&chain, sizeof(chain));
    if (!reason)
        reason = owner_chain_add(&trust.root.sev, chain.amd + CHIP_ROOT_ASK_SIZE,
                                 CHIP_ROOT_ARK_SIZE);
    if (reason) {
        error_say("chip verify: the chip's certificates: %s", reason);
        return 6;
    }
    trust_check_sev(&trust, &bundle.sev, OWNER_PEK_PDH, &checks);
    bool valid = checks_passed(&checks, false);
    if (valid) /* the last check is the root's */
        snprintf(checks.items[checks.count - 1].reason, sizeof(checks.items[0].reason),
                 "the emulated AMD's, of this state folder");
    if (s->options->json) {
        struct record record = { .json = true, .any = true };
        fputs("{\"links\":", stdout);
        checks_print_json(&checks);
        record_bool(&record, "valid", valid);
        fputs("}\n", stdout);
    } else {
        checks_print(&checks);
    }
    if (!valid)
        error_verdict("chip verify: %s: %s", checks_culprit(&checks)->name,
                      checks_culprit(&checks)->reason);
    return valid ? 0 : 6;
}
