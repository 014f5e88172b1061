/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See ahci_model.h. */
#include "ahci_model.h"

#include <string.h>

enum {
    LIST = 0, RECEIVED = 2, INTERRUPTS = 4, COMMAND = 6, TASK_FILE = 8, SIGNATURE = 9, LINK = 10,
    LINK_CONTROL = 11, ERRORS = 12, ISSUE = 14, /* 32-bit registers of a port */
    START = 1, RECEIVE = 1 << 4, RECEIVING = 1 << 14, RUNNING = 1 << 15,
    READY = 0x50, FAILED = 0x51, BUSY = 0xD0, LINK_UP = 0x113,
    BAR = 5, LENGTH = 0x1000,
};
#define BASE 0xC8000000ull

/* What a command moves: one entry of the table of physical regions. */
struct transfer {
    uint8_t *data;
    uint32_t length, moved;
};

static bool identify(const struct ahci_model *model, const struct disk_model *disk,
                     struct transfer *transfer)
{
    uint16_t words[256] = { 0 };
    if (transfer->length < sizeof(words))
        return false;
    words[83] = 0x4400;
    for (unsigned i = 0; i < 4; i++)
        words[100 + i] = (uint16_t)(disk->blocks >> 16 * i);
    if (disk->block_size != 512) {
        words[106] = 0x5000;
        words[117] = (uint16_t)(disk->block_size / 2);
    }
    for (unsigned i = 0; i < 256; i++)
        if (model->identify[i])
            words[i] = model->identify[i];
    memcpy(transfer->data, words, sizeof(words));
    transfer->moved = sizeof(words);
    return true;
}

static bool move(struct disk_model *disk, const uint8_t fis[20], bool write,
                 struct transfer *transfer)
{
    uint64_t block = 0;
    static const uint8_t places[] = { 10, 9, 8, 6, 5, 4 };
    for (size_t i = 0; i < sizeof(places); i++)
        block = block << 8 | fis[places[i]];
    uint32_t count = fis[12] | (uint32_t)fis[13] << 8;
    uint64_t length = (count ? count : 65536) * (uint64_t)disk->block_size;
    uint8_t *data = disk_model_at(disk, block, length, write);
    if (!data || length > transfer->length)
        return false;
    memcpy(write ? data : transfer->data, write ? transfer->data : data, length);
    transfer->moved = (uint32_t)length;
    return true;
}

static bool packet(struct scsi_model *scsi, const uint8_t cdb[16], bool write,
                   struct transfer *transfer)
{
    return scsi_model_serve(scsi, cdb, transfer->data, write ? transfer->length : 0,
                            transfer->data, write ? 0 : transfer->length, &transfer->moved) == 0;
}

static bool serve(struct ahci_model *model, unsigned port, const uint8_t *table, uint32_t flags,
                  struct transfer *transfer)
{
    struct disk_model *disk = model->port[port].disk;
    uint8_t fis[20], cdb[16];
    memcpy(fis, table, sizeof(fis));
    memcpy(cdb, table + 64, sizeof(cdb));
    if (fis[0] != 0x27 || !(fis[1] & 0x80) || (flags & 31) != 5)
        return false;
    if (fis[2] == 0xA0)
        return model->port[port].scsi && (flags & 1 << 5) &&
               packet(model->port[port].scsi, cdb, flags & 1 << 6, transfer);
    if (!disk)
        return false;
    switch (fis[2]) {
    case 0xEC:
        return identify(model, disk, transfer);
    case 0x25:
        return move(disk, fis, false, transfer);
    case 0x35:
        return (flags & 1 << 6) && move(disk, fis, true, transfer);
    case 0xEA:
        disk->flushes++;
        return true;
    default:
        return false;
    }
}

/* Slot 0. False: the command failed. */
static bool run(struct ahci_model *model, unsigned port)
{
    const uint32_t *registers = model->port[port].registers;
    uint64_t list = registers[LIST] | (uint64_t)registers[LIST + 1] << 32;
    uint32_t header[4];
    uint64_t entry[2];
    struct transfer transfer = { 0 };
    uint8_t *shared = fakes_dma(list, 1024);
    if (!shared || list % 1024 || !fakes_dma(registers[RECEIVED] |
                                                 (uint64_t)registers[RECEIVED + 1] << 32,
                                             256)) {
        model->unmapped++;
        return false;
    }
    memcpy(header, shared, sizeof(header));
    uint64_t table = header[2] | (uint64_t)header[3] << 32;
    const uint8_t *from = fakes_dma(table, 128 + 16);
    if (!from || table % 128) {
        model->unmapped++;
        return false;
    }
    if (header[0] >> 16) {
        memcpy(entry, from + 128, sizeof(entry));
        transfer.length = (uint32_t)(entry[1] >> 32 & 0x3FFFFF) + 1;
        transfer.data = fakes_dma(entry[0], transfer.length);
        if (!transfer.data || entry[0] % 2) {
            model->unmapped++;
            return false;
        }
    }
    bool done = serve(model, port, from, header[0], &transfer);
    transfer.moved -= model->port[port].less;
    memcpy(shared + 4, &transfer.moved, 4);
    return done;
}

static void issue(struct ahci_model *model, unsigned port)
{
    uint32_t *registers = model->port[port].registers;
    model->port[port].issued++;
    if (!(registers[COMMAND] & START) || model->port[port].silent) {
        registers[ISSUE] |= 1;
    } else if (run(model, port)) {
        registers[TASK_FILE] = READY;
    } else {
        registers[ISSUE] |= 1;
        registers[TASK_FILE] = model->port[port].stuck ? BUSY | 1 : FAILED;
        registers[INTERRUPTS] |= 1 << 30;
    }
}

static void command(struct ahci_model *model, unsigned port, uint32_t value)
{
    uint32_t *registers = model->port[port].registers;
    bool hangs = model->port[port].hangs && (registers[COMMAND] & RUNNING);
    value &= ~(uint32_t)(RECEIVING | RUNNING);
    value |= (value & START || hangs ? RUNNING : 0) | (value & RECEIVE ? RECEIVING : 0);
    if (!(value & START))
        registers[ISSUE] = 0;
    registers[COMMAND] = value;
    if (value & RECEIVE)
        registers[SIGNATURE] = model->port[port].scsi ? 0xEB140101 : 0x101;
}

static void link_control(struct ahci_model *model, unsigned port, uint32_t value)
{
    uint32_t *registers = model->port[port].registers;
    if ((registers[LINK_CONTROL] & 15) == 1 && (value & 15) == 0) {
        model->link_resets++;
        registers[TASK_FILE] = READY;
    }
    registers[LINK_CONTROL] = value;
}

static uint64_t model_read(void *context, uint64_t offset, unsigned size)
{
    struct ahci_model *model = context;
    unsigned port = (unsigned)(offset - 0x100) / 0x80;
    if (offset >= 0x100)
        return port < AHCI_MODEL_PORTS ? model->port[port].registers[offset % 0x80 / 4] : 0;
    return offset == 0 ? model->capabilities : offset == 4 ? model->control
           : offset == 0xC ? (1u << AHCI_MODEL_PORTS) - 1 : 0;
}

static void model_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
    struct ahci_model *model = context;
    unsigned port = (unsigned)(offset - 0x100) / 0x80, number = (unsigned)(offset % 0x80 / 4);
    if (offset < 0x100) {
        if (offset == 4)
            model->control = (uint32_t)value;
        return;
    }
    if (port >= AHCI_MODEL_PORTS)
        return;
    uint32_t *registers = model->port[port].registers;
    if (number == INTERRUPTS || number == ERRORS)
        registers[number] &= ~(uint32_t)value;
    else if (number == COMMAND)
        command(model, port, (uint32_t)value);
    else if (number == LINK_CONTROL)
        link_control(model, port, (uint32_t)value);
    else if (number == ISSUE && (value & 1))
        issue(model, port);
    else if (number < 4)
        registers[number] = (uint32_t)value;
}

void ahci_model_add(struct ahci_model *model)
{
    struct fake_registers registers = { BASE + 0x100000 * fakes.functions, LENGTH, model,
                                        model_read, model_write };
    model->capabilities |= 1u << 31;
    for (unsigned i = 0; i < AHCI_MODEL_PORTS; i++) {
        if (!model->port[i].disk && !model->port[i].scsi)
            continue;
        model->port[i].registers[LINK] = LINK_UP;
        model->port[i].registers[TASK_FILE] = READY;
    }
    fakes_add(0x8086, 0x2922, 0x010601, BAR, &registers);
}
