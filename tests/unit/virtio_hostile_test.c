/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A bounded run of the virtio fuzz targets: streams of random operations, told by their numbers:
 * `virtio_hostile_test FIRST COUNT` runs others, or one again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fuzz/virtio_harness.h"

#define STREAM_SIZE  2048u
#define HANG_SECONDS 60

/* SplitMix64. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[STREAM_SIZE];
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;
    uint64_t used[HARNESS_DEVICES] = { 0 };

    for (uint64_t seed = first; seed < first + count; seed++) {
        uint64_t state = seed * 0xD1342543DE82EF95u;
        unsigned device = (unsigned)(seed % HARNESS_DEVICES);

        for (size_t i = 0; i < sizeof(bytes); i++) {
            uint64_t value = next(&state);

            bytes[i] = value >> 8 & 3 ? (uint8_t)value : 0; /* small numbers are likely */
        }
        alarm(HANG_SECONDS);
        used[device] += virtio_harness_run((enum virtio_harness_device)device, bytes,
                                           sizeof(bytes));
    }
    for (unsigned i = 0; i < HARNESS_DEVICES; i++) {
        printf("device %u: %llu times with requests done\n", i, (unsigned long long)used[i]);
        if (count >= 100 && used[i] == 0)
            return 1;
    }
    return 0;
}
