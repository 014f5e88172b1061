/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's FAT reader: mounts the input and walks two levels of it. */
#include <string.h>

#include "firmware/storage/fat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static bool disk_read(void *disk, uint64_t offset, void *data, size_t length)
{
    const struct input *input = disk;
    if (offset > input->size || length > input->size - offset)
        return false;
    memcpy(data, input->data + offset, length);
    return true;
}

static void walk(const struct fat_volume *volume, struct fat_file directory, unsigned depth)
{
    struct fat_entry entry;
    uint32_t position = 0;
    uint8_t data[512];
    for (unsigned i = 0; i < 50; i++) {
        if (fat_next(volume, &directory, &position, &entry) != FAT_OK)
            return;
        if (depth > 0 && (entry.file.attributes & FAT_DIRECTORY))
            walk(volume, entry.file, depth - 1);
        size_t length = entry.file.size < sizeof(data) ? entry.file.size : sizeof(data);
        (void)fat_read(volume, &entry.file, (uint32_t)(entry.file.size - length), data, length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { data, size };
    struct fat_volume volume;
    struct fat_file root;
    if (!fat_mount(disk_read, &input, size, &volume))
        return 0;
    fat_root(&volume, &root);
    walk(&volume, root, 2);
    return 0;
}
