/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the tests of the firmware's disk drivers share; each has its own fresh() and fresh_sev(). */
#ifndef PRIVET_TESTS_FIRMWARE_DISKS_H
#define PRIVET_TESTS_FIRMWARE_DISKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "disk_model.h"
#include "fakes.h"

/* Reads from the disk that was published as number `index`. */
bool disk_read(unsigned index, uint64_t block, uint32_t count, uint8_t *data);

/* The bytes are those of a medium from there on. */
void expect_pattern(const uint8_t *data, uint64_t offset, size_t length);

#define TEST(name) cmocka_unit_test_setup(name, fresh)
#define TEST_BOTH(name)                                                                            \
    TEST(name),                                                                                    \
        { #name " (SEV)", name, fresh_sev, NULL, NULL }

#endif
