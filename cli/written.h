/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Files of certificates that a command writes, and tells of with --json. */
#ifndef PRIVET_CLI_WRITTEN_H
#define PRIVET_CLI_WRITTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/record.h"

struct written {
    const char *certificates; /* what is in it, separated by spaces; the caller's */
    char path[4096];
    size_t size;
    uint8_t sha256[32];
};

/* JSON and a file cannot both be standard output: one line if they are to be. */
bool written_may_tell(bool json, const char *path);

/* Writes the file, whole or not at all; `certificates` as above. One line if not. */
bool written_make(struct written *ret, const char *path, const void *data, size_t size,
                  const char *certificates);

/* The members file, size, sha256 and certificates of a JSON object. */
void written_tell(struct record *record, const struct written *written);

#endif
