/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's boot catalogs of CDs, on a CD and on a disk of 512-byte blocks. */
#include "tests/fuzz/fuzz_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct partition found[PARTITIONS_MAXIMUM];
    struct fuzz_input input = { data, size };
    for (uint32_t block = 512; block <= 2048; block *= 4) {
        const struct partition_disk disk = { fuzz_disk_read, &input, block, FUZZ_DISK_SIZE / block };
        fuzz_check(&disk, found, partition_el_torito(&disk, found));
    }
    return 0;
}
