/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See virtio_disk_models.h. */
#include "virtio_disk_models.h"

#include <string.h>

enum { QUEUE_SIZE = 16, RESPONSE_LENGTH = 108 };

static uint32_t blk_serve(struct virtio_model *virtio, const struct virtio_model_request *request)
{
    struct virtio_blk_model *model = (struct virtio_blk_model *)virtio;
    uint32_t type, length = 0;
    uint64_t sector;
    uint8_t status = model->status;
    memcpy(&type, request->out, 4);
    memcpy(&sector, request->out + 8, 8);
    if (type == 4)
        model->disk->flushes++;
    else if (request->count != 3)
        status = 1;
    else
        length = request->segment[1].length;
    bool write = type == 1;
    uint64_t block = sector / (model->disk->block_size / 512);
    uint8_t *data = length ? disk_model_at(model->disk, block, length, write) : NULL;
    if (length && (!data || request->segment[1].in == write))
        status = 1;
    else if (length && write)
        memcpy(data, request->segment[1].data, length);
    else if (length)
        memcpy(request->segment[1].data, data, length);
    virtio_model_give(request, request->in_length - 1, &status, 1);
    return request->in_length - (write ? 0 : model->disk->short_by);
}

void virtio_blk_model_add(struct virtio_blk_model *model, struct disk_model *disk,
                          uint64_t features)
{
    uint64_t sectors = disk->blocks * (disk->block_size / 512);
    model->disk = disk;
    model->virtio.offered |= VIRTIO_MODEL_VERSION_1 | 1 << 6 | 1 << 9 | features;
    model->virtio.config_length = 64;
    memcpy(model->virtio.config, &sectors, 8);
    memcpy(model->virtio.config + 20, &disk->block_size, 4);
    model->virtio.queue_size = QUEUE_SIZE;
    model->virtio.serve = blk_serve;
    virtio_model_add(&model->virtio, 2);
}

/* LUNs of a target, for REPORT LUNS. */
static uint32_t list_luns(const struct virtio_scsi_model *model, uint8_t target, uint8_t *list)
{
    uint32_t length = 8;
    for (unsigned i = 0; i < model->units; i++) {
        if (model->unit[i].target != target)
            continue;
        list[length] = (uint8_t)(model->unit[i].lun < 256 ? 0 : 0x40 | model->unit[i].lun >> 8);
        list[length + 1] = (uint8_t)model->unit[i].lun;
        length += 8;
    }
    list[3] = (uint8_t)(length - 8);
    return length;
}

static struct scsi_model *unit_of(const struct virtio_scsi_model *model, const uint8_t lun[8],
                                  bool *ret_target)
{
    unsigned number = (lun[2] & 0x3Fu) << 8 | lun[3];
    *ret_target = false;
    for (unsigned i = 0; i < model->units; i++) {
        if (lun[0] != 1 || lun[1] != model->unit[i].target)
            continue;
        *ret_target = true;
        if (number == model->unit[i].lun)
            return model->unit[i].scsi;
    }
    return NULL;
}

/* The data parts of a request: after the header, after the response. */
static void data_parts(const struct virtio_model_request *request, const uint8_t **out,
                       uint32_t *out_length, uint8_t **in, uint32_t *in_length)
{
    unsigned ins = 0;
    *out = NULL;
    *in = NULL;
    *out_length = *in_length = 0;
    for (unsigned i = 1; i < request->count; i++) {
        if (!request->segment[i].in) {
            *out = request->segment[i].data;
            *out_length = request->segment[i].length;
        } else if (ins++ == 1) {
            *in = request->segment[i].data;
            *in_length = request->segment[i].length;
        }
    }
}

static uint32_t scsi_serve(struct virtio_model *virtio, const struct virtio_model_request *request)
{
    struct virtio_scsi_model *model = (struct virtio_scsi_model *)virtio;
    uint8_t response[RESPONSE_LENGTH] = { 0 }, list[8 + 8 * VIRTIO_SCSI_MODEL_UNITS] = { 0 };
    const uint8_t *out, *cdb = request->out + 19;
    uint8_t *in;
    uint32_t out_length, in_length, moved = 0;
    bool target;
    struct scsi_model *scsi = unit_of(model, request->out, &target);
    data_parts(request, &out, &out_length, &in, &in_length);
    if (model->busy > 0) {
        model->busy--;
        response[10] = 8;
    } else if (target && cdb[0] == 0xA0) {
        moved = list_luns(model, request->out[1], list);
        moved = moved < in_length ? moved : in_length;
        memcpy(in, list, moved);
    } else if (!scsi) {
        response[11] = 3; /* bad target */
    } else {
        response[10] = scsi_model_serve(scsi, cdb, out, out_length, in, in_length, &moved);
        response[0] = response[10] ? sizeof(scsi->sense) : 0;
        memcpy(response + 12, scsi->sense, sizeof(scsi->sense));
    }
    uint32_t residual = out_length + in_length - moved;
    memcpy(response + 4, &residual, 4);
    virtio_model_give(request, 0, response, sizeof(response));
    return request->in_length + out_length; /* as QEMU counts */
}

void virtio_scsi_model_add(struct virtio_scsi_model *model)
{
    uint32_t sectors = 0xFFFF;
    uint16_t target = model->max_target ? model->max_target : 7;
    model->virtio.offered |= VIRTIO_MODEL_VERSION_1;
    model->virtio.config_length = 36;
    memcpy(model->virtio.config + 8, &sectors, 4);
    memcpy(model->virtio.config + 30, &target, 2);
    model->virtio.queue_size = QUEUE_SIZE;
    model->virtio.serve = scsi_serve;
    virtio_model_add(&model->virtio, 8);
}
