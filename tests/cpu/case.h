/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * One case of the differential test: an encoding and the state before it; and an outcome: the state
 * after it. Cases are made by generate.c from a seed and a number alone, run by native.c on the
 * host's processor and by interpreted.c on Privet's, and compared by differential.c.
 */
#ifndef PRIVET_TESTS_CPU_CASE_H
#define PRIVET_TESTS_CPU_CASE_H

#include <stdbool.h>
#include <stdint.h>

struct form;

/* Linear addresses, the same on both sides; what lies around is not mapped. */
#define CODE_ADDRESS 0x20000000ull
#define CODE_SIZE    0x1000u
#define CODE_OFFSET  0x800u /* of the instruction; the rest of the page is INT3 */
#define DATA_ADDRESS 0x10000000ull
#define DATA_SIZE    0x2000u

/* Selectors as Linux has them, so that MOV r, Sreg gives the same. */
enum selector { SELECTOR_CODE32 = 0x23, SELECTOR_DATA = 0x2B, SELECTOR_CODE64 = 0x33 };

struct processor_state {
    uint64_t gpr[16];
    uint64_t rip;
    uint64_t rflags;
    uint8_t fxsave[512]; /* as FXSAVE64 writes it: APM 2 11.4.4 */
    uint8_t high[16][16]; /* upper halves of YMM registers */
};

struct test_case {
    const struct form *form;
    unsigned form_number;
    uint64_t seed, number;
    bool code32; /* compatibility mode */
    uint8_t length;
    uint8_t code[15];
    bool memory;      /* has a memory operand, aimed at `target` */
    uint64_t target;
    struct processor_state state;
    uint8_t data[DATA_SIZE];
};

struct outcome {
    bool done;
    uint32_t vector; /* 3: the INT3 after the instruction, or the instruction itself */
    uint64_t error, cr2;
    struct processor_state state;
    uint8_t data[DATA_SIZE];
};

/* generate.c: fills a case for one form. Returns false if the form has no encoding to test. */
bool generate(struct test_case *test, const struct form *form, unsigned form_number, uint64_t seed,
              uint64_t number);
/* generate.c: whether the test covers the form at all. */
bool form_is_tested(const struct form *form);

/*
 * native.c: runs the cases in a child process; outcomes[k].done says which ones came back. Returns
 * 0, or -1 if the host refuses (no fixed mapping, fork).
 */
int native_prepare(unsigned capacity);
struct test_case *native_cases(void);
struct outcome *native_outcomes(void);
int native_run(unsigned first, unsigned count);

/* interpreted.c */
int interpreted_prepare(void);
void interpreted_run(const struct test_case *test, struct outcome *outcome);
bool interpreted_offers(const struct form *form);

#endif
