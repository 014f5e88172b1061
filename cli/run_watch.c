/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Watching of the console, character by character. */
#include "cli/run_watch.h"

#include <stdio.h>
#include <string.h>

/* How much of the text the console ends with after one more character: as in a naive search, a
 * mismatch tries the shorter beginnings. */
static size_t match(const char *text, size_t matched, char c)
{
    for (size_t length = matched + 1; length; length--) {
        if (text[length - 1] == c && memcmp(text, text + matched + 1 - length, length - 1) == 0)
            return length;
    }
    return 0;
}

bool run_watch_saw(struct run_watch *watch, char c)
{
    if (!watch->text)
        return false;
    watch->matched = match(watch->text, watch->matched, c);
    if (watch->text[watch->matched])
        return false;
    watch->matched = 0;
    return true;
}

bool run_watch_check(const struct option_list *answers)
{
    for (unsigned i = 0; i < answers->count; i++) {
        /* The command line's memory is ours to cut; it lives as long as the program. */
        char *cut = strchr(answers->items[i], '=');

        if (!cut || cut == answers->items[i]) {
            fprintf(stderr, "privet: --answer: %s: give TEXT=REPLY\n", answers->items[i]);
            return false;
        }
        *cut = '\0';
    }
    return true;
}

struct run_watch run_watch_answer(const struct option_list *answers, unsigned index)
{
    const char *text = index < answers->count ? answers->items[index] : NULL;

    return (struct run_watch){ .text = text, .reply = text ? text + strlen(text) + 1 : NULL };
}
