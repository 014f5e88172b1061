/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet owner measure`: launch digest and expected measurement. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "cli/error.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "cli/owner_guest.h"
#include "cli/print.h"
#include "owner/snp_digest.h"

enum form { FORM_HEX, FORM_BASE64 };

struct measure_options {
    const char *nonce, *measurement;
    unsigned form; /* of enum form */
    bool json;
};

struct result {
    uint8_t digest[OWNER_SNP_DIGEST_SIZE];
    size_t size;   /* of the digest */
    bool measured; /* a nonce is known: */
    uint8_t report[OWNER_REPORT_SIZE];
};

static void print_base64(const uint8_t *data, size_t size)
{
    unsigned char text[4 * (OWNER_REPORT_SIZE / 3 + 1) + 1];
    EVP_EncodeBlock(text, data, (int)size);
    printf("%s", text);
}

static void print_json(const struct result *result)
{
    printf("{\"launch-digest\":\"");
    print_hex(result->digest, result->size);
    if (result->measured) {
        printf("\",\"measurement\":\"");
        print_hex(result->report, OWNER_MEASURE_SIZE);
        printf("\",\"sev-measurement\":\"");
        print_base64(result->report, OWNER_REPORT_SIZE);
    }
    printf("\"}\n");
}

/* Base64 of a measurement has the nonce, too: what query-sev-launch-measure must give. */
static void print_text(const struct result *result, enum form form)
{
    if (form == FORM_BASE64 && result->measured)
        print_base64(result->report, OWNER_REPORT_SIZE);
    else if (form == FORM_BASE64)
        print_base64(result->digest, result->size);
    else if (result->measured)
        print_hex(result->report, OWNER_MEASURE_SIZE);
    else
        print_hex(result->digest, result->size);
    printf("\n");
}

static int print_result(const struct measure_options *o, const struct result *result)
{
    if (o->json)
        print_json(result);
    else
        print_text(result, (enum form)o->form);
    return output_flush() ? 0 : 1;
}

/* From --nonce, or from the end of a reported measurement. */
static bool load_nonce(const struct measure_options *o, uint8_t nonce[OWNER_NONCE_SIZE])
{
    struct file value = { 0 };
    bool good = o->nonce
                    ? owner_value_load(o->nonce, "a launch's nonce", OWNER_NONCE_SIZE, &value)
                    : owner_value_load(o->measurement, "a launch measurement", OWNER_REPORT_SIZE,
                                       &value);
    if (good)
        memcpy(nonce, value.data + value.size - OWNER_NONCE_SIZE, OWNER_NONCE_SIZE);
    file_free(&value);
    return good;
}

/* No key has a part in what a SEV-SNP guest's report says. */
static int measure_snp(const struct measure_options *o, const struct owner_guest *guest,
                       const struct owner_guest_files *files)
{
    struct result result = { .size = OWNER_SNP_DIGEST_SIZE };
    if (o->nonce || o->measurement || files->tik.data) {
        error_say("--nonce, --measurement and --tik are not for SEV-SNP: 'privet owner report "
                  "--measurement' compares the digest with a report");
        return 1;
    }
    const char *reason = owner_snp_launch_digest(guest, result.digest);
    if (reason) {
        error_say("--firmware: %s", reason);
        return 1;
    }
    return print_result(o, &result);
}

static int measure(const void *own, const struct owner_guest *guest,
                   const struct owner_guest_files *files)
{
    const struct measure_options *o = own;
    struct result result = { .size = OWNER_DIGEST_SIZE, .measured = o->nonce || o->measurement };
    uint8_t *nonce = result.report + OWNER_MEASURE_SIZE;
    if (files->snp)
        return measure_snp(o, guest, files);
    if (o->nonce && o->measurement) {
        error_say("--nonce and --measurement: one of them says the nonce");
        return 1;
    }
    if (!files->tik.data != !result.measured) {
        error_say("--tik and --nonce (or --measurement) go together; give both or none");
        return 1;
    }
    if (result.measured && !load_nonce(o, nonce))
        return 1;
    owner_launch_digest(guest, result.digest);
    if (result.measured)
        owner_measurement(guest, result.digest, files->tik.data, nonce, result.report);
    return print_result(o, &result);
}

int owner_measure_command(int argc, char **argv)
{
    static const char *const forms[] = { "hex", "base64", NULL };
    struct measure_options o = { .json = false };
    const struct option_row rows[] = {
        { "nonce", OPTION_TEXT, &o.nonce, "VALUE",
          "the launch's, 16 bytes as hex, base64 or a file: prints the measurement" },
        { "measurement", OPTION_TEXT, &o.measurement, "VALUE",
          "instead: as reported, for its nonce", .aliases = "launch-measure-blob m" },
        { "output-format", OPTION_CHOICE, &o.form, "hex|base64",
          "default hex; base64 of a measurement has the nonce, too", 0, 0, forms },
        { "json", OPTION_FLAG, &o.json, NULL, "one JSON document on stdout" },
        { .name = NULL },
    };
    const struct owner_guest_verb verb = {
        .verb = {
            .path = "owner measure",
            .usage = "privet owner measure [options]",
            .summary = "Prints the launch digest of a guest, or with --tik and --nonce its "
                       "measurement.",
            .rows = rows,
            .footer = "API version and build are the platform's (`privet run` and query-sev report "
                      "them).\n"
                      "Example:\n"
                      "  privet owner measure --firmware privet.fd --kernel vmlinuz --append quiet",
        },
        .run = measure,
        .own = &o,
    };
    return owner_guest_command(&verb, argc, argv);
}
