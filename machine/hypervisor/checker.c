/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The checker put together, and its reports: one line for the first finding of a rule at one
 * place, a count for the others.
 */
#include "machine/hypervisor/checker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/hypervisor/checker_rules.h"
#include "machine/hypervisor/guest.h"

static const char *const rule_names[CHECK_RULE_COUNT] = {
    [CHECK_DMA_PRIVATE] = "dma-private",
    [CHECK_CIPHERTEXT_READ] = "ciphertext-read",
    [CHECK_CACHE_STALE] = "cache-stale",
    [CHECK_TLB_STALE] = "tlb-stale",
    [CHECK_MMIO_ENCRYPTED] = "mmio-encrypted",
    [CHECK_EMULATION] = "emulation",
    [CHECK_SHARED_CODE] = "shared-code",
    [CHECK_SHARED_AT_EXIT] = "shared-at-exit",
    [CHECK_SECRET_LEAK] = "secret-leak",
    [CHECK_GHCB_PRIVATE] = "ghcb-private",
    [CHECK_VC_REGISTERS] = "vc-registers",
};

const char *check_rule_name(enum check_rule rule)
{
    return rule_names[rule];
}

bool check_rule_by_name(const char *name, size_t length, enum check_rule *ret)
{
    for (unsigned r = 0; r < CHECK_RULE_COUNT; r++) {
        if (strlen(rule_names[r]) == length && memcmp(name, rule_names[r], length) == 0) {
            *ret = (enum check_rule)r;
            return true;
        }
    }
    return false;
}

/* --- reports -------------------------------------------------------------------------------- */

bool checker_wants(const struct checker *checker, enum check_rule rule)
{
    return !(checker->config.without >> rule & 1);
}

/* True: seen for the first time. */
static bool count_place(struct checker *checker, enum check_rule rule, int processor,
                        const struct checker_at *at)
{
    uint64_t key = at->place ? at->place : at->rip;
    for (unsigned n = 0; n < checker->place_count; n++) {
        struct checker_place *place = &checker->places[n];
        if (place->rule == rule && place->place == key && place->processor == processor) {
            place->times++;
            return false;
        }
    }
    if (checker->place_count == CHECKER_MAX_PLACES) {
        checker->unlisted++;
        return false;
    }
    checker->places[checker->place_count++] = (struct checker_place){
        .rule = rule, .processor = processor, .place = key, .rip = at->rip, .times = 1 };
    return true;
}

void checker_report(struct checker *checker, enum check_rule rule, const struct checker_at *at,
                    const char *format, ...)
{
    int processor = at->cpu ? (int)at->cpu->number : -1;
    bool note = rule == CHECK_SHARED_CODE;
    char text[320];
    va_list arguments;
    if (!checker_wants(checker, rule))
        return;
    checker->findings += !note;
    if (!count_place(checker, rule, processor, at))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const struct check_finding finding = {
        .rule = rule,
        .note = note,
        .processor = processor,
        .rip = at->rip,
        .has_linear = at->linear,
        .linear = at->linear ? *at->linear : 0,
        .has_gpa = at->gpa,
        .gpa = at->gpa ? *at->gpa : 0,
        .text = text,
    };
    if (checker->config.report)
        checker->config.report(checker->config.context, &finding);
    if (!note && checker->config.level == CHECK_FATAL) {
        checker->guest->check_failed = true;
        guest_stop(checker->guest);
    }
}

bool guest_check_repeats(const struct guest *guest, unsigned index, struct check_repeats *ret)
{
    const struct checker *checker = guest->checker;
    if (!checker || index >= checker->place_count)
        return false;
    const struct checker_place *place = &checker->places[index];
    *ret = (struct check_repeats){ .rule = place->rule, .processor = place->processor,
                                   .rip = place->rip, .times = place->times };
    return true;
}

uint64_t guest_check_findings(const struct guest *guest)
{
    return guest->checker ? guest->checker->findings : 0;
}

/* --- life ----------------------------------------------------------------------------------- */

static bool watch_processor(struct checker *checker, unsigned number)
{
    struct checker_cpu *watch = &checker->cpus[number];
    watch->checker = checker;
    watch->cpu = checker->guest->cpus[number];
    watch->number = number;
    watch->tlb = check_tlb_create();
    if (!watch->tlb)
        return false;
    watch->observer = (struct cpu_observer){
        .context = watch,
        .accessed = rule_accessed,
        .fetched = rule_fetched,
        .walked = rule_walked,
        .stored = rule_stored,
        .tlb_flushed = rule_tlb_flushed,
        .line_flushed = rule_line_flushed,
        .caches_flushed = rule_caches_flushed,
        .port = rule_port,
        .mmio = rule_mmio,
        .string_io = rule_string_io,
        .intercepted = rule_intercepted,
        .returned = rule_returned,
    };
    cpu_set_observer(watch->cpu, &watch->observer);
    return true;
}

struct checker *checker_create(struct guest *guest, const struct check_config *config)
{
    struct checker *checker = calloc(1, sizeof(*checker));
    if (!checker)
        return NULL;
    checker->config = *config;
    checker->guest = guest;
    checker->memory = guest->memory;
    checker->pages = check_pages_create(guest->memory);
    checker->secret = check_secret_create();
    checker->cpus = calloc(guest->cpu_count, sizeof(*checker->cpus));
    if (config->coherent)
        checker->config.without |= 1u << CHECK_CACHE_STALE;
    if (!checker->pages || !checker->cpus || !checker->secret) {
        checker_destroy(checker);
        return NULL;
    }
    for (unsigned n = 0; n < guest->cpu_count; n++) {
        checker->cpu_count++;
        if (!watch_processor(checker, n)) {
            checker_destroy(checker);
            return NULL;
        }
    }
    board_watch_dma(guest->board, rule_dma, checker);
    return checker;
}

void checker_start(struct checker *checker)
{
    checker_secret_start(checker);
}

void checker_reset(struct checker *checker)
{
    for (unsigned n = 0; n < checker->cpu_count; n++) {
        check_pages_flush_all(checker->pages, n);
        checker->cpus[n].trap_count = 0;
    }
    checker_exit_reset(checker);
}

void checker_look(struct checker *checker, uint64_t instructions)
{
    checker_exit_look(checker, instructions);
}

void checker_finish(struct checker *checker)
{
    checker_secret_end(checker);
}

void checker_destroy(struct checker *checker)
{
    if (!checker)
        return;
    for (unsigned n = 0; n < checker->cpu_count; n++) {
        cpu_set_observer(checker->cpus[n].cpu, NULL);
        check_tlb_destroy(checker->cpus[n].tlb);
    }
    if (checker->cpu_count)
        board_watch_dma(checker->guest->board, NULL, NULL);
    check_pages_destroy(checker->pages);
    check_secret_destroy(checker->secret);
    free(checker->cpus);
    free(checker);
}
