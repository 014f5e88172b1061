/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A hash table of all pieces, behind a filter of one bit per hash of 16 bits. */
#include "machine/hypervisor/check_secret.h"

#include <stdlib.h>
#include <string.h>

#define PIECE        CHECK_SECRET_PIECE
#define MIN_VARIETY  6u /* different bytes in a piece */
#define FILTER_BITS  16
#define MAX_PIECES   (4u << 20)

struct piece {
    uint8_t bytes[PIECE];
    unsigned name;
    size_t offset;
    uint32_t next; /* of the same bucket, plus one */
};

struct check_secret {
    struct piece *piece;
    uint32_t count, room;
    uint32_t *bucket; /* plus one */
    unsigned bucket_bits;
    uint64_t filter[(1u << FILTER_BITS) / 64];
};

struct check_secret *check_secret_create(void)
{
    return calloc(1, sizeof(struct check_secret));
}

void check_secret_destroy(struct check_secret *secret)
{
    if (!secret)
        return;
    free(secret->piece);
    free(secret->bucket);
    free(secret);
}

bool check_secret_empty(const struct check_secret *secret)
{
    return secret->count == 0;
}

static uint64_t hash(const uint8_t *bytes)
{
    uint64_t half[2];
    memcpy(half, bytes, sizeof(half));
    return (half[0] ^ (half[1] << 23 | half[1] >> 41)) * 0x9E3779B97F4A7C15ull;
}

static bool is_various(const uint8_t *bytes)
{
    uint64_t seen[4] = { 0 };
    unsigned variety = 0;
    for (unsigned n = 0; n < PIECE; n++) {
        uint64_t bit = (uint64_t)1 << bytes[n] % 64;
        variety += !(seen[bytes[n] / 64] & bit);
        seen[bytes[n] / 64] |= bit;
    }
    return variety >= MIN_VARIETY;
}

static void enter(struct check_secret *secret, uint32_t number)
{
    uint64_t h = hash(secret->piece[number].bytes);
    uint32_t *bucket = &secret->bucket[h >> (64 - secret->bucket_bits)];
    secret->piece[number].next = *bucket;
    *bucket = number + 1;
    secret->filter[(h & ((1u << FILTER_BITS) - 1)) / 64] |= (uint64_t)1 << h % 64;
}

/* Room for one more; with twice the room, the buckets are filled anew. */
static bool grow(struct check_secret *secret)
{
    if (secret->count < secret->room)
        return true;
    unsigned bits = secret->bucket_bits ? secret->bucket_bits + 1 : 10;
    uint32_t room = 1u << bits;
    if (room > MAX_PIECES)
        return false;
    struct piece *piece = realloc(secret->piece, room * sizeof(*piece));
    if (!piece)
        return false;
    secret->piece = piece;
    uint32_t *bucket = calloc(room, sizeof(*bucket));
    if (!bucket)
        return false;
    free(secret->bucket);
    secret->bucket = bucket;
    secret->bucket_bits = bits;
    secret->room = room;
    for (uint32_t n = 0; n < secret->count; n++)
        enter(secret, n);
    return true;
}

static const struct piece *lookup(const struct check_secret *secret, const uint8_t *bytes)
{
    uint64_t h = hash(bytes);
    if (!(secret->filter[(h & ((1u << FILTER_BITS) - 1)) / 64] >> h % 64 & 1))
        return NULL;
    uint32_t number = secret->bucket[h >> (64 - secret->bucket_bits)];
    while (number && memcmp(secret->piece[number - 1].bytes, bytes, PIECE) != 0)
        number = secret->piece[number - 1].next;
    return number ? &secret->piece[number - 1] : NULL;
}

bool check_secret_add(struct check_secret *secret, unsigned name, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t at = 0; at + PIECE <= length; at++) {
        if (!is_various(bytes + at) || (secret->count && lookup(secret, bytes + at)))
            continue;
        if (!grow(secret))
            return false;
        struct piece *piece = &secret->piece[secret->count];
        memcpy(piece->bytes, bytes + at, PIECE);
        piece->name = name;
        piece->offset = at;
        enter(secret, secret->count++);
    }
    return true;
}

bool check_secret_find(const struct check_secret *secret, const void *data, size_t length,
                       struct check_secret_match *ret)
{
    const uint8_t *bytes = data;
    for (size_t at = 0; secret->count && at + PIECE <= length; at++) {
        const struct piece *piece = lookup(secret, bytes + at);
        if (!piece)
            continue;
        *ret = (struct check_secret_match){ .at = at, .name = piece->name,
                                            .offset = piece->offset };
        return true;
    }
    return false;
}
