/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet owner certs`: shows, verifies and converts chains of certificates. */
#include <stdio.h>
#include <string.h>

#include "cli/error.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "cli/owner_convert.h"
#include "cli/owner_trust.h"
#include "cli/record.h"

struct certs_options {
    struct trust_options trust;
    const char *to, *output;
    bool json;
};

/* Certificates with what each file was. */
struct inputs {
    struct owner_bundle bundle;
    struct trust trust;
    char what[OPTION_LIST_MAX][256];
    const struct option_list *paths;
};

static void print_files_json(const struct inputs *inputs)
{
    fputs("{\"files\":[", stdout);
    for (unsigned i = 0; i < inputs->paths->count; i++) {
        struct record record = { .json = true };
        fputs(i ? ",{" : "{", stdout);
        record_text(&record, "file", "%s", inputs->paths->items[i]);
        record_text(&record, "content", "%s", inputs->what[i]);
        putchar('}');
    }
    putchar(']');
}

static void print_files(const struct inputs *inputs)
{
    for (unsigned i = 0; i < inputs->paths->count; i++)
        printf("%s: %s\n", inputs->paths->items[i], inputs->what[i]);
}

/* ---- show ---- */

/* An object, or a headed paragraph. */
static struct record begin_certificate(bool json, unsigned *count, const char *kind,
                                       const char *form)
{
    struct record record = { .json = json, .indent = 2 };
    if (json)
        fputs((*count)++ ? ",{" : "{", stdout);
    else
        printf("%s\n", kind);
    if (json)
        record_text(&record, "kind", "%s", kind);
    record_text(&record, "format", "%s", form);
    return record;
}

static void end_certificate(const struct record *record)
{
    if (record->json)
        putchar('}');
}

static void record_key(struct record *record, EVP_PKEY *key)
{
    uint8_t digest[32];
    if (key && owner_key_digest(key, digest))
        record_hex(record, "key-sha256", digest, sizeof(digest));
    else
        record_text(record, "key-sha256", "none: the key is damaged");
}

static const char *algorithm_name(uint32_t algorithm)
{
    static const struct {
        uint32_t algorithm;
        const char *name;
    } names[] = {
        { SEV_ALGO_RSA_SHA256, "RSA with SHA-256" },   { SEV_ALGO_RSA_SHA384, "RSA with SHA-384" },
        { SEV_ALGO_ECDSA_SHA256, "ECDSA with SHA-256" },
        { SEV_ALGO_ECDSA_SHA384, "ECDSA with SHA-384" },
        { SEV_ALGO_ECDH_SHA256, "ECDH with SHA-256" },
        { SEV_ALGO_ECDH_SHA384, "ECDH with SHA-384" },
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].algorithm == algorithm)
            return names[i].name;
    }
    return "unknown algorithm";
}

static void show_sev(const uint8_t *bytes, bool json, unsigned *count)
{
    struct sev_certificate cert;
    if (!bytes || sev_certificate_decode(bytes, SEV_CERT_SIZE, &cert))
        return;
    struct record record = begin_certificate(json, count, sev_usage_name(cert.usage), "SEV");
    record_text(&record, "api-version", "%u.%u", cert.api_major, cert.api_minor);
    record_text(&record, "algorithm", "%s on P-384", algorithm_name(cert.algorithm));
    for (int i = 0; i < 2; i++) {
        const struct sev_cert_signature *signature = &cert.signature[i];
        const char *name = i ? "signature-2" : "signature-1";
        if (signature->usage == SEV_USAGE_INVALID)
            record_text(&record, name, "none");
        else
            record_text(&record, name, "by %s, %s", sev_usage_name(signature->usage),
                        algorithm_name(signature->algorithm));
    }
    EVP_PKEY *key = owner_key_from_point(cert.x, cert.y);
    record_key(&record, key);
    EVP_PKEY_free(key);
    end_certificate(&record);
}

static void show_amd(const uint8_t *bytes, size_t size, bool json, unsigned *count)
{
    struct sev_amd_certificate cert;
    if (!bytes || sev_amd_certificate_decode(bytes, size, &cert))
        return;
    EVP_PKEY *key = owner_key_of_amd(&cert);
    const char *product = key ? owner_root_product(key) : NULL;
    struct record record = begin_certificate(json, count, sev_usage_name(cert.usage), "AMD");
    record_text(&record, "algorithm", "RSA-%zu", cert.key_size * 8);
    record_hex(&record, "key-id", cert.key_id, sizeof(cert.key_id));
    record_hex(&record, "certifying-key-id", cert.certifying_id, sizeof(cert.certifying_id));
    record_key(&record, key);
    if (product)
        record_text(&record, "root", "%s", product);
    EVP_PKEY_free(key);
    end_certificate(&record);
}

static void record_name(struct record *record, const char *name, const X509_NAME *value)
{
    char text[128];
    if (X509_NAME_get_text_by_NID(value, NID_commonName, text, sizeof(text)) < 0)
        text[0] = '\0';
    record_text(record, name, "%s", text);
}

static void record_time(struct record *record, const char *name, const ASN1_TIME *time)
{
    struct tm parts;
    char text[32] = "malformed";
    if (ASN1_TIME_to_tm(time, &parts) == 1)
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    record_text(record, name, "%s", text);
}

static void record_endorsement(struct record *record, const X509 *cert)
{
    struct owner_snp_endorsement e;
    const char *reason = owner_snp_endorsement(cert, &e);
    if (reason) {
        record_text(record, "extensions", "unreadable: %s", reason);
        return;
    }
    record_text(record, "product", "%s", e.product);
    record_tcb(record, "tcb", e.turin, e.tcb);
    if (e.hardware_id_size)
        record_hex(record, "hardware-id", e.hardware_id, e.hardware_id_size);
    if (e.provider[0])
        record_text(record, "provider", "%s", e.provider);
}

static void show_snp(const X509 *cert, enum owner_snp_kind kind, bool json, unsigned *count)
{
    struct record record = begin_certificate(json, count, owner_snp_kind_name(kind), "X.509");
    EVP_PKEY *key = X509_get0_pubkey(cert);
    record_name(&record, "subject", X509_get_subject_name(cert));
    record_name(&record, "issuer", X509_get_issuer_name(cert));
    record_time(&record, "not-before", X509_get0_notBefore(cert));
    record_time(&record, "not-after", X509_get0_notAfter(cert));
    record_key(&record, key);
    if (kind == OWNER_SNP_VCEK || kind == OWNER_SNP_VLEK)
        record_endorsement(&record, cert);
    else if (key && owner_root_product(key))
        record_text(&record, "root", "%s", owner_root_product(key));
    end_certificate(&record);
}

static int command_show(struct inputs *inputs, const struct certs_options *o)
{
    const struct owner_chain *c = &inputs->bundle.sev;
    const uint8_t *const sev[] = { c->pdh, c->pek, c->oca, c->cek };
    unsigned count = 0;
    if (o->json) {
        print_files_json(inputs);
        fputs(",\"certificates\":[", stdout);
    } else {
        print_files(inputs);
    }
    for (size_t i = 0; i < sizeof(sev) / sizeof(sev[0]); i++)
        show_sev(sev[i], o->json, &count);
    show_amd(c->ask, c->ask_size, o->json, &count);
    show_amd(c->ark, c->ark_size, o->json, &count);
    for (int i = 0; i < OWNER_SNP_KINDS; i++) {
        if (inputs->bundle.snp.cert[i])
            show_snp(inputs->bundle.snp.cert[i], (enum owner_snp_kind)i, o->json, &count);
    }
    if (o->json)
        fputs("]}\n", stdout);
    return output_flush() ? 0 : 1;
}

/* ---- verify ---- */

struct verdict {
    struct owner_checks checks;
    const char *product; /* of the SEV root, else of the SNP root */
    bool passed;
};

static void check_leaf(const struct owner_snp_chain *chain, struct owner_checks *checks)
{
    if (!chain->cert[OWNER_SNP_VCEK] && !chain->cert[OWNER_SNP_VLEK])
        owner_check_add(checks, "VCEK or VLEK", OWNER_LINK_ABSENT,
                        "neither was given: nothing is said of a platform");
}

static void judge(struct inputs *inputs, struct verdict *ret)
{
    struct owner_bundle *bundle = &inputs->bundle;
    const char *sev = NULL, *snp = NULL;
    trust_complete(&inputs->trust, bundle);
    if (owner_bundle_has_sev(bundle))
        sev = trust_check_sev(&inputs->trust, &bundle->sev, OWNER_PEK_PDH, &ret->checks);
    if (owner_bundle_has_snp(bundle)) {
        snp = trust_check_snp(&inputs->trust, &bundle->snp, &ret->checks);
        check_leaf(&bundle->snp, &ret->checks);
    }
    ret->product = sev ? sev : snp;
    ret->passed = checks_passed(&ret->checks, inputs->trust.any_root);
}

static int command_verify(struct inputs *inputs, const struct certs_options *o)
{
    static struct verdict verdict;
    judge(inputs, &verdict);
    bool genuine = verdict.product && checks_passed(&verdict.checks, false);
    if (o->json) {
        struct record record = { .json = true, .any = true };
        print_files_json(inputs);
        fputs(",\"links\":", stdout);
        checks_print_json(&verdict.checks);
        if (verdict.product)
            record_text(&record, "root", "%s", verdict.product);
        else
            fputs(",\"root\":null", stdout);
        record_bool(&record, "genuine", genuine);
        fputs("}\n", stdout);
    } else {
        print_files(inputs);
        checks_print(&verdict.checks);
    }
    if (!output_flush())
        return 1;
    if (verdict.passed)
        return 0;
    const struct owner_check *check = checks_culprit(&verdict.checks);
    error_verdict("the certificates do not prove a genuine platform: '%s': %s", check->name,
                  check->reason);
    return EXIT_VERIFICATION_FAILED;
}

/* ---- convert ---- */

static void print_conversion(const char *form, const struct conversion *conversion)
{
    struct record record = { .json = true };
    putchar('{');
    record_text(&record, "format", "%s", form);
    fputs(",\"written\":[", stdout);
    for (unsigned i = 0; i < conversion->count; i++) {
        struct record file = { .json = true };
        fputs(i ? ",{" : "{", stdout);
        written_tell(&file, &conversion->file[i]);
        putchar('}');
    }
    fputs("]}\n", stdout);
}

static int command_convert(struct inputs *inputs, const struct certs_options *o)
{
    static struct conversion conversion;
    if ((o->output && !written_may_tell(o->json, o->output)) ||
        !convert_write(&inputs->bundle, o->to, o->output, &conversion))
        return 1;
    if (o->json)
        print_conversion(o->to, &conversion);
    return output_flush() ? 0 : 1;
}

/* ---- the subcommand ---- */

static const struct command {
    const char *name;
    int (*run)(struct inputs *inputs, const struct certs_options *o);
} commands[] = {
    { "verify", command_verify }, /* when none is named */
    { "show", command_show },
    { "convert", command_convert },
};

/* Takes the command's name, if there is one, out of the words. */
static const struct command *take_command(struct option_list *words)
{
    for (size_t i = 0; words->count && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(words->items[0], commands[i].name) == 0) {
            words->count--;
            memmove(&words->items[0], &words->items[1], words->count * sizeof(words->items[0]));
            return &commands[i];
        }
    }
    return &commands[0];
}

static bool load(struct inputs *inputs)
{
    for (unsigned i = 0; i < inputs->paths->count; i++) {
        if (!certificates_load(&inputs->bundle, inputs->paths->items[i], inputs->what[i],
                               sizeof(inputs->what[i])))
            return false;
    }
    return true;
}

static const char footer[] =
    "Commands:\n"
    "  verify FILE...   every link to AMD's root; may be left out\n"
    "  show FILE...     what the certificates say\n"
    "  convert --to FORM --output PATH FILE...\n"
    CONVERT_FORMS
    "\nExit status: 0 done, or the chain proves genuine hardware (with --any-root: no link that was "
    "given\nis bad); 1 usage or host error; 6 it does not.";

int owner_certs_command(int argc, char **argv)
{
    static struct inputs inputs;
    struct certs_options o = { .to = NULL };
    const struct option_row rows[] = {
        TRUST_ROWS(o.trust),
        { "to", OPTION_TEXT, &o.to, "FORM", "convert: the form to write" },
        { "output", OPTION_TEXT, &o.output, "PATH",
          "convert: the file to write, or the folder of several; - is stdout" },
        { "json", OPTION_FLAG, &o.json, NULL, "one JSON document on stdout" },
        { .name = NULL },
    };
    const struct option_verb verb = {
        .path = "owner certs",
        .usage = "privet owner certs [verify|show|convert] [options] FILE...",
        .summary = "Certificates of SEV and SEV-SNP platforms: AMD's binary form, sevctl's and "
                   "sev-tool's chains and\nzip, PEM, DER, SNP certificate tables; raw or base64, "
                   "one or several in a file, in any order.",
        .rows = rows,
        .footer = footer,
        .operands = true,
        .commands = "verify show convert",
    };
    struct option_list words = { .count = 0 };
    int code = 1;
    enum option_result result = options_parse(&verb, argc, argv, &words);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    const struct command *command = take_command(&words);
    inputs.paths = &words;
    if (words.count == 0)
        error_say("owner certs: a file is missing; try 'privet owner certs --help'");
    else if (trust_open(&o.trust, &inputs.trust) && load(&inputs))
        code = command->run(&inputs, &o);
    owner_bundle_free(&inputs.bundle);
    trust_close(&inputs.trust);
    return code;
}
