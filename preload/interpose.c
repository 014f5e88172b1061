/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libprivet-sev.so: what a program under `privet chip exec` calls in the place of libc's open, ioctl and
 * close. /dev/sev and /dev/kvm are ours, every other file is libc's; the real devices are never opened.
 */
#undef _FILE_OFFSET_BITS /* open and open64 are two functions here */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "preload/client.h"
#include "preload/cpuid.h"
#include "preload/fd_table.h"
#include "preload/kvm.h"
#include "preload/sev_device.h"

typedef int open_function(const char *path, int flags, ...);
typedef int openat_function(int folder, const char *path, int flags, ...);
typedef int ioctl_function(int fd, unsigned long request, ...);
typedef int close_function(int fd);

static int system_ioctl(void *object, unsigned long request, void *argument)
{
    (void)object;
    return kvm_system_ioctl(request, argument);
}

static int vm_ioctl(void *object, unsigned long request, void *argument)
{
    return kvm_vm_ioctl(object, request, argument);
}

static int vcpu_ioctl(void *object, unsigned long request, void *argument)
{
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

/* What /dev/sev was opened as: the connection's descriptor, and whether it may change the chip. */
struct device_file {
    int fd;
    bool writable;
};

static int device_ioctl(void *object, unsigned long request, void *argument)
{
    const struct device_file *file = object;
    return sev_device_ioctl(file->fd, file->writable, (uint32_t)request, argument);
}

static const struct fd_kind sev_kind = { device_ioctl, free };
static const struct fd_kind kvm_kinds[] = {
    [KVM_FD_SYSTEM] = { system_ioctl, NULL },
    [KVM_FD_VM] = { vm_ioctl, vm_close },
    [KVM_FD_VCPU] = { vcpu_ioctl, vcpu_close },
};

bool kvm_fd_add(int fd, enum kvm_fd_kind kind, void *object)
{
    return fd_table_add(fd, &kvm_kinds[kind], object);
}

static int sev_open(int flags)
{
    int fd = client_connect();
    struct device_file *file = fd >= 0 ? malloc(sizeof(*file)) : NULL;
    if (fd < 0)
        return -1;
    if (file)
        *file = (struct device_file){ fd, (flags & O_ACCMODE) != O_RDONLY };
    if (file && fd_table_add(fd, &sev_kind, file))
        return fd;
    free(file);
    close(fd);
    return kvm_error(ENOMEM);
}

static const struct device {
    const char *path;
    int (*open)(int flags);
} devices[] = { { "/dev/sev", sev_open }, { "/dev/kvm", kvm_open } };

/* Is it a device of ours? Then *ret_fd is what open returns. */
static bool open_device(const char *path, int flags, int *ret_fd)
{
    for (size_t i = 0; path != NULL && i < sizeof(devices) / sizeof(devices[0]); i++) {
        if (strcmp(path, devices[i].path) == 0) {
            *ret_fd = devices[i].open(flags);
            return true;
        }
    }
    return false;
}

static int open_any(const char *name, const char *path, int flags, mode_t mode)
{
    int fd;
    if (open_device(path, flags, &fd))
        return fd;
    open_function *next = (open_function *)dlsym(RTLD_NEXT, name);
    return next(path, flags, mode);
}

static int openat_any(const char *name, int folder, const char *path, int flags, mode_t mode)
{
    int fd;
    if (open_device(path, flags, &fd))
        return fd;
    openat_function *next = (openat_function *)dlsym(RTLD_NEXT, name);
    return next(folder, path, flags, mode);
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

__attribute__((constructor)) static void start(void)
{
    cpuid_trap();
}

#pragma GCC visibility push(default)

int open(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_any("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_any("open64", path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return openat_any("openat", folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return openat_any("openat64", folder, path, flags, mode);
}

/* What a fortified program calls when it gives no mode. */
int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open_any("__open_2", path, flags, 0);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
    return open_any("__open64_2", path, flags, 0);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    void *object;
    const struct fd_kind *kind = fd_table_find(fd, &object);
    if (kind != NULL)
        return kind->ioctl(object, request, argument);
    static ioctl_function *next;
    if (next == NULL)
        next = (ioctl_function *)dlsym(RTLD_NEXT, "ioctl");
    return next(fd, request, argument);
}

int close(int fd)
{
    void *object;
    const struct fd_kind *kind = fd_table_remove(fd, &object);
    if (kind != NULL && kind->close != NULL)
        kind->close(object);
    static close_function *next;
    if (next == NULL)
        next = (close_function *)dlsym(RTLD_NEXT, "close");
    return next(fd);
}

#pragma GCC visibility pop
