/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Raw images: the file is the disk. Writes are in place and in whole sectors, and what was written
 * when the run is killed is in the host's page cache, so that the image is as after a power cut of
 * a disk with a cache that works in order.
 */
#include "machine/devices/image_backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct raw {
    struct image image;
    int fd;
    char path[256];
};

static bool failed(struct raw *raw, const char *what, uint64_t offset)
{
    return image_fail(&raw->image, "%s: %s at %llu: %s", raw->path, what,
                      (unsigned long long)offset, errno ? strerror(errno) : "the file became shorter");
}

static bool raw_read(struct image *image, uint64_t offset, uint8_t *data, size_t length)
{
    struct raw *raw = (struct raw *)image;

    return image_pread(raw->fd, data, length, offset) || failed(raw, "read", offset);
}

static bool raw_write(struct image *image, uint64_t offset, const uint8_t *data, size_t length)
{
    struct raw *raw = (struct raw *)image;

    return image_pwrite(raw->fd, data, length, offset) || failed(raw, "write", offset);
}

static bool raw_zero(struct image *image, uint64_t offset, uint64_t length)
{
    struct raw *raw = (struct raw *)image;

    return image_punch(raw->fd, offset, length) || failed(raw, "zeroing", offset);
}

static bool raw_flush(struct image *image)
{
    struct raw *raw = (struct raw *)image;

    return fdatasync(raw->fd) == 0 || failed(raw, "flush", 0);
}

static void raw_close(struct image *image)
{
    struct raw *raw = (struct raw *)image;

    close(raw->fd);
    free(raw);
}

static const struct image_backend raw_backend = {
    .read = raw_read,
    .write = raw_write,
    .zero = raw_zero,
    .flush = raw_flush,
    .close = raw_close,
};

struct image *image_raw_open(const struct image_request *request, int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    struct raw *raw;

    if (size < 0)
        return image_refuse(request, "%s", strerror(errno));
    if (size < (off_t)IMAGE_SECTOR && request->depth == 0)
        return image_refuse(request, "%lld bytes: a disk has at least one sector of %u",
                            (long long)size, IMAGE_SECTOR);
    raw = calloc(1, sizeof(*raw));
    if (!raw)
        return image_refuse(request, "out of memory");
    raw->image.backend = &raw_backend;
    raw->image.size = (uint64_t)size;
    raw->image.read_only = request->read_only;
    raw->fd = fd;
    strncpy(raw->path, request->path, sizeof(raw->path) - 1);
    return &raw->image;
}
