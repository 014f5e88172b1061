/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Deterministic random bytes: SHA-256 of seed, label and a counter. Equal seeds give equal runs.
 */
#ifndef PRIVET_MACHINE_DEVICES_RANDOM_H
#define PRIVET_MACHINE_DEVICES_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random_stream {
    uint8_t key[32 + 8 + 8]; /* seed, label, counter */
    uint8_t block[32];
    unsigned used;
};

/* Streams of one seed with different labels are independent. */
void random_init(struct random_stream *stream, const uint8_t seed[32], uint64_t label);
void random_bytes(struct random_stream *stream, void *data, size_t length);

#endif
