/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "cli/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/record.h"

static struct {
    bool json, any, of_chip;
    char message[4096]; /* has room for a path */
    struct error_status status;
} error;

void error_as_json(bool wanted)
{
    error.json = wanted;
}

static void print_line(const char *text)
{
    fprintf(stderr, "privet: %s\n", text);
}

/* Prints the line; true if it is the first one, which is kept. */
static bool keep(const char *format, va_list arguments)
{
    char text[sizeof(error.message)];
    bool first = !error.any;
    vsnprintf(text, sizeof(text), format, arguments);
    print_line(text);
    if (first)
        snprintf(error.message, sizeof(error.message), "%s", text);
    error.any = true;
    return first;
}

void error_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    keep(format, arguments);
    va_end(arguments);
}

void error_of_chip(const struct error_status *status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (keep(format, arguments)) {
        error.status = *status;
        error.of_chip = true;
    }
    va_end(arguments);
}

void error_verdict(const char *format, ...)
{
    char text[sizeof(error.message)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    print_line(text);
}

static void put_known(struct record *record, const char *name, const char *text)
{
    if (text && *text)
        record_text(record, name, "%s", text);
}

static void print_status(struct record *record, const struct error_status *status)
{
    record_text(record, "status", "%s", status->name);
    record_number(record, "code", status->code);
    put_known(record, "command", status->command);
    put_known(record, "state-found", status->state_found);
    put_known(record, "state-required", status->state_required);
    put_known(record, "guest-state-found", status->guest_state_found);
    put_known(record, "guest-state-required", status->guest_state_required);
    put_known(record, "advice", status->advice);
}

void error_finish(int code)
{
    struct record record = { .json = true };
    if (!error.json || !error.any || code == 0 || ferror(stdout))
        return;
    fputs("{\"error\":{", stdout);
    record_text(&record, "message", "%s", error.message);
    record_number(&record, "exit-status", (uint64_t)code);
    if (error.of_chip)
        print_status(&record, &error.status);
    fputs("}}\n", stdout);
}
