/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Verbs with commands of their own, `privet chip status`: the verb has one table of options, and each
 * command says which of them are its own. The command may stand behind options.
 */
#ifndef PRIVET_CLI_COMMANDS_H
#define PRIVET_CLI_COMMANDS_H

#include "cli/options.h"

struct command {
    const char *name;      /* NULL ends the table */
    const char *arguments; /* for the usage: "FILE", "" */
    const char *summary;
    const char *options;   /* names of the verb's options that it takes, separated by spaces */
    unsigned minimum, maximum; /* words that follow; COMMAND_PROGRAM: a program's, whatever they are */
    const void *action;    /* the caller's */
    const char *footer;    /* of its own --help; may be NULL */
};

#define COMMAND_PROGRAM (OPTION_LIST_MAX + 1u)

struct command_line {
    const struct command *command;
    struct option_list words; /* that follow it */
    char **program;           /* the same of COMMAND_PROGRAM, ended by NULL */
};

/*
 * Finds the command in argv, which gets another order, and parses its options; argv[0] is the verb.
 * --help without a command is the verb's, with a list of the commands. Says in one line what is wrong.
 */
enum option_result commands_parse(const struct option_verb *verb, const struct command *commands,
                                  int argc, char **argv, struct command_line *ret);

#endif
