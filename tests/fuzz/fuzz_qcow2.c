/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* libFuzzer target: a hostile qcow2 file is opened and read. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/devices/image.h"

#define READ_SIZE 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[READ_SIZE];
    char path[64], error[512];
    struct image_options options = { .path = path, .format = IMAGE_QCOW2, .read_only = true };
    struct image *image;
    int fd = memfd_create("qcow2", 0);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    image = image_open(&options, error, sizeof(error));
    for (unsigned i = 0; image && i < 16; i++) {
        uint64_t last = image_size(image) - image_size(image) % READ_SIZE;

        if (i * (uint64_t)READ_SIZE + READ_SIZE <= image_size(image))
            image_read(image, i * (uint64_t)READ_SIZE, bytes, READ_SIZE);
        image_read(image, last, bytes, (size_t)(image_size(image) - last));
    }
    image_close(image);
    close(fd);
    return 0;
}
