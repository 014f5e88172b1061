/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * fw_cfg. Files are read-only for the guest unless they were added writable; bytes beyond an item's
 * end read as zeros by DMA and by port, as QEMU has it.
 */
#include "machine/board/fw_cfg.h"

#include <string.h>

#define SIGNATURE_DMA UINT64_C(0x51454D5520434647) /* "QEMU CFG" */

enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum { ID_TRADITIONAL = 1, ID_DMA = 2 };

struct dma_request { /* big endian */
    uint8_t control[4], length[4], address[8];
};
_Static_assert(sizeof(struct dma_request) == 16, "fw_cfg DMA descriptor");

static uint64_t get_be(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void put_be(uint8_t *bytes, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (size - 1 - i) * 8);
}

/* Keys carry write (14) and architecture (15) bits; there are no architecture-local items. */
static struct fw_cfg_item *selected_item(struct fw_cfg *fw_cfg)
{
    static struct fw_cfg_item none;
    unsigned key = fw_cfg->selected & 0xBFFFu;

    return key < sizeof(fw_cfg->item) / sizeof(fw_cfg->item[0]) ? &fw_cfg->item[key] : &none;
}

static void select_key(struct fw_cfg *fw_cfg, uint16_t key)
{
    struct fw_cfg_item *item;

    fw_cfg->selected = key;
    fw_cfg->position = 0;
    item = selected_item(fw_cfg);
    if (item->select)
        item->select(item->context);
}

static uint64_t remaining(struct fw_cfg *fw_cfg)
{
    uint64_t size = selected_item(fw_cfg)->size;

    return fw_cfg->position < size ? size - fw_cfg->position : 0;
}

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
    struct fw_cfg *fw_cfg = context;
    uint64_t position = fw_cfg->position;

    if (offset != 1)
        return UINT64_MAX; /* the selector is write-only */
    if (remaining(fw_cfg) == 0)
        return 0;
    fw_cfg->position++;
    return selected_item(fw_cfg)->data[position];
}

static void port_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    if (offset == 0 && size == 2)
        select_key(context, (uint16_t)value);
}

/* Copies item bytes, then zeros, page by page so that one request has bounded steps. */
static bool dma_copy(struct fw_cfg *fw_cfg, uint64_t gpa, uint64_t length)
{
    static const uint8_t zeros[65536];

    if (length && gpa + (length - 1) < gpa)
        return false;
    while (length) {
        uint64_t left = remaining(fw_cfg), step = length;
        const uint8_t *source = zeros;

        if (left) {
            source = selected_item(fw_cfg)->data + fw_cfg->position;
            step = step < left ? step : left;
        } else if (step > sizeof(zeros)) {
            step = sizeof(zeros);
        }
        if (!bus_dma_write(fw_cfg->bus, gpa, source, step))
            return false;
        fw_cfg->position += left ? step : 0;
        gpa += step;
        length -= step;
    }
    return true;
}

/* All or nothing, as QEMU has it: what does not fit is refused. */
static bool dma_store(struct fw_cfg *fw_cfg, uint64_t gpa, uint64_t length)
{
    const struct fw_cfg_item *item = selected_item(fw_cfg);

    if (!item->writable || length > remaining(fw_cfg)) {
        bus_complain_once(fw_cfg->bus, &fw_cfg->said_write, "fw_cfg",
                          "the guest writes to item 0x%x, which takes no such write",
                          fw_cfg->selected);
        return false;
    }
    if (!bus_dma_read(fw_cfg->bus, gpa, item->writable + fw_cfg->position, length))
        return false;
    fw_cfg->position += length;
    return true;
}

static bool dma_perform(struct fw_cfg *fw_cfg, uint32_t control, uint64_t gpa, uint64_t length)
{
    if (control & DMA_SELECT)
        select_key(fw_cfg, (uint16_t)(control >> 16));
    if (control & DMA_READ)
        return dma_copy(fw_cfg, gpa, length);
    if (control & DMA_WRITE)
        return dma_store(fw_cfg, gpa, length);
    if (control & DMA_SKIP)
        fw_cfg->position += length < remaining(fw_cfg) ? length : remaining(fw_cfg);
    return true;
}

static void dma_run(struct fw_cfg *fw_cfg)
{
    struct dma_request request;
    uint64_t gpa = fw_cfg->dma_address;
    bool good;

    fw_cfg->dma_address = 0;
    bus_act_as(fw_cfg->bus, "fw_cfg", -1);
    if (!bus_dma_read(fw_cfg->bus, gpa, &request, sizeof(request))) {
        bus_complain_once(fw_cfg->bus, &fw_cfg->said_descriptor, "fw_cfg",
                          "no memory for a request at 0x%llx", (unsigned long long)gpa);
        return;
    }
    good = dma_perform(fw_cfg, (uint32_t)get_be(request.control, 4), get_be(request.address, 8),
                       get_be(request.length, 4));
    if (!good)
        bus_complain_once(fw_cfg->bus, &fw_cfg->said_copy, "fw_cfg",
                          "a request failed: its buffer is no RAM, or it may not be done");
    put_be(request.control, good ? 0 : DMA_ERROR, 4);
    bus_dma_write(fw_cfg->bus, gpa, request.control, sizeof(request.control));
}

static uint64_t dma_read(void *context, uint64_t offset, unsigned size)
{
    uint8_t bytes[8];
    uint64_t value = 0;

    put_be(bytes, SIGNATURE_DMA, 8);
    memcpy(&value, bytes + offset, size);
    return value;
}

static void dma_write(void *context, uint64_t offset, uint64_t value, unsigned size)
{
    struct fw_cfg *fw_cfg = context;
    uint32_t half = __builtin_bswap32((uint32_t)value);

    if (size != 4)
        return;
    if (offset == 0) {
        fw_cfg->dma_address = (uint64_t)half << 32 | (uint32_t)fw_cfg->dma_address;
    } else {
        fw_cfg->dma_address = (fw_cfg->dma_address & ~UINT64_C(0xFFFFFFFF)) | half;
        dma_run(fw_cfg);
    }
}

bool fw_cfg_add(struct fw_cfg *fw_cfg, enum fw_cfg_key key, const void *data, size_t size)
{
    if (size > UINT32_MAX)
        return false;
    fw_cfg->item[key].data = data;
    fw_cfg->item[key].size = (uint32_t)size;
    return true;
}

void fw_cfg_add_number(struct fw_cfg *fw_cfg, enum fw_cfg_key key, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        fw_cfg->numbers[key][i] = (uint8_t)(value >> i * 8);
    fw_cfg_add(fw_cfg, key, fw_cfg->numbers[key], size);
}

/* Directory: u32 count, then { u32 size, u16 key, u16 reserved, name[56] }, big endian. */
static void write_directory(struct fw_cfg *fw_cfg)
{
    put_be(fw_cfg->directory, fw_cfg->file_count, 4);
    for (unsigned i = 0; i < fw_cfg->file_count; i++) {
        const struct fw_cfg_item *item = &fw_cfg->item[FW_CFG_FILE_FIRST + i];
        uint8_t *entry = fw_cfg->directory + 4 + (size_t)i * 64;

        put_be(entry, item->size, 4);
        put_be(entry + 4, FW_CFG_FILE_FIRST + i, 2);
        put_be(entry + 6, 0, 2);
        memcpy(entry + 8, item->name, FW_CFG_NAME_SIZE);
    }
    fw_cfg_add(fw_cfg, FW_CFG_DIRECTORY, fw_cfg->directory,
               4 + (size_t)fw_cfg->file_count * 64);
}

bool fw_cfg_add_file(struct fw_cfg *fw_cfg, const char *name, const void *data, size_t size,
                     void (*select)(void *context), void *context)
{
    struct fw_cfg_item *first = &fw_cfg->item[FW_CFG_FILE_FIRST];
    unsigned at = 0;

    if (size > UINT32_MAX || fw_cfg->file_count == FW_CFG_MAX_FILES ||
        strlen(name) >= FW_CFG_NAME_SIZE)
        return false;
    while (at < fw_cfg->file_count && strcmp(first[at].name, name) < 0)
        at++;
    memmove(&first[at + 1], &first[at], (fw_cfg->file_count - at) * sizeof(first[0]));
    memset(&first[at], 0, sizeof(first[at]));
    first[at].data = data;
    first[at].size = (uint32_t)size;
    first[at].select = select;
    first[at].context = context;
    memcpy(first[at].name, name, strlen(name));
    fw_cfg->file_count++;
    write_directory(fw_cfg);
    return true;
}

bool fw_cfg_add_writable_file(struct fw_cfg *fw_cfg, const char *name, uint8_t *data, size_t size)
{
    if (!fw_cfg_add_file(fw_cfg, name, data, size, NULL, NULL))
        return false;
    for (unsigned i = 0; i < fw_cfg->file_count; i++) {
        struct fw_cfg_item *item = &fw_cfg->item[FW_CFG_FILE_FIRST + i];

        if (strcmp(item->name, name) == 0)
            item->writable = data;
    }
    return true;
}

bool fw_cfg_has_file(const struct fw_cfg *fw_cfg, const char *name)
{
    for (unsigned i = 0; i < fw_cfg->file_count; i++)
        if (strcmp(fw_cfg->item[FW_CFG_FILE_FIRST + i].name, name) == 0)
            return true;
    return false;
}

void fw_cfg_set_file(struct fw_cfg *fw_cfg, const char *name, const void *data, size_t size)
{
    for (unsigned i = 0; i < fw_cfg->file_count; i++) {
        struct fw_cfg_item *item = &fw_cfg->item[FW_CFG_FILE_FIRST + i];

        if (strcmp(item->name, name) == 0) {
            item->data = data;
            item->size = (uint32_t)size;
        }
    }
    write_directory(fw_cfg);
}

static void reset(void *context)
{
    struct fw_cfg *fw_cfg = context;

    select_key(fw_cfg, FW_CFG_SIGNATURE);
    fw_cfg->dma_address = 0;
}

void fw_cfg_init(struct fw_cfg *fw_cfg, struct bus *bus)
{
    const struct bus_range ports = { 0x510, 2, 2, port_read, port_write, fw_cfg };
    const struct bus_range dma = { 0x514, 8, 4, dma_read, dma_write, fw_cfg };

    memset(fw_cfg, 0, sizeof(*fw_cfg));
    fw_cfg->bus = bus;
    fw_cfg_add(fw_cfg, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_number(fw_cfg, FW_CFG_ID, ID_TRADITIONAL | ID_DMA, 4);
    write_directory(fw_cfg);
    bus_claim(bus, BUS_PORTS, &ports);
    bus_claim(bus, BUS_PORTS, &dma);
    bus_on_reset(bus, reset, fw_cfg);
}
