/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * fw_cfg (QEMU docs/specs/fw_cfg): by data port at first, one byte an access; by DMA once there is
 * shared memory. Under SEV the device reads and writes shared memory only: data goes through a
 * bounce buffer in pieces and is looked at only after it was copied to private memory.
 */
#include "firmware/platform/fwcfg.h"

#include "firmware/arch/cpu.h"
#include "firmware/arch/io.h"
#include "firmware/lib/log.h"
#include "firmware/lib/string.h"
#include "firmware/sev/dma.h"
#include "firmware/sev/sev.h"

enum {
    PORT_SELECT = 0x510, PORT_DATA = 0x511, PORT_DMA_HIGH = 0x514, PORT_DMA_LOW = 0x518,
    ID_DMA = 2,
    CONTROL_ERROR = 1, CONTROL_READ = 2, CONTROL_SKIP = 4, CONTROL_SELECT = 8, CONTROL_WRITE = 16,
    FILES_MAX = 256, KEY_FIRST_FILE = 0x20, DMA_THRESHOLD = 16,
    PIECE = 256 * 1024,
    WAIT_LIMIT = 100000000, /* polls; QEMU finishes before the first */
};

/* All fields big-endian. */
struct fwcfg_dma {
    uint32_t control, length;
    uint64_t address;
};

struct fwcfg_file {
    uint32_t size;
    uint16_t key, reserved;
    char name[FWCFG_NAME_SIZE];
};
_Static_assert(sizeof(struct fwcfg_dma) == 16 && sizeof(struct fwcfg_file) == 64, "wire format");

static bool present;
static struct fwcfg_file files[FILES_MAX]; /* the directory as read at start, plausible entries */
static size_t file_count;
static volatile struct fwcfg_dma *block;
static uint64_t block_device;
static uint8_t *bounce;
static uint64_t bounce_device;

static void select_key(uint16_t key)
{
    out16(PORT_SELECT, key);
}

static void read_port(void *data, size_t length)
{
    uint8_t *bytes = data;

    for (size_t i = 0; i < length; i++) {
        bytes[i] = in8(PORT_DATA);
    }
}

/* One DMA command; `select` in the upper half of control where asked. QEMU finishes at once. */
static bool dma_command(uint32_t control, uint64_t address, uint32_t length)
{
    block->length = __builtin_bswap32(length);
    block->address = __builtin_bswap64(address);
    block->control = __builtin_bswap32(control);
    out32(PORT_DMA_HIGH, __builtin_bswap32((uint32_t)(block_device >> 32)));
    out32(PORT_DMA_LOW, __builtin_bswap32((uint32_t)block_device));
    for (unsigned i = 0; i < WAIT_LIMIT; i++) {
        uint32_t state = __builtin_bswap32(block->control);
        if (state == 0) {
            return true;
        }
        if ((state & CONTROL_ERROR) != 0) {
            return false;
        }
        cpu_pause();
    }
    return false;
}

static void read_dma(void *data, size_t length, fwcfg_sink *sink, void *context)
{
    uint8_t *bytes = data;

    while (length > 0) {
        uint32_t piece = length < PIECE ? (uint32_t)length : PIECE;
        bool direct = !sev_active();
        if (!dma_command(CONTROL_READ, direct ? (uintptr_t)bytes : bounce_device, piece)) {
            panic("fw_cfg: the host refused a read of %u bytes", piece);
        }
        if (!direct) {
            memcpy(bytes, bounce, piece);
        }
        if (sink != NULL) {
            sink(context, bytes, piece);
        }
        bytes += piece;
        length -= piece;
    }
}

static void read_any(void *data, size_t length, fwcfg_sink *sink, void *context)
{
    if (!present) {
        memset(data, 0, length);
    } else if (block != NULL && length >= DMA_THRESHOLD) {
        read_dma(data, length, sink, context);
        return;
    } else {
        read_port(data, length);
    }
    if (sink != NULL && length > 0) {
        sink(context, data, length);
    }
}

/* Numbers in our byte order. false: no such file can be. */
static bool take_entry(struct fwcfg_file *file)
{
    file->key = __builtin_bswap16(file->key);
    file->size = __builtin_bswap32(file->size);
    size_t length = strnlen(file->name, FWCFG_NAME_SIZE);
    if (length == 0 || length == FWCFG_NAME_SIZE) {
        log_line("fw_cfg: a file without a proper name is ignored");
        return false;
    }
    if (file->key < KEY_FIRST_FILE || file->size > INT32_MAX) {
        log_line("fw_cfg: implausible entry for %s ignored", file->name);
        return false;
    }
    return true;
}

/* Once, so that the host cannot show another directory to the next who asks. */
static void read_directory(void)
{
    uint32_t count;

    file_count = 0;
    fwcfg_read(FWCFG_DIRECTORY, &count, sizeof(count));
    count = __builtin_bswap32(count);
    if (count > FILES_MAX) {
        log_line("fw_cfg: %u files, those after the first %u do not count", count, FILES_MAX);
        count = FILES_MAX;
    }
    for (uint32_t i = 0; i < count; i++) {
        fwcfg_read_more(&files[file_count], sizeof(files[0]));
        file_count += take_entry(&files[file_count]);
    }
}

bool fwcfg_init(void)
{
    char signature[4];

    select_key(FWCFG_SIGNATURE);
    read_port(signature, sizeof(signature));
    present = memcmp(signature, "QEMU", sizeof(signature)) == 0;
    if (present) {
        read_directory();
    }
    return present;
}

void fwcfg_enable_dma(void)
{
    if (!present || (fwcfg_read_u32(FWCFG_ID) & ID_DMA) == 0) {
        return;
    }
    bounce = dma_alloc(PIECE, &bounce_device);
    uint64_t device;
    volatile struct fwcfg_dma *shared = dma_alloc(sizeof(*shared), &device);
    if (bounce == NULL || shared == NULL) {
        panic("fw_cfg: no shared memory for DMA");
    }
    block_device = device;
    block = shared;
}

bool fwcfg_file_at(size_t index, const char **ret_name, uint16_t *ret_key, uint32_t *ret_size)
{
    if (index >= file_count) {
        return false;
    }
    *ret_name = files[index].name;
    *ret_key = files[index].key;
    *ret_size = files[index].size;
    return true;
}

bool fwcfg_find(const char *name, uint16_t *ret_key, uint32_t *ret_size)
{
    const char *at;
    uint16_t key;
    uint32_t size;

    for (size_t i = 0; fwcfg_file_at(i, &at, &key, &size); i++) {
        if (strcmp(at, name) == 0) {
            *ret_key = key;
            *ret_size = size;
            return true;
        }
    }
    return false;
}

void fwcfg_read(uint16_t key, void *data, size_t length)
{
    fwcfg_read_through(key, data, length, NULL, NULL);
}

void fwcfg_read_more(void *data, size_t length)
{
    read_any(data, length, NULL, NULL);
}

uint32_t fwcfg_read_u32(uint16_t key)
{
    uint32_t value = 0;

    fwcfg_read(key, &value, sizeof(value));
    return value;
}

void fwcfg_read_through(uint16_t key, void *data, size_t length, fwcfg_sink *sink, void *context)
{
    if (present) {
        select_key(key);
    }
    read_any(data, length, sink, context);
}

bool fwcfg_write(uint16_t key, uint32_t offset, const void *data, uint32_t length)
{
    if (block == NULL || length > PIECE) {
        return false;
    }
    select_key(key);
    memcpy(bounce, data, length);
    return dma_command(CONTROL_SKIP, 0, offset)
           && dma_command(CONTROL_WRITE, bounce_device, length);
}
