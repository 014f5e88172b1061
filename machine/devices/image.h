/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Disk images: what a disk device reads and writes, apart from how a guest asks for it. Formats are
 * raw and qcow2 (QEMU's docs/interop/qcow2, versions 2 and 3); a qcow2 file is never written: what
 * the guest writes goes to an overlay, a temporary file that is gone at the end of the run.
 * Everything is synchronous. Image files are hostile: no content of one crashes, hangs or exhausts
 * this program, whatever it does to the guest.
 */
#ifndef PRIVET_MACHINE_DEVICES_IMAGE_H
#define PRIVET_MACHINE_DEVICES_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_SECTOR    512u
#define IMAGE_MAX_SIZE  (UINT64_C(8) << 40) /* of a qcow2 image or an overlay: 8 TiB */
#define IMAGE_MAX_CHAIN 16u                 /* an image and the backing files below it */

enum image_format {
    IMAGE_BY_NAME, /* qcow2 if the name says so; a qcow2 file of another name is refused */
    IMAGE_RAW,
    IMAGE_QCOW2,
};

struct image_options {
    const char *path;
    enum image_format format;
    bool read_only;
    bool snapshot; /* writes go to an overlay for raw images, too */
};

struct image;

/*
 * Opens an image with its backing files and locks them against others, as QEMU does: a file that is
 * written by somebody is not opened. NULL with one line in `error`, which begins with the path.
 */
struct image *image_open(const struct image_options *options, char *error, size_t error_size);
/* What the guest wrote and did not flush is left to the host's page cache. NULL is allowed. */
void image_close(struct image *image);

uint64_t image_size(const struct image *image); /* bytes, whole sectors */
bool image_read_only(const struct image *image);
/* What the guest writes is lost at the end, since it goes to an overlay. */
bool image_is_temporary(const struct image *image);

/*
 * Ranges of bytes inside the image. false: outside, read-only, or an error of the host or in the
 * file; the first such error is told by image_problem.
 */
bool image_read(struct image *image, uint64_t offset, void *data, size_t length);
bool image_write(struct image *image, uint64_t offset, const void *data, size_t length);
/* Afterwards the range reads as zeros; the host's space is given back where it can be. */
bool image_zero(struct image *image, uint64_t offset, uint64_t length);
/* What was written before is on stable storage. Nothing to do for an overlay. */
bool image_flush(struct image *image);

/* The first error, one line with the path, or NULL. Owned by the image. */
const char *image_problem(const struct image *image);

#endif
