/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's AHCI driver against a hostile controller. */
#include <string.h>

#include "ahci_model.h"
#include "drivers_harness.h"
#include "firmware/drivers/ahci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ahci_model model;
static struct scsi_model drive;

static void add(uint8_t options)
{
    memset(&model, 0, sizeof(model));
    drive = (struct scsi_model){ .disk = &drivers_fuzz_cd,
                                 .type = 5,
                                 .removable = true,
                                 .attentions = options & 1,
                                 .attention_code = 0x2900 };
    model.port[0].disk = options & 2 ? NULL : &drivers_fuzz_disk;
    model.port[2].scsi = options & 4 ? NULL : &drive;
    ahci_model_add(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    drivers_fuzz(data, size, add, ahci_init);
    return 0;
}
