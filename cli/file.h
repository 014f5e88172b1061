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
 * Reads all of `path` ("-": standard input), from 1 to `limit` bytes. On failure prints one line
 * that names the file and `what` it was to be, and returns false.
 */
bool file_read(const char *path, const char *what, size_t limit, struct file *ret);

/* The same; base64 text (QEMU's form) is decoded. `limit` is that of the bytes it stands for. */
bool file_read_base64(const char *path, const char *what, size_t limit, struct file *ret);

/* The same; text of hexadecimal digits only, or base64, is decoded. */
bool file_read_value(const char *path, const char *what, size_t limit, struct file *ret);

/*
 * Bytes written as hexadecimal digits or base64, preferably `wanted` ones; nothing is printed if they
 * are neither.
 */
bool text_value(const void *text, size_t length, size_t wanted, struct file *ret);

/*
 * Writes a file so that it is there whole or not at all (temporary file, fsync, rename); `mode` is
 * the new file's. "-" is standard output. On failure prints one line and returns false.
 */
bool file_write(const char *path, const void *data, size_t size, unsigned mode);

/* The same as base64 on one line, without a line end, as QEMU wants it. */
bool file_write_base64(const char *path, const void *data, size_t size, unsigned mode);

/* Prints what stdio still holds; false, with one line, if standard output could not take it. */
bool output_flush(void);

/* The chip's state folder when none is named: $XDG_STATE_HOME/privet or ~/.local/state/privet. */
const char *state_folder_default(void);

void file_free(struct file *file);

#endif
