/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's GPT and MBR. The CRCs are no hurdle: crc32 here is the sum of the bytes. */
#include "tests/fuzz/fuzz_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

uint32_t crc32(uint32_t seed, const void *data, size_t length);
uint32_t crc32(uint32_t seed, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++)
        seed += bytes[i];
    return seed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct partition found[PARTITIONS_MAXIMUM];
    struct fuzz_input input = { data, size };
    for (uint32_t block = 512; block <= 4096; block *= 8) {
        const struct partition_disk disk = { fuzz_disk_read, &input, block, FUZZ_DISK_SIZE / block };
        fuzz_check(&disk, found, partition_gpt(&disk, found));
        fuzz_check(&disk, found, partition_mbr(&disk, found));
    }
    return 0;
}
