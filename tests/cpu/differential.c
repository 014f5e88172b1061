/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The interpreter against the host's own processor: for each form of the instruction table, random
 * encodings and states run on both; registers, defined flags, memory, x87, SSE and the fault are
 * compared. A form is one test; it passes if no case of it differs.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/cpu/form.h"
#include "machine/cpu/hostfp.h"
#include "machine/cpu/mmu.h"
#include "tests/cpu/case.h"
#include "tests/cpu/vendor.h"

#define BATCH         512u
#define FORMS_MAX     2048u
#define DEFAULT_CASES 200000u
#define SHOWN_MAX     3u /* differing cases shown per form */

struct options {
    uint64_t cases, seed, replay;
    bool replaying, list;
    const char *form;
};

static unsigned tested[FORMS_MAX], tested_count;
static uint64_t ran[FORMS_MAX], differ[FORMS_MAX];
static uint64_t lost, left_open;

static bool equal(const char *what, uint64_t native, uint64_t ours, uint64_t mask, bool print)
{
    if (!((native ^ ours) & mask))
        return true;
    if (print)
        printf("    %-10s host %016llx, Privet %016llx\n", what,
               (unsigned long long)(native & mask), (unsigned long long)(ours & mask));
    return false;
}

static bool has_prefix(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

static bool is_estimate(const struct form *form)
{
    return has_prefix(form->name, "rcp") || has_prefix(form->name, "rsqrt") ||
           has_prefix(form->name, "vrcp") || has_prefix(form->name, "vrsqrt");
}

/* Estimates: a relative error of 1.5 * 2^-12 is allowed to each side (APM 1 4.6.1). */
static bool close_single(uint32_t a, uint32_t b)
{
    float x, y;
    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));
    return a == b || (isnan(x) && isnan(y)) || fabsf(x - y) <= fabsf(x) / 1024;
}

static bool compare_xmm(const struct test_case *test, const uint8_t *native, const uint8_t *ours,
                        bool print)
{
    static const char *const names[16] = { "xmm0", "xmm1", "xmm2",  "xmm3",  "xmm4",  "xmm5",
                                           "xmm6", "xmm7", "xmm8",  "xmm9",  "xmm10", "xmm11",
                                           "xmm12", "xmm13", "xmm14", "xmm15" };
    bool good = true;
    for (unsigned k = 0; k < (test->code32 ? 8u : 16u); k++) {
        if (is_estimate(test->form)) {
            uint32_t a[4], b[4];
            memcpy(a, native + 160 + 16 * k, 16);
            memcpy(b, ours + 160 + 16 * k, 16);
            bool near = true;
            for (unsigned n = 0; n < 4; n++)
                near &= close_single(a[n], b[n]);
            if (near)
                continue;
        }
        for (unsigned half = 0; half < 2; half++) {
            uint64_t a, b;
            memcpy(&a, native + 160 + 16 * k + 8 * half, 8);
            memcpy(&b, ours + 160 + 16 * k + 8 * half, 8);
            good &= equal(names[k], a, b, ~0ull, print);
        }
    }
    return good;
}

static bool compare_fpu(const struct test_case *test, const uint8_t *native, const uint8_t *ours,
                        bool print)
{
    static const char *const names[8] = { "st0", "st1", "st2", "st3", "st4", "st5", "st6", "st7" };
    uint16_t control[2], status[2];
    uint32_t mxcsr[2];
    memcpy(&control[0], native, 2);
    memcpy(&control[1], ours, 2);
    memcpy(&status[0], native + 2, 2);
    memcpy(&status[1], ours + 2, 2);
    memcpy(&mxcsr[0], native + 24, 4);
    memcpy(&mxcsr[1], ours + 24, 4);
    bool good = equal("x87 control", control[0], control[1], 0x1F3F, print);
    good &= equal("x87 status", status[0], status[1], 0xFFFF, print);
    good &= equal("x87 tags", native[4], ours[4], 0xFF, print);
    good &= equal("mxcsr", mxcsr[0], mxcsr[1], 0xFFFF, print);
    for (unsigned k = 0; k < 8; k++) {
        uint64_t a = 0, b = 0;
        memcpy(&a, native + 32 + 16 * k, 8);
        memcpy(&b, ours + 32 + 16 * k, 8);
        good &= equal(names[k], a, b, ~0ull, print);
        a = b = 0;
        memcpy(&a, native + 40 + 16 * k, 2);
        memcpy(&b, ours + 40 + 16 * k, 2);
        good &= equal(names[k], a, b, 0xFFFF, print);
    }
    return good & compare_xmm(test, native, ours, print);
}

static bool compare_high(const struct test_case *test, const struct processor_state *a,
                         const struct processor_state *b, bool print)
{
    bool good = true;
    for (unsigned k = 0; k < (test->code32 ? 8u : 16u); k++) {
        if (is_estimate(test->form)) {
            float x[4], y[4];
            memcpy(x, a->high[k], 16);
            memcpy(y, b->high[k], 16);
            bool near = true;
            for (unsigned n = 0; n < 4; n++) {
                uint32_t one, two;
                memcpy(&one, &x[n], 4);
                memcpy(&two, &y[n], 4);
                near &= close_single(one, two);
            }
            if (near)
                continue;
        }
        for (unsigned half = 0; half < 2; half++) {
            uint64_t one, two;
            memcpy(&one, a->high[k] + 8 * half, 8);
            memcpy(&two, b->high[k] + 8 * half, 8);
            char name[12];
            snprintf(name, sizeof(name), "ymm%u", k);
            good &= equal(name, one, two, ~0ull, print);
        }
    }
    return good;
}

/* x87 environments hold the last instruction's address, which not every processor keeps. */
static bool stores_environment(const struct form *form)
{
    return has_prefix(form->name, "fnst") || has_prefix(form->name, "fnsave") ||
           has_prefix(form->name, "fstenv") || has_prefix(form->name, "fsave") ||
           has_prefix(form->name, "fxsave");
}

static bool is_multi_part(const struct form *form)
{
    return stores_environment(form) || has_prefix(form->name, "fldenv") ||
           has_prefix(form->name, "maskmov") || has_prefix(form->name, "vmaskmovdqu") ||
           has_prefix(form->name, "frstor") || has_prefix(form->name, "fxrstor");
}

static bool compare_memory(const struct test_case *test, const uint8_t *native, const uint8_t *ours,
                           bool print)
{
    bool good = true;
    uint64_t from = test->target - DATA_ADDRESS;
    for (unsigned k = 0; k < DATA_SIZE; k++) {
        if (native[k] == ours[k])
            continue;
        if (stores_environment(test->form) && k - from >= 6 && k - from < 28)
            continue;
        if (stores_environment(test->form) && k - from >= 464 && k - from < 512)
            continue;
        if (print)
            printf("    memory     host %02x, Privet %02x at %llx, before %02x\n", native[k],
                   ours[k], (unsigned long long)DATA_ADDRESS + k, test->data[k]);
        good = false;
        if (!print)
            break;
    }
    return good;
}

static bool compare(const struct test_case *test, const struct outcome *native,
                    const struct outcome *ours, bool print)
{
    static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
    const struct processor_state *a = &native->state, *b = &ours->state;
    bool good = equal("vector", native->vector, ours->vector, ~0ull, print);
    good &= equal("rip", a->rip, b->rip, ~0ull, print);
    for (unsigned k = 0; k < 16; k++)
        good &= equal(names[k], a->gpr[k], b->gpr[k], ~0ull, print);
    bool completed = native->vector == VECTOR_BP;
    uint64_t flags = EFLAGS_ARITHMETIC | EFLAGS_DF | EFLAGS_AC | EFLAGS_NT | EFLAGS_ID;
    if (completed)
        flags &= ~(uint64_t)test->form->undefined;
    good &= equal("rflags", a->rflags, b->rflags, flags, print);
    /* The host maps its kernel where ours has nothing: the present bit may differ. */
    if (native->vector == VECTOR_PF && ours->vector == VECTOR_PF) {
        good &= equal("error code", native->error, ours->error, 0x16, print);
        /* Which part of a multi-part access faults first is the processor's own affair. */
        good &= equal("cr2", native->cr2, ours->cr2,
                      is_multi_part(test->form) ? ~(uint64_t)PAGE_OFFSET : ~0ull, print);
    } else {
        good &= equal("error code", native->error, ours->error, 0xFFFF, print);
    }
    good &= compare_fpu(test, a->fxsave, b->fxsave, print);
    good &= compare_high(test, a, b, print);
    /* What a faulting multi-part store has written before is the processor's own affair, too. */
    if (native->vector == VECTOR_PF && has_prefix(test->form->name, "pusha"))
        return good;
    return good & compare_memory(test, native->data, ours->data, print);
}

/* On a host of another maker's: do they differ only where the makers do? */
static bool is_vendors(const struct test_case *test, const struct outcome *native,
                       const struct outcome *ours)
{
    static struct outcome adjusted;
    if (!vendor_is_other())
        return false;
    adjusted = *native;
    vendor_adjust(test, &adjusted, ours);
    return vendor_leaves_vector(test, native, ours) || compare(test, &adjusted, ours, false);
}

static void show(const struct test_case *test, const struct outcome *native,
                 const struct outcome *ours)
{
    printf("%s [%s] %s: case %llu:%llu, %s\n    bytes     ", test->form->name, test->form->code,
           test->form->operands, (unsigned long long)test->seed, (unsigned long long)test->number,
           test->code32 ? "32-bit" : "64-bit");
    for (unsigned k = 0; k < test->length; k++)
        printf(" %02x", test->code[k]);
    printf("\n");
    compare(test, native, ours, true);
}

static void show_state(const struct test_case *test)
{
    for (unsigned k = 0; k < 16; k++)
        printf("    r%-2u %016llx%s", k, (unsigned long long)test->state.gpr[k],
               k % 4 == 3 ? "\n" : "");
    uint16_t words[2];
    uint32_t mxcsr;
    memcpy(words, test->state.fxsave, 4);
    memcpy(&mxcsr, test->state.fxsave + 24, 4);
    printf("    rflags %llx, x87 control %04x status %04x tags %02x, mxcsr %04x\n",
           (unsigned long long)test->state.rflags, words[0], words[1], test->state.fxsave[4],
           mxcsr);
    for (unsigned k = 0; k < 8; k++) {
        uint64_t mantissa;
        uint16_t exponent;
        memcpy(&mantissa, test->state.fxsave + 32 + 16 * k, 8);
        memcpy(&exponent, test->state.fxsave + 40 + 16 * k, 2);
        printf("    st%u %04x.%016llx%s", k, exponent, (unsigned long long)mantissa,
               k % 3 == 2 || k == 7 ? "\n" : "");
    }
    for (unsigned k = 0; k < 16; k++) {
        uint64_t half[2];
        memcpy(half, test->state.fxsave + 160 + 16 * k, 16);
        printf("    xmm%-2u %016llx.%016llx%s", k, (unsigned long long)half[1],
               (unsigned long long)half[0], k & 1 ? "\n" : "");
    }
    uint64_t offset = test->target - DATA_ADDRESS;
    if (test->memory && offset < DATA_SIZE - 16) {
        printf("    memory at %llx:", (unsigned long long)test->target);
        for (unsigned k = 0; k < 16; k++)
            printf(" %02x", test->data[offset + k]);
        printf("\n");
    }
}

/* Case `number` belongs to form number % tested forms: replay needs nothing else. */
static const struct form *form_of(uint64_t number, unsigned *ret_index)
{
    *ret_index = (unsigned)(number % tested_count);
    return form_by_number(tested[*ret_index]);
}

/* Returns how many cases are settled: less than count if one ended the host's child. */
static unsigned compare_batch(unsigned first, unsigned count, const struct options *options)
{
    static struct outcome ours;
    for (unsigned k = first; k < count; k++) {
        const struct test_case *test = &native_cases()[k];
        const struct outcome *native = &native_outcomes()[k];
        unsigned index;
        (void)form_of(test->number, &index);
        if (!native->done) {
            fprintf(stderr, "case %llu:%llu (%s) ended the host's child\n",
                    (unsigned long long)test->seed, (unsigned long long)test->number,
                    test->form->name);
            lost++;
            differ[index]++;
            return k + 1;
        }
        interpreted_run(test, &ours);
        ran[index]++;
        if (options->replaying)
            show_state(test);
        if (ours.done && compare(test, native, &ours, false)) {
            if (options->replaying)
                printf("%s: same, vector %u\n", test->form->name, native->vector);
            continue;
        }
        if (ours.done && is_vendors(test, native, &ours)) {
            left_open++;
            if (options->replaying)
                printf("%s: left open, as processors of different makers differ\n",
                       test->form->name);
            continue;
        }
        if (differ[index]++ < SHOWN_MAX || options->replaying)
            show(test, native, &ours);
    }
    return count;
}

static void choose_forms(const char *name)
{
    for (unsigned k = 0; k < form_total() && tested_count < FORMS_MAX; k++) {
        const struct form *form = form_by_number(k);
        if (form_is_tested(form) && interpreted_offers(form) &&
            (!name || !strcmp(name, form->name)))
            tested[tested_count++] = k;
    }
}

static int run(const struct options *options)
{
    uint64_t next = options->replaying ? options->replay : 0;
    uint64_t end = options->replaying ? next + 1 : options->cases;
    unsigned capacity = BATCH;
    while (next < end) {
        unsigned count = 0;
        for (; count < capacity && next < end; next++) {
            unsigned index;
            const struct form *form = form_of(next, &index);
            count += generate(&native_cases()[count], form, tested[index], options->seed, next);
        }
        for (unsigned first = 0; first < count;) {
            if (native_run(first, count)) {
                fprintf(stderr, "cannot run cases on the host: %s\n", strerror(errno));
                return 1;
            }
            first = compare_batch(first, count, options);
        }
        if (isatty(2) && !options->replaying)
            fprintf(stderr, "\r%llu cases", (unsigned long long)next);
    }
    return 0;
}

static int summary(const struct options *options)
{
    unsigned passed = 0, failed = 0;
    uint64_t cases = 0, differing = 0;
    for (unsigned k = 0; k < tested_count; k++) {
        const struct form *form = form_by_number(tested[k]);
        cases += ran[k];
        differing += differ[k];
        if (differ[k])
            printf("FAILED %s [%s] %s: %llu of %llu cases differ\n", form->name, form->code,
                   form->operands, (unsigned long long)differ[k], (unsigned long long)ran[k]);
        passed += !differ[k];
        failed += differ[k] != 0;
    }
    printf("seed %llu: %llu cases of %u forms, %llu differ, %llu not run\n",
           (unsigned long long)options->seed, (unsigned long long)cases, tested_count,
           (unsigned long long)differing, (unsigned long long)lost);
    if (left_open)
        printf("the host's processor is not AMD's: %llu cases in which makers differ are left open\n",
               (unsigned long long)left_open);
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}

static bool parse(int argc, char **argv, struct options *options)
{
    for (int k = 1; k < argc; k++) {
        const char *value = k + 1 < argc ? argv[k + 1] : NULL;
        if (!strcmp(argv[k], "--plain")) {
            hostfp_pretend_plain();
            continue;
        }
        if (!strcmp(argv[k], "--list")) {
            options->list = true;
            continue;
        }
        if (!value)
            return false;
        char *end = NULL;
        if (!strcmp(argv[k], "--cases")) {
            options->cases = strtoull(value, &end, 0);
        } else if (!strcmp(argv[k], "--seed")) {
            options->seed = strtoull(value, &end, 0);
        } else if (!strcmp(argv[k], "--form")) {
            options->form = value;
        } else if (!strcmp(argv[k], "--replay")) {
            options->replaying = true;
            options->seed = strtoull(value, &end, 0);
            if (*end != ':')
                return false;
            options->replay = strtoull(end + 1, &end, 0);
        } else {
            return false;
        }
        if (end && *end)
            return false;
        k++;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options options = { .cases = DEFAULT_CASES, .seed = 1 };
    if (!parse(argc, argv, &options)) {
        fprintf(stderr, "usage: differential [--cases N] [--seed N] [--form NAME] [--list]\n"
                        "                    [--plain] (C code in place of host instructions)\n"
                        "                    [--replay SEED:CASE] (with the same --form)\n");
        return 1;
    }
    if (interpreted_prepare() || native_prepare(BATCH)) {
        fprintf(stderr, "differential: cannot set up: %s\n", strerror(errno));
        return 1;
    }
    choose_forms(options.form);
    if (!tested_count) {
        fprintf(stderr, "differential: no such form\n");
        return 1;
    }
    if (options.list) {
        for (unsigned k = 0; k < tested_count; k++)
            printf("%s [%s] %s\n", form_by_number(tested[k])->name, form_by_number(tested[k])->code,
                   form_by_number(tested[k])->operands);
        return 0;
    }
    return run(&options) || summary(&options);
}
