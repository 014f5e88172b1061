/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a guest writes above an image that stays as it is: a sparse file without a name in $TMPDIR,
 * with a map of the granules that it holds. A partly written granule is copied up first.
 */
#include "machine/devices/image_backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GRANULE 4096u

struct overlay {
    struct image image;
    struct image *base;
    int fd;
    uint8_t *map; /* a bit per granule: it is in the file */
    size_t map_size;
};

static bool is_held(const struct overlay *overlay, uint64_t granule)
{
    return overlay->map[granule / 8] >> (granule % 8) & 1;
}

static void hold(struct overlay *overlay, uint64_t granule)
{
    overlay->map[granule / 8] |= (uint8_t)(1u << granule % 8);
}

static bool failed(struct overlay *overlay, const char *what)
{
    return image_fail(&overlay->image, "overlay: %s: %s", what,
                      errno ? strerror(errno) : "the temporary file became shorter");
}

/* How many bytes from `offset` on, at most `length`, are on one side: in the file, or not. */
static uint64_t run_length(const struct overlay *overlay, uint64_t offset, uint64_t length,
                           bool *ret_held)
{
    uint64_t granule = offset / GRANULE, last = (offset + length - 1) / GRANULE, end;

    *ret_held = is_held(overlay, granule);
    while (granule < last && is_held(overlay, granule + 1) == *ret_held)
        granule++;
    end = (granule + 1) * GRANULE;
    return end - offset < length ? end - offset : length;
}

static bool overlay_read(struct image *image, uint64_t offset, uint8_t *data, size_t length)
{
    struct overlay *overlay = (struct overlay *)image;

    while (length) {
        bool held;
        size_t step = (size_t)run_length(overlay, offset, length, &held);

        if (held ? !image_pread(overlay->fd, data, step, offset)
                 : !image_read(overlay->base, offset, data, step))
            return held ? failed(overlay, "read")
                        : image_fail(image, "%s", overlay->base->problem);
        data += step;
        offset += step;
        length -= step;
    }
    return true;
}

/* Bytes of a granule in the image: the last one may be a part. */
static size_t granule_length(const struct overlay *overlay, uint64_t granule)
{
    uint64_t rest = overlay->image.size - granule * GRANULE;

    return rest < GRANULE ? (size_t)rest : GRANULE;
}

/* Brings the granule of `offset` into the file unless the range covers all of it. */
static bool copy_up(struct overlay *overlay, uint64_t offset, uint64_t end)
{
    uint64_t granule = offset / GRANULE, at = granule * GRANULE;
    size_t length = granule_length(overlay, granule);
    uint8_t bytes[GRANULE];

    if (is_held(overlay, granule) || (offset == at && end >= at + length))
        return true;
    if (!image_read(overlay->base, at, bytes, length))
        return image_fail(&overlay->image, "%s", overlay->base->problem);
    if (!image_pwrite(overlay->fd, bytes, length, at))
        return failed(overlay, "write");
    hold(overlay, granule);
    return true;
}

/* Both ends of a range that is about to be written. */
static bool copy_up_ends(struct overlay *overlay, uint64_t offset, uint64_t length)
{
    uint64_t end = offset + length, tail = (end - 1) / GRANULE * GRANULE;

    return copy_up(overlay, offset, end) &&
           copy_up(overlay, tail > offset ? tail : offset, end);
}

static void hold_all(struct overlay *overlay, uint64_t offset, uint64_t length)
{
    for (uint64_t granule = offset / GRANULE; granule <= (offset + length - 1) / GRANULE; granule++)
        hold(overlay, granule);
}

static bool overlay_write(struct image *image, uint64_t offset, const uint8_t *data, size_t length)
{
    struct overlay *overlay = (struct overlay *)image;

    if (length == 0)
        return true;
    if (!copy_up_ends(overlay, offset, length))
        return false;
    if (!image_pwrite(overlay->fd, data, length, offset))
        return failed(overlay, "write");
    hold_all(overlay, offset, length);
    return true;
}

static bool overlay_zero(struct image *image, uint64_t offset, uint64_t length)
{
    struct overlay *overlay = (struct overlay *)image;

    if (length == 0)
        return true;
    if (!copy_up_ends(overlay, offset, length))
        return false;
    if (!image_punch(overlay->fd, offset, length))
        return failed(overlay, "zeroing");
    hold_all(overlay, offset, length);
    return true;
}

static bool overlay_flush(struct image *image)
{
    return true; /* the file does not outlive the run */
}

static void overlay_close(struct image *image)
{
    struct overlay *overlay = (struct overlay *)image;

    image_close(overlay->base);
    if (overlay->fd >= 0)
        close(overlay->fd);
    if (overlay->map)
        munmap(overlay->map, overlay->map_size);
    free(overlay);
}

static const struct image_backend overlay_backend = {
    .read = overlay_read,
    .write = overlay_write,
    .zero = overlay_zero,
    .flush = overlay_flush,
    .close = overlay_close,
};

static int temporary_file(char *path, size_t size)
{
    const char *folder = getenv("TMPDIR");
    int fd = -1;

    if (!folder || !folder[0])
        folder = "/var/tmp"; /* as QEMU: /tmp may be memory */
    errno = ENAMETOOLONG;
    if (snprintf(path, size, "%s/privet-overlay.XXXXXX", folder) < (int)size)
        fd = mkstemp(path);
    if (fd >= 0)
        unlink(path);
    return fd;
}

/* Untouched parts of the map cost nothing. */
static bool map_granules(struct overlay *overlay)
{
    void *map;

    overlay->map_size = overlay->image.size / GRANULE / 8 + 1;
    map = mmap(NULL, overlay->map_size, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return false;
    overlay->map = map;
    return true;
}

struct image *image_overlay_create(struct image *base, char *error, size_t error_size)
{
    struct overlay *overlay = calloc(1, sizeof(*overlay));
    char path[4096] = "";

    if (!overlay) {
        image_close(base);
        snprintf(error, error_size, "overlay: out of memory");
        return NULL;
    }
    overlay->image.backend = &overlay_backend;
    overlay->image.size = base->size;
    overlay->image.temporary = true;
    overlay->base = base;
    overlay->fd = -1;
    if (base->size > IMAGE_MAX_SIZE) {
        snprintf(error, error_size, "overlay: the image exceeds %llu bytes",
                 (unsigned long long)IMAGE_MAX_SIZE);
    } else if (!map_granules(overlay)) {
        snprintf(error, error_size, "overlay: out of memory");
    } else {
        overlay->fd = temporary_file(path, sizeof(path));
        if (overlay->fd >= 0 && ftruncate(overlay->fd, (off_t)base->size) == 0)
            return &overlay->image;
        snprintf(error, error_size, "%.200s: overlay: %s", path, strerror(errno));
    }
    overlay_close(&overlay->image);
    return NULL;
}
