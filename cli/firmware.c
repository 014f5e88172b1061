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
    "\nExit status: 0 done; 1 usage or host error.";

int verb_firmware(int argc, char **argv)
{
    bool json = false;
    const struct option_row rows[] = {
        { "json", OPTION_FLAG, &json, NULL, "info: one JSON document on stdout", 0, 0, NULL },
        { NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL },
    };
    const struct option_verb verb = {
        .usage = "privet firmware COMMAND [options]",
        .summary = "What a guest's firmware image contains, as a launch and a debugger see it.",
        .rows = rows,
        .footer = footer,
        .operands = true,
    };
    struct option_list words = { .count = 0 };
    enum option_result result = options_parse(&verb, argc, argv, &words);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (words.count == 2 && strcmp(words.items[0], "info") == 0)
        return firmware_info(words.items[1], json);
    if (words.count >= 2 && strcmp(words.items[0], "symbols") == 0)
        return symbols(&words);
    fprintf(stderr, "privet: firmware: 'info FILE' or 'symbols FILE' is missing; try 'privet "
                    "firmware --help'\n");
    return 1;
}
