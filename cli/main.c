/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The privet command: picks the verb. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/error.h"
#include "cli/verbs.h"

#ifndef PRIVET_VERSION
#error "PRIVET_VERSION comes from the build"
#endif

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
    { "run", verb_run, "boot a guest on the software SEV platform" },
    { "owner", verb_owner, "the guest owner: measurements, sessions, secrets" },
    { "chip", verb_chip, "the emulated Secure Processor, as a host administrator sees it" },
    { "firmware", verb_firmware, "what a firmware image and a variable store contain" },
    { "completion", verb_completion, "scripts for the completion of bash, zsh and fish" },
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static void print_help(FILE *to)
{
    fprintf(to, "Usage: privet VERB [options]\n\n"
                "Boots operating systems inside AMD SEV encrypted virtual machines, and proves it "
                "on any computer.\n\nVerbs:\n");
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(to, "  %-10s %s\n", verbs[i].name, verbs[i].help);
    fprintf(to, "\n'privet VERB --help' tells more. 'privet --version' prints the version.\n");
}

static int run_verb(const char *name, int argc, char **argv)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].run(argc, argv);
    }
    error_say("%s: no such verb; try 'privet --help'", name);
    return 1;
}

/* `privet help [VERB [COMMAND]]`: what --help after these words prints. */
static int help(int argc, char **argv)
{
    char option[] = "--help", *words[] = { NULL, NULL, option, NULL };
    if (argc < 3) {
        print_help(stdout);
        return 0;
    }
    int count = argc > 3 ? 2 : 1;
    words[0] = argv[2];
    words[1] = argc > 3 ? argv[3] : option;
    return run_verb(argv[2], count + 1, words);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return 1;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("privet %s\n", PRIVET_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "help") == 0)
        return help(argc, argv);
    return run_verb(argv[1], argc - 1, argv + 1);
}

/* A full disk behind standard output must not pass for success. */
int main(int argc, char **argv)
{
    int code = dispatch(argc, argv);
    error_finish(code);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0) {
        fprintf(stderr, "privet: standard output: %s\n", strerror(errno));
        return 1;
    }
    return code;
}
