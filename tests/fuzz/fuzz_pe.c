/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's PE32+ loader: parse, load and relocate whatever parses. */
#include <stdlib.h>

#include "firmware/uefi/pe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pe_image image;
    if (pe_parse(data, size, &image) != PE_OK || image.image_size > 1u << 20)
        return 0;
    void *memory = malloc(image.image_size);
    if (!memory)
        return 0;
    pe_load(&image, memory);
    (void)pe_relocate(&image, memory, 0x12340000);
    free(memory);
    return 0;
}
