/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Which console lines are a kernel's panic, and which only look like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/hypervisor/panic.h"

static enum panic_news feed(struct panic_watch *watch, unsigned console, const char *text)
{
    enum panic_news news = PANIC_NOTHING;
    for (; *text; text++) {
        enum panic_news now = panic_character(watch, console, *text);
        news = now != PANIC_NOTHING ? now : news;
    }
    return news;
}

static void stamps(void **state)
{
    static const char *const before[] = { "", "[    1.5] ", "[    1.500000][    T1] ", "<0>[ 1.5] " };
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        struct panic_watch watch = { .final = false };
        assert_int_equal(feed(&watch, 0, "quiet\r\n"), PANIC_NOTHING);
        assert_int_equal(feed(&watch, 0, before[i]), PANIC_NOTHING);
        assert_int_equal(feed(&watch, 0, "Kernel panic - not syncing: why\r\n"), PANIC_SEEN);
        assert_string_equal(watch.why, "Kernel panic - not syncing: why");
        assert_int_equal(feed(&watch, 0, before[i]), PANIC_NOTHING);
        assert_int_equal(feed(&watch, 0, "---[ end Kernel panic - not syncing: why ]---\n"),
                         PANIC_FINAL);
    }
}

static void other_lines(void **state)
{
    struct panic_watch watch = { .final = false };
    assert_int_equal(feed(&watch, 0, "log: Kernel panic - not syncing: no\n"), PANIC_NOTHING);
    assert_int_equal(feed(&watch, 0, "Kernel panic - not syncing: unended"), PANIC_NOTHING);
    assert_int_equal(feed(&watch, 1, "---[ end Kernel panic - not syncing: ]---\n"), PANIC_NOTHING);
    assert_int_equal(feed(&watch, 1, "[[[[[[\n[]]]\n<\n<0\n\n"), PANIC_NOTHING);
    assert_string_equal(watch.why, "");
}

static void each_console_has_its_line(void **state)
{
    struct panic_watch watch = { .final = false };
    feed(&watch, 0, "Kernel panic - ");
    feed(&watch, 1, "Kernel panic - ");
    assert_int_equal(feed(&watch, 0, "not syncing: a\n"), PANIC_SEEN);
    assert_int_equal(feed(&watch, 1, "not syncing: a\n"), PANIC_NOTHING); /* once a panic */
    panic_forget(&watch);
    assert_int_equal(feed(&watch, 1, "Kernel panic - not syncing: b\n"), PANIC_SEEN);
}

static void hostile_bytes(void **state)
{
    struct panic_watch watch = { .final = false };
    for (unsigned i = 0; i < 100000; i++)
        panic_character(&watch, i & 1, (char)(i * 7 >> 3));
    feed(&watch, 0, "\nKernel panic - not syncing: \033[2J");
    for (unsigned i = 0; i < 1000; i++)
        feed(&watch, 0, "x");
    assert_int_equal(feed(&watch, 0, "\n"), PANIC_SEEN);
    assert_int_equal(strlen(watch.why), PANIC_LINE_SIZE - 1);
    assert_memory_equal(watch.why, "Kernel panic - not syncing: ?[2Jx", 33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps),
        cmocka_unit_test(other_lines),
        cmocka_unit_test(each_console_has_its_line),
        cmocka_unit_test(hostile_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
