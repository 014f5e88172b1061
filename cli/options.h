/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Option tables: each verb describes its options once; parsing, --help and complaints come from
 * the table. GNU long options: --name VALUE, --name=VALUE, "--" ends options; aliases of one letter
 * are short options: -x VALUE, -xVALUE.
 */
#ifndef PRIVET_CLI_OPTIONS_H
#define PRIVET_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_TEXT,   /* const char * */
    OPTION_NUMBER, /* uint64_t: decimal or 0x, within minimum..maximum */
    OPTION_SIZE,   /* uint64_t: bytes; suffix k M G T; a plain number is MiB, as QEMU's -m */
    OPTION_POLICY, /* uint64_t: a guest policy, as a number or as words (sev_policy_parse) */
    OPTION_SWITCH, /* bool: on or off */
    OPTION_FLAG,   /* bool: no value, sets true */
    OPTION_CHOICE, /* unsigned: index into `choices` */
    OPTION_LIST,   /* struct option_list: may be repeated */
};

#define OPTION_LIST_MAX 16
struct option_list {
    const char *items[OPTION_LIST_MAX];
    unsigned count;
};

struct option_row {
    const char *name;     /* without the dashes; NULL ends the table */
    enum option_kind kind;
    void *target;         /* by kind */
    const char *argument; /* placeholder for --help, NULL for flags */
    const char *help;
    uint64_t minimum, maximum;  /* numbers and sizes */
    const char *const *choices; /* NULL ends */
    const char *aliases;        /* other tools' names of it, separated by spaces; one letter: -x */
    const char *note;           /* of choices: what is said of others; may be NULL */
};

/* Options of other tools that a verb lacks, and what to do instead. */
struct option_foreign {
    const char *names; /* as aliases; NULL ends the table */
    const char *advice;
};

struct option_verb {
    const char *path;    /* the words that name it after "privet": "owner certs" */
    const char *usage;   /* "privet run [options]" */
    const char *summary; /* a paragraph */
    const struct option_row *rows;
    const char *footer; /* examples, exit codes; may be NULL */
    bool operands;      /* words that are not options are allowed */
    const char *commands; /* those that come first, separated by spaces; NULL: none */
    const struct option_foreign *foreign; /* NULL: none */
};

enum option_result {
    OPTIONS_RUN,   /* go on */
    OPTIONS_HELP,  /* --help was printed to stdout: exit 0 */
    OPTIONS_WRONG, /* a line on stderr said why: exit 1 */
};

/* argv[0] is the verb. `ret_operands` (may be NULL when there are none) gets the other words. */
enum option_result options_parse(const struct option_verb *verb, int argc, char **argv,
                                 struct option_list *ret_operands);

/* How many words come before the first operand: argv[0], options and their values, "--". */
int options_leading(const struct option_verb *verb, int argc, char **argv);

/*
 * While a visitor is set, options_parse gives it the table instead of parsing, and says OPTIONS_HELP;
 * NULL ends that.
 */
typedef void option_visitor(const struct option_verb *verb);
void options_visit(option_visitor *visitor);
bool options_visiting(void);

/* One number parser everywhere: decimal or 0x hexadecimal, nothing else. */
bool number_parse(const char *text, uint64_t *ret);

#endif
