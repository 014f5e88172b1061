/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Output files that are there whole or not at all, and where the chip's state lives. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/file.h"

#define PATH_SIZE 4096

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size) {
        ssize_t done = write(fd, data, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        data += done;
        size -= (size_t)done;
    }
    return true;
}

static bool complain(const char *path, int reason)
{
    error_say("%s: cannot be written: %s", path, strerror(reason));
    return false;
}

bool file_write(const char *path, const void *data, size_t size, unsigned mode)
{
    char temporary[PATH_SIZE];
    int reason = 0;
    if (strcmp(path, "-") == 0)
        return output_flush() && (write_all(STDOUT_FILENO, data, size) ||
                                  complain("standard output", errno));
    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= PATH_SIZE)
        return complain(path, ENAMETOOLONG);
    int fd = mkstemp(temporary);
    if (fd < 0)
        return complain(path, errno);
    if (!write_all(fd, data, size) || fchmod(fd, mode) != 0 || fsync(fd) != 0)
        reason = errno;
    if (close(fd) != 0 && !reason)
        reason = errno;
    if (!reason && rename(temporary, path) != 0)
        reason = errno;
    if (!reason)
        return true;
    unlink(temporary);
    return complain(path, reason);
}

bool file_write_base64(const char *path, const void *data, size_t size, unsigned mode)
{
    uint8_t *text = malloc(4 * ((size + 2) / 3) + 1);
    if (!text)
        return complain(path, ENOMEM);
    int length = EVP_EncodeBlock(text, data, (int)size);
    bool done = file_write(path, text, (size_t)length, mode);
    free(text);
    return done;
}

bool output_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    return complain("standard output", errno);
}

const char *state_folder_default(void)
{
    static char path[PATH_SIZE];
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (base && *base)
        snprintf(path, sizeof(path), "%s/privet", base);
    else
        snprintf(path, sizeof(path), "%s/.local/state/privet", home ? home : "");
    return path;
}
