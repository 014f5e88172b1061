/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Opening of images: which format, which locks, whether an overlay. Checks of every range.
 */
#include "machine/devices/image_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * QEMU's locks (its block/file-posix.c): a shared lock of byte 100 + N says that the permission N
 * is used, one of byte 200 + N that others must not have it.
 */
enum { LOCK_USED = 100, LOCK_REFUSED = 200 };
enum { PERMISSION_READ = 0, PERMISSION_WRITE = 1, PERMISSION_RESIZE = 3 };

#define MAGIC_SIZE 4u
static const uint8_t qcow2_magic[MAGIC_SIZE] = { 'Q', 'F', 'I', 0xFB };

void *image_refuse(const struct image_request *request, const char *format, ...)
{
    va_list arguments;
    int length = snprintf(request->error, request->error_size, "%s: ", request->path);

    if (length >= 0 && (size_t)length < request->error_size) {
        va_start(arguments, format);
        vsnprintf(request->error + length, request->error_size - (size_t)length, format,
                  arguments);
        va_end(arguments);
    }
    return NULL;
}

bool image_fail(struct image *image, const char *format, ...)
{
    va_list arguments;

    if (!image->problem[0]) {
        va_start(arguments, format);
        vsnprintf(image->problem, sizeof(image->problem), format, arguments);
        va_end(arguments);
    }
    return false;
}

/* --- files --- */

bool image_pread(int fd, void *data, size_t length, uint64_t offset)
{
    uint8_t *bytes = data;

    while (length) {
        ssize_t got = pread(fd, bytes, length, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = 0;
        if (got <= 0)
            return false;
        bytes += got;
        length -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

bool image_pwrite(int fd, const void *data, size_t length, uint64_t offset)
{
    const uint8_t *bytes = data;

    while (length) {
        ssize_t put = pwrite(fd, bytes, length, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        length -= (size_t)put;
        offset += (uint64_t)put;
    }
    return true;
}

bool image_punch(int fd, uint64_t offset, uint64_t length)
{
    static const uint8_t zeros[65536];

    if (length == 0 || fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                                 (off_t)length) == 0)
        return true;
    while (length) {
        size_t step = length < sizeof(zeros) ? (size_t)length : sizeof(zeros);

        if (!image_pwrite(fd, zeros, step, offset))
            return false;
        offset += step;
        length -= step;
    }
    return true;
}

/* A shared lock of one byte; false: somebody has it for himself. Without locks, all is allowed. */
static bool lock_byte(int fd, off_t at)
{
    struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

    return fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

static bool is_locked(int fd, off_t at)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static bool lock_file(int fd, bool read_only)
{
    return lock_byte(fd, LOCK_USED + PERMISSION_READ) &&
           (read_only || lock_byte(fd, LOCK_USED + PERMISSION_WRITE)) &&
           lock_byte(fd, LOCK_REFUSED + PERMISSION_WRITE) &&
           lock_byte(fd, LOCK_REFUSED + PERMISSION_RESIZE) &&
           !is_locked(fd, LOCK_REFUSED + PERMISSION_READ) &&
           (read_only || !is_locked(fd, LOCK_REFUSED + PERMISSION_WRITE)) &&
           !is_locked(fd, LOCK_USED + PERMISSION_WRITE) &&
           !is_locked(fd, LOCK_USED + PERMISSION_RESIZE);
}

/* --- opening --- */

static bool ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text), end = strlen(suffix);

    return length > end && strcmp(text + length - end, suffix) == 0;
}

/*
 * The content alone decides nothing: a guest can write a qcow2 header into its raw disk, which at
 * the next run would name any file of the host as its backing file.
 */
static bool decide_format(const struct image_request *request, int fd, enum image_format *ret)
{
    uint8_t magic[MAGIC_SIZE];

    *ret = request->format;
    if (*ret != IMAGE_BY_NAME)
        return true;
    *ret = ends_with(request->path, ".qcow2") ? IMAGE_QCOW2 : IMAGE_RAW;
    if (*ret == IMAGE_QCOW2 || !image_pread(fd, magic, sizeof(magic), 0) ||
        memcmp(magic, qcow2_magic, sizeof(magic)) != 0)
        return true;
    image_refuse(request, request->depth ? "a backing file that looks like qcow2, but its user "
                                           "does not name the format"
                                         : "it looks like qcow2; say format=qcow2 or format=raw");
    return false;
}

static struct image *open_file(const struct image_request *request, int fd)
{
    enum image_format format;
    struct stat status;

    if (fstat(fd, &status) != 0)
        return image_refuse(request, "%s", strerror(errno));
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        return image_refuse(request, "not a file or a block device");
    if (!decide_format(request, fd, &format))
        return NULL;
    if (!lock_file(fd, request->read_only || format == IMAGE_QCOW2))
        return image_refuse(request, "another program uses this image and one of the two writes");
    return format == IMAGE_QCOW2 ? image_qcow2_open(request, fd) : image_raw_open(request, fd);
}

struct image *image_open_plain(const struct image_request *request)
{
    struct image *image;
    int fd;

    if (request->depth >= IMAGE_MAX_CHAIN)
        return image_refuse(request, "more than %u backing files, or a loop of them",
                            IMAGE_MAX_CHAIN);
    /* O_NONBLOCK: a FIFO must not make us wait. */
    fd = open(request->path, (request->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return image_refuse(request, "%s", strerror(errno));
    image = open_file(request, fd);
    if (!image)
        close(fd);
    return image;
}

struct image *image_open(const struct image_options *options, char *error, size_t error_size)
{
    struct image_request request = {
        .path = options->path,
        .format = options->format,
        .error = error,
        .error_size = error_size,
    };
    struct image *image;

    request.read_only = options->read_only || options->snapshot ||
                        options->format == IMAGE_QCOW2 ||
                        (options->format == IMAGE_BY_NAME && ends_with(options->path, ".qcow2"));
    image = image_open_plain(&request);
    if (!image)
        return NULL;
    image->size -= image->size % IMAGE_SECTOR;
    if (options->read_only || !request.read_only)
        return image;
    return image_overlay_create(image, error, error_size);
}

void image_close(struct image *image)
{
    if (image)
        image->backend->close(image);
}

/* --- access --- */

uint64_t image_size(const struct image *image)
{
    return image->size;
}

bool image_read_only(const struct image *image)
{
    return image->read_only;
}

bool image_is_temporary(const struct image *image)
{
    return image->temporary;
}

const char *image_problem(const struct image *image)
{
    return image->problem[0] ? image->problem : NULL;
}

static bool inside(const struct image *image, uint64_t offset, uint64_t length)
{
    return offset <= image->size && length <= image->size - offset;
}

bool image_read(struct image *image, uint64_t offset, void *data, size_t length)
{
    return inside(image, offset, length) && image->backend->read(image, offset, data, length);
}

bool image_write(struct image *image, uint64_t offset, const void *data, size_t length)
{
    return !image->read_only && inside(image, offset, length) &&
           image->backend->write(image, offset, data, length);
}

bool image_zero(struct image *image, uint64_t offset, uint64_t length)
{
    return !image->read_only && inside(image, offset, length) &&
           image->backend->zero(image, offset, length);
}

bool image_flush(struct image *image)
{
    return image->read_only || image->backend->flush(image);
}
