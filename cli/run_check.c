/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet run --check`: the values of its options, and the lines that the checker says. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/run.h"

#define RANGE_MAX 0x10000u

/* "GPA+LENGTH", both as C numbers; a suffix k on the length. */
static bool parse_range(const char *text, struct check_config *check)
{
    char *end;
    errno = 0;
    uint64_t gpa = strtoull(text, &end, 0), size = 0;
    if (end != text && *end == '+' && end[1] >= '0' && end[1] <= '9')
        size = strtoull(end + 1, &end, 0);
    unsigned shift = *end == 'k' ? 10 : 0;
    end += shift != 0;
    if (errno || *end || size > RANGE_MAX || size << shift > RANGE_MAX || size << shift < 16 ||
        gpa > UINT64_MAX - (size << shift)) {
        fprintf(stderr, "privet: --secret-range %s: must be ADDRESS+LENGTH, 16 bytes to 64 KiB\n",
                text);
        return false;
    }
    if (check->secret_count == CHECK_MAX_SECRETS) {
        fprintf(stderr, "privet: --secret-range: at most %d ranges\n", CHECK_MAX_SECRETS);
        return false;
    }
    check->secrets[check->secret_count].gpa = gpa;
    check->secrets[check->secret_count++].size = size << shift;
    return true;
}

static bool parse_rules(const char *text, struct check_config *check)
{
    while (*text) {
        size_t length = strcspn(text, ",");
        enum check_rule rule;
        if (!check_rule_by_name(text, length, &rule)) {
            fprintf(stderr, "privet: --check-without: '%.*s' is no rule; the rules are in "
                            "privet-checks(7)\n", (int)length, text);
            return false;
        }
        check->without |= 1u << rule;
        text += length + (text[length] == ',');
    }
    return true;
}

bool run_check_parse(const struct run_check_options *options, struct check_config *check,
                     struct symbols *symbols)
{
    check->level = (enum check_level)options->level;
    check->coherent = options->coherent;
    for (unsigned n = 0; n < options->without.count; n++) {
        if (!parse_rules(options->without.items[n], check))
            return false;
    }
    for (unsigned n = 0; n < options->ranges.count; n++) {
        if (!parse_range(options->ranges.items[n], check))
            return false;
    }
    for (unsigned n = 0; n < options->symbols.count; n++) {
        if (!symbols_add(symbols, options->symbols.items[n]))
            return false;
    }
    return true;
}

/* " (name+0x10)", or nothing. */
static const char *symbol(const struct symbols *symbols, uint64_t address, char *text, size_t size)
{
    char name[256];
    text[0] = '\0';
    if (symbols_find(symbols, address, name, sizeof(name)))
        snprintf(text, size, " (%s)", name);
    return text;
}

void report_check(void *context, const struct check_finding *finding)
{
    const struct symbols *symbols = context;
    char name[264], where[512] = "";
    int used = 0;
    if (finding->processor >= 0)
        used = snprintf(where, sizeof(where), "processor %d, RIP 0x%llx%s, ", finding->processor,
                        (unsigned long long)finding->rip,
                        symbol(symbols, finding->rip, name, sizeof(name)));
    if (finding->has_linear)
        used += snprintf(where + used, sizeof(where) - (size_t)used, "linear 0x%llx%s, ",
                         (unsigned long long)finding->linear,
                         symbol(symbols, finding->linear, name, sizeof(name)));
    if (finding->has_gpa && (size_t)used < sizeof(where))
        snprintf(where + used, sizeof(where) - (size_t)used, "physical 0x%llx, ",
                 (unsigned long long)finding->gpa);
    if (*where)
        where[strlen(where) - 2] = '\0';
    fprintf(stderr, "privet: check: %s%s: %s%s%s\n", check_rule_name(finding->rule),
            finding->note ? " (note)" : "", where, *where ? ": " : "", finding->text);
}

void report_check_end(const struct guest *guest, const struct symbols *symbols)
{
    struct check_repeats repeats;
    char name[264];
    for (unsigned n = 0; guest_check_repeats(guest, n, &repeats); n++) {
        if (repeats.times < 2)
            continue;
        if (repeats.processor >= 0)
            fprintf(stderr, "privet: check: %s: %llu times on processor %d at RIP 0x%llx%s\n",
                    check_rule_name(repeats.rule), (unsigned long long)repeats.times,
                    repeats.processor, (unsigned long long)repeats.rip,
                    symbol(symbols, repeats.rip, name, sizeof(name)));
        else
            fprintf(stderr, "privet: check: %s: %llu times by the same device\n",
                    check_rule_name(repeats.rule), (unsigned long long)repeats.times);
    }
    fprintf(stderr, "privet: check: %llu findings\n",
            (unsigned long long)guest_check_findings(guest));
}
