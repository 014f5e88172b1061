/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The GUIDed table at the end of a firmware image: every entry lies inside the image. */
#include <stdlib.h>

#include "sev/guid_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sev_guid_walk walk;
    struct sev_guid_entry entry;
    uint32_t base, length;
    sev_guid_table_find_area(data, size, &sev_guid_hashes_area, &base, &length);
    if (!sev_guid_table_open(data, size, &walk))
        return 0;
    for (size_t count = 0; sev_guid_table_next(&walk, &entry); count++) {
        if (entry.data < data || entry.length > (size_t)(data + size - entry.data) || count > size)
            abort();
    }
    return 0;
}
