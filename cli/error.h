/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a verb says when it fails: a line on standard error, and for a caller who asked for --json an
 * object on standard output, too, in the place of the document that there is not. main ends both.
 */
#ifndef PRIVET_CLI_ERROR_H
#define PRIVET_CLI_ERROR_H

#include <stdbool.h>
#include <stdint.h>

/* Is there to be an object? options_parse says so, from the verb's option --json. */
void error_as_json(bool wanted);

/* Prints "privet: ", the text and a line end. The first error of a process is the one in the object. */
__attribute__((format(printf, 1, 2))) void error_say(const char *format, ...);

/* The same for a refusal of the Secure Processor. */
#define ERROR_STATES_MAX 96u
struct error_status {
    uint16_t code;
    const char *name;
    const char *command; /* this and what follows: NULL: not known */
    const char *advice;
    const char *state_found, *guest_state_found; /* states of the platform and of the guest */
    char state_required[ERROR_STATES_MAX], guest_state_required[ERROR_STATES_MAX]; /* "" likewise */
};
__attribute__((format(printf, 2, 3))) void error_of_chip(const struct error_status *status,
                                                         const char *format, ...);

/* Prints the line alone: the verb's own document tells the result, which is not the wanted one. */
__attribute__((format(printf, 1, 2))) void error_verdict(const char *format, ...);

/* Prints the object, if it is wanted and there was an error. `code` is the exit status. */
void error_finish(int code);

#endif
