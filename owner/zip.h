/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* ZIP archives (PKWARE APPNOTE 6.3): as much as sev-tool's certs_export.zip needs. */
#ifndef PRIVET_OWNER_ZIP_H
#define PRIVET_OWNER_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OWNER_ZIP_FILE_MAX (64u << 10)

bool zip_is(const uint8_t *data, size_t size);

/*
 * Calls `file` for each file, with bytes that are valid during the call; it returns NULL to go on or
 * a reason to stop. Files are stored or deflated, each at most OWNER_ZIP_FILE_MAX. NULL or the
 * reason: encryption, other methods, sizes, checksums, ends.
 */
const char *zip_read(const uint8_t *data, size_t size,
                           const char *(*file)(void *context, const uint8_t *bytes, size_t length),
                           void *context);

struct zip_file {
    const char *name;
    const uint8_t *data;
    size_t size;
};

/* Bytes that an archive of these files takes, and the archive, all stored. Dates are 1980-01-01. */
size_t zip_size(const struct zip_file *files, size_t count);
void zip_write(const struct zip_file *files, size_t count, uint8_t *archive);

#endif
