/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The state folder: what a real part keeps in fuses. One file, made at first use and written beside
 * its place and renamed, so that it is there whole or not at all.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/chip/internal.h"

#define PATH_SIZE 4096

static bool fail(char *error, size_t error_size, const char *path, const char *fact)
{
    snprintf(error, error_size, "%s: chip state: %s", path, fact);
    return false;
}

/* Creates the folder and its parents. */
static int make_folder(const char *folder)
{
    char path[PATH_SIZE];
    if (snprintf(path, sizeof(path), "%s", folder) >= (int)sizeof(path))
        return ENAMETOOLONG;
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return errno;
        *slash = '/';
    }
    return mkdir(path, 0700) != 0 && errno != EEXIST ? errno : 0;
}

static int write_whole(const char *path, const void *data, size_t length)
{
    char temporary[PATH_SIZE + 8];
    snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    int fd = mkstemp(temporary);
    if (fd < 0)
        return errno;
    errno = EIO;
    int failure = write(fd, data, length) == (ssize_t)length && fsync(fd) == 0 ? 0 : errno;
    if (close(fd) != 0 && !failure)
        failure = errno;
    if (!failure && rename(temporary, path) != 0)
        failure = errno;
    if (failure)
        unlink(temporary);
    return failure;
}

/* 0, ENOENT, or another errno value; EINVAL: not as long as a secret. */
static int read_whole(const char *path, uint8_t *data, size_t length)
{
    uint8_t extra;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    ssize_t got = read(fd, data, length);
    int failure = got < 0 ? errno : 0;
    if (!failure && ((size_t)got != length || read(fd, &extra, 1) != 0))
        failure = EINVAL;
    close(fd);
    return failure;
}

#define STORE_NAME "chip-state"

/* The file: a mark with the format's version, what persists, SHA-256 of both. */
static const char store_mark[8] = "PRIVETC1";

struct store_file {
    char mark[sizeof(store_mark)];
    uint8_t secret[CHIP_SECRET_SIZE];
    struct chip_stored store;
    uint8_t digest[32];
};
static_assert(sizeof(struct store_file) ==
                  8 + CHIP_SECRET_SIZE + 4 * (CHIP_KEYS + 2) + CHIP_KEYS * SEV_CERT_SIZE + 32,
              "no padding in the state file");

static bool digest_of(const struct store_file *file, uint8_t digest[32])
{
    return EVP_Digest(file, offsetof(struct store_file, digest), digest, NULL, EVP_sha256(),
                      NULL) == 1;
}

static int path_of(const struct chip *chip, const char *name, char path[PATH_SIZE])
{
    return snprintf(path, PATH_SIZE, "%s/%s", chip->state_folder, name) >= PATH_SIZE
               ? ENAMETOOLONG : 0;
}

int store_read(const struct chip *chip, const char *name, void *data, size_t length)
{
    char path[PATH_SIZE];
    int failure = path_of(chip, name, path);
    return failure ? failure : read_whole(path, data, length);
}

int store_write(const struct chip *chip, const char *name, const void *data, size_t length)
{
    char path[PATH_SIZE];
    int failure = path_of(chip, name, path);
    return failure ? failure : write_whole(path, data, length);
}

int store_save(struct chip *chip)
{
    struct store_file file;
    if (chip->nv_paddr)
        return nv_save(chip) ? 0 : EIO;
    memcpy(file.mark, store_mark, sizeof(file.mark));
    memcpy(file.secret, chip->secret, sizeof(file.secret));
    file.store = chip->store;
    int failure = digest_of(&file, file.digest)
                      ? store_write(chip, STORE_NAME, &file, sizeof(file)) : EIO;
    OPENSSL_cleanse(&file, sizeof(file));
    return failure;
}

/* 0, ENOENT, EINVAL for a damaged file, or another errno value. */
static int load(struct chip *chip)
{
    struct store_file file;
    uint8_t digest[32];
    int failure = store_read(chip, STORE_NAME, &file, sizeof(file));
    if (!failure && (memcmp(file.mark, store_mark, sizeof(file.mark)) != 0 ||
                     !digest_of(&file, digest) || memcmp(digest, file.digest, 32) != 0))
        failure = EINVAL;
    if (!failure) {
        memcpy(chip->secret, file.secret, sizeof(file.secret));
        chip->store = file.store;
    }
    OPENSSL_cleanse(&file, sizeof(file));
    return failure;
}

bool store_load(struct chip *chip, char *error, size_t error_size)
{
    char path[PATH_SIZE];
    if (path_of(chip, STORE_NAME, path) != 0)
        return fail(error, error_size, chip->state_folder, strerror(ENAMETOOLONG));
    int failure = load(chip);
    if (failure == ENOENT) {
        failure = make_folder(chip->state_folder);
        if (!failure && RAND_bytes(chip->secret, CHIP_SECRET_SIZE) != 1)
            failure = EIO;
    }
    if (!failure && !chip->store.complete && !identity_complete(chip))
        failure = errno ? errno : EIO;
    if (failure == EINVAL)
        return fail(error, error_size, path, "damaged; remove it to get a new chip");
    if (failure)
        return fail(error, error_size, path, strerror(failure));
    chip_random_absorb(chip, chip->secret, CHIP_SECRET_SIZE);
    return true;
}
