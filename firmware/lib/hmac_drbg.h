/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * HMAC_DRBG with SHA-256 (NIST SP 800-90A rev. 1, 10.1.2). Where the entropy comes from and when it
 * is due again is the caller's affair.
 */
#ifndef PRIVET_FIRMWARE_HMAC_DRBG_H
#define PRIVET_FIRMWARE_HMAC_DRBG_H

#include <stddef.h>
#include <stdint.h>

#include "firmware/lib/sha256.h"

#define HMAC_DRBG_REQUEST_MAXIMUM 0x10000u /* bytes: table 2 */

struct hmac_drbg {
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE];
};

/* `seed`: entropy input, nonce and personalization string; entropy and additional input. */
void hmac_drbg_start(struct hmac_drbg *drbg, const void *seed, size_t size);
void hmac_drbg_reseed(struct hmac_drbg *drbg, const void *seed, size_t size);
/* At most HMAC_DRBG_REQUEST_MAXIMUM bytes; `additional` may be empty. */
void hmac_drbg_generate(struct hmac_drbg *drbg, const void *additional, size_t additional_size,
                        uint8_t *random, size_t size);

#endif
