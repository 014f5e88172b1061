/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Whole input files, for every verb. */
#ifndef PRIVET_CLI_FILE_H
#define PRIVET_CLI_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file {
    uint8_t *data; /* owned; freed by file_free */
    size_t size;
};

/*
 * Reads all of `path` ("-": standard input), from 1 to `limit` bytes. On failure prints one line that
 * names the file and `what` it was to be, and returns false.
 */
bool file_read(const char *path, const char *what, size_t limit, struct file *ret);

/* The same; if the content is base64 text (QEMU's form), decodes it. */
bool file_read_base64(const char *path, const char *what, size_t limit, struct file *ret);

void file_free(struct file *file);

#endif
