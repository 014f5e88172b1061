/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's virtio block driver and transport against a hostile device. */
#include "drivers_harness.h"
#include "firmware/drivers/virtio_blk.h"
#include "virtio_disk_models.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct virtio_blk_model model;

static void add(uint8_t options)
{
    model = (struct virtio_blk_model){ .virtio.offered = VIRTIO_MODEL_ACCESS_PLATFORM };
    virtio_blk_model_add(&model, options & 1 ? &drivers_fuzz_cd : &drivers_fuzz_disk,
                         options & 2 ? 1 << 5 : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    drivers_fuzz(data, size, add, virtio_blk_init);
    return 0;
}
