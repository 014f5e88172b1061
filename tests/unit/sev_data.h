/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Genuine certificates for tests (tests/data/sev), and bytes written as hexadecimal. */
#ifndef PRIVET_TESTS_SEV_DATA_H
#define PRIVET_TESTS_SEV_DATA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

/* Reads "rome/pdh.cert" and the like; the test fails if it is not there. */
static inline size_t read_data(const char *name, uint8_t *data, size_t room)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/sev/%s", TEST_DATA_FOLDER, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(data, 1, room, file);
    fclose(file);
    assert_true(size > 0);
    return size;
}

static inline void assert_hex(const void *data, const char *hex)
{
    char text[512];
    size_t size = strlen(hex) / 2;
    assert_true(2 * size + 1 <= sizeof(text));
    for (size_t i = 0; i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)data)[i]);
    assert_string_equal(text, hex);
}

/* first, first + 1, ... */
static inline void fill_up(uint8_t *data, size_t size, uint8_t first)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(first + i);
}

#endif
