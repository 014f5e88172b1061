/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The virtio SCSI host (virtio 1.2 5.6): commands on its first request queue; the control and event
 * queues are not set up. Every target is asked for its LUNs, each LUN whether it is a disk.
 */
#include "firmware/drivers/virtio_scsi.h"

#include <string.h>

#include "firmware/drivers/drivers.h"
#include "firmware/drivers/scsi.h"
#include "firmware/drivers/virtio.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

enum {
    KIND_SCSI = 8,
    REQUEST_QUEUE = 2, /* virtio 1.2 5.6.2 */
    QUEUE_SIZE = 4,
    CONFIG_MAX_SECTORS = 8, /* virtio 1.2 5.6.4 */
    CONFIG_MAX_TARGET = 30,
    SECTOR = 512,
    TARGETS_MAXIMUM = 256,
    LUNS_MAXIMUM = 64,   /* of a target */
    UNITS_MAXIMUM = 128, /* of a host */
    REPORT_LUNS = 0xA0,
    LIST_HEADER = 8, /* SPC-4 6.33 */
    LIST_ENTRY = 8,
    LIST_LENGTH = LIST_HEADER + LUNS_MAXIMUM * LIST_ENTRY,
    RESPONSE_OK = 0, /* virtio 1.2 5.6.6.1 */
    RESPONSE_BUSY = 5,
    RESPONSE_NONE = 0xFF,
    STATUS_GOOD = 0x00, /* SAM-5 5.3.1 */
    STATUS_CHECK_CONDITION = 0x02,
    STATUS_BUSY = 0x08,
    STATUS_TASK_SET_FULL = 0x28,
};

struct request {
    uint8_t lun[8];
    uint64_t tag;
    uint8_t attribute, priority, crn;
    uint8_t cdb[32];
} __attribute__((packed));
_Static_assert(sizeof(struct request) == 51, "virtio 1.2 5.6.6.1");

struct response {
    uint32_t sense_length, residual;
    uint16_t status_qualifier;
    uint8_t status, response;
    uint8_t sense[96];
};
_Static_assert(sizeof(struct response) == 108, "virtio 1.2 5.6.6.1");

struct control {
    struct response response;
    struct request request;
};

struct host {
    struct virtio device;
    struct virtio_queue queue;
    struct control *control; /* shared */
    uint64_t control_device;
    EFI_DEVICE_PATH_PROTOCOL *path;
    unsigned units;
};

struct unit {
    struct scsi_unit scsi; /* first */
    struct host *host;
};

static enum scsi_result result_of(const struct response *response)
{
    if (response->response == RESPONSE_BUSY)
        return SCSI_BUSY;
    if (response->response != RESPONSE_OK)
        return SCSI_FAILED;
    switch (response->status) {
    case STATUS_GOOD:
        return SCSI_DONE;
    case STATUS_CHECK_CONDITION:
        return SCSI_CHECK;
    case STATUS_BUSY:
    case STATUS_TASK_SET_FULL:
        return SCSI_BUSY;
    default:
        return SCSI_FAILED;
    }
}

/* The response was copied out of shared memory. */
static enum scsi_result take_response(struct scsi_command *command, const struct response *response)
{
    uint32_t length = command->data ? (uint32_t)command->data->length : 0;
    command->moved = response->residual <= length ? length - response->residual : 0;
    command->sense_length =
        (uint8_t)(response->sense_length < SCSI_SENSE_SIZE ? response->sense_length
                                                           : SCSI_SENSE_SIZE);
    memcpy(command->sense, response->sense, SCSI_SENSE_SIZE);
    return result_of(response);
}

static enum scsi_result execute(struct scsi_unit *scsi, struct scsi_command *command)
{
    struct host *host = ((struct unit *)scsi)->host;
    struct virtio_segment segments[3];
    struct response response = { .response = RESPONSE_NONE };
    struct request request = { .lun = { 1, scsi->target, (uint8_t)(0x40 | scsi->lun >> 8),
                                        (uint8_t)scsi->lun } };
    uint64_t at = host->control_device;
    unsigned count = 0;
    uint32_t written;
    const struct dma_mapping *data = command->data;
    memcpy(request.cdb, command->cdb, SCSI_CDB_SIZE);
    memcpy(&host->control->request, &request, sizeof(request));
    memcpy(&host->control->response, &response, sizeof(response));
    segments[count++] =
        (struct virtio_segment){ at + offsetof(struct control, request), sizeof(request), false };
    if (data && data->direction == DMA_TO_DEVICE)
        segments[count++] = (struct virtio_segment){ data->device, (uint32_t)data->length, false };
    segments[count++] = (struct virtio_segment){ at, sizeof(response), true };
    if (data && data->direction == DMA_FROM_DEVICE)
        segments[count++] = (struct virtio_segment){ data->device, (uint32_t)data->length, true };
    if (!virtio_request(&host->queue, segments, count, &written))
        return SCSI_FAILED;
    dma_copy_out(&response, &host->control->response, sizeof(response));
    return take_response(command, &response);
}

static void publish(struct unit *unit)
{
    SCSI_DEVICE_PATH node = { { MESSAGING_DEVICE_PATH, MSG_SCSI_DP, { sizeof(node), 0 } },
                              unit->scsi.target,
                              unit->scsi.lun };
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_append(unit->host->path, &node.Header);
    unit->host->units++;
    if (path)
        block_publish(&unit->scsi.drive.block, path);
}

static void fill(struct unit *unit, struct host *host, unsigned target, unsigned lun)
{
    uint64_t limit = (uint64_t)virtio_config32(&host->device, CONFIG_MAX_SECTORS) * SECTOR;
    *unit = (struct unit){ .host = host };
    unit->scsi.drive.driver = host->device.driver;
    unit->scsi.drive.address = host->device.address;
    unit->scsi.drive.piece =
        limit >= 4096 && limit < DRIVE_PIECE ? (uint32_t)(limit & ~4095ull) : DRIVE_PIECE;
    unit->scsi.target = (uint8_t)target;
    unit->scsi.lun = (uint16_t)lun;
    unit->scsi.execute = execute;
}

static void try_unit(struct host *host, unsigned target, unsigned lun)
{
    struct unit *unit = pool_allocate(MEMORY_BOOT_DATA, sizeof(*unit));
    if (!unit)
        return;
    fill(unit, host, target, lun);
    if (scsi_start(&unit->scsi))
        publish(unit);
    else
        pool_free(unit);
}

/* A LUN of one level, peripheral or flat addressing (SAM-5 4.7.7); others are left out. */
static bool lun_of(const uint8_t entry[LIST_ENTRY], unsigned *ret)
{
    unsigned method = entry[0] >> 6;
    *ret = (entry[0] & 0x3Fu) << 8 | entry[1];
    return method == 1 || (method == 0 && *ret < 256);
}

static void scan_target(struct host *host, unsigned target)
{
    static const uint8_t cdb[SCSI_CDB_SIZE] = { REPORT_LUNS, [8] = LIST_LENGTH >> 8,
                                                LIST_LENGTH & 0xFF };
    struct unit asked;
    uint8_t list[LIST_LENGTH];
    fill(&asked, host, target, 0);
    uint32_t length = scsi_ask(&asked.scsi, cdb, list, sizeof(list));
    if (length < LIST_HEADER)
        return;
    uint32_t said = (uint32_t)list[0] << 24 | list[1] << 16 | list[2] << 8 | list[3];
    if (said < length - LIST_HEADER)
        length = LIST_HEADER + said;
    for (uint32_t i = LIST_HEADER; i + LIST_ENTRY <= length; i += LIST_ENTRY) {
        unsigned lun;
        if (host->units == UNITS_MAXIMUM)
            return;
        if (lun_of(list + i, &lun))
            try_unit(host, target, lun);
    }
}

static void scan(struct host *host)
{
    unsigned last = virtio_config16(&host->device, CONFIG_MAX_TARGET);
    for (unsigned target = 0; target <= last && target < TARGETS_MAXIMUM; target++)
        if (host->units < UNITS_MAXIMUM && !host->device.failed)
            scan_target(host, target);
    if (host->units == UNITS_MAXIMUM)
        log_line("virtio-scsi: only the first %d units are looked at", UNITS_MAXIMUM);
}

static bool start(struct host *host, const struct pci_function *function)
{
    if (!virtio_open(function, "virtio-scsi", 0, &host->device))
        return false;
    host->path = devicepath_of_pci(function->address);
    host->control = dma_alloc(sizeof(struct control), &host->control_device);
    if (!host->path || !host->control) {
        virtio_refuse(&host->device, "there is no memory for it");
        return false;
    }
    return virtio_queue_open(&host->device, REQUEST_QUEUE, QUEUE_SIZE, &host->queue) &&
           virtio_ready(&host->device);
}

/* After it was refused. */
static void destroy(struct host *host)
{
    virtio_queue_close(&host->queue);
    if (host->control)
        dma_free(host->control, sizeof(struct control));
    pool_free(host->path);
    pool_free(host);
}

static void try_host(const struct pci_function *function)
{
    struct host *host = pool_allocate(MEMORY_BOOT_DATA, sizeof(*host));
    if (!host)
        return;
    memset(host, 0, sizeof(*host));
    if (start(host, function))
        scan(host);
    else
        destroy(host);
}

void virtio_scsi_init(void)
{
    const struct pci_function *function;
    for (size_t i = 0; pci_function_at(i, &function); i++) {
        if (virtio_is(function, KIND_SCSI) &&
            drive_scan_begin(function->address, "virtio-scsi")) {
            try_host(function);
            drive_scan_end(function->address, "virtio-scsi");
        }
    }
}
