/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The command's reader of variable stores; the checksum of the volume's header is made right. */
#include <stdlib.h>
#include <string.h>

#include "cli/vars_image.h"
#include "sev/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const uint8_t *data, size_t size)
{
    struct vars_image image;
    struct vars_variable v;
    size_t last = 0;
    if (vars_open(data, size, &image) != NULL)
        return;
    while (vars_next(&image, &v)) {
        if (v.guid < data || v.data + v.data_size > data + size || image.at <= last)
            abort();
        last = image.at;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    walk(data, size);
    if (size < 0x48)
        return 0;
    uint8_t *copy = malloc(size);
    memcpy(copy, data, size);
    uint16_t sum = 0;
    store_le16(copy + 48, 0x48);
    store_le16(copy + 50, 0);
    for (size_t i = 0; i < 0x48; i += 2)
        sum = (uint16_t)(sum + load_le16(copy + i));
    store_le16(copy + 50, (uint16_t)-sum);
    walk(copy, size);
    free(copy);
    return 0;
}
