/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's parser of the measured hash table. */
#include "firmware/boot/hashes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hash_table table;
    if (hashes_parse(data, size, &table) == HASHES_PRESENT && size < 18)
        __builtin_trap();
    return 0;
}
