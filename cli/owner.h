/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Subcommands of `privet owner`; private to cli. argv[0] is the subcommand. */
#ifndef PRIVET_CLI_OWNER_H
#define PRIVET_CLI_OWNER_H

#define EXIT_VERIFICATION_FAILED 6

struct owner_subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
};

/* In the order of --help; NULL past the last one. */
const struct owner_subcommand *owner_subcommand(unsigned index);

int owner_measure_command(int argc, char **argv);
int owner_verify_command(int argc, char **argv);
int owner_sign_command(int argc, char **argv);
int owner_session_command(int argc, char **argv);
int owner_secret_command(int argc, char **argv);
int owner_certs_command(int argc, char **argv);
int owner_report_command(int argc, char **argv);

#endif
