/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "cli/written.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "cli/error.h"
#include "cli/file.h"

bool written_may_tell(bool json, const char *path)
{
    if (!json || strcmp(path, "-") != 0)
        return true;
    error_say("--json: standard output has the JSON document; name another file than -");
    return false;
}

bool written_make(struct written *ret, const char *path, const void *data, size_t size,
                  const char *certificates)
{
    ret->certificates = certificates;
    ret->size = size;
    if (snprintf(ret->path, sizeof(ret->path), "%s", path) >= (int)sizeof(ret->path))
        error_say("%s: the path is too long", path);
    else if (EVP_Digest(data, size, ret->sha256, NULL, EVP_sha256(), NULL) != 1)
        error_say("%s: the cryptographic library failed", path);
    else
        return file_write(path, data, size, 0644);
    return false;
}

void written_tell(struct record *record, const struct written *written)
{
    record_text(record, "file", "%s", written->path);
    record_number(record, "size", written->size);
    record_hex(record, "sha256", written->sha256, sizeof(written->sha256));
    fputs(",\"certificates\":[", stdout);
    for (const char *at = written->certificates; *at;) {
        size_t length = strcspn(at, " ");
        printf("%s\"%.*s\"", at == written->certificates ? "" : ",", (int)length, at);
        at += length + (at[length] == ' ');
    }
    putchar(']');
}
