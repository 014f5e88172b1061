/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Texts that the guest's console is watched for: --stop-at and --answer.
 */
#ifndef PRIVET_CLI_RUN_WATCH_H
#define PRIVET_CLI_RUN_WATCH_H

#include "cli/options.h"

struct run_watch {
    const char *text;  /* NULL: nothing is watched for */
    const char *reply; /* of an answer */
    size_t matched;    /* characters of the text that the console's end agrees with */
};

/* One more character of the console. True: the text is complete; it is watched for anew. */
bool run_watch_saw(struct run_watch *watch, char c);

/* Answers are TEXT=REPLY. False, with a line on stderr: one is not. Cuts them at the "=". */
bool run_watch_check(const struct option_list *answers);
/* The watch of answer `index`, once run_watch_check accepted them; past the last one, of nothing. */
struct run_watch run_watch_answer(const struct option_list *answers, unsigned index);

#endif
