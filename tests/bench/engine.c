/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The encryption engine's speed: pages converted from raw to a guest's view and back, in GB/s. */
#include <stdio.h>
#include <time.h>

#include "machine/memory/memory.h"

#define SIZE   (64ull << 20)
#define ROUNDS 16

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(void)
{
    static const uint8_t seed[32] = { 7 }, key[MEMORY_KEY_SIZE] = { 9 };
    struct memory *memory = memory_create(seed);
    if (!memory || memory_add_ram(memory, 0, SIZE) != 0) {
        fprintf(stderr, "engine: out of memory\n");
        return 1;
    }
    memory_set_key(memory, 1, key);
    double start = 0;
    for (unsigned round = 0; round <= ROUNDS; round++) {
        if (round == 1) /* the first one also touches the pages */
            start = seconds();
        for (uint64_t gpa = 0; gpa < SIZE; gpa += MEMORY_PAGE_SIZE)
            memory_page(memory, gpa, round % 2 ? MEMORY_RAW : 1);
    }
    printf("%.3f\n", (double)SIZE * ROUNDS / (seconds() - start) / 1e9);
    memory_destroy(memory);
    return 0;
}
