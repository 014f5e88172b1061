/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The cipher of the memory encryption engine: AES-128 in XEX with a tweak that is linear in the
 * physical address; private to machine/memory. docs/memory-encryption.md has the definition.
 */
#ifndef PRIVET_MACHINE_MEMORY_ENGINE_H
#define PRIVET_MACHINE_MEMORY_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

/* Derives the tweak constants from `seed`. NULL: out of memory. */
struct engine *engine_create(const uint8_t seed[32]);
void engine_destroy(struct engine *engine);

/* Installs the key of an ASID (1 to MEMORY_MAX_ASID); NULL wipes it. */
void engine_set_key(struct engine *engine, unsigned asid, const uint8_t *key);
bool engine_has_key(const struct engine *engine, unsigned asid);

/*
 * Encrypts or decrypts `length` bytes that are stored at physical address `gpa`, in place. Both are
 * multiples of 16 and the range stays in one page. The ASID has a key.
 */
void engine_crypt(struct engine *engine, unsigned asid, bool encrypt, uint64_t gpa, uint8_t *data,
                  size_t length);

#endif
