/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "tests/unit/firmware_disks.h"

bool disk_read(unsigned index, uint64_t block, uint32_t count, uint8_t *data)
{
    struct block_device *disk = fakes.disk[index].device;
    return disk->read(disk, block, count, data);
}

void expect_pattern(const uint8_t *data, uint64_t offset, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (data[i] != disk_model_byte(offset + i))
            fail_msg("byte %zu is wrong", i);
}
