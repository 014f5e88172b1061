/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The verbs of the privet command: argv[0] is the verb; each returns the exit code. */
#ifndef PRIVET_CLI_VERBS_H
#define PRIVET_CLI_VERBS_H

int verb_run(int argc, char **argv);
int verb_owner(int argc, char **argv);
int verb_chip(int argc, char **argv);
int verb_firmware(int argc, char **argv);
int verb_completion(int argc, char **argv);

#endif
