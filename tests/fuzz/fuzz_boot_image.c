/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Multiboot and PVH files: what parses lies inside the file and below 4 GiB. */
#include <stdbool.h>
#include <stdlib.h>

#include "machine/hypervisor/boot_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct boot_image image;
    if (boot_image_parse(data, size, &image))
        return 0;
    bool entered = false;
    for (unsigned n = 0; n < image.count; n++) {
        const struct boot_image_segment *s = &image.segment[n];
        if (s->offset > size || s->file_size > size - s->offset || s->file_size > s->memory_size ||
            s->gpa + s->memory_size > 1ull << 32)
            abort();
        entered |= image.entry >= s->gpa && image.entry < s->gpa + s->memory_size;
    }
    if (!entered)
        abort();
    return 0;
}
