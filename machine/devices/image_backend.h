/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between the files of the image layer: a backend serves ranges that were checked already.
 */
#ifndef PRIVET_MACHINE_DEVICES_IMAGE_BACKEND_H
#define PRIVET_MACHINE_DEVICES_IMAGE_BACKEND_H

#include "machine/devices/image.h"

/* Each returns false after image_fail. write and zero are NULL where nothing can be written. */
struct image_backend {
    bool (*read)(struct image *image, uint64_t offset, uint8_t *data, size_t length);
    bool (*write)(struct image *image, uint64_t offset, const uint8_t *data, size_t length);
    bool (*zero)(struct image *image, uint64_t offset, uint64_t length);
    bool (*flush)(struct image *image);
    void (*close)(struct image *image); /* releases the image as well */
};

/* The first member of each backend's own structure. */
struct image {
    const struct image_backend *backend;
    uint64_t size; /* bytes; a backing file's need not be whole sectors */
    bool read_only, temporary;
    char problem[320];
};

/* Where an error goes, and how many images refer to the one that is opened. */
struct image_request {
    const char *path;
    enum image_format format;
    bool read_only;
    unsigned depth;
    char *error;
    size_t error_size;
};

/* Opens one image and what is below it, without an overlay on top. */
struct image *image_open_plain(const struct image_request *request);

struct image *image_raw_open(const struct image_request *request, int fd);
struct image *image_qcow2_open(const struct image_request *request, int fd);
/* An overlay of `base`, which belongs to it from then on. NULL: with a line in `error`. */
struct image *image_overlay_create(struct image *base, char *error, size_t error_size);

/* Returns false, NULL with one line in the request's error. */
void *image_refuse(const struct image_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Keeps the first problem; returns false. */
bool image_fail(struct image *image, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whole transfers. false: errno, or 0 in errno at the end of the file. */
bool image_pread(int fd, void *data, size_t length, uint64_t offset);
bool image_pwrite(int fd, const void *data, size_t length, uint64_t offset);
/* Zeros for a range inside a file: a hole where the host can make one. */
bool image_punch(int fd, uint64_t offset, uint64_t length);

#endif
