/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet owner report`: what an attestation report says, and whether to believe it. */
#include <stdio.h>
#include <string.h>

#include "cli/error.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "cli/owner_trust.h"
#include "cli/record.h"
#include "owner/report.h"
#include "sev/session.h"

#define REPORT_LIMIT 4096u
#define VALUE_MAX    64u

/* Fields that the owner may expect a value of; options of the same names. */
static const struct expectation {
    const char *field;
    bool number; /* else bytes: hex, base64 or @FILE */
    bool padded; /* shorter values go on with zeros */
    const char *argument, *help;
} expectations[] = {
    { "measurement", false, false, "VALUE", "SEV-SNP: the launch digest, 48 bytes" },
    { "launch-digest", false, false, "VALUE", "SEV: what 'privet owner measure' prints, 32 bytes" },
    { "policy", true, false, "N", "exactly this policy; else one without debugging is demanded" },
    { "report-data", false, true, "VALUE", "what the guest put in; if shorter, zeros follow" },
    { "nonce", false, false, "VALUE", "SEV: what the report was asked for with, 16 bytes" },
    { "host-data", false, false, "VALUE", "SEV-SNP: what the host put in, 32 bytes" },
    { "id-key-digest", false, false, "VALUE", "SEV-SNP: of the ID block's key, 48 bytes" },
    { "author-key-digest", false, false, "VALUE", "SEV-SNP: of the author's key, 48 bytes" },
    { "family-id", false, false, "VALUE", "SEV-SNP: of the ID block, 16 bytes" },
    { "image-id", false, false, "VALUE", "SEV-SNP: of the ID block, 16 bytes" },
    { "guest-svn", true, false, "N", "SEV-SNP: exactly this version of the guest" },
    { "vmpl", true, false, "N", "SEV-SNP: the privilege level that asked" },
    { "chip-id", false, false, "VALUE", "SEV-SNP: this chip, 64 bytes" },
    { "report-id", false, false, "VALUE", "SEV-SNP: this guest's identifier, 32 bytes" },
};

#define EXPECTATIONS (sizeof(expectations) / sizeof(expectations[0]))

struct report_options {
    struct trust_options trust;
    const char *expected[EXPECTATIONS]; /* NULL: anything */
    const char *minimum_tcb;
    bool json;
};

struct inputs {
    struct file file;
    struct sev_report report;
    struct owner_bundle bundle;
    struct trust trust;
    struct owner_checks checks;
    const char *product; /* whose root, or NULL */
};

/* ---- expected values ---- */

static bool wrong_value(const char *name, const char *fact)
{
    error_say("--%s: %s", name, fact);
    return false;
}

/* A file has the bytes themselves if their number fits, else text of them. */
static bool load_value(const char *name, const char *path, size_t size, struct file *ret)
{
    struct file file;
    if (!file_read(path, name, REPORT_LIMIT, &file))
        return false;
    bool raw = file.size == size;
    bool done = raw || text_value(file.data, file.size, size, ret);
    if (raw)
        *ret = file;
    else
        file_free(&file);
    return done || wrong_value(name, "the file has neither the field's bytes nor text of them");
}

static bool parse_bytes(const struct expectation *e, const char *text, size_t size, uint8_t *bytes)
{
    struct file value;
    char fact[96];
    if (text[0] == '@') {
        if (!load_value(e->field, text + 1, size, &value))
            return false;
    } else if (!text_value(text, strlen(text), size, &value)) {
        return wrong_value(e->field, "not hexadecimal digits, base64 or @FILE");
    }
    bool fits = value.size == size || (e->padded && value.size < size);
    snprintf(fact, sizeof(fact), "has %zu bytes, the field %zu", value.size, size);
    memset(bytes, 0, size);
    if (fits)
        memcpy(bytes, value.data, value.size);
    file_free(&value);
    return fits || wrong_value(e->field, fact);
}

/* A number; SEV's policy also in words. */
static bool parse_number(const struct expectation *e, const char *text, bool snp, size_t size,
                         uint8_t *bytes)
{
    uint64_t value;
    uint32_t policy;
    if (!number_parse(text, &value)) {
        if (snp || strcmp(e->field, "policy") != 0 || !sev_policy_parse(text, &policy))
            return wrong_value(e->field, "not a number (decimal or 0x...)");
        value = policy;
    }
    if (size < 8 && value >> (8 * size))
        return wrong_value(e->field, "larger than the field");
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    return true;
}

static bool expect(struct inputs *in, const struct expectation *e, const char *text)
{
    const struct sev_report_field *field = sev_report_field(&in->report, e->field);
    uint8_t value[VALUE_MAX];
    if (!field) {
        error_say("--%s: a report of %s has no such field", e->field,
                  in->report.snp ? "SEV-SNP; its launch digest is --measurement"
                                 : "SEV; its launch digest is --launch-digest");
        return false;
    }
    if (e->number ? !parse_number(e, text, in->report.snp, field->size, value)
                  : !parse_bytes(e, text, field->size, value))
        return false;
    owner_report_expect(&in->report, field, value, &in->checks);
    return true;
}

/* As 0x and 16 digits, the number that Linux and snphost print: byte 0 is the last one. */
static bool expect_tcb(struct inputs *in, const char *text)
{
    uint8_t minimum[OWNER_SNP_TCB_SIZE];
    uint64_t value;
    if (!in->report.snp)
        return wrong_value("min-tcb", "a report of SEV has no TCB");
    if (!number_parse(text, &value))
        return wrong_value("min-tcb", "not a TCB_VERSION such as 0x7308000000000003");
    for (unsigned i = 0; i < sizeof(minimum); i++)
        minimum[i] = (uint8_t)(value >> (8 * i));
    owner_report_expect_tcb(&in->report, minimum, &in->checks);
    return true;
}

static bool expect_all(struct inputs *in, const struct report_options *o)
{
    bool policy = false;
    for (size_t i = 0; i < EXPECTATIONS; i++) {
        if (o->expected[i] && !expect(in, &expectations[i], o->expected[i]))
            return false;
        policy |= o->expected[i] && strcmp(expectations[i].field, "policy") == 0;
    }
    if (!policy)
        owner_report_check_debug(&in->report, &in->checks);
    return !o->minimum_tcb || expect_tcb(in, o->minimum_tcb);
}

/* ---- judgement ---- */

static void judge_chain(struct inputs *in)
{
    const struct sev_report *report = &in->report;
    trust_complete(&in->trust, &in->bundle);
    if (report->snp) {
        const struct owner_snp_chain chain = owner_report_chain(report, &in->bundle.snp);
        owner_report_check_snp(report, &chain, &in->checks);
        in->product = trust_check_snp(&in->trust, &chain, &in->checks);
    } else {
        owner_report_check_sev(report, &in->bundle.sev, &in->checks);
        /* The PEK signs; neither the PDH nor the platform's owner has a part in it. */
        in->product = trust_check_sev(&in->trust, &in->bundle.sev, OWNER_CEK_PEK, &in->checks);
    }
}

/* ---- output ---- */

static void show_policy(struct record *record, const struct sev_report *report)
{
    uint64_t policy = sev_report_number(report, "policy");
    char names[160];
    if (report->snp)
        sev_snp_policy_names(policy, names, sizeof(names));
    else
        sev_policy_names((uint32_t)policy, names, sizeof(names));
    record_text(record, "policy-names", "%s", names);
}

static void show_signer(struct record *record, const struct sev_report *report)
{
    static const char *const names[8] = { [SEV_SNP_KEY_VCEK] = "VCEK",
                                          [SEV_SNP_KEY_VLEK] = "VLEK",
                                          [SEV_SNP_KEY_NONE] = "none" };
    const char *name = names[sev_snp_signing_key(report)];
    record_text(record, "signing-key", "%s", name ? name : "unknown");
}

/* Privet never fetches; its user may. */
static void show_urls(struct record *record, const struct sev_report *report)
{
    char url[320];
    if (owner_report_url(report, false, url, sizeof(url)))
        record_text(record, "vcek-url", "%s", url);
    if (owner_report_url(report, true, url, sizeof(url)))
        record_text(record, "chain-url", "%s", url);
}

static void show_field(struct record *record, const struct sev_report *report,
                       const struct sev_report_field *field, bool turin)
{
    const uint8_t *bytes = report->data + field->at;
    switch (field->form) {
    case SEV_FORM_NUMBER:
        record_number(record, field->name, sev_report_number(report, field->name));
        break;
    case SEV_FORM_MASK:
        record_mask(record, field->name, sev_report_number(report, field->name));
        break;
    case SEV_FORM_BYTES:
        record_hex(record, field->name, bytes, field->size);
        break;
    case SEV_FORM_TCB:
        record_tcb(record, field->name, turin, bytes);
        break;
    case SEV_FORM_VERSION:
        record_text(record, field->name, "%u.%u.%u", bytes[2], bytes[1], bytes[0]);
        break;
    }
}

/* Before version 3 the report does not say which layout its TCBs have; its certificate does. */
static bool turin_layout(const struct inputs *in)
{
    struct owner_snp_endorsement e;
    const struct owner_snp_chain *chain = &in->bundle.snp;
    for (int kind = OWNER_SNP_VCEK; kind <= OWNER_SNP_VLEK; kind++) {
        if (chain->cert[kind] && !owner_snp_endorsement(chain->cert[kind], &e))
            return e.turin;
    }
    return sev_snp_is_turin(&in->report);
}

static void show_report(const struct inputs *in, bool json)
{
    const struct sev_report *report = &in->report;
    struct record record = { .json = json };
    bool turin = report->snp && turin_layout(in);
    if (json)
        fputs("{\"report\":{", stdout);
    record_text(&record, "kind", report->snp ? "SEV-SNP" : "SEV");
    for (size_t i = 0; i < report->field_count; i++) {
        const struct sev_report_field *field = &report->fields[i];
        if (field->since > report->version)
            continue;
        show_field(&record, report, field, turin);
        if (strcmp(field->name, "policy") == 0)
            show_policy(&record, report);
        if (strcmp(field->name, "key-info") == 0)
            show_signer(&record, report);
    }
    show_urls(&record, report);
    if (json)
        putchar('}');
}

static int conclude(const struct inputs *in, bool json)
{
    bool passed = checks_passed(&in->checks, in->trust.any_root);
    show_report(in, json);
    if (json) {
        struct record record = { .json = true, .any = true };
        fputs(",\"checks\":", stdout);
        checks_print_json(&in->checks);
        if (in->product)
            record_text(&record, "root", "%s", in->product);
        else
            fputs(",\"root\":null", stdout);
        record_bool(&record, "verified", passed);
        fputs("}\n", stdout);
    } else {
        putchar('\n');
        checks_print(&in->checks);
    }
    if (!output_flush())
        return 1;
    if (passed)
        return 0;
    const struct owner_check *check = checks_culprit(&in->checks);
    error_verdict("the report is not to be believed: '%s': %s", check->name, check->reason);
    return EXIT_VERIFICATION_FAILED;
}

/* ---- the subcommand ---- */

static bool load(struct inputs *in, const struct option_list *paths)
{
    const char *path = paths->items[0];
    if (!file_read_value(path, "attestation report", REPORT_LIMIT, &in->file))
        return false;
    const char *reason = sev_report_decode(in->file.data, in->file.size, &in->report);
    if (reason) {
        error_say("%s: not an attestation report: %s", path, reason);
        return false;
    }
    for (unsigned i = 1; i < paths->count; i++) {
        if (!certificates_load(&in->bundle, paths->items[i], NULL, 0))
            return false;
    }
    return true;
}

static int run(struct inputs *in, const struct report_options *o, const struct option_list *paths)
{
    int code = 1;
    if (trust_open(&o->trust, &in->trust) && load(in, paths)) {
        judge_chain(in);
        if (expect_all(in, o))
            code = conclude(in, o->json);
    }
    file_free(&in->file);
    owner_bundle_free(&in->bundle);
    trust_close(&in->trust);
    return code;
}

#define FIXED_ROWS 5

/* The fixed rows, one for each expectation, and the end. */
static void make_rows(struct report_options *o, struct option_row *rows)
{
    const struct option_row fixed[FIXED_ROWS] = {
        TRUST_ROWS(o->trust),
        { "min-tcb", OPTION_TEXT, &o->minimum_tcb, "N",
          "SEV-SNP: no part of the reported TCB is older than in this one" },
        { "json", OPTION_FLAG, &o->json, NULL, "one JSON document on stdout" },
    };
    memcpy(rows, fixed, sizeof(fixed));
    for (size_t i = 0; i < EXPECTATIONS; i++) {
        const struct expectation *e = &expectations[i];
        rows[FIXED_ROWS + i] = (struct option_row){ .name = e->field,
                                                    .kind = OPTION_TEXT,
                                                    .target = &o->expected[i],
                                                    .argument = e->argument,
                                                    .help = e->help };
    }
    rows[FIXED_ROWS + EXPECTATIONS] = (struct option_row){ .name = NULL };
}

int owner_report_command(int argc, char **argv)
{
    static struct inputs inputs;
    struct report_options o = { .json = false };
    struct option_row rows[FIXED_ROWS + EXPECTATIONS + 1];
    const struct option_verb verb = {
        .path = "owner report",
        .usage = "privet owner report [options] REPORT [CERTIFICATES...]",
        .summary = "Verifies an attestation report of SEV (ATTESTATION) or SEV-SNP: its signature, "
                   "the certificates\nup to AMD's root, firmware versions and chip, and the values "
                   "that are expected of it. The report\nis raw, base64 or hexadecimal; "
                   "certificates are in any form that 'privet owner certs' knows.\nVALUE is "
                   "hexadecimal digits, base64 or @FILE.",
        .rows = rows,
        .footer = "Exit status: 0 the report is genuine and as expected; 1 usage or host error; 6 it "
                  "is not.",
        .operands = true,
    };
    struct option_list words = { .count = 0 };
    make_rows(&o, rows);
    enum option_result result = options_parse(&verb, argc, argv, &words);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (words.count)
        return run(&inputs, &o, &words);
    error_say("owner report: a file is missing; try 'privet owner report --help'");
    return 1;
}
