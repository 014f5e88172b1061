/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet owner verify`: is a reported measurement the expected one, and if not, why. */
#include <stdio.h>
#include <string.h>

#include "cli/error.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "cli/owner_guest.h"
#include "owner/mismatch.h"

#define VARIABLES_LIMIT (8u << 20)

struct verify_options {
    const char *measurement, *variables;
    bool json, quiet;
};

static bool inputs_load(const struct verify_options *o, struct file *report,
                        struct file *variables)
{
    if (!o->measurement) {
        error_say("--measurement is needed: what the launch reported");
        return false;
    }
    return owner_value_load(o->measurement, "a launch measurement", OWNER_REPORT_SIZE, report) &&
           (!o->variables ||
            file_read(o->variables, "image of the variables", VARIABLES_LIMIT, variables));
}

static int print_right(const struct verify_options *o)
{
    if (o->json)
        printf("{\"verified\":true}\n");
    else if (!o->quiet)
        printf("the measurement is the expected one\n");
    return output_flush() ? 0 : 1;
}

static int print_wrong(const struct verify_options *o, const struct owner_claim *claim)
{
    char reason[OWNER_REASON_SIZE];
    bool found = owner_mismatch_find(claim, reason);
    if (o->json && found)
        printf("{\"verified\":false,\"reason\":\"%s\"}\n", reason);
    else if (o->json)
        printf("{\"verified\":false,\"reason\":null}\n");
    if (found)
        error_verdict("not the expected measurement: %s", reason);
    else
        error_verdict("not the expected measurement, and none of the usual mistakes fits: "
                      "firmware, kernel, initrd or command line differ, or the keys or the "
                      "measurement are of another launch");
    return output_flush() ? EXIT_VERIFICATION_FAILED : 1;
}

static int verify(const void *own, const struct owner_guest *guest,
                  const struct owner_guest_files *files)
{
    const struct verify_options *o = own;
    static const uint8_t no_session[OWNER_KEY_SIZE];
    struct file report = { 0 }, variables = { 0 };
    int code = 1;
    if (files->snp) {
        error_say("--mode snp: a SEV-SNP guest's measurement is in its report; 'privet owner report "
                  "--measurement' verifies both");
        return 1;
    }
    if (inputs_load(o, &report, &variables)) {
        const struct owner_claim claim = {
            .guest = guest,
            .variables = { variables.data, variables.size },
            .tik = files->tik.data,
            .tek = files->tek.data,
            .reported = report.data,
        };
        bool right = owner_verify(guest, claim.tik ? claim.tik : no_session, claim.reported);
        code = right ? print_right(o) : print_wrong(o, &claim);
    }
    file_free(&report);
    file_free(&variables);
    return code;
}

int owner_verify_command(int argc, char **argv)
{
    struct verify_options o = { .json = false };
    const struct option_row rows[] = {
        { "measurement", OPTION_TEXT, &o.measurement, "VALUE",
          "as reported, 48 bytes: base64, hex or a file", .aliases = "launch-measure-blob m" },
        { "vars", OPTION_TEXT, &o.variables, "FILE",
          "image of the variables, to find out whether it was measured" },
        { "quiet", OPTION_FLAG, &o.quiet, NULL, "no word if the measurement is right",
          .aliases = "q" },
        { "json", OPTION_FLAG, &o.json, NULL, "one JSON document on stdout" },
        { .name = NULL },
    };
    const struct owner_guest_verb verb = {
        .verb = {
            .path = "owner verify",
            .usage = "privet owner verify [options]",
            .summary = "Compares a reported launch measurement with the expected one. Exit status 6: "
                       "they differ;\nthe usual mistakes are then tried, and the one that fits is "
                       "named.",
            .rows = rows,
            .footer = "API version and build are the platform's (`privet run` and query-sev report "
                      "them).\n"
                      "Example:\n"
                      "  privet owner verify --firmware privet.fd --measurement launch.b64 --tik "
                      "vm_tik.bin",
        },
        .run = verify,
        .own = &o,
    };
    return owner_guest_command(&verb, argc, argv);
}
