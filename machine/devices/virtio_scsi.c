/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Requests between virtqueues and SCSI units (virtio 1.2 5.6.6). A request: header with the CDB,
 * data out; response with sense data, data in. The driver chooses the sizes of CDB and sense data.
 */
#include "machine/devices/virtio_scsi.h"

#include <string.h>

enum { QUEUE_CONTROL, QUEUE_EVENT, QUEUE_REQUEST, QUEUES };
enum { CONFIG_QUEUES = 0, CONFIG_SEG_MAX = 4, CONFIG_MAX_SECTORS = 8, CONFIG_CMD_PER_LUN = 12,
       CONFIG_EVENT_SIZE = 16, CONFIG_SENSE_SIZE = 20, CONFIG_CDB_SIZE = 24,
       CONFIG_MAX_CHANNEL = 28, CONFIG_MAX_TARGET = 30, CONFIG_MAX_LUN = 32, CONFIG_SIZE = 36 };
enum { RESPONSE_OK = 0, RESPONSE_OVERRUN = 1, RESPONSE_BAD_TARGET = 3 };
enum { FUNCTION_COMPLETE = 0, FUNCTION_REJECTED = 11,
       FUNCTION_INCORRECT_LUN = 12 };
enum { CONTROL_FUNCTION = 0, CONTROL_QUERY = 1, CONTROL_SUBSCRIBE = 2 };
enum { RESET_NEXUS = 4, RESET_UNIT = 5, LAST_FUNCTION = 7 };

#define HEADER_SIZE      19u /* LUN, id, attributes: before the CDB */
#define RESPONSE_SIZE    12u /* before the sense data */
#define DEFAULT_SENSE    96u
#define MAX_SIZE         256u /* of CDB and sense data, as the driver may choose them */
#define LUN_SIZE         8u
#define COMMANDS         128u
#define EVENT_SIZE       16u

struct response {
    uint32_t sense_length, residual;
    uint16_t qualifier;
    uint8_t status, response;
    uint8_t sense[SCSI_SENSE_SIZE];
};
_Static_assert(offsetof(struct response, sense) == RESPONSE_SIZE, "virtio-scsi response");

static uint32_t config_u32(const struct virtio_device *device, unsigned at)
{
    uint32_t value;

    memcpy(&value, device->config + at, sizeof(value));
    return value;
}

/* 5.6.6.1: 1, target, LUN in flat addressing. NULL: no such target. */
static struct scsi_unit *find_unit(struct virtio_scsi *scsi, const uint8_t lun[LUN_SIZE],
                                   bool *ret_other_lun)
{
    static const uint8_t well_known[LUN_SIZE] = { 0xC1, 0x01 }; /* REPORT LUNS, SAM-5 4.7.5 */

    if (memcmp(lun, well_known, LUN_SIZE) == 0 && scsi->targets) {
        *ret_other_lun = false;
        return &scsi->unit[0];
    }
    if (lun[0] != 1 || lun[1] >= scsi->targets)
        return NULL;
    *ret_other_lun = ((lun[2] & 0x3F) << 8 | lun[3]) != 0;
    return &scsi->unit[lun[1]];
}

/* --- data --- */

struct request {
    struct virtio_chain *chain;
    uint64_t header, response;   /* sizes with the CDB, with the sense data */
    uint64_t out_room, in_room; /* data */
};

/* Moves the data of a task. Returns how much; false: more than the buffers hold. */
static bool transfer(struct virtio_scsi *scsi, struct scsi_unit *unit, const struct request *request,
                     uint64_t *ret_moved)
{
    struct scsi_task *task = &scsi->task;
    struct virtio_disk *disk = &scsi->disk;
    uint8_t list[SCSI_MAX_LIST];
    bool good = true;

    *ret_moved = 0;
    switch (task->data) {
    case SCSI_NO_DATA:
        return true;
    case SCSI_REPLY:
        if (task->reply_length > request->in_room)
            return false;
        good = virtio_give(&scsi->device, request->chain, request->response, task->reply,
                           task->reply_length);
        *ret_moved = task->reply_length;
        break;
    case SCSI_READ:
        if (task->length > request->in_room)
            return false;
        good = virtio_disk_give(disk, request->chain, request->response, task->offset,
                                task->length);
        *ret_moved = task->length;
        break;
    case SCSI_WRITE:
        if (task->length > request->out_room)
            return false;
        good = virtio_disk_take(disk, request->chain, request->header, task->offset,
                                task->length) &&
               (!task->flush || virtio_disk_flush(disk));
        *ret_moved = task->length;
        break;
    case SCSI_PARAMETERS:
        if (task->length > request->out_room)
            return false;
        *ret_moved = task->length;
        good = virtio_take(&scsi->device, request->chain, request->header, list,
                           (size_t)task->length);
        if (good)
            scsi_parameters(unit, task, list);
        break;
    }
    if (!good)
        scsi_medium_error(unit, task);
    return true;
}

static void perform(struct virtio_scsi *scsi, struct scsi_unit *unit,
                    const struct request *request, struct response *response)
{
    struct scsi_task *task = &scsi->task;
    uint64_t moved, room;

    scsi->disk.image = unit->image;
    scsi_start(unit, task);
    room = task->data == SCSI_WRITE || task->data == SCSI_PARAMETERS ? request->out_room
                                                                     : request->in_room;
    if (task->length > VIRTIO_DISK_MAX || !transfer(scsi, unit, request, &moved)) {
        response->response = RESPONSE_OVERRUN;
        return;
    }
    if (task->data == SCSI_NO_DATA)
        room = request->out_room + request->in_room;
    response->residual = (uint32_t)(room - moved);
    response->status = (uint8_t)task->status;
    if (task->status == SCSI_CHECK_CONDITION) {
        scsi_put_sense(&task->sense, response->sense);
        response->sense_length = SCSI_SENSE_SIZE;
    }
}

/* --- the request queue --- */

/* Reads the header; false: malformed. */
static bool take_request(struct virtio_scsi *scsi, struct request *request,
                         uint8_t lun[LUN_SIZE])
{
    struct virtio_chain *chain = request->chain;
    uint32_t cdb_size = config_u32(&scsi->device, CONFIG_CDB_SIZE);
    uint32_t sense_size = config_u32(&scsi->device, CONFIG_SENSE_SIZE);

    if (cdb_size > MAX_SIZE || sense_size > MAX_SIZE)
        return false;
    request->header = HEADER_SIZE + cdb_size;
    request->response = RESPONSE_SIZE + sense_size;
    if (chain->out_length < request->header || chain->in_length < request->response)
        return false;
    request->out_room = chain->out_length - request->header;
    request->in_room = chain->in_length - request->response;
    memset(scsi->task.cdb, 0, SCSI_CDB_SIZE);
    return virtio_take(&scsi->device, chain, 0, lun, LUN_SIZE) &&
           virtio_take(&scsi->device, chain, HEADER_SIZE, scsi->task.cdb,
                       cdb_size < SCSI_CDB_SIZE ? cdb_size : SCSI_CDB_SIZE);
}

static uint32_t serve_request(struct virtio_scsi *scsi, struct virtio_chain *chain)
{
    struct response response = { .response = RESPONSE_OK };
    struct request request = { .chain = chain };
    uint8_t lun[LUN_SIZE];
    struct scsi_unit *unit;
    uint64_t given;

    if (!take_request(scsi, &request, lun)) {
        virtio_refuse(&scsi->device, "a request without room for its header or response");
        return 0;
    }
    unit = find_unit(scsi, lun, &scsi->task.other_lun);
    if (unit)
        perform(scsi, unit, &request, &response);
    else
        response.response = RESPONSE_BAD_TARGET;
    given = request.response < sizeof(response) ? request.response : sizeof(response);
    if (response.sense_length > given - RESPONSE_SIZE)
        response.sense_length = (uint32_t)(given - RESPONSE_SIZE);
    if (!virtio_give(&scsi->device, chain, 0, &response, (size_t)given))
        return 0;
    return chain->in_length > UINT32_MAX ? UINT32_MAX : (uint32_t)chain->in_length;
}

/* --- the control queue, 5.6.6.2: every task is done before another request is looked at --- */

struct control {
    uint32_t type, subtype;
    uint8_t lun[LUN_SIZE];
    uint64_t id;
};
_Static_assert(sizeof(struct control) == 24, "task management function");

struct notification { /* of asynchronous events: query and subscribe */
    uint32_t type;
    uint8_t lun[LUN_SIZE];
    uint32_t events;
};
_Static_assert(sizeof(struct notification) == 16, "asynchronous notification");

static uint8_t serve_function(struct virtio_scsi *scsi, const struct control *control)
{
    bool other_lun;
    struct scsi_unit *unit = find_unit(scsi, control->lun, &other_lun);

    if (!unit || other_lun)
        return FUNCTION_INCORRECT_LUN;
    if (control->subtype > LAST_FUNCTION)
        return FUNCTION_REJECTED;
    if (control->subtype == RESET_NEXUS || control->subtype == RESET_UNIT)
        scsi_reset(unit);
    return FUNCTION_COMPLETE;
}

static uint32_t serve_control(struct virtio_scsi *scsi, struct virtio_chain *chain)
{
    struct virtio_device *device = &scsi->device;
    struct control control = { .type = 0 };
    uint8_t events[5] = { 0 }; /* which are subscribed to: none; response OK */
    uint8_t response;

    if (!virtio_take(device, chain, 0, &control.type, sizeof(control.type))) {
        virtio_refuse(device, "a control request without a type");
        return 0;
    }
    if (control.type == CONTROL_FUNCTION && chain->in_length >= 1 &&
        virtio_take(device, chain, 0, &control, sizeof(control))) {
        response = serve_function(scsi, &control);
        return virtio_give(device, chain, 0, &response, 1) ? 1 : 0;
    }
    if ((control.type == CONTROL_QUERY || control.type == CONTROL_SUBSCRIBE) &&
        chain->out_length >= sizeof(struct notification) && chain->in_length >= sizeof(events))
        return virtio_give(device, chain, 0, events, sizeof(events)) ? sizeof(events) : 0;
    virtio_refuse(device, "a malformed control request");
    return 0;
}

static uint32_t request(struct virtio_device *device, struct virtio_chain *chain)
{
    struct virtio_scsi *scsi = device->context;

    return chain->queue == QUEUE_CONTROL ? serve_control(scsi, chain) : serve_request(scsi, chain);
}

/* Buffers for events stay with the device: there are no events. */
static void notified(struct virtio_device *device, unsigned queue)
{
    if (queue != QUEUE_EVENT)
        virtio_queue_run(device, queue);
}

/* --- setup --- */

static void put(struct virtio_device *device, unsigned at, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        device->config[at + i] = (uint8_t)(value >> i * 8);
}

static void stopped(struct virtio_device *device)
{
    struct virtio_scsi *scsi = device->context;

    put(device, CONFIG_SENSE_SIZE, DEFAULT_SENSE, 4);
    put(device, CONFIG_CDB_SIZE, SCSI_CDB_SIZE, 4);
    for (unsigned i = 0; i < scsi->targets; i++)
        scsi_reset(&scsi->unit[i]);
}

static void fill_config(struct virtio_scsi *scsi)
{
    struct virtio_device *device = &scsi->device;

    put(device, CONFIG_QUEUES, 1, 4);
    put(device, CONFIG_SEG_MAX, VIRTIO_DISK_SEGMENTS, 4);
    put(device, CONFIG_MAX_SECTORS, 0xFFFF, 4);
    put(device, CONFIG_CMD_PER_LUN, COMMANDS, 4);
    put(device, CONFIG_EVENT_SIZE, EVENT_SIZE, 4);
    put(device, CONFIG_MAX_CHANNEL, 0, 2);
    put(device, CONFIG_MAX_TARGET, scsi->targets - 1, 2);
    put(device, CONFIG_MAX_LUN, 0, 4);
    device->config_size = CONFIG_SIZE;
    memset(device->config_writable + CONFIG_SENSE_SIZE, 0xFF, 8);
}

bool virtio_scsi_add(struct virtio_scsi *scsi, struct image *image, bool cdrom,
                     const char *serial)
{
    if (scsi->targets == VIRTIO_SCSI_MAX_TARGETS)
        return false;
    scsi_init(&scsi->unit[scsi->targets++], image, cdrom, serial);
    return true;
}

bool virtio_scsi_init(struct virtio_scsi *scsi, struct pci_root *root, unsigned slot,
                      bool platform)
{
    struct virtio_device *device = &scsi->device;

    scsi->disk.device = device;
    device->name = "virtio-scsi";
    device->context = scsi;
    device->request = request;
    device->notified = notified;
    device->stopped = stopped;
    device->queue_count = QUEUES;
    fill_config(scsi);
    return virtio_init(device, root, slot, VIRTIO_ID_SCSI, 0x010000, 0, platform);
}
