/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* SHA-256 (FIPS 180-4), with the processor's SHA extensions where it has them. */
#ifndef PRIVET_FIRMWARE_SHA256_H
#define PRIVET_FIRMWARE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE  32u
#define SHA256_BLOCK 64u

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[SHA256_BLOCK];
};

void sha256_start(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t length);
void sha256_end(struct sha256 *hash, uint8_t ret_digest[SHA256_SIZE]);

/* The compression function over whole blocks; _ni only if CPUID reports SHA and SSE4.1. */
void sha256_blocks_portable(uint32_t state[8], const uint8_t *data, size_t blocks);
void sha256_blocks_ni(uint32_t state[8], const uint8_t *data, size_t blocks);
extern const uint32_t sha256_constants[64];

#endif
