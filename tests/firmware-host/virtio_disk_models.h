/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* virtio block and SCSI devices on models of disks (virtio 1.2 5.2, 5.6). */
#ifndef PRIVET_TESTS_VIRTIO_DISK_MODELS_H
#define PRIVET_TESTS_VIRTIO_DISK_MODELS_H

#include "disk_model.h"
#include "virtio_model.h"

struct virtio_blk_model {
    struct virtio_model virtio; /* first */
    struct disk_model *disk;
    uint8_t status; /* that requests end with */
};
/* Offers size and block size of the disk, flush, and `features`; sets what is not set. */
void virtio_blk_model_add(struct virtio_blk_model *model, struct disk_model *disk,
                          uint64_t features);

enum { VIRTIO_SCSI_MODEL_UNITS = 4 };
struct virtio_scsi_model {
    struct virtio_model virtio; /* first */
    unsigned units;
    struct {
        uint8_t target;
        uint16_t lun;
        struct scsi_model *scsi;
    } unit[VIRTIO_SCSI_MODEL_UNITS];
    unsigned busy; /* answers of "busy" to come */
    uint16_t max_target;
};
void virtio_scsi_model_add(struct virtio_scsi_model *model);

#endif
