/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * HPET, the TCO watchdog and the keyboard controller, through the processor's callbacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/board_harness.h"

#define HPET   0xFED00000u
#define RCBA   0xFED1C000u
#define LPC    0xF8u
#define TCO    0x660u
#define MS     UINT64_C(1000000)
#define IOAPIC 0xFEC00000u

static int setup(void **state)
{
    *state = harness_create(NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    harness_destroy(*state);
    return 0;
}

static uint64_t get(struct harness *h, uint64_t at, unsigned size)
{
    return h->io->mmio_read(h->io->context, at, size);
}

static void set(struct harness *h, uint64_t at, uint64_t value, unsigned size)
{
    h->io->mmio_write(h->io->context, at, value, size);
}

/* The guest computes for so long. */
static void pass(struct harness *h, uint64_t ns)
{
    h->cpu.instructions += ns;
    board_run_timers(h->board);
}

/* The local APIC is on, and an I/O APIC input leads to a vector; 0x8000: level-triggered. */
static void route(struct harness *h, unsigned input, uint32_t entry)
{
    set(h, 0xFEE000F0, 0x1FF, 4);
    set(h, IOAPIC, 0x10 + input * 2, 4);
    set(h, IOAPIC + 0x10, entry, 4);
}

static int acknowledge(struct harness *h)
{
    int vector = h->cpu.interrupt ? h->io->interrupt_acknowledge(h->io->context) : -1;

    if (vector >= 0)
        set(h, 0xFEE000B0, 0, 4);
    return vector;
}

/* --- HPET --- */

static void hpet_counter(void **state)
{
    struct harness *h = *state;
    uint64_t first;

    assert_int_equal(get(h, HPET, 4), 0x8086A201);
    assert_int_equal(get(h, HPET + 4, 4), 10000000); /* femtoseconds a tick */
    assert_true(get(h, HPET, 8) == 0x009896808086A201);
    set(h, HPET + 0xF0, 0x1122334455667788, 8);
    pass(h, MS);
    assert_true(get(h, HPET + 0xF0, 8) == 0x1122334455667788); /* halted */
    set(h, HPET + 0xF4, 0, 4);
    set(h, HPET + 0xF0, 0, 4);
    set(h, HPET + 0x10, 1, 4);
    first = get(h, HPET + 0xF0, 8);
    pass(h, MS);
    assert_in_range(get(h, HPET + 0xF0, 8) - first, 100000, 100200); /* and what polling took */
    set(h, HPET + 0xF0, 5, 8); /* not while it runs */
    assert_true(get(h, HPET + 0xF0, 8) > 100000);
    board_reset(h->board);
    assert_int_equal(get(h, HPET + 0xF0, 8), 0);
    assert_int_equal(get(h, HPET + 0x10, 8), 0);
}

static void hpet_one_shot(void **state)
{
    struct harness *h = *state;

    route(h, 20, 0x41);
    set(h, HPET + 0x140, 20 << 9 | 4, 4); /* timer 2 at input 20 */
    set(h, HPET + 0x148, 100000, 8);
    set(h, HPET + 0x10, 1, 4);
    pass(h, MS - 1000);
    assert_int_equal(acknowledge(h), -1);
    pass(h, 1000);
    assert_int_equal(acknowledge(h), 0x41);
    pass(h, 100 * MS);
    assert_int_equal(acknowledge(h), -1);
    assert_int_equal(get(h, HPET + 0x144, 4), 0x00F00000); /* where it can lead to */
    set(h, HPET + 0x140, 21 << 9 | 4, 4); /* where it cannot: nowhere */
    set(h, HPET + 0x140, 3 << 9 | 4, 4);
    set(h, HPET + 0x148, 0x7FFFFFFFFFFFFFFF, 8);
    pass(h, MS);
}

static void hpet_periodic(void **state)
{
    struct harness *h = *state;

    route(h, 21, 0x8042);
    set(h, HPET + 0x100, 21 << 9 | 0x4E, 4); /* level, enabled, periodic, the value is set */
    set(h, HPET + 0x108, 100000, 8);
    set(h, HPET + 0x108, 50000, 4); /* the period alone */
    set(h, HPET + 0x10, 1, 4);
    pass(h, MS);
    assert_int_equal(get(h, HPET + 0x20, 4), 1);
    assert_int_equal(acknowledge(h), 0x42);
    assert_int_equal(acknowledge(h), 0x42); /* until the status is cleared */
    set(h, HPET + 0x20, 1, 4);
    assert_int_equal(acknowledge(h), 0x42); /* it was pending again at the EOI */
    assert_int_equal(acknowledge(h), -1);
    pass(h, MS / 2);
    assert_int_equal(acknowledge(h), 0x42);
    set(h, HPET + 0x20, 1, 4);
    acknowledge(h);
    assert_int_equal(get(h, HPET + 0x108, 4), 200000);
    set(h, HPET + 0x108, 1, 4); /* an interrupt per 10 ns: they come every 20 us at most */
    pass(h, MS);
    assert_true(get(h, HPET + 0x108, 4) >= 250000);
}

/* Timer 0 takes the place of the 8254. */
static void hpet_legacy(void **state)
{
    struct harness *h = *state;
    unsigned count = 0;

    route(h, 2, 0x30);
    out(h, 0x43, 0x34, 1);
    out(h, 0x40, 0xA9, 1); /* 1193 ticks: a millisecond */
    out(h, 0x40, 0x04, 1);
    pass(h, 2 * MS);
    assert_int_equal(acknowledge(h), 0x30);
    set(h, HPET + 0x100, 4, 4);
    set(h, HPET + 0x108, 1000000, 8);
    set(h, HPET + 0x10, 3, 4);
    acknowledge(h);
    for (unsigned i = 0; i < 11; i++) {
        pass(h, MS);
        count += acknowledge(h) == 0x30;
    }
    assert_int_equal(count, 1);
    set(h, HPET + 0x10, 0, 4);
    acknowledge(h);
    pass(h, 2 * MS);
    assert_int_equal(acknowledge(h), 0x30); /* the 8254 is heard again */
}

/* --- watchdog --- */

static void start_watchdog(struct harness *h, bool may_reset)
{
    config_write(h, LPC, 0x40, 0x601, 4);
    config_write(h, LPC, 0x44, 0x80, 1);
    config_write(h, LPC, 0xF0, RCBA | 1, 4);
    assert_int_equal(get(h, RCBA + 0x3410, 4), 0x20);
    set(h, RCBA + 0x3410, may_reset ? 0 : 0x20, 4);
    out(h, TCO + 0x12, 10, 2);
    out(h, TCO + 0x00, 1, 2);
    assert_int_equal(in(h, TCO, 2), 10);
    pass(h, 3000 * MS);
    assert_int_equal(in(h, TCO, 2), 10); /* halted */
    out(h, TCO + 0x08, 0, 2);
}

static void watchdog_resets(void **state)
{
    struct harness *h = *state;

    start_watchdog(h, true);
    for (unsigned i = 0; i < 10; i++) { /* fed */
        pass(h, 3000 * MS);
        assert_int_equal(in(h, TCO, 2), 5);
        out(h, TCO, 1, 2);
    }
    assert_int_equal(in(h, TCO + 4, 2), 0);
    pass(h, 6000 * MS);
    assert_int_equal(in(h, TCO + 4, 2), 8); /* told */
    assert_int_equal(board_take_request(h->board), BOARD_RUNNING);
    pass(h, 6000 * MS);
    assert_int_equal(board_take_request(h->board), BOARD_RESET);
    board_reset(h->board);
    config_write(h, LPC, 0x40, 0x601, 4);
    config_write(h, LPC, 0x44, 0x80, 1);
    assert_int_equal(in(h, TCO + 6, 2), 2); /* remembers */
    pass(h, 60000 * MS);
    assert_int_equal(board_take_request(h->board), BOARD_RUNNING);
}

static void watchdog_without_teeth(void **state)
{
    struct harness *h = *state;

    start_watchdog(h, false);
    pass(h, 6000 * MS);
    pass(h, 6000 * MS);
    assert_int_equal(in(h, TCO + 6, 2), 2);
    assert_int_equal(board_take_request(h->board), BOARD_RUNNING);
}

/* --- keyboard controller --- */

static void keyboard_answer(struct harness *h, uint8_t byte)
{
    assert_int_equal(in(h, 0x64, 1) & 0x21, 1);
    assert_int_equal(in(h, 0x60, 1), byte);
}

static void keyboard_controller(void **state)
{
    struct harness *h = *state;

    assert_int_equal(in(h, 0x64, 1) & 7, 0);
    out(h, 0x64, 0xAA, 1);
    keyboard_answer(h, 0x55);
    assert_int_equal(in(h, 0x64, 1) & 7, 4);
    out(h, 0x64, 0xAB, 1);
    keyboard_answer(h, 0);
    out(h, 0x64, 0x60, 1);
    out(h, 0x60, 0x45, 1);
    out(h, 0x64, 0x20, 1);
    keyboard_answer(h, 0x45);
    route(h, 1, 0x31);
    out(h, 0x60, 0xF2, 1); /* identify */
    for (unsigned i = 0; i < 3; i++) {
        static const uint8_t answer[] = { 0xFA, 0xAB, 0x41 };

        assert_int_equal(acknowledge(h), 0x31);
        keyboard_answer(h, answer[i]);
    }
    assert_int_equal(acknowledge(h), -1);
    out(h, 0x60, 0xED, 1); /* lights */
    keyboard_answer(h, 0xFA);
    out(h, 0x60, 0x07, 1);
    keyboard_answer(h, 0xFA);
    out(h, 0x60, 0xFF, 1);
    keyboard_answer(h, 0xFA);
    keyboard_answer(h, 0xAA);
    out(h, 0x64, 0xD4, 1); /* no mouse */
    out(h, 0x60, 0xF2, 1);
    assert_int_equal(in(h, 0x64, 1) & 0x61, 0x61);
    assert_int_equal(in(h, 0x60, 1), 0xFE);
    for (unsigned i = 0; i < 100; i++)
        out(h, 0x60, 0xFF, 1); /* what does not fit is lost */
    while (in(h, 0x64, 1) & 1)
        in(h, 0x60, 1);
    out(h, 0x64, 0xD1, 1); /* A20 by the output port */
    out(h, 0x60, 0xDF, 1);
    out(h, 0x64, 0xD0, 1);
    keyboard_answer(h, 0xDF);
    assert_int_equal(board_take_request(h->board), BOARD_RUNNING);
    out(h, 0x64, 0xD1, 1);
    out(h, 0x60, 0xDE, 1);
    assert_int_equal(board_take_request(h->board), BOARD_RESET);
}

#define DEVICE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DEVICE_TEST(hpet_counter),      DEVICE_TEST(hpet_one_shot),
        DEVICE_TEST(hpet_periodic),     DEVICE_TEST(hpet_legacy),
        DEVICE_TEST(watchdog_resets),   DEVICE_TEST(watchdog_without_teeth),
        DEVICE_TEST(keyboard_controller),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
