/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's NVMe driver against a hostile controller. */
#include <string.h>

#include "drivers_harness.h"
#include "firmware/drivers/nvme.h"
#include "nvme_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct nvme_model model;

static void add(uint8_t options)
{
    memset(&model, 0, sizeof(model));
    model.namespace[0].number = 1;
    model.namespace[0].disk = &drivers_fuzz_disk;
    model.namespace[1].number = options & 1 ? 5 : 0;
    model.namespace[1].disk = &drivers_fuzz_cd;
    model.no_list = options & 2;
    model.transfer_shift = options >> 2 & 7;
    nvme_model_add(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    drivers_fuzz(data, size, add, nvme_init);
    return 0;
}
