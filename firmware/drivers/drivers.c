/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The list of drivers, and the list of devices that they refused. */
#include "firmware/drivers/drivers.h"

#include "firmware/drivers/ahci.h"
#include "firmware/drivers/display.h"
#include "firmware/drivers/drive.h"
#include "firmware/drivers/nvme.h"
#include "firmware/drivers/virtio_blk.h"
#include "firmware/drivers/virtio_net.h"
#include "firmware/drivers/virtio_rng.h"
#include "firmware/drivers/virtio_scsi.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/guids.h"
#include "firmware/uefi/pci_protocols.h"

#define REFUSALS_MAXIMUM 16u
#define PCI_COMMAND      4u
#define PCI_BUS_MASTER   4u

static struct refusal refusals[REFUSALS_MAXIMUM];
static size_t refusal_count;

void device_refuse(uint16_t address, const char *driver, const char *reason)
{
    log_line("%s at " PCI_PLACE " is left out: %s", driver, PCI_PLACE_OF(address), reason);
    if (refusal_count < REFUSALS_MAXIMUM)
        refusals[refusal_count++] = (struct refusal){ address, driver, reason };
}

void device_cut_off(uint16_t address)
{
    uint16_t command = pci_read16(address, PCI_COMMAND);
    pci_write16(address, PCI_COMMAND, command & (uint16_t)~PCI_BUS_MASTER);
    log_line("the device at " PCI_PLACE " does not stop; it is cut off from memory",
             PCI_PLACE_OF(address));
}

bool device_refused_at(size_t index, const struct refusal **ret)
{
    if (index >= refusal_count)
        return false;
    *ret = &refusals[index];
    return true;
}

void drivers_init(void)
{
    virtio_rng_init();
    drive_scans();
    virtio_blk_init();
    virtio_scsi_init();
    ahci_init();
    nvme_init();
    pci_io_claim(&guid_block_io);
    simple_network_init();
    display_init();
}
