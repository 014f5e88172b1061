/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The SEV checker (DESIGN 3): watches a SEV guest through cpu/observer.h and the bus and reports
 * what works on this machine, or by luck, and is wrong on hardware. It changes nothing that a
 * guest can see. The rules are described in docs/man/privet-checks.7.
 */
#ifndef PRIVET_MACHINE_CHECK_H
#define PRIVET_MACHINE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum check_rule {
    CHECK_DMA_PRIVATE,
    CHECK_CIPHERTEXT_READ,
    CHECK_CACHE_STALE,
    CHECK_TLB_STALE,
    CHECK_MMIO_ENCRYPTED,
    CHECK_EMULATION,
    CHECK_SHARED_CODE, /* a note: hardware allows it, so it never ends a run */
    CHECK_SHARED_AT_EXIT,
    CHECK_SECRET_LEAK,
    CHECK_GHCB_PRIVATE,
    CHECK_VC_REGISTERS,
    CHECK_RULE_COUNT
};

enum check_level { CHECK_OFF, CHECK_WARN, CHECK_FATAL };

struct check_finding {
    enum check_rule rule;
    bool note;
    int processor;   /* -1: no processor was at it (a device, the end of the run) */
    uint64_t rip;    /* of that processor */
    bool has_linear;
    uint64_t linear; /* address accessed */
    bool has_gpa;
    uint64_t gpa;
    const char *text; /* what was found and what was expected; valid during the call */
};

#define CHECK_MAX_SECRETS 16

struct check_config {
    enum check_level level;
    bool coherent;              /* the chip keeps caches coherent across C-bits: no CACHE_STALE */
    uint32_t without;           /* a bit per rule that is not looked at */
    struct {
        uint64_t gpa, size;
    } secrets[CHECK_MAX_SECRETS]; /* ranges that must not appear in shared memory */
    unsigned secret_count;
    /* Called for the first finding of a rule at one place; NULL: nobody listens. */
    void (*report)(void *context, const struct check_finding *finding);
    void *context;
};

struct check_repeats {
    enum check_rule rule;
    int processor;
    uint64_t rip;
    uint64_t times; /* in all, the reported first time included */
};

/* The rule's stable name, as in messages and on the command line. */
const char *check_rule_name(enum check_rule rule);
/* False: there is no such rule. */
bool check_rule_by_name(const char *name, size_t length, enum check_rule *ret);

#endif
