/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet firmware`: picks the command. */
#include "cli/firmware.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/error.h"
#include "cli/options.h"
#include "cli/verbs.h"

/* What the verb's options say. */
struct firmware_options {
    bool json;
    unsigned size; /* of a new store: 0 is 4M, 1 is 2M */
};

typedef int command_action(const struct firmware_options *o, const struct option_list *words);

static int info(const struct firmware_options *o, const struct option_list *words)
{
    return firmware_info(words->items[0], o->json);
}

static int symbols(const struct firmware_options *o, const struct option_list *words)
{
    uint64_t addresses[OPTION_LIST_MAX];
    for (unsigned i = 1; i < words->count; i++) {
        if (!number_parse(words->items[i], &addresses[i - 1])) {
            error_say("%s: not an address (decimal or 0x...)", words->items[i]);
            return 1;
        }
    }
    return firmware_symbols(words->items[0], addresses, words->count - 1);
}

static int vars(const struct firmware_options *o, const struct option_list *words)
{
    return firmware_vars(words->items[0], o->json);
}

static int new_vars(const struct firmware_options *o, const struct option_list *words)
{
    return firmware_new_vars(words->items[0], o->size == 1);
}

#define ACTION(function) &(command_action *const){ function }

static const struct command commands[] = {
    { "info", "FILE", "version, measured size, launch digest, variable store and GUIDed table",
      "json", 1, 1, ACTION(info) },
    { "symbols", "FILE [ADDRESS...]",
      "functions and variables of a debug image, or what addresses belong to", "", 1,
      OPTION_LIST_MAX, ACTION(symbols) },
    { "vars", "FILE", "variables in a variable store: GUID, name, attributes, size, data", "json",
      1, 1, ACTION(vars) },
    { "new-vars", "FILE", "makes an empty variable store, as for 'privet run --vars'", "size", 1, 1,
      ACTION(new_vars) },
    { .name = NULL },
};

int verb_firmware(int argc, char **argv)
{
    static const char *const sizes[] = { "4M", "2M", NULL };
    struct firmware_options o = { .json = false };
    const struct option_row rows[] = {
        { "json", OPTION_FLAG, &o.json, NULL, "info, vars: one JSON document on stdout" },
        { "size", OPTION_CHOICE, &o.size, "4M|2M",
          "new-vars: the layout of OVMF's 4M build (default) or its 2M build", 0, 0, sizes },
        { .name = NULL },
    };
    const struct option_verb verb = {
        .path = "firmware",
        .usage = "privet firmware COMMAND [options]",
        .summary = "What a guest's firmware image contains, as a launch and a debugger see it; its "
                   "variables.",
        .rows = rows,
        .footer = "Exit status: 0 done; 1 usage or host error.",
    };
    struct command_line line;
    enum option_result result = commands_parse(&verb, commands, argc, argv, &line);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    command_action *const *action = line.command->action;
    return (*action)(&o, &line.words);
}
