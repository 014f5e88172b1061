/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Thousands of guests of random bytes, in every mode: the machine must survive them all, and those
 * that end must end alike with breakpoints of the host all over them. The seed
 * of each is its number: `random_guest_test FIRST COUNT` runs others, or one again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fuzz/machine_harness.h"

#define GUEST_SIZE  12289u
#define HANG_SECONDS 60

/* SplitMix64: a few lines, the same everywhere. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Random bytes; in every other guest with the opcode map's two-byte escape made more likely. */
static void make_guest(uint64_t seed, uint8_t *bytes)
{
    uint64_t state = seed * 0xD1342543DE82EF95u;
    for (size_t i = 0; i < GUEST_SIZE; i++) {
        uint64_t value = next(&state);
        bytes[i] = seed & 16 && (value >> 8 & 7) == 0 ? 0x0F : (uint8_t)value;
    }
    bytes[0] = (uint8_t)(seed & 15);
}

int main(int argc, char **argv)
{
    static uint8_t bytes[GUEST_SIZE];
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;
    uint64_t instructions = 0, compared = 0, different = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        make_guest(seed, bytes);
        alarm(HANG_SECONDS);
        instructions += machine_harness_run(bytes, GUEST_SIZE);
        uint64_t plain, watched;
        machine_harness_watch(bytes, GUEST_SIZE, 0, &plain);
        machine_harness_watch(bytes, GUEST_SIZE, seed + 1, &watched);
        if (!plain || !watched)
            continue;
        compared++;
        if (plain == watched)
            continue;
        different++;
        printf("guest %llu ends differently with breakpoints\n", (unsigned long long)seed);
    }
    printf("%llu compared, %llu different\n", (unsigned long long)compared,
           (unsigned long long)different);
    printf("%llu guests, %llu instructions\n", (unsigned long long)count,
           (unsigned long long)instructions);
    return instructions == 0 || different;
}
