/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet firmware`: picks the command. */
#include "cli/firmware.h"

#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "cli/verbs.h"

static int symbols(const struct option_list *words)
{
    uint64_t addresses[OPTION_LIST_MAX];
    for (unsigned i = 2; i < words->count; i++) {
        if (!number_parse(words->items[i], &addresses[i - 2])) {
            fprintf(stderr, "privet: %s: not an address (decimal or 0x...)\n", words->items[i]);
            return 1;
        }
    }
    return firmware_symbols(words->items[1], addresses, words->count - 2);
}

static const char footer[] =
    "Commands:\n"
    "  info FILE                  version, measured size, launch digest of the image alone (its\n"
    "                             SHA-256), variable store, GUIDed table\n"
    "  symbols FILE [ADDRESS...]  functions and variables of a debug image (privet.debug):\n"
    "                             address, size, name; or what each address belongs to\n"
    "  vars FILE                  variables in a variable store: GUID, name, attributes, size, data\n"
    "  new-vars FILE              makes an empty variable store, as for 'privet run --vars' and for\n"
    "                             QEMU's second pflash\n"
    "\nExit status: 0 done; 1 usage or host error.";

int verb_firmware(int argc, char **argv)
{
    static const char *const sizes[] = { "4M", "2M", NULL };
    bool json = false;
    unsigned size = 0;
    const struct option_row rows[] = {
        { "json", OPTION_FLAG, &json, NULL, "info, vars: one JSON document on stdout", 0, 0,
          NULL },
        { "size", OPTION_CHOICE, &size, "4M|2M",
          "new-vars: the layout of OVMF's 4M build (default) or its 2M build", 0, 0, sizes },
        { NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL },
    };
    const struct option_verb verb = {
        .usage = "privet firmware COMMAND [options]",
        .summary = "What a guest's firmware image contains, as a launch and a debugger see it; its "
                   "variables.",
        .rows = rows,
        .footer = footer,
        .operands = true,
        .commands = "info symbols vars new-vars",
    };
    struct option_list words = { .count = 0 };
    enum option_result result = options_parse(&verb, argc, argv, &words);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (words.count == 2 && strcmp(words.items[0], "info") == 0)
        return firmware_info(words.items[1], json);
    if (words.count >= 2 && strcmp(words.items[0], "symbols") == 0)
        return symbols(&words);
    if (words.count == 2 && strcmp(words.items[0], "vars") == 0)
        return firmware_vars(words.items[1], json);
    if (words.count == 2 && strcmp(words.items[0], "new-vars") == 0)
        return firmware_new_vars(words.items[1], size == 1);
    fprintf(stderr, "privet: firmware: a command and a FILE are missing; try 'privet firmware "
                    "--help'\n");
    return 1;
}
