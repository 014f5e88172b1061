/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A refusal of the Secure Processor for people and programs: the command, the status's name and number,
 * the states that the command needs and those that were found, what to do next.
 */
#ifndef PRIVET_CLI_REFUSAL_H
#define PRIVET_CLI_REFUSAL_H

#include "cli/error.h"
#include "machine/chip/chip.h"
#include "sev/command.h"

struct refusal {
    enum sev_command command;
    uint16_t status;
    struct chip_states found;
};

/* The same in words; states that do not matter or are not known are "". */
struct refusal_words {
    const char *command, *status, *meaning;
    const char *advice; /* NULL: the status says it all */
    const char *platform_found, *guest_found;
    char platform_required[ERROR_STATES_MAX], guest_required[ERROR_STATES_MAX];
    char line[1024]; /* all of it */
};
void refusal_describe(const struct refusal *refusal, struct refusal_words *ret);

/* Prints the line as an error of a verb, with what an error object has of it. */
void refusal_say(const struct refusal *refusal);

/* The same of a chip that is not to be had at all, or of what it keeps. */
void refusal_say_failure(const struct chip_failure *failure);

/* What to do about a refusal, as a phrase; NULL: nothing can be said. */
const char *chip_advice(enum sev_command command, uint16_t status);

#endif
