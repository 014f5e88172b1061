/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet owner`: picks the subcommand. */
#include "cli/owner.h"

#include <stdio.h>
#include <string.h>

#include "cli/error.h"
#include "cli/verbs.h"

static const struct owner_subcommand subcommands[] = {
    { "certs", owner_certs_command, "show, verify and convert a platform's certificates" },
    { "sign-csr", owner_sign_command, "become the owner of a platform: sign its PEK" },
    { "session", owner_session_command, "make the keys and the session of a launch" },
    { "measure", owner_measure_command, "launch digest and expected measurement of a guest" },
    { "verify", owner_verify_command, "is a reported measurement the expected one?" },
    { "secret", owner_secret_command, "encrypt secrets for a measured launch" },
    { "report", owner_report_command, "verify an attestation report of SEV or SEV-SNP" },
};

#define SUBCOMMAND_COUNT (sizeof(subcommands) / sizeof(subcommands[0]))

const struct owner_subcommand *owner_subcommand(unsigned index)
{
    return index < SUBCOMMAND_COUNT ? &subcommands[index] : NULL;
}

static void print_help(FILE *to)
{
    fprintf(to, "Usage: privet owner COMMAND [options]\n\n"
                "What the owner of an encrypted guest does, away from the host that runs it.\n\n"
                "Commands:\n");
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        fprintf(to, "  %-10s %s\n", subcommands[i].name, subcommands[i].help);
    fprintf(to, "\n'privet owner COMMAND --help' tells more.\n"
                "Exit status: 0 done; 1 usage or host error; 6 verification failed.\n");
}

int verb_owner(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_help(stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < SUBCOMMAND_COUNT; i++) {
        if (strcmp(argv[1], subcommands[i].name) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    }
    if (argc > 1)
        error_say("owner %s: no such command; try 'privet owner --help'", argv[1]);
    else
        print_help(stderr);
    return 1;
}
