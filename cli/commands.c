/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "cli/commands.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/error.h"

#define ROWS_MAX 8u
#define TEXT_MAX 256u

/* The table of one command, made from its verb's. */
struct command_verb {
    struct option_verb verb;
    struct option_row rows[ROWS_MAX + 1];
    char path[TEXT_MAX], usage[3 * TEXT_MAX], summary[TEXT_MAX];
};

static bool is_listed(const char *name, const char *list)
{
    size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += length) {
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    }
    return false;
}

static void make_verb(const struct option_verb *verb, const struct command *command,
                      struct command_verb *ret)
{
    unsigned count = 0;
    for (const struct option_row *row = verb->rows; row->name && count < ROWS_MAX; row++) {
        if (is_listed(row->name, command->options))
            ret->rows[count++] = *row;
    }
    ret->rows[count] = (struct option_row){ .name = NULL };
    snprintf(ret->path, sizeof(ret->path), "%s %s", verb->path, command->name);
    snprintf(ret->usage, sizeof(ret->usage), "privet %s%s%s%s", ret->path,
             count ? " [options]" : "", *command->arguments ? " " : "", command->arguments);
    /* A line of a list becomes a sentence. */
    snprintf(ret->summary, sizeof(ret->summary), "%c%s.",
             toupper((unsigned char)command->summary[0]), command->summary + 1);
    ret->verb = (struct option_verb){
        .path = ret->path,
        .usage = ret->usage,
        .summary = ret->summary,
        .rows = ret->rows,
        .footer = command->footer,
        .operands = command->maximum > 0 && command->maximum != COMMAND_PROGRAM,
    };
}

#define SUMMARY_COLUMN 26

static int argument_column(const struct command *command)
{
    size_t used = strlen(command->name) + (*command->arguments != '\0');
    return used < SUMMARY_COLUMN ? (int)(SUMMARY_COLUMN - used) : 0;
}

/* The verb's own help ends with its commands. */
static enum option_result parse_group(const struct option_verb *verb,
                                      const struct command *commands, int argc, char **argv)
{
    static char list[4096], names[TEXT_MAX];
    struct option_verb group = *verb;
    struct option_list words = { .count = 0 };
    size_t used = (size_t)snprintf(list, sizeof(list), "Commands:\n"), named = 0;
    for (const struct command *c = commands; c->name && used < sizeof(list); c++) {
        used += (size_t)snprintf(list + used, sizeof(list) - used, "  %s%s%-*s %s\n", c->name,
                                 *c->arguments ? " " : "", argument_column(c), c->arguments,
                                 c->summary);
        named += (size_t)snprintf(names + named, sizeof(names) - named, "%s%s", named ? " " : "",
                                  c->name);
    }
    snprintf(list + used, sizeof(list) - used, "\n'privet %s COMMAND --help' tells more.\n%s",
             verb->path, verb->footer);
    group.footer = list;
    group.commands = names;
    group.operands = true;
    return options_parse(&group, argc, argv, &words);
}

/* While tables are visited, each is one. */
static void visit_commands(const struct option_verb *verb, const struct command *commands, int argc,
                           char **argv)
{
    static struct command_verb own;
    for (const struct command *c = commands; c->name; c++) {
        make_verb(verb, c, &own);
        options_parse(&own.verb, argc, argv, NULL);
    }
}

static const struct command *find(const struct command *commands, const char *name)
{
    for (; commands->name; commands++) {
        if (strcmp(commands->name, name) == 0)
            return commands;
    }
    return NULL;
}

static enum option_result no_command(const struct option_verb *verb, const struct command *commands,
                                     int argc, char **argv)
{
    int at = options_leading(verb, argc, argv);
    enum option_result result = parse_group(verb, commands, argc, argv);
    if (result != OPTIONS_RUN)
        return result;
    if (at < argc)
        error_say("%s %s: no such command; try 'privet %s --help'", verb->path, argv[at],
                  verb->path);
    else
        error_say("%s: a command is missing; try 'privet %s --help'", verb->path, verb->path);
    return OPTIONS_WRONG;
}

static bool check_words(const struct command_verb *own, const struct command_line *line)
{
    const struct command *command = line->command;
    unsigned count = line->words.count;
    bool program = command->maximum == COMMAND_PROGRAM;
    if (program ? *line->program != NULL : count >= command->minimum && count <= command->maximum)
        return true;
    error_say("%s: takes %s; try 'privet %s --help'", own->path,
              *command->arguments ? command->arguments : "no argument", own->path);
    return false;
}

enum option_result commands_parse(const struct option_verb *verb, const struct command *commands,
                                  int argc, char **argv, struct command_line *ret)
{
    static struct command_verb own;
    int at = options_leading(verb, argc, argv);
    const struct command *command = at < argc ? find(commands, argv[at]) : NULL;
    *ret = (struct command_line){ .command = command };
    if (!command) {
        enum option_result result = no_command(verb, commands, argc, argv);
        if (options_visiting())
            visit_commands(verb, commands, argc, argv);
        return result;
    }
    /* The command first, then the options that were before it. */
    char *name = argv[at];
    memmove(argv + 1, argv, (size_t)at * sizeof(*argv));
    argv[1] = name;
    argc--;
    argv++;
    make_verb(verb, command, &own);
    int own_words = argc;
    if (command->maximum == COMMAND_PROGRAM)
        own_words = options_leading(&own.verb, argc, argv);
    ret->program = argv + own_words;
    enum option_result result = options_parse(&own.verb, own_words, argv, &ret->words);
    if (result == OPTIONS_RUN && !check_words(&own, ret))
        return OPTIONS_WRONG;
    return result;
}
