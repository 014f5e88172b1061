/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The CPU-bound program of the benchmark: a fixed mix of integer arithmetic, memory, calls and
 * unpredictable branches, with no system call in between. `spin ROUNDS` prints a checksum.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t table[16384];

__attribute__((noinline)) static uint32_t mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ x >> 16;
}

/* One round is some 700,000 instructions. */
static uint32_t round_of(uint32_t seed)
{
    uint32_t sum = seed;
    for (uint32_t i = 0; i < 16384; i++) {
        uint32_t x = mix(sum + i);
        table[x & 16383] += x;
        if (x & 1)
            sum += table[i];
        else
            sum ^= table[(i * 7) & 16383] >> 3;
        for (uint32_t k = 0; k < (x >> 30); k++)
            sum = (sum << 5 | sum >> 27) + k;
    }
    return sum;
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    uint32_t sum = 1;
    for (unsigned long i = 0; i < rounds; i++)
        sum = round_of(sum);
    printf("spin: %lu rounds, checksum %08x\n", rounds, sum);
    return 0;
}
