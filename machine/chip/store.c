/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The state folder: what a real part keeps in fuses. One file, made at first use and written beside
 * its place and renamed, so that it is there whole or not at all. The folder itself is what is locked.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "machine/chip/internal.h"

#define PATH_SIZE 4096

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

/* 0, ENOENT, or another errno value; EINVAL: not as long as that. */
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

#define LOCK_STEPS   150 /* of 20 ms */
#define LOCK_STEP_NS 20000000

int store_lock(struct chip *chip, bool shared)
{
    const struct timespec step = { .tv_nsec = LOCK_STEP_NS };
    if (chip->folder_lock < 0)
        chip->folder_lock = open(chip->state_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (chip->folder_lock < 0)
        return errno;
    for (int i = 0; i < LOCK_STEPS; i++) {
        if (flock(chip->folder_lock, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return errno;
        nanosleep(&step, NULL);
    }
    return EBUSY;
}

void store_close(struct chip *chip)
{
    if (chip->folder_lock >= 0)
        close(chip->folder_lock);
    chip->folder_lock = -1;
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

static int save(struct chip *chip)
{
    struct store_file file;
    memcpy(file.mark, store_mark, sizeof(file.mark));
    memcpy(file.secret, chip->secret, sizeof(file.secret));
    file.store = chip->store;
    int failure = digest_of(&file, file.digest)
                      ? store_write(chip, STORE_NAME, &file, sizeof(file)) : EIO;
    OPENSSL_cleanse(&file, sizeof(file));
    return failure;
}

int store_save(struct chip *chip)
{
    if (chip->nv_paddr)
        return nv_save(chip) ? 0 : EIO;
    return chip->config.shared ? EBUSY : save(chip);
}

/* A file that begins as ours does, but for the version. */
static bool of_another_version(const char *path)
{
    char mark[sizeof(store_mark)];
    const size_t name = sizeof(mark) - 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool whole = read(fd, mark, sizeof(mark)) == (ssize_t)sizeof(mark);
    close(fd);
    return whole && memcmp(mark, store_mark, name) == 0 && mark[name] != store_mark[name] &&
           mark[name] >= '0' && mark[name] <= '9';
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

/* A new chip, or new keys for one that was reset. Others may have made them while we waited. */
static int complete(struct chip *chip)
{
    int failure = chip->config.shared ? store_lock(chip, false) : 0;
    if (failure)
        return failure;
    failure = load(chip);
    if (failure == ENOENT)
        failure = RAND_bytes(chip->secret, CHIP_SECRET_SIZE) == 1 ? 0 : EIO;
    if (!failure && !chip->store.complete) {
        failure = identity_make(chip) ? save(chip) : EIO;
        chip->store.complete = !failure;
    }
    return failure || !chip->config.shared ? failure : store_lock(chip, true);
}

static int enter(struct chip *chip)
{
    int failure = make_folder(chip->state_folder);
    if (!failure)
        failure = store_lock(chip, chip->config.shared);
    if (!failure)
        failure = load(chip);
    if (failure == ENOENT || (!failure && !chip->store.complete))
        failure = complete(chip);
    return failure;
}

bool store_fail(const struct chip *chip, const char *name, int failure, const char *damage,
                const char *advice, struct chip_failure *ret)
{
    const char *fact = damage;
    ret->status = SEV_SECURE_DATA_INVALID;
    if (failure != EINVAL) {
        ret->status = SEV_HWERROR_PLATFORM;
        fact = failure == EBUSY ? "another process uses this chip" : strerror(failure);
        advice = failure == EBUSY ? "wait until it ends, or name another folder" : NULL;
    }
    ret->advice = advice;
    snprintf(ret->text, sizeof(ret->text), "%s/%s: chip state: %s (status 0x%02x %s)%s%s",
             chip->state_folder, name, fact, ret->status, sev_status_name(ret->status),
             advice ? "; " : "", advice ? advice : "");
    return false;
}

bool store_load(struct chip *chip, struct chip_failure *ret_failure)
{
    char path[PATH_SIZE];
    int failure = path_of(chip, STORE_NAME, path);
    if (!failure)
        failure = enter(chip);
    if (failure == EINVAL && of_another_version(path))
        return store_fail(chip, STORE_NAME, failure, "made by another version",
                          "name another folder", ret_failure);
    if (failure)
        return store_fail(chip, STORE_NAME, failure, "damaged", "remove it to get a new chip",
                          ret_failure);
    chip_random_absorb(chip, chip->secret, CHIP_SECRET_SIZE);
    return true;
}
