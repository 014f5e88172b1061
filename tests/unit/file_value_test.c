/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Values in files, written as bytes, hexadecimal digits or base64: the limit is that of the value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/file.h"

#define LIMIT 6u

typedef bool reader(const char *path, const char *what, size_t limit, struct file *ret);

static char complaint[256];

void error_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint, sizeof(complaint), format, arguments);
    va_end(arguments);
}

static bool read_text(reader *read, const char *text, struct file *ret)
{
    char path[] = "/tmp/privet-value-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    bool done = read(path, "a value", LIMIT, ret);
    unlink(path);
    return done;
}

static void expect_bytes(reader *read, const char *text, const char *value)
{
    struct file file = { 0 };
    assert_true(read_text(read, text, &file));
    assert_int_equal(file.size, strlen(value));
    assert_memory_equal(file.data, value, file.size);
    file_free(&file);
}

/* `fact` is how the complaint ends. */
static void expect_refusal(reader *read, const char *text, const char *fact)
{
    struct file file = { 0 };
    complaint[0] = '\0';
    assert_false(read_text(read, text, &file));
    assert_null(file.data);
    assert_non_null(strstr(complaint, ": a value: "));
    assert_string_equal(strstr(complaint, ": a value: ") + strlen(": a value: "), fact);
}

static void test_forms(void **state)
{
    expect_bytes(file_read, "414243", "414243");
    expect_bytes(file_read_base64, "QUJD\n", "ABC");
    expect_bytes(file_read_value, "QUJDREVG\r\n", "ABCDEF");
    expect_bytes(file_read_value, "41 42\n4a\t4B4c4D", "ABJKLM");
    expect_bytes(file_read_value, "a-c", "a-c");
}

static void test_limit(void **state)
{
    static const char fact[] = "larger than the limit of 6 bytes";
    reader *const readers[] = { file_read, file_read_base64, file_read_value };
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        expect_bytes(readers[i], "a-bcde", "a-bcde");
        expect_refusal(readers[i], "a-bcdef", fact);
    }
    expect_refusal(file_read_base64, "QUJDREVGRw==", fact);
    expect_refusal(file_read_value, "QUJDREVGRw==", fact);
    expect_refusal(file_read_value, "41424344454647", fact);
}

/* Text of no bytes is no value: with zeros after it, it would be one. */
static void test_no_bytes(void **state)
{
    struct file file = { 0 };
    expect_refusal(file_read, "", "the file is empty");
    expect_refusal(file_read_base64, "\n", "damaged base64");
    expect_refusal(file_read_value, "\r\n\n", "damaged base64");
    assert_false(text_value("", 0, 16, &file));
    assert_false(text_value("\n", 1, 16, &file));
    assert_null(file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
