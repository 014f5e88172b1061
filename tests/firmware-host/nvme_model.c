/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See nvme_model.h. */
#include "nvme_model.h"

#include <string.h>

enum {
    PAGE = 4096,
    LENGTH = 0x4000,
    INVALID_FIELD = 2,
    INVALID_NAMESPACE = 0xB,
    UNRECOVERED = 0x281
};
#define BASE 0x800000000ull /* above 4 GiB */

struct command {
    uint32_t operation, namespace;
    uint64_t reserved[2], prp[2];
    uint32_t arguments[6];
};

/* The pieces of a transfer, page by page; false: the addresses make no sense. */
static bool move(struct nvme_model *model, const struct command *command, uint8_t *data,
                 uint64_t length, bool to_guest)
{
    uint64_t at = command->prp[0], rest = length;
    for (unsigned i = 0; rest > 0; i++) {
        uint64_t piece = PAGE - at % PAGE < rest ? PAGE - at % PAGE : rest;
        uint8_t *guest = fakes_dma(at, piece);
        if (!guest || at % 4) {
            model->unmapped++;
            return false;
        }
        memcpy(to_guest ? guest : data, to_guest ? data : guest, piece);
        data += piece;
        rest -= piece;
        if (i == 0 && rest <= PAGE) {
            at = command->prp[1];
        } else {
            const void *entry = fakes_dma(command->prp[1] + 8 * i, 8);
            if (!entry)
                return rest == 0;
            memcpy(&at, entry, 8);
        }
        if (rest > 0 && at % PAGE) {
            model->unmapped++;
            return false;
        }
    }
    return true;
}

static int namespace_of(const struct nvme_model *model, uint32_t number)
{
    for (int i = 0; i < NVME_MODEL_NAMESPACES; i++)
        if (number && model->namespace[i].number == number)
            return i;
    return -1;
}

static void describe_namespace(const struct nvme_model *model, int index, uint8_t page[PAGE])
{
    const struct disk_model *disk = model->namespace[index].disk;
    memcpy(page, &disk->blocks, 8);
    page[25] = 1; /* formats 0 and 1 */
    page[26] = 1;
    page[99] = model->namespace[index].read_only;
    memcpy(page + 120, model->namespace[index].eui, 8);
    page[128 + 2] = 9;
    memcpy(page + 132, &model->namespace[index].metadata, 2);
    page[132 + 2] = (uint8_t)__builtin_ctz(disk->block_size);
}

static uint16_t identify(struct nvme_model *model, const struct command *command)
{
    uint8_t page[PAGE] = { 0 };
    uint32_t what = command->arguments[0];
    int index = namespace_of(model, command->namespace);
    unsigned count = 0;
    if (what == 0 && index < 0)
        return INVALID_NAMESPACE;
    if (what > 2 || (what == 2 && model->no_list))
        return INVALID_FIELD;
    if (what == 0)
        describe_namespace(model, index, page);
    for (unsigned i = 0; what == 2 && i < NVME_MODEL_NAMESPACES; i++)
        if (model->namespace[i].number)
            memcpy(page + 4 * count++, &model->namespace[i].number, 4);
    if (what == 1) {
        page[77] = model->transfer_shift;
        page[525] = 1; /* a volatile write cache */
    }
    return move(model, command, page, PAGE, true) ? 0 : INVALID_FIELD;
}

static uint16_t create(struct nvme_model *model, const struct command *command, bool submission)
{
    if ((command->arguments[0] & 0xFFFF) != 1 || !(command->arguments[1] & 1) ||
        command->prp[0] % PAGE || !model->queue[1].completion == submission)
        return INVALID_FIELD;
    model->queue[1].size = (uint16_t)((command->arguments[0] >> 16) + 1);
    model->queue[1].phase = true;
    *(submission ? &model->queue[1].submission : &model->queue[1].completion) = command->prp[0];
    return 0;
}

static uint16_t serve_admin(struct nvme_model *model, const struct command *command)
{
    switch (command->operation & 0xFF) {
    case 1:
        return create(model, command, true);
    case 5:
        return create(model, command, false);
    case 6:
        return identify(model, command);
    case 9:
        return 0;
    default:
        return 1;
    }
}

static uint16_t serve_io(struct nvme_model *model, const struct command *command)
{
    int index = namespace_of(model, command->namespace);
    unsigned operation = command->operation & 0xFF;
    if (model->status)
        return model->status;
    if (index < 0)
        return INVALID_NAMESPACE;
    struct disk_model *disk = model->namespace[index].disk;
    uint64_t block = command->arguments[0] | (uint64_t)command->arguments[1] << 32;
    uint64_t length = ((command->arguments[2] & 0xFFFF) + 1ull) * disk->block_size;
    if (operation == 0) {
        disk->flushes++;
        return 0;
    }
    uint8_t *data = disk_model_at(disk, block, length, operation == 1);
    if (operation > 2 || !data)
        return UNRECOVERED;
    return move(model, command, data, length, operation == 2) ? 0 : INVALID_FIELD;
}

static void complete(struct nvme_model *model, unsigned index, const struct command *command,
                     uint16_t status)
{
    uint16_t entry[8] = { [4] = model->queue[index].head, [5] = (uint16_t)index };
    entry[6] = (uint16_t)((command->operation >> 16) + model->wrong_command);
    entry[7] = (uint16_t)(status << 1 | model->queue[index].phase);
    uint8_t *to = fakes_dma(model->queue[index].completion + 16 * model->queue[index].completed,
                            sizeof(entry));
    if (to)
        memcpy(to, entry, sizeof(entry));
    else
        model->unmapped++;
    model->queue[index].completed =
        (uint16_t)((model->queue[index].completed + 1) % model->queue[index].size);
    model->queue[index].phase ^= model->queue[index].completed == 0;
}

static void run(struct nvme_model *model, unsigned index)
{
    struct command command;
    for (unsigned i = 0; i < 64 && model->queue[index].head != model->queue[index].tail; i++) {
        const void *from =
            fakes_dma(model->queue[index].submission + sizeof(command) * model->queue[index].head,
                      sizeof(command));
        model->queue[index].head =
            (uint16_t)((model->queue[index].head + 1) % model->queue[index].size);
        model->commands++;
        if (!from) {
            model->unmapped++;
            return;
        }
        memcpy(&command, from, sizeof(command));
        complete(model, index, &command,
                 index ? serve_io(model, &command) : serve_admin(model, &command));
    }
}

static void configure(struct nvme_model *model, uint32_t value)
{
    bool on = value & 1, was = model->configuration & 1;
    model->configuration = value;
    if (value >> 14 & 3) {
        model->state |= 2 << 2;
        model->shut_down = true;
    }
    if (!on && !model->never_stops)
        model->state = 0;
    if (on && !was && !model->never_ready && value >> 16 == (6 | 4 << 4)) {
        memset(model->queue, 0, sizeof(model->queue));
        model->queue[0].submission = model->admin[0];
        model->queue[0].completion = model->admin[1];
        model->queue[0].size = (uint16_t)((model->sizes & 0xFFF) + 1);
        model->queue[0].phase = true;
        model->state = 1;
    }
}

static uint64_t model_read(void *context, uint64_t offset, unsigned size)
{
    struct nvme_model *model = context;
    switch (offset) {
    case 0:
        return (uint32_t)model->capabilities;
    case 4:
        return model->capabilities >> 32;
    case 0x14:
        return model->configuration;
    case 0x1C:
        return model->state;
    default:
        return 0;
    }
}

static void doorbell(struct nvme_model *model, unsigned number, uint32_t value)
{
    unsigned index = number / 2;
    if (number % 2 || index > 1 || !(model->state & 1) || !model->queue[index].size ||
        value >= model->queue[index].size)
        return;
    model->queue[index].tail = (uint16_t)value;
    if (!model->silent)
        run(model, index);
}

static void model_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
    struct nvme_model *model = context;
    unsigned stride = 4u << (model->capabilities >> 32 & 15);
    uint64_t *admin = &model->admin[(offset - 0x28) / 8 & 1];
    if (offset == 0x14)
        configure(model, (uint32_t)value);
    else if (offset == 0x24)
        model->sizes = (uint32_t)value;
    else if (offset == 0x28 || offset == 0x30)
        *admin = (*admin & ~(uint64_t)UINT32_MAX) | value;
    else if (offset == 0x2C || offset == 0x34)
        *admin = (*admin & UINT32_MAX) | value << 32;
    else if (offset >= 0x1000)
        doorbell(model, (unsigned)(offset - 0x1000) / stride, (uint32_t)value);
}

void nvme_model_add(struct nvme_model *model)
{
    struct fake_registers registers = { BASE + 0x100000 * fakes.functions, LENGTH, model,
                                        model_read, model_write };
    if (!model->capabilities)
        model->capabilities = 7 | 1 << 24 | 1ull << 37;
    fakes_add(0x1B36, 0x0010, 0x010802, 0, &registers);
}
