/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "cli/refusal.h"

#include <stdio.h>
#include <string.h>

#include "sev/status.h"

/* The states of a mask, "init or working", "a, b or c"; "any" for all of them. */
static void list_states(unsigned states, unsigned first, unsigned last,
                        const char *(*name)(unsigned state), char text[ERROR_STATES_MAX])
{
    const unsigned all = (2u << last) - (1u << first);
    size_t length = 0;
    text[0] = '\0';
    for (unsigned i = first; i <= last && states != all; i++) {
        const char *before = !length ? "" : states >> (i + 1) ? ", " : " or ";
        if (states >> i & 1)
            length += (size_t)snprintf(text + length, ERROR_STATES_MAX - length, "%s%s", before,
                                       name(i));
    }
    if (states == all)
        snprintf(text, ERROR_STATES_MAX, "any");
}

static void describe_states(const struct refusal *refusal, struct refusal_words *words)
{
    struct chip_requirement needs;
    if (refusal->found.platform >= 0)
        words->platform_found = sev_platform_state_name((unsigned)refusal->found.platform);
    if (!chip_requirement(refusal->command, &needs))
        return;
    words->command = needs.name;
    list_states(needs.platform_states, SEV_PLATFORM_UNINIT, SEV_PLATFORM_WORKING,
                sev_platform_state_name, words->platform_required);
    if (!needs.guest_states || refusal->found.guest < 0)
        return;
    words->guest_found = sev_guest_state_name((unsigned)refusal->found.guest);
    list_states(needs.guest_states, SEV_GUEST_LUPDATE, SEV_GUEST_SENT, sev_guest_state_name,
                words->guest_required);
}

/* " (platform state: init required, uninit found)" and the guest's; what is not known is left out. */
static void put_states(FILE *out, const struct refusal_words *words)
{
    bool platform = *words->platform_found && *words->platform_required;
    if (platform)
        fprintf(out, " (platform state: %s required, %s found", words->platform_required,
                words->platform_found);
    if (*words->guest_found)
        fprintf(out, "%sguest state: %s required, %s found", platform ? "; " : " (",
                words->guest_required, words->guest_found);
    if (platform || *words->guest_found)
        putc(')', out);
}

static void put_line(const struct refusal *refusal, struct refusal_words *words)
{
    FILE *out = fmemopen(words->line, sizeof(words->line), "w");
    if (!out)
        return;
    fprintf(out, "%s: status 0x%02x %s: %s", words->command, refusal->status, words->status,
            words->meaning);
    put_states(out, words);
    if (words->advice)
        fprintf(out, "; %s", words->advice);
    fclose(out);
}

void refusal_describe(const struct refusal *refusal, struct refusal_words *ret)
{
    *ret = (struct refusal_words){
        .command = "unknown command",
        .status = sev_status_name(refusal->status),
        .meaning = sev_status_meaning(refusal->status),
        .advice = chip_advice(refusal->command, refusal->status),
        .platform_found = "",
        .guest_found = "",
    };
    describe_states(refusal, ret);
    put_line(refusal, ret);
}

void refusal_say(const struct refusal *refusal)
{
    struct refusal_words words;
    refusal_describe(refusal, &words);
    struct error_status status = {
        .code = refusal->status,
        .name = words.status,
        .command = words.command,
        .advice = words.advice,
        .state_found = words.platform_found,
        .guest_state_found = words.guest_found,
    };
    memcpy(status.state_required, words.platform_required, sizeof(status.state_required));
    memcpy(status.guest_state_required, words.guest_required, sizeof(status.guest_state_required));
    error_of_chip(&status, "%s", words.line);
}

void refusal_say_failure(const struct chip_failure *failure)
{
    const struct error_status status = {
        .code = failure->status,
        .name = sev_status_name(failure->status),
        .advice = failure->advice,
    };
    if (failure->status == SEV_SUCCESS)
        error_say("%s", failure->text);
    else
        error_of_chip(&status, "%s", failure->text);
}
