/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's reading of the launch secret: table, credentials, and the archive made of them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/boot/credentials.h"

int format(char *text, size_t size, const char *fmt, ...);
int format(char *text, size_t size, const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    int length = vsnprintf(text, size, fmt, list);
    va_end(list);
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct secret_entry entry;
    uint8_t *area = malloc(size ? size : 1);
    if (!area)
        return 0;
    memcpy(area, data, size);
    if (secret_check(area, size) == SECRET_PRESENT &&
        secret_find(area, &secret_credentials_guid, &entry)) {
        size_t length = credentials_archive(entry.data, entry.size, NULL);
        uint8_t *archive = malloc(length ? length : 1);
        if (archive && length && credentials_archive(entry.data, entry.size, archive) != length)
            abort();
        free(archive);
    }
    free(area);
    return 0;
}
