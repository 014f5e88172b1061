/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Launch digest and measurement in two steps each, for many guesses that share the first one; private
 * to owner.
 */
#ifndef PRIVET_OWNER_LAUNCH_H
#define PRIVET_OWNER_LAUNCH_H

#include <openssl/evp.h>

#include "owner/measure.h"

/* What comes before the processors' pages; released by EVP_MD_CTX_free. */
EVP_MD_CTX *launch_begin(const struct owner_guest *guest, const struct sev_kernel_hashes *hashes);

/* The pages added to a copy of `begun`, which can be used again. */
void launch_end(const EVP_MD_CTX *begun, const struct owner_guest *guest,
                uint8_t digest[OWNER_DIGEST_SIZE]);

/* A key, released by EVP_MAC_CTX_free, and owner_measurement with it. */
EVP_MAC_CTX *measurement_key(const uint8_t tik[OWNER_KEY_SIZE]);
void measurement_with(EVP_MAC_CTX *key, const struct owner_guest *guest,
                      const uint8_t digest[OWNER_DIGEST_SIZE],
                      const uint8_t nonce[OWNER_NONCE_SIZE], uint8_t measure[OWNER_MEASURE_SIZE]);

#endif
