/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SCSI host, virtio 1.2 5.6: a control queue, an event queue on which nothing ever happens, one
 * request queue; every disk is LUN 0 of a target of its own.
 */
#ifndef PRIVET_MACHINE_DEVICES_VIRTIO_SCSI_H
#define PRIVET_MACHINE_DEVICES_VIRTIO_SCSI_H

#include "machine/devices/scsi.h"
#include "machine/devices/virtio_disk.h"

#define VIRTIO_SCSI_MAX_TARGETS 8u

struct virtio_scsi {
    struct virtio_device device;
    struct scsi_unit unit[VIRTIO_SCSI_MAX_TARGETS];
    unsigned targets;
    struct virtio_disk disk; /* its image is that of the request at work */
    struct scsi_task task;
};

/* Adds a target; before virtio_scsi_init. false: there are too many. */
bool virtio_scsi_add(struct virtio_scsi *scsi, struct image *image, bool cdrom,
                     const char *serial);
/* false: the slot is taken. */
bool virtio_scsi_init(struct virtio_scsi *scsi, struct pci_root *root, unsigned slot,
                      bool platform);

#endif
