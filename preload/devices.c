/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A device's descriptor is a memory file with the device's name, opened as the program wants it: what
 * it is can be told from the descriptor alone, also by the next program that inherits it.
 */
#define _GNU_SOURCE /* memfd_create */
#include "preload/devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "preload/fd_table.h"
#include "preload/kvm.h"
#include "preload/sev_device.h"

#define LINK_PREFIX "/memfd:" /* linux: what /proc/self/fd says of a memory file */
#define MISC_MAJOR  10

static int sev_ioctl(void *object, int fd, unsigned long request, void *argument)
{
    (void)object;
    bool writable = (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
    return sev_device_ioctl(writable, (uint32_t)request, argument);
}

static int kvm_ioctl(void *object, int fd, unsigned long request, void *argument)
{
    (void)object;
    (void)fd;
    return kvm_system_ioctl(request, argument);
}

/* KVM's minor number is fixed (linux: miscdevice.h), the other is the first that Linux hands out. */
static const struct device {
    const char *path, *name;
    mode_t mode;
    unsigned minor;
    struct fd_kind kind;
} devices[] = {
    { "/dev/sev", "privet-sev", S_IFCHR | 0600, 124, { sev_ioctl, NULL } },
    { "/dev/kvm", "privet-kvm", S_IFCHR | 0666, 232, { kvm_ioctl, NULL } },
};

enum { DEVICES = sizeof(devices) / sizeof(devices[0]) };

#define FOLDER "/dev/"

/* The kernel's answer: fstatat is one of the functions that we stand in for. */
static bool is_dev(int folder, const char *path)
{
    struct stat dev, other;
    return syscall(SYS_newfstatat, folder, path, &other, 0) == 0 &&
           syscall(SYS_newfstatat, AT_FDCWD, FOLDER, &dev, 0) == 0 &&
           other.st_dev == dev.st_dev && other.st_ino == dev.st_ino;
}

/* Is what comes before the last part of the path /dev, by whatever name? */
static bool is_in_dev(int folder, const char *path, size_t length)
{
    char before[PATH_MAX];
    int error = errno;
    if (length >= sizeof(before))
        return false;
    memcpy(before, path, length);
    before[length] = '\0';
    bool found = is_dev(folder, length ? before : ".");
    errno = error;
    return found;
}

const struct device *device_at(int folder, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : path;
    for (size_t i = 0; path != NULL && i < DEVICES; i++) {
        const struct device *device = &devices[i];
        if (strcmp(name, device->path + strlen(FOLDER)) == 0 &&
            (strcmp(path, device->path) == 0 || is_in_dev(folder, path, (size_t)(name - path))))
            return device;
    }
    return NULL;
}

const struct device *device_of(int fd)
{
    const struct device *found = NULL;
    struct fd_file *file = fd_table_get(fd);
    for (size_t i = 0; file != NULL && i < DEVICES; i++) {
        if (file->kind == &devices[i].kind)
            found = &devices[i];
    }
    if (file != NULL)
        fd_table_put(file);
    return found;
}

mode_t device_mode(const struct device *device)
{
    return device->mode;
}

dev_t device_number(const struct device *device)
{
    return makedev(MISC_MAJOR, device->minor);
}

int device_open(const struct device *device, int flags)
{
    char path[32];
    if (flags & O_DIRECTORY || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
        errno = flags & O_DIRECTORY ? ENOTDIR : EEXIST;
        return -1;
    }
    int memory = memfd_create(device->name, MFD_CLOEXEC);
    if (memory < 0)
        return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
    int fd = open(path, flags & (O_ACCMODE | O_CLOEXEC | O_NONBLOCK));
    close(memory);
    if (fd >= 0 && !fd_table_add(fd, &device->kind, NULL)) {
        close(fd);
        errno = ENOMEM;
        return -1;
    }
    return fd;
}

bool sev_device_is(int fd)
{
    return device_of(fd) == &devices[0];
}

static void adopt(int fd, const char *link)
{
    for (size_t i = 0; i < DEVICES; i++) {
        size_t length = strlen(devices[i].name);
        if (strncmp(link, devices[i].name, length) == 0 &&
            (link[length] == '\0' || link[length] == ' ')) /* " (deleted)" */
            fd_table_add(fd, &devices[i].kind, NULL);
    }
}

void device_adopt(int fd)
{
    char path[32], link[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, link, sizeof(link) - 1);
    if (length <= (ssize_t)strlen(LINK_PREFIX) ||
        strncmp(link, LINK_PREFIX, strlen(LINK_PREFIX)) != 0)
        return;
    link[length] = '\0';
    adopt(fd, link + strlen(LINK_PREFIX));
}

void devices_adopt(void)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *name;
    while (folder != NULL && (name = readdir(folder)) != NULL) {
        if (name->d_name[0] != '.')
            device_adopt(atoi(name->d_name));
    }
    if (folder != NULL)
        closedir(folder);
}
