/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's virtio SCSI driver and SCSI layer against a hostile device. */
#include "drivers_harness.h"
#include "firmware/drivers/virtio_scsi.h"
#include "virtio_disk_models.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct virtio_scsi_model model;
static struct scsi_model disk, cd;

static void add(uint8_t options)
{
    model = (struct virtio_scsi_model){ .virtio.offered = VIRTIO_MODEL_ACCESS_PLATFORM,
                                        .units = 2,
                                        .unit = { { 0, 0, &disk }, { 1, 256, &cd } },
                                        .max_target = 2 };
    disk = (struct scsi_model){ .disk = &drivers_fuzz_disk, .attentions = options & 1 };
    cd = (struct scsi_model){ .disk = &drivers_fuzz_cd, .type = 5, .removable = true };
    if (options & 2)
        drivers_fuzz_disk.blocks = 1ull << 34;
    virtio_scsi_model_add(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    drivers_fuzz(data, size, add, virtio_scsi_init);
    return 0;
}
