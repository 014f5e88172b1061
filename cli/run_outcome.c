/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The files that say how a run ended. */
#include "cli/run_outcome.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sev/status.h"

#define BASE64_SIZE(bytes) (4 * (((bytes) + 2) / 3) + 1)

/* Stable names: programs compare them. */
static const char *end_name(const struct run_outcome *o)
{
    static const char *const names[] = {
        [GUEST_POWER_OFF] = "power-off",
        [GUEST_RESET] = "reset",
        [GUEST_SHUTDOWN] = "triple-fault",
        [GUEST_STOPPED] = "unimplemented",
        [GUEST_DEAD_HALT] = "dead-halt",
        [GUEST_TIMEOUT] = "timeout",
        [GUEST_EXITED] = "exited",
        [GUEST_PANIC] = "panic",
        [GUEST_KILLED] = "killed",
        [GUEST_CHECK_FAILED] = "check-failed",
        [GUEST_ENDED_BY_HOST] = "stop-at",
        [GUEST_TERMINATED] = "terminated",
        [GUEST_REFUSED] = "run-refused",
    };
    return o->result ? names[o->result->end] : "launch-refused";
}

/* A JSON string; what is not ASCII comes as escapes of its bytes. */
static void put_string(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ' || c > '~')
            fprintf(out, "\\u%04x", c);
        else
            putc(c, out);
    }
    putc('"', out);
}

static void put_member(FILE *out, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    fprintf(out, ", \"%s\": ", name);
    put_string(out, text);
}

static void put_refusal(FILE *out, const struct launch_result *launch)
{
    struct refusal_words words;
    describe_refusal(launch, &words);
    put_member(out, "refused", words.command);
    put_member(out, "status", words.status);
    fprintf(out, ", \"code\": %u", launch->status);
    put_member(out, "state-found", words.platform_found);
    put_member(out, "state-required", words.platform_required);
    put_member(out, "guest-state-found", words.guest_found);
    put_member(out, "guest-state-required", words.guest_required);
    put_member(out, "advice", words.advice);
    putc('}', out);
}

static void put_launch(FILE *out, const struct launch_result *launch)
{
    char text[BASE64_SIZE(GUEST_MEASUREMENT_SIZE)];
    fprintf(out, ",\n  \"launch\": {\"api\": \"%u.%u\", \"build\": %u, \"policy\": %u",
            launch->api_major, launch->api_minor, launch->build, launch->policy);
    if (launch->command) {
        put_refusal(out, launch);
        return;
    }
    EVP_EncodeBlock((unsigned char *)text, launch->measurement, GUEST_MEASUREMENT_SIZE);
    fprintf(out, ", \"encrypted-bytes\": %" PRIu64 ", \"measurement\": \"%s\", "
            "\"seconds\": %.6f}", launch->encrypted_bytes, text, launch->seconds);
}

static void put_memory(FILE *out, const struct memory_statistics *s)
{
    fprintf(out, ",\n  \"memory\": {\"private-pages\": %" PRIu64 ", \"shared-pages\": %" PRIu64
            ", \"conversions\": %" PRIu64 ", \"encrypted-bytes\": %" PRIu64 "}", s->private_pages,
            s->shared_pages, s->conversions, s->encrypted_bytes);
}

/* The error object of other verbs (error.h). */
static void put_failure(FILE *out, const struct chip_failure *failure, int code)
{
    fprintf(out, "{\"error\": {\"exit-status\": %d", code);
    put_member(out, "message", failure->text);
    if (failure->status != SEV_SUCCESS) {
        put_member(out, "status", sev_status_name(failure->status));
        fprintf(out, ", \"code\": %u", failure->status);
    }
    put_member(out, "advice", failure->advice);
    fprintf(out, "}}\n");
}

static void put_json(FILE *out, const struct run_outcome *o)
{
    static const char *const sev[] = { "off", "sev", "sme", "sev-es" };
    if (o->failure) {
        put_failure(out, o->failure, o->code);
        return;
    }
    fprintf(out, "{\n  \"end\": \"%s\",\n  \"exit-status\": %d,\n  \"detail\": ", end_name(o),
            o->code);
    put_string(out, o->result ? o->result->detail : "");
    fprintf(out, ",\n  \"sev\": \"%s\",\n  \"processors\": %u,\n  \"memory-size\": %" PRIu64,
            sev[o->options->es ? 3 : o->options->sev ? 1 : o->options->sme ? 2 : 0],
            o->options->processors, o->options->memory_size);
    if (o->result)
        fprintf(out, ",\n  \"instructions\": %" PRIu64 ",\n  \"seconds\": %.6f",
                o->result->instructions, o->result->seconds);
    if (o->launch)
        put_launch(out, o->launch);
    put_memory(out, &o->memory);
    if (o->options->check.level != CHECK_OFF)
        fprintf(out, ",\n  \"checker-findings\": %" PRIu64, guest_check_findings(o->guest));
    fprintf(out, "\n}\n");
}

static void put_report(FILE *out, const struct run_outcome *o)
{
    const struct run_result *result = o->result;
    fprintf(out, "Privet's report of a run\n\nend: %s%s%s\nexit status: %d\n", end_name(o),
            result && *result->detail ? ": " : "", result ? result->detail : "", o->code);
    if (result)
        fprintf(out, "instructions: %" PRIu64 "\n", result->instructions);
    if (o->launch && o->launch->command) {
        struct refusal_words words;
        describe_refusal(o->launch, &words);
        fprintf(out, "launch refused: %s\n", words.line);
    } else if (o->launch)
        fprintf(out, "launch: API %u.%u build %u, policy 0x%x, %" PRIu64 " bytes encrypted\n",
                o->launch->api_major, o->launch->api_minor, o->launch->build, o->launch->policy,
                o->launch->encrypted_bytes);
    fprintf(out, "memory: %" PRIu64 " private pages, %" PRIu64 " shared pages, %" PRIu64
            " conversions\n", o->memory.private_pages, o->memory.shared_pages,
            o->memory.conversions);
    if (o->options->check.level != CHECK_OFF)
        fprintf(out, "checker findings: %" PRIu64 "\n", guest_check_findings(o->guest));
    if (o->death)
        fprintf(out, "\n%s", o->death);
}

static bool write_text(const char *path, const struct run_outcome *o,
                       void (*put)(FILE *, const struct run_outcome *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        fprintf(stderr, "privet: %s: out of memory\n", path);
        return false;
    }
    put(out, o);
    bool done = fclose(out) == 0 && file_write(path, text, size, 0666);
    free(text);
    return done;
}

bool outcome_write_json(const char *path, const struct run_outcome *outcome)
{
    return write_text(path, outcome, put_json);
}

bool outcome_write_report(const char *path, const struct run_outcome *outcome)
{
    return write_text(path, outcome, put_report);
}
