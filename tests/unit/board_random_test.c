/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A bounded run of what tests/fuzz/fuzz_board.c does without end. The seed of each driver is its
 * number: `board_random_test FIRST COUNT` runs others, or one again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fuzz/board_ops.h"

#define LENGTH       16384u
#define HANG_SECONDS 60

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[LENGTH];
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 200;
    uint64_t accesses = 0;

    for (uint64_t seed = first; seed < first + count; seed++) {
        uint64_t state = seed * 0xD1342543DE82EF95u;

        for (size_t i = 0; i < LENGTH; i++)
            bytes[i] = (uint8_t)next(&state);
        alarm(HANG_SECONDS);
        accesses += board_ops_run(bytes, LENGTH);
    }
    printf("%llu drivers, %llu accesses\n", (unsigned long long)count,
           (unsigned long long)accesses);
    return accesses == 0;
}
