/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Finds pieces of secrets in other data: any 16 bytes of a secret, at any alignment on either side.
 * Pieces with few different bytes (padding) do not count: they are everywhere.
 */
#ifndef PRIVET_MACHINE_CHECK_SECRET_H
#define PRIVET_MACHINE_CHECK_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK_SECRET_PIECE 16u

struct check_secret;

/* NULL: out of memory. */
struct check_secret *check_secret_create(void);
void check_secret_destroy(struct check_secret *secret);

/* Adds what is to be found; `name` tells the findings apart. False: out of memory. */
bool check_secret_add(struct check_secret *secret, unsigned name, const void *data, size_t length);
bool check_secret_empty(const struct check_secret *secret);

struct check_secret_match {
    size_t at;       /* where in the data */
    unsigned name;   /* of the secret */
    size_t offset;   /* where in it, as it was added */
};

/* The first piece of a secret in the data. */
bool check_secret_find(const struct check_secret *secret, const void *data, size_t length,
                       struct check_secret_match *ret);

#endif
