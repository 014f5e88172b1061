/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Hash-counter generator.
 */
#include "machine/devices/random.h"

#include <string.h>

#include <openssl/sha.h>

void random_init(struct random_stream *stream, const uint8_t seed[32], uint64_t label)
{
    memset(stream, 0, sizeof(*stream));
    memcpy(stream->key, seed, 32);
    memcpy(stream->key + 32, &label, sizeof(label));
    stream->used = sizeof(stream->block);
}

static void refill(struct random_stream *stream)
{
    uint64_t counter;

    memcpy(&counter, stream->key + 40, sizeof(counter));
    counter++;
    memcpy(stream->key + 40, &counter, sizeof(counter));
    SHA256(stream->key, sizeof(stream->key), stream->block);
    stream->used = 0;
}

void random_bytes(struct random_stream *stream, void *data, size_t length)
{
    uint8_t *out = data;

    for (size_t i = 0; i < length; i++) {
        if (stream->used == sizeof(stream->block))
            refill(stream);
        out[i] = stream->block[stream->used++];
    }
}
