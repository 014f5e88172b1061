/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libprivet-sev.so: what a program under `privet chip exec` calls in the place of libc's open, ioctl,
 * close and of what copies descriptors. /dev/sev and /dev/kvm are ours, every other file is libc's; the
 * real devices are never opened.
 */
#undef _FILE_OFFSET_BITS /* open and open64 are two functions here */
#define _GNU_SOURCE /* RTLD_NEXT, dup3, close_range */
#include "preload/interpose.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "preload/cpuid.h"
#include "preload/devices.h"
#include "preload/fd_table.h"
#include "preload/kvm.h"

static int vm_ioctl(void *object, int fd, unsigned long request, void *argument)
{
    return kvm_vm_ioctl(object, fd, request, argument);
}

static int vcpu_ioctl(void *object, int fd, unsigned long request, void *argument)
{
    (void)fd;
    return kvm_vcpu_ioctl(object, request, argument);
}

static void vm_close(void *object)
{
    kvm_vm_close(object);
}

static void vcpu_close(void *object)
{
    kvm_vcpu_close(object);
}

static const struct fd_kind kvm_kinds[] = {
    [KVM_FD_VM] = { vm_ioctl, vm_close },
    [KVM_FD_VCPU] = { vcpu_ioctl, vcpu_close },
};

bool kvm_fd_add(int fd, enum kvm_fd_kind kind, void *object)
{
    return fd_table_add(fd, &kvm_kinds[kind], object);
}

/* The mode is there only if a file may be made. */
#define MODE(flags, mode)                                       \
    mode_t mode = 0;                                            \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                    \
        va_list more;                                           \
        va_start(more, flags);                                  \
        mode = va_arg(more, mode_t);                            \
        va_end(more);                                           \
    }

/* The one argument that there may be. */
#define ARGUMENT(last, argument)                                \
    va_list more;                                               \
    va_start(more, last);                                       \
    void *argument = va_arg(more, void *);                      \
    va_end(more)

/* A copy of a descriptor was made, or `copy` says that it was not. */
static int copied(int fd, int copy)
{
    int error = errno;
    if (copy >= 0)
        fd_table_copy(fd, copy);
    errno = error;
    return copy;
}

/* fopen's mode as open's flags. */
static int flags_of(const char *mode)
{
    int flags = strchr(mode, '+') ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
    return flags | (strchr(mode, 'e') ? O_CLOEXEC : 0) | (strchr(mode, 'x') ? O_CREAT | O_EXCL : 0);
}

static FILE *open_stream(const struct device *device, const char *mode)
{
    int fd = device_open(device, flags_of(mode));
    FILE *stream = fd >= 0 ? fdopen(fd, mode) : NULL;
    if (fd >= 0 && !stream)
        close(fd);
    return stream;
}

static void adopt_received(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
            device_adopt(fd);
        }
    }
}

__attribute__((constructor)) static void start(void)
{
    fd_table_start();
    devices_adopt();
    cpuid_trap();
}

#pragma GCC visibility push(default)

/* What a fortified program calls when it gives no mode. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags);

#define OPEN(name)                                              \
    int name(const char *path, int flags, ...)                  \
    {                                                           \
        NEXT(name);                                             \
        MODE(flags, mode)                                       \
        const struct device *device = device_at(AT_FDCWD, path); \
        return device ? device_open(device, flags) : next(path, flags, mode); \
    }

#define OPENAT(name)                                            \
    int name(int folder, const char *path, int flags, ...)      \
    {                                                           \
        NEXT(name);                                             \
        MODE(flags, mode)                                       \
        const struct device *device = device_at(folder, path);  \
        return device ? device_open(device, flags) : next(folder, path, flags, mode); \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

#define OPEN_2(name)                                            \
    int name(const char *path, int flags)                       \
    {                                                           \
        NEXT(name);                                             \
        const struct device *device = device_at(AT_FDCWD, path); \
        return device ? device_open(device, flags) : next(path, flags); \
    }

#define OPENAT_2(name)                                          \
    int name(int folder, const char *path, int flags)           \
    {                                                           \
        NEXT(name);                                             \
        const struct device *device = device_at(folder, path);  \
        return device ? device_open(device, flags) : next(folder, path, flags); \
    }

OPEN_2(__open_2)
OPEN_2(__open64_2)
OPENAT_2(__openat_2)
OPENAT_2(__openat64_2)

/* libc's own opens within itself. */
#define FOPEN(name)                                             \
    FILE *name(const char *path, const char *mode)              \
    {                                                           \
        NEXT(name);                                             \
        const struct device *device = device_at(AT_FDCWD, path); \
        return device ? open_stream(device, mode) : next(path, mode); \
    }

FOPEN(fopen)
FOPEN(fopen64)

/* A device's descriptor from another program, by SCM_RIGHTS. */
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    NEXT(recvmsg);
    ssize_t size = next(fd, message, flags);
    int error = errno;
    if (size >= 0)
        adopt_received(message);
    errno = error;
    return size;
}

int ioctl(int fd, unsigned long request, ...)
{
    NEXT(ioctl);
    ARGUMENT(request, argument);
    struct fd_file *file = fd_table_get(fd);
    if (file == NULL)
        return next(fd, request, argument);
    int result = file->kind->ioctl(file->object, fd, request, argument), error = errno;
    fd_table_put(file);
    errno = error;
    return result;
}

/* Before the kernel's: the number may be another file's at once. */
int close(int fd)
{
    NEXT(close);
    fd_table_remove((unsigned)fd, (unsigned)fd);
    return next(fd);
}

int close_range(unsigned first, unsigned last, int flags)
{
    NEXT(close_range);
    int result = next(first, last, flags);
    /* Marked, not closed; or of a table that this thread alone has now. */
    if (result == 0 && !((unsigned)flags & (CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE)))
        fd_table_remove(first, last);
    return result;
}

void closefrom(int first)
{
    NEXT(closefrom);
    next(first);
    fd_table_remove(first > 0 ? (unsigned)first : 0, INT_MAX);
}

int dup(int fd)
{
    NEXT(dup);
    return copied(fd, next(fd));
}

int dup2(int fd, int copy)
{
    NEXT(dup2);
    return copied(fd, next(fd, copy));
}

int dup3(int fd, int copy, int flags)
{
    NEXT(dup3);
    return copied(fd, next(fd, copy, flags));
}

#define FCNTL(name)                                             \
    int name(int fd, int command, ...)                          \
    {                                                           \
        NEXT(name);                                             \
        ARGUMENT(command, argument);                            \
        int result = next(fd, command, argument);               \
        return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? copied(fd, result) : result; \
    }

FCNTL(fcntl)
FCNTL(fcntl64)

#pragma GCC visibility pop
