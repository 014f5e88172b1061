/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's PE32+ loader: parse, load and relocate whatever parses; where the file can become
 * its image, that one is the copy's equal.
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/uefi/pe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare_in_place(const struct pe_image *image, const void *copy)
{
    size_t room = image->image_size > image->file_size ? image->image_size : image->file_size;
    uint8_t *place = malloc(room);
    if (!place)
        return;
    struct pe_image moved = *image;
    memset(place, 0x55, room);
    memcpy(place, image->file, image->file_size);
    moved.file = place;
    pe_load(&moved, place);
    if (memcmp(place, copy, image->image_size) != 0)
        abort();
    free(place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pe_image image;
    (void)pe_claimed_size(data, size);
    if (pe_parse(data, size, &image) != PE_OK || image.image_size > 1u << 20)
        return 0;
    void *memory = malloc(image.image_size);
    if (!memory)
        return 0;
    pe_load(&image, memory);
    if (pe_loads_in_place(&image, image.image_size))
        compare_in_place(&image, memory);
    (void)pe_relocate(&image, memory, 0x12340000);
    free(memory);
    return 0;
}
