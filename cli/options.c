/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Parses a command line by a verb's option table, and prints the table as --help. */
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "sev/session.h"

static bool wrong(const struct option_verb *verb, const char *name, const char *fact)
{
    error_say("--%s: %s; try 'privet %s --help'", name, fact, verb->path);
    return false;
}

static bool parse_digits(const char *text, char **end, uint64_t *ret)
{
    int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
    if (!isxdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *ret = strtoull(text, end, base);
    return errno == 0 && *end != text;
}

bool number_parse(const char *text, uint64_t *ret)
{
    char *end;
    return parse_digits(text, &end, ret) && *end == '\0';
}

static bool size_parse(const char *text, uint64_t *ret)
{
    static const struct {
        char suffix;
        unsigned shift;
    } units[] = { { '\0', 20 }, { 'k', 10 }, { 'm', 20 }, { 'g', 30 }, { 't', 40 } };
    char *end;
    if (!parse_digits(text, &end, ret) || (end[0] && end[1]))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (tolower((unsigned char)*end) == units[i].suffix) {
            if (*ret > UINT64_MAX >> units[i].shift)
                return false;
            *ret <<= units[i].shift;
            return true;
        }
    }
    return false;
}

static bool in_range(const struct option_verb *verb, const struct option_row *row, uint64_t value)
{
    char fact[128];
    if (value >= row->minimum && value <= row->maximum)
        return true;
    if (row->kind == OPTION_SIZE)
        snprintf(fact, sizeof(fact), "must be from %lluM to %lluM",
                 (unsigned long long)(row->minimum >> 20),
                 (unsigned long long)(row->maximum >> 20));
    else
        snprintf(fact, sizeof(fact), "must be from %llu to %llu",
                 (unsigned long long)row->minimum, (unsigned long long)row->maximum);
    return wrong(verb, row->name, fact);
}

static bool set_number(const struct option_verb *verb, const struct option_row *row,
                       const char *value)
{
    uint64_t number;
    bool size = row->kind == OPTION_SIZE;
    if (size ? !size_parse(value, &number) : !number_parse(value, &number))
        return wrong(verb, row->name,
                     size ? "not a size such as 512M or 2G" : "not a number (decimal or 0x...)");
    if (!in_range(verb, row, number))
        return false;
    *(uint64_t *)row->target = number;
    return true;
}

static bool set_policy(const struct option_verb *verb, const struct option_row *row,
                       const char *value)
{
    uint32_t policy;
    if (!sev_policy_parse(value, &policy) || (policy & SEV_POLICY_RESERVED))
        return wrong(verb, row->name,
                     "not a policy: a number without bits 6 to 15, or words of "
                     "nodbg,noks,es,nosend,domain,sev,api=X.Y");
    *(uint64_t *)row->target = policy;
    return true;
}

static bool set_choice(const struct option_verb *verb, const struct option_row *row,
                       const char *value)
{
    char fact[256] = "must be one of";
    for (unsigned i = 0; row->choices[i]; i++) {
        if (strcmp(value, row->choices[i]) == 0) {
            *(unsigned *)row->target = i;
            return true;
        }
        size_t used = strlen(fact);
        snprintf(fact + used, sizeof(fact) - used, " %s", row->choices[i]);
    }
    size_t used = strlen(fact);
    if (row->note)
        snprintf(fact + used, sizeof(fact) - used, "; %s", row->note);
    return wrong(verb, row->name, fact);
}

static bool set_switch(const struct option_verb *verb, const struct option_row *row,
                       const char *value)
{
    bool on = strcmp(value, "on") == 0;
    if (!on && strcmp(value, "off") != 0)
        return wrong(verb, row->name, "must be on or off");
    *(bool *)row->target = on;
    return true;
}

static bool set_list(const struct option_verb *verb, const struct option_row *row,
                     const char *value)
{
    struct option_list *list = row->target;
    if (list->count == OPTION_LIST_MAX)
        return wrong(verb, row->name, "given too many times");
    list->items[list->count++] = value;
    return true;
}

static bool set(const struct option_verb *verb, const struct option_row *row, const char *value)
{
    switch (row->kind) {
    case OPTION_TEXT:
        *(const char **)row->target = value;
        return true;
    case OPTION_NUMBER:
    case OPTION_SIZE:
        return set_number(verb, row, value);
    case OPTION_POLICY:
        return set_policy(verb, row, value);
    case OPTION_SWITCH:
        return set_switch(verb, row, value);
    case OPTION_CHOICE:
        return set_choice(verb, row, value);
    case OPTION_LIST:
        return set_list(verb, row, value);
    case OPTION_FLAG:
        *(bool *)row->target = true;
        return true;
    }
    return false;
}

static bool same_word(const char *word, size_t word_length, const char *name, size_t length)
{
    return word_length == length && memcmp(word, name, length) == 0;
}

static bool has_word(const char *words, const char *name, size_t length)
{
    for (const char *at = words; at && *at;) {
        size_t word = strcspn(at, " ");
        if (same_word(at, word, name, length))
            return true;
        at += word + (at[word] == ' ');
    }
    return false;
}

static const struct option_row *find_row(const struct option_verb *verb, const char *name,
                                         size_t length)
{
    for (const struct option_row *row = verb->rows; row->name; row++) {
        if (same_word(row->name, strlen(row->name), name, length) ||
            has_word(row->aliases, name, length))
            return row;
    }
    return NULL;
}

/* `word` as it was given, in which `name` is the option's. */
static bool no_option(const struct option_verb *verb, const char *word, const char *name,
                      size_t length)
{
    const struct option_foreign *foreign = verb->foreign;
    while (foreign && foreign->names && !has_word(foreign->names, name, length))
        foreign++;
    error_say("%s: no such option%s%s; try 'privet %s --help'", word,
              foreign && foreign->names ? ": " : "",
              foreign && foreign->names ? foreign->advice : "", verb->path);
    return false;
}

static void print_aliases(const char *aliases)
{
    const char *before = " (or";
    for (const char *at = aliases; at && *at; before = ",") {
        size_t word = strcspn(at, " ");
        printf("%s %s%.*s", before, word > 1 ? "--" : "-", (int)word, at);
        at += word + (at[word] == ' ');
    }
    printf("%s\n", aliases ? ")" : "");
}

static void print_help(const struct option_verb *verb)
{
    printf("Usage: %s\n\n%s\n\nOptions:\n", verb->usage, verb->summary);
    for (const struct option_row *row = verb->rows; row->name; row++) {
        char left[64];
        snprintf(left, sizeof(left), "--%s%s%s", row->name, row->argument ? " " : "",
                 row->argument ? row->argument : "");
        printf("  %-26s %s", left, row->help);
        print_aliases(row->aliases);
    }
    printf("  %-26s %s\n", "-h, --help", "this text");
    if (verb->footer)
        printf("\n%s\n", verb->footer);
}

/* One "--name[=value]" at argv[*at]; moves *at over a separate value. */
static bool parse_long(const struct option_verb *verb, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_row *row = length > 1 ? find_row(verb, name, length) : NULL;
    if (!row)
        return no_option(verb, argv[*at], name, length);
    if (row->kind == OPTION_FLAG)
        return equals ? wrong(verb, row->name, "takes no value") : set(verb, row, NULL);
    if (equals)
        return set(verb, row, equals + 1);
    if (*at + 1 >= argc)
        return wrong(verb, row->name, "needs a value");
    return set(verb, row, argv[++*at]);
}

/* One "-x", "-x VALUE" or "-xVALUE"; moves *at over a separate value. */
static bool parse_short(const struct option_verb *verb, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    const struct option_row *row = find_row(verb, word + 1, 1);
    if (!row || (row->kind == OPTION_FLAG && word[2]))
        return no_option(verb, word, word + 1, 1);
    if (row->kind == OPTION_FLAG)
        return set(verb, row, NULL);
    if (word[2])
        return set(verb, row, word + 2);
    if (*at + 1 >= argc)
        return wrong(verb, row->name, "needs a value");
    return set(verb, row, argv[++*at]);
}

static bool add_operand(const struct option_verb *verb, const char *word,
                        struct option_list *ret_operands)
{
    if (!verb->operands || !ret_operands || ret_operands->count == OPTION_LIST_MAX) {
        error_say("%s: unexpected argument; usage: %s", word, verb->usage);
        return false;
    }
    ret_operands->items[ret_operands->count++] = word;
    return true;
}

static option_visitor *visitor_set;

void options_visit(option_visitor *visitor)
{
    visitor_set = visitor;
}

bool options_visiting(void)
{
    return visitor_set != NULL;
}

/* The word and, if it is an option whose value follows, that one: how many words. */
static int word_count(const struct option_verb *verb, const char *word)
{
    bool is_long = word[0] == '-' && word[1] == '-';
    if (word[0] != '-' || !word[1])
        return 1;
    const char *name = word + 1 + is_long;
    const struct option_row *row = find_row(verb, name, is_long ? strlen(name) : 1);
    bool whole = is_long || !word[2]; /* no value in the word itself */
    return row && row->kind != OPTION_FLAG && whole ? 2 : 1;
}

int options_leading(const struct option_verb *verb, int argc, char **argv)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-' && argv[at][1]) {
        if (strcmp(argv[at], "--") == 0)
            return at + 1;
        at += word_count(verb, argv[at]);
    }
    return at < argc ? at : argc;
}

/* Was JSON asked for? Also where the line is wrong before or after that word. */
static bool asks_json(const struct option_verb *verb, int argc, char **argv)
{
    const struct option_row *row = find_row(verb, "json", 4);
    if (!row || row->kind != OPTION_FLAG)
        return false;
    for (int at = 1; at < argc && strcmp(argv[at], "--") != 0;
         at += word_count(verb, argv[at])) {
        if (strcmp(argv[at], "--json") == 0)
            return true;
    }
    return false;
}

static enum option_result parse(const struct option_verb *verb, int argc, char **argv,
                                struct option_list *ret_operands)
{
    bool words_only = false;
    for (int at = 1; at < argc; at++) {
        const char *word = argv[at];
        if (!words_only && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            print_help(verb);
            return OPTIONS_HELP;
        }
        if (!words_only && strcmp(word, "--") == 0)
            words_only = true;
        else if (!words_only && strncmp(word, "--", 2) == 0) {
            if (!parse_long(verb, argc, argv, &at))
                return OPTIONS_WRONG;
        } else if (!words_only && word[0] == '-' && word[1]) {
            if (!parse_short(verb, argc, argv, &at))
                return OPTIONS_WRONG;
        } else if (!add_operand(verb, word, ret_operands)) {
            return OPTIONS_WRONG;
        }
    }
    return OPTIONS_RUN;
}

enum option_result options_parse(const struct option_verb *verb, int argc, char **argv,
                                 struct option_list *ret_operands)
{
    if (visitor_set) {
        visitor_set(verb);
        return OPTIONS_HELP;
    }
    error_as_json(asks_json(verb, argc, argv));
    return parse(verb, argc, argv, ret_operands);
}
