/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * `privet completion`: scripts for the completion of shells, from the same option tables that parse and
 * explain. A word that is none of ours is completed as a file.
 */
#include <stdio.h>
#include <string.h>

#include "cli/error.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "cli/verbs.h"

static bool takes_value(const struct option_row *row)
{
    return row->kind != OPTION_FLAG;
}

static const char *const switches[] = { "on", "off", NULL };

static const char *const *choices(const struct option_row *row)
{
    return row->kind == OPTION_SWITCH ? switches : row->choices;
}

static void print_choices(const struct option_row *row)
{
    for (const char *const *choice = choices(row); *choice; choice++)
        printf("%s%s", choice == choices(row) ? "" : " ", *choice);
}

/* The common part of bash and zsh: what `words` may be after `prev` on that path. */
static void print_case(const struct option_verb *verb)
{
    printf("    '%s')\n        case $prev in\n", verb->path);
    for (const struct option_row *row = verb->rows; row->name; row++) {
        if (!takes_value(row))
            continue;
        printf("        --%s) list='", row->name);
        if (choices(row))
            print_choices(row);
        printf("' ;;\n");
    }
    printf("        *) list='");
    for (const struct option_row *row = verb->rows; row->name; row++)
        printf("--%s ", row->name);
    printf("--help%s%s' ;;\n        esac\n        ;;\n", verb->commands ? " " : "",
           verb->commands ? verb->commands : "");
}

/* Help as a word within single quotes. */
static void print_quoted(const char *text)
{
    for (; *text; text++)
        printf(*text == '\'' || *text == '\\' ? "\\%c" : *text == '\n' ? " " : "%c", *text);
}

#define SEEN "__fish_seen_subcommand_from"

/* When a verb's options fit; those of one with commands until one is named, which has its own. */
static void fish_condition(const struct option_verb *verb, char *ret, size_t size)
{
    const char *inner = strchr(verb->path, ' ');
    if (inner)
        snprintf(ret, size, SEEN " %.*s; and " SEEN "%s", (int)(inner - verb->path), verb->path,
                 inner);
    else if (verb->commands)
        snprintf(ret, size, SEEN " %s; and not " SEEN " %s", verb->path, verb->commands);
    else
        snprintf(ret, size, SEEN " %s", verb->path);
}

static void print_fish(const struct option_verb *verb)
{
    char condition[256];
    fish_condition(verb, condition, sizeof(condition));
    for (const struct option_row *row = verb->rows; row->name; row++) {
        printf("complete -c privet -n '%s' -l %s", condition, row->name);
        if (choices(row)) {
            printf(" -x -a '");
            print_choices(row);
            printf("'");
        } else if (takes_value(row))
            printf(" -r");
        printf(" -d '");
        print_quoted(row->help);
        printf("'\n");
    }
    if (verb->commands)
        printf("complete -c privet -n '%s' -a '%s'\n", condition, verb->commands);
}

/* Calls each verb as for its help; its tables go to the visitor instead. */
static void visit_all(option_visitor *visitor)
{
    static int (*const verbs[])(int argc, char **argv) = { verb_run, verb_chip, verb_firmware,
                                                          verb_completion };
    char name[] = "", *words[] = { name, NULL };
    const struct owner_subcommand *sub;
    options_visit(visitor);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        verbs[i](1, words);
    for (unsigned i = 0; (sub = owner_subcommand(i)) != NULL; i++)
        sub->run(1, words);
    options_visit(NULL);
}

static void print_subcommands(void)
{
    const struct owner_subcommand *sub;
    for (unsigned i = 0; (sub = owner_subcommand(i)) != NULL; i++)
        printf("%s%s", i ? " " : "", sub->name);
}

#define VERBS "run owner chip firmware completion"
#define TOP   VERBS " help --help --version"

/* `path` is the variable of the script that has the words so far. */
static void print_cases(const char *path)
{
    printf("    case $%s in\n    '') list='" TOP "' ;;\n    help) list='" VERBS " --help' ;;\n"
           "    owner) list='", path);
    print_subcommands();
    printf(" --help' ;;\n");
    visit_all(print_case);
    printf("    esac\n");
}

static void bash(void)
{
    printf("# bash completion for privet\n"
           "_privet()\n{\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= list=\n"
           "    [ \"$COMP_CWORD\" -lt 2 ] || path=${COMP_WORDS[1]}\n"
           "    case $COMP_CWORD,$path,${COMP_WORDS[2]-} in\n"
           "    [012],*|*,-*) ;;\n"
           "    *,owner,*|*,chip,*|*,firmware,*) path+=\" ${COMP_WORDS[2]}\" ;;\n"
           "    esac\n");
    print_cases("path");
    printf("    COMPREPLY=($(compgen -W \"$list\" -- \"$cur\"))\n}\n"
           "complete -o default -F _privet privet\n");
}

static void zsh(void)
{
    printf("#compdef privet\n"
           "_privet()\n{\n"
           "    local prev=${words[CURRENT-1]} path_=\"\" list=\"\"\n"
           "    (( CURRENT < 3 )) || path_=${words[2]}\n"
           "    if (( CURRENT >= 4 )) && [[ $path_ == (owner|chip|firmware) && $words[3] != -* ]]\n"
           "    then path_+=\" ${words[3]}\"; fi\n"
           "    if [[ $PREFIX == --*=* ]]; then prev=${PREFIX%%%%=*}; compset -P '*='; fi\n"
           "    _privet_words \"$path_\" \"$prev\"\n"
           "    local -a plain=(${${=list}:#-*})\n"
           "    if [[ $PREFIX == -* ]]; then\n"
           "        compadd -- ${=list}\n"
           "    elif (( $#plain )) && [[ $list != *--help* || $CURRENT -lt 4 ]]; then\n"
           "        compadd -- $plain # a value, a verb, a command: no files beside them\n"
           "    else\n"
           "        compadd -- $plain\n"
           "        _files\n"
           "    fi\n"
           "    (( compstate[nmatches] ))\n}\n"
           "_privet_words()\n{\n"
           "    local prev=$2\n");
    print_cases("1");
    /* Loaded by the first completion, or sourced. */
    printf("}\n"
           "if [[ $funcstack[1] == _privet ]]; then _privet \"$@\"; else compdef _privet privet; fi\n");
}

static void fish(void)
{
    printf("# fish completion for privet\n"
           "complete -c privet -n __fish_use_subcommand -f -a '" TOP "'\n"
           "complete -c privet -n '" SEEN " help' -f -a '" VERBS "'\n"
           "complete -c privet -n '" SEEN " owner' -a '");
    print_subcommands();
    printf("'\n");
    visit_all(print_fish);
}

int verb_completion(int argc, char **argv)
{
    static const struct option_row rows[] = {
        { .name = NULL },
    };
    static const struct option_verb verb = {
        .path = "completion",
        .usage = "privet completion bash|zsh|fish",
        .summary = "Prints the script by which a shell completes this command's words.",
        .rows = rows,
        .footer = "Example: source <(privet completion bash)",
        .operands = true,
        .commands = "bash zsh fish",
    };
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
    struct option_list words = { .count = 0 };
    enum option_result result = options_parse(&verb, argc, argv, &words);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    for (size_t i = 0; words.count == 1 && i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(words.items[0], shells[i].name) == 0) {
            shells[i].print();
            return 0;
        }
    }
    error_say("completion: takes bash, zsh or fish; try 'privet completion --help'");
    return 1;
}
