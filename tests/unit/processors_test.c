/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The board with four processors: time that passes in turns, INIT and startup interrupts, fixed
 * interrupts and NMIs from one processor to others in every destination mode, timers of each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/board_harness.h"

#define APIC         UINT64_C(0xFEE00000)
#define ICR_LOW      0x300u
#define ICR_HIGH     0x310u
#define ICR_LOGICAL  (1u << 11)
#define ICR_NMI      0x400u
#define ICR_INIT     0x500u
#define ICR_STARTUP  0x600u
#define TO_SELF      (1u << 18)
#define TO_ALL       (2u << 18)
#define TO_OTHERS    (3u << 18)
#define MSR_BASE     0x1Bu
#define MSR_DEADLINE 0x6E0u
#define MSR_X2_ICR   0x830u
#define MSR_X2_SVR   0x80Fu

static void four(struct harness *h)
{
    h->config.processors = 4;
}

static int setup(void **state)
{
    *state = harness_create(four);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    harness_destroy(*state);
    return 0;
}

static struct cpu *cpu(struct harness *h, unsigned index)
{
    return index ? &h->others[index - 1] : &h->cpu;
}

static void apic_write(struct harness *h, unsigned index, unsigned offset, uint32_t value)
{
    const struct cpu_io *io = board_cpu_io(h->board, index);
    io->mmio_write(io->context, APIC + offset, value, 4);
}

static bool msr_write(struct harness *h, unsigned index, uint32_t msr, uint64_t value)
{
    const struct cpu_io *io = board_cpu_io(h->board, index);
    return io->apic_msr_write(io->context, msr, value);
}

static uint64_t tsc(struct harness *h, unsigned index)
{
    const struct cpu_io *io = board_cpu_io(h->board, index);
    return io->tsc_read(io->context);
}

static int acknowledge(struct harness *h, unsigned index)
{
    const struct cpu_io *io = board_cpu_io(h->board, index);
    int vector = io->interrupt_acknowledge(io->context);
    apic_write(h, index, 0xB0, 0);
    return vector;
}

static void send(struct harness *h, unsigned from, unsigned destination, uint32_t low)
{
    apic_write(h, from, ICR_HIGH, destination << 24);
    apic_write(h, from, ICR_LOW, low);
}

static enum board_wake wake(struct harness *h, unsigned index)
{
    uint8_t vector;
    return board_take_wake(h->board, index, &vector);
}

/* All APICs software-enabled, everyone started. */
static void start_all(struct harness *h)
{
    send(h, 0, 0, TO_OTHERS | ICR_INIT);
    send(h, 0, 0, TO_OTHERS | ICR_STARTUP | 0x10);
    for (unsigned i = 0; i < 4; i++) {
        wake(h, i);
        apic_write(h, i, 0xF0, 0x1FF);
    }
}

static void startup_sequence(void **state)
{
    struct harness *h = *state;
    uint8_t vector = 0;

    assert_false(board_waits_for_startup(h->board, 0));
    for (unsigned i = 1; i < 4; i++)
        assert_true(board_waits_for_startup(h->board, i));
    send(h, 0, 2, ICR_INIT | 0x4000);
    assert_int_equal(wake(h, 2), BOARD_WAKE_INIT);
    assert_true(board_waits_for_startup(h->board, 2));
    assert_false(board_processor_runs(h->board, 2));
    send(h, 0, 2, ICR_STARTUP | 0x9A);
    assert_true(board_processor_runs(h->board, 2));
    send(h, 0, 2, ICR_STARTUP | 0x11); /* it runs: the second one is ignored */
    assert_int_equal(board_take_wake(h->board, 2, &vector), BOARD_WAKE_STARTUP);
    assert_int_equal(vector, 0x9A);
    assert_false(board_waits_for_startup(h->board, 2));
    send(h, 0, 2, ICR_STARTUP | 0x11);
    assert_int_equal(wake(h, 2), BOARD_WAKE_NONE);
    assert_true(board_waits_for_startup(h->board, 1)); /* nobody else was touched */
    assert_int_equal(wake(h, 1), BOARD_WAKE_NONE);
}

static void init_while_it_runs(void **state)
{
    struct harness *h = *state;
    uint8_t vector = 0;

    start_all(h);
    send(h, 0, 1, 0x41);
    assert_true(cpu(h, 1)->interrupt);
    send(h, 0, 1, ICR_INIT | 0x4000);
    send(h, 0, 1, ICR_INIT | 0x8000); /* de-assert: nothing */
    assert_false(cpu(h, 1)->interrupt); /* the APIC forgot it */
    assert_true(board_waits_for_startup(h->board, 1));
    send(h, 0, 1, ICR_STARTUP | 0x20); /* before the INIT was taken: both at once */
    assert_int_equal(board_take_wake(h->board, 1, &vector), BOARD_WAKE_STARTUP);
    assert_int_equal(vector, 0x20);
    send(h, 1, 0, ICR_INIT); /* the bootstrap processor does not wait */
    assert_int_equal(wake(h, 0), BOARD_WAKE_INIT);
    assert_false(board_waits_for_startup(h->board, 0));
    board_reset(h->board);
    assert_true(board_waits_for_startup(h->board, 1));
}

static void nmis(void **state)
{
    struct harness *h = *state;

    send(h, 0, 0, TO_OTHERS | ICR_NMI);
    assert_int_equal(cpu(h, 1)->nmis, 0); /* waits for its start: deaf */
    start_all(h);
    send(h, 0, 0, TO_OTHERS | ICR_NMI);
    send(h, 0, 3, ICR_NMI);
    send(h, 2, 0xFF, ICR_NMI);
    assert_int_equal(cpu(h, 0)->nmis, 1);
    assert_int_equal(cpu(h, 1)->nmis, 2);
    assert_int_equal(cpu(h, 2)->nmis, 2);
    assert_int_equal(cpu(h, 3)->nmis, 3);
}

/* Sends and says who got it, a bit per processor. */
static unsigned who(struct harness *h, unsigned from, unsigned destination, uint32_t low)
{
    unsigned mask = 0;
    send(h, from, destination, low);
    for (unsigned i = 0; i < 4; i++) {
        if (!cpu(h, i)->interrupt)
            continue;
        mask |= 1u << i;
        assert_int_equal(acknowledge(h, i), (int)(low & 0xFF));
        assert_false(cpu(h, i)->interrupt);
    }
    return mask;
}

static void destinations(void **state)
{
    struct harness *h = *state;

    start_all(h);
    assert_int_equal(who(h, 0, 2, 0x51), 4);
    assert_int_equal(who(h, 3, 0xFF, 0x51), 15);
    assert_int_equal(who(h, 0, 9, 0x51), 0);
    assert_int_equal(who(h, 1, 0, TO_SELF | 0x52), 2);
    assert_int_equal(who(h, 1, 0, TO_ALL | 0x52), 15);
    assert_int_equal(who(h, 1, 0, TO_OTHERS | 0x52), 13);
    for (unsigned i = 0; i < 4; i++)
        apic_write(h, i, 0xD0, 1u << (24 + i)); /* LDR, flat model */
    assert_int_equal(who(h, 0, 0x0A, ICR_LOGICAL | 0x53), 10);
    assert_int_equal(who(h, 0, 0xFF, ICR_LOGICAL | 0x53), 15);
    assert_int_equal(who(h, 0, 0x0C, ICR_LOGICAL | 0x100 | 0x53), 4); /* lowest priority: one */
    for (unsigned i = 0; i < 4; i++) {
        apic_write(h, i, 0xE0, 0x0FFFFFFF); /* DFR, cluster model: two in each of two clusters */
        apic_write(h, i, 0xD0, (i / 2) << 28 | 1u << (24 + i % 2));
    }
    assert_int_equal(who(h, 0, 0x13, ICR_LOGICAL | 0x54), 12);
    assert_int_equal(who(h, 0, 0x01, ICR_LOGICAL | 0x54), 1);
    assert_int_equal(who(h, 0, 0xF2, ICR_LOGICAL | 0x54), 10);
}

static void x2apic_destinations(void **state)
{
    struct harness *h = *state;

    start_all(h);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(msr_write(h, i, MSR_BASE, APIC | 0xC00));
        assert_true(msr_write(h, i, MSR_X2_SVR, 0x1FF));
    }
    assert_true(msr_write(h, 0, MSR_X2_ICR, UINT64_C(3) << 32 | 0x61));
    assert_true(cpu(h, 3)->interrupt);
    assert_false(cpu(h, 2)->interrupt);
    assert_true(msr_write(h, 0, MSR_X2_ICR, UINT64_C(0x6) << 32 | ICR_LOGICAL | 0x61));
    assert_false(cpu(h, 0)->interrupt);
    assert_true(cpu(h, 1)->interrupt);
    assert_true(cpu(h, 2)->interrupt);
    assert_true(msr_write(h, 0, MSR_X2_ICR, UINT64_C(0xFFFFFFFF) << 32 | 0x61));
    assert_true(cpu(h, 0)->interrupt);
    assert_true(msr_write(h, 2, MSR_X2_ICR, UINT64_C(1) << 32 | ICR_INIT));
    assert_int_equal(wake(h, 1), BOARD_WAKE_INIT);
}

/* What `count` instructions of the processor are worth while `sharing` run. */
static uint64_t turn(struct harness *h, unsigned index, unsigned sharing, uint64_t count)
{
    uint64_t before = board_now_ns(h->board);
    board_begin_turn(h->board, index, sharing);
    assert_true(board_now_ns(h->board) == before);
    cpu(h, index)->instructions += count;
    return board_now_ns(h->board) - before;
}

static void time_passes_side_by_side(void **state)
{
    struct harness *h = *state;
    uint64_t last, total = 0;

    assert_int_equal(turn(h, 0, 1, 1000), 1000);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(turn(h, i, 4, 4000), 1000);
    for (unsigned i = 0; i < 3; i++)
        total += turn(h, i, 3, 1000); /* thirds of a nanosecond are not lost */
    assert_int_equal(total, 1000);
    last = tsc(h, 2);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 4; i++) {
            board_begin_turn(h->board, i, 4);
            assert_true(tsc(h, i) >= last);
            cpu(h, i)->instructions += 500 + round;
            last = tsc(h, i);
            assert_true(tsc(h, 3 - i) == last); /* one time for all */
        }
    }
    last = board_now_ns(h->board);
    board_spend(h->board, 250);
    assert_int_equal(board_now_ns(h->board) - last, 250);
}

static void timers_of_each(void **state)
{
    struct harness *h = *state;
    uint64_t count, now;

    start_all(h);
    board_begin_turn(h->board, 1, 3);
    cpu(h, 1)->instructions += 7;
    now = board_now_ns(h->board);
    apic_write(h, 2, 0x3E0, 0xB);   /* divide by one */
    apic_write(h, 2, 0x320, 0x71);  /* one-shot */
    apic_write(h, 2, 0x380, 1000);  /* of processor 2, in the turn of processor 1 */
    apic_write(h, 3, 0x320, 0x40072); /* TSC deadline: 2 GHz here */
    assert_true(msr_write(h, 3, MSR_DEADLINE, 2 * (now + 2000)));
    count = board_next_deadline(h->board);
    assert_true(count > cpu(h, 1)->instructions);
    cpu(h, 1)->instructions = count - 1;
    board_run_timers(h->board);
    assert_false(cpu(h, 2)->interrupt);
    cpu(h, 1)->instructions = count;
    assert_int_equal(board_now_ns(h->board), now + 1000);
    board_run_timers(h->board);
    assert_true(cpu(h, 2)->interrupt);
    assert_int_equal(acknowledge(h, 2), 0x71);
    assert_true(board_skip_idle(h->board)); /* nobody runs: on to the other timer */
    assert_true(cpu(h, 3)->interrupt);
    assert_int_equal(acknowledge(h, 3), 0x72);
    assert_int_equal(board_now_ns(h->board), now + 2000);
    assert_false(board_skip_idle(h->board));
}

/* Pending where interrupts are off wakes nobody, and holds nobody else back. */
static void idle_with_a_deaf_processor(void **state)
{
    struct harness *h = *state;

    start_all(h);
    cpu(h, 1)->interrupts_off = true;
    send(h, 0, 1, 0x41);
    apic_write(h, 2, 0x320, 0x71);
    apic_write(h, 2, 0x380, 1000);
    assert_false(board_processor_runs(h->board, 1));
    assert_true(board_skip_idle(h->board));
    assert_true(board_processor_runs(h->board, 2));
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 20;
}

/* Every APIC register gets anything from anybody: time goes on, timers fire, nothing breaks. */
static void anything_goes(void **state)
{
    struct harness *h = *state;
    uint64_t random = 1, last = 0;

    for (unsigned k = 0; k < 200000; k++) {
        unsigned index = next_random(&random) & 3;
        const struct cpu_io *io = board_cpu_io(h->board, index);
        uint64_t what = next_random(&random) % 64, value = next_random(&random);
        uint32_t low = (uint32_t)(value & (next_random(&random) & 1 ? 0xC4FFF : UINT32_MAX));
        board_begin_turn(h->board, index, 1 + (unsigned)(value & 3));
        cpu(h, index)->instructions += value % 5000;
        cpu(h, index)->interrupts_off = value & 0x100;
        io->mmio_write(io->context, APIC + what * 16, low, 4);
        io->mmio_read(io->context, APIC + what * 16, 4);
        io->apic_msr_write(io->context, 0x800 + (uint32_t)what, value & 0xFF000C4FFF);
        if (value % 50 == 0)
            io->apic_msr_write(io->context, MSR_BASE, APIC | (value & 0xC00));
        if (value % 7 == 0)
            io->interrupt_acknowledge(io->context);
        wake(h, (unsigned)value & 3);
        board_run_timers(h->board);
        if (value % 100 == 0)
            board_spend(h->board, value % 10000);
        assert_true(board_now_ns(h->board) >= last);
        last = board_now_ns(h->board);
        assert_true(board_next_deadline(h->board) >= cpu(h, index)->instructions);
    }
    board_reset(h->board);
    assert_true(board_waits_for_startup(h->board, 3));
}

#define PROCESSORS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROCESSORS_TEST(startup_sequence),
        PROCESSORS_TEST(init_while_it_runs),
        PROCESSORS_TEST(nmis),
        PROCESSORS_TEST(destinations),
        PROCESSORS_TEST(x2apic_destinations),
        PROCESSORS_TEST(time_passes_side_by_side),
        PROCESSORS_TEST(timers_of_each),
        PROCESSORS_TEST(idle_with_a_deaf_processor),
        PROCESSORS_TEST(anything_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
