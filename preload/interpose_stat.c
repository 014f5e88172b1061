/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a program under `privet chip exec` calls in the place of libc's stat and access: /dev/sev and
 * /dev/kvm are character devices, otherwise like /dev/null.
 */
#undef _FILE_OFFSET_BITS /* stat and stat64 are two functions here */
#define _GNU_SOURCE /* RTLD_NEXT, statx */
#include "preload/interpose.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "preload/devices.h"

#define LIKE "/dev/null"

#define PRESENT(device, status)                                 \
    do {                                                        \
        (status)->st_mode = device_mode(device);                \
        (status)->st_rdev = device_number(device);              \
        (status)->st_ino = device_number(device);               \
    } while (0)

/* No device can be executed; everything else is allowed. */
static int access_device(int mode)
{
    if (!(mode & X_OK))
        return 0;
    errno = EACCES;
    return -1;
}

static bool names_nothing(const char *path)
{
    return path == NULL || *path == '\0';
}

#pragma GCC visibility push(default)

#define STAT(name, structure)                                   \
    int name(const char *path, struct structure *status)        \
    {                                                           \
        NEXT(name);                                             \
        const struct device *device = device_at(AT_FDCWD, path);          \
        int result = next(device ? LIKE : path, status);        \
        if (result == 0 && device)                              \
            PRESENT(device, status);                            \
        return result;                                          \
    }

#define FSTAT(name, structure)                                  \
    int name(int fd, struct structure *status)                  \
    {                                                           \
        NEXT(name);                                             \
        const struct device *device = device_of(fd);            \
        int result = next(fd, status);                          \
        if (result == 0 && device)                              \
            PRESENT(device, status);                            \
        return result;                                          \
    }

/* With AT_EMPTY_PATH the folder is what is asked about. */
#define FSTATAT(name, structure)                                \
    int name(int folder, const char *path, struct structure *status, int flags) \
    {                                                           \
        NEXT(name);                                             \
        const struct device *device = device_at(folder, path);          \
        int result = next(folder, device ? LIKE : path, status, flags); \
        if (!device && flags & AT_EMPTY_PATH && names_nothing(path))         \
            device = device_of(folder);                         \
        if (result == 0 && device)                              \
            PRESENT(device, status);                            \
        return result;                                          \
    }

STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)
FSTAT(fstat, stat)
FSTAT(fstat64, stat64)
FSTATAT(fstatat, stat)
FSTATAT(fstatat64, stat64)

/* Programs linked before glibc 2.33 call these; on x86-64 all versions have one layout. */
int __xstat(int version, const char *path, struct stat *status);
int __xstat(int version, const char *path, struct stat *status)
{
    (void)version;
    return stat(path, status);
}

int __xstat64(int version, const char *path, struct stat64 *status);
int __xstat64(int version, const char *path, struct stat64 *status)
{
    (void)version;
    return stat64(path, status);
}

int __lxstat(int version, const char *path, struct stat *status);
int __lxstat(int version, const char *path, struct stat *status)
{
    (void)version;
    return lstat(path, status);
}

int __lxstat64(int version, const char *path, struct stat64 *status);
int __lxstat64(int version, const char *path, struct stat64 *status)
{
    (void)version;
    return lstat64(path, status);
}

int __fxstat(int version, int fd, struct stat *status);
int __fxstat(int version, int fd, struct stat *status)
{
    (void)version;
    return fstat(fd, status);
}

int __fxstat64(int version, int fd, struct stat64 *status);
int __fxstat64(int version, int fd, struct stat64 *status)
{
    (void)version;
    return fstat64(fd, status);
}

int __fxstatat(int version, int folder, const char *path, struct stat *status, int flags);
int __fxstatat(int version, int folder, const char *path, struct stat *status, int flags)
{
    (void)version;
    return fstatat(folder, path, status, flags);
}

int __fxstatat64(int version, int folder, const char *path, struct stat64 *status, int flags);
int __fxstatat64(int version, int folder, const char *path, struct stat64 *status, int flags)
{
    (void)version;
    return fstatat64(folder, path, status, flags);
}

int statx(int folder, const char *path, int flags, unsigned mask, struct statx *status)
{
    NEXT(statx);
    const struct device *device = device_at(folder, path);
    int result = next(folder, device ? LIKE : path, flags, mask, status);
    if (!device && flags & AT_EMPTY_PATH && names_nothing(path))
        device = device_of(folder);
    if (result != 0 || !device)
        return result;
    status->stx_mode = (uint16_t)device_mode(device);
    status->stx_rdev_major = major(device_number(device));
    status->stx_rdev_minor = minor(device_number(device));
    status->stx_ino = device_number(device);
    return 0;
}

int access(const char *path, int mode)
{
    NEXT(access);
    return device_at(AT_FDCWD, path) ? access_device(mode) : next(path, mode);
}

int eaccess(const char *path, int mode)
{
    NEXT(eaccess);
    return device_at(AT_FDCWD, path) ? access_device(mode) : next(path, mode);
}

int euidaccess(const char *path, int mode)
{
    NEXT(euidaccess);
    return device_at(AT_FDCWD, path) ? access_device(mode) : next(path, mode);
}

int faccessat(int folder, const char *path, int mode, int flags)
{
    NEXT(faccessat);
    return device_at(folder, path) ? access_device(mode) : next(folder, path, mode, flags);
}

/* What ls asks for access lists. */
ssize_t getxattr(const char *path, const char *name, void *value, size_t size)
{
    NEXT(getxattr);
    return next(device_at(AT_FDCWD, path) ? LIKE : path, name, value, size);
}

ssize_t lgetxattr(const char *path, const char *name, void *value, size_t size)
{
    NEXT(lgetxattr);
    return next(device_at(AT_FDCWD, path) ? LIKE : path, name, value, size);
}

#pragma GCC visibility pop
