/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See drivers_harness.h. */
#include "drivers_harness.h"

#include <stdlib.h>
#include <string.h>

enum { UNCHANGED = 0xE0, STEP = 5000000, DISKS = 4, LARGE_BYTES = 300 * 1024 };

struct disk_model drivers_fuzz_disk, drivers_fuzz_cd;
static const uint8_t *input;
static size_t input_length;
static unsigned unchanged; /* reads to come that nothing happens to */

static uint64_t next(unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size && input_length > 0; i++, input_length--)
        value |= (uint64_t)*input++ << 8 * i;
    return value;
}

/* A byte below UNCHANGED lets as many reads pass; others say how the next one is changed. */
static uint64_t tamper(uint64_t value, unsigned size)
{
    if (unchanged > 0) {
        unchanged--;
        return value;
    }
    if (input_length == 0)
        return value;
    uint8_t what = (uint8_t)next(1);
    if (what < UNCHANGED) {
        unchanged = what;
        return value;
    }
    switch (what % 6) {
    case 0:
        return next(size);
    case 1:
        return UINT64_MAX;
    case 2:
        return 0;
    case 3:
        return value ^ 1ull << next(1) % (8 * size);
    case 4:
        return value + 1;
    default:
        return value - 1;
    }
}

/* Calls of clang's trace-loads, before each load in the drivers. */
#define TRACED_LOAD(bytes, type)                                                                   \
    void __sanitizer_cov_load##bytes(type *address);                                               \
    void __sanitizer_cov_load##bytes(type *address)                                                \
    {                                                                                              \
        if (fakes.tamper && fakes_is_dma((uintptr_t)address))                                      \
            *address = (type)tamper((uint64_t)*address, bytes);                                    \
    }
TRACED_LOAD(1, uint8_t)
TRACED_LOAD(2, uint16_t)
TRACED_LOAD(4, uint32_t)
TRACED_LOAD(8, uint64_t)
TRACED_LOAD(16, __uint128_t)

/* In memory of exactly that length, so that AddressSanitizer sees its end. */
static bool transfer(struct block_device *device, uint64_t block, uint32_t count, bool write)
{
    size_t length = (size_t)count * device->block_size;
    uint8_t *data = malloc(length);
    memset(data, 0xA5, length);
    bool done = write ? device->write(device, block, count, data)
                      : device->read(device, block, count, data);
    free(data);
    if (fakes.mappings)
        __builtin_trap(); /* a device may still write there */
    return done;
}

static void use(struct block_device *device)
{
    uint32_t size = device->block_size;
    if (size < 512 || size > 4096 || (size & (size - 1)) || device->blocks < 2 ||
        device->blocks > UINT64_MAX / size)
        __builtin_trap(); /* not what storage/block.h promises */
    transfer(device, 0, 1, false);
    transfer(device, device->blocks - 1, 1, false);
    if (device->blocks >= LARGE_BYTES / size)
        transfer(device, device->blocks - LARGE_BYTES / size, LARGE_BYTES / size, false);
    transfer(device, 1, 1, true);
    if (!device->flush(device))
        transfer(device, 0, 2, false);
}

/* What is on the medium does not matter: it stays from input to input. */
static void set_size(struct disk_model *disk, uint32_t block_size)
{
    disk->block_size = block_size;
    disk->blocks = DISK_MODEL_SIZE / block_size;
}

void drivers_fuzz(const uint8_t *data, size_t size, void (*add)(uint8_t options),
                  void (*run)(void))
{
    fakes_reset();
    input = data;
    input_length = size;
    unchanged = 0;
    uint8_t options = (uint8_t)next(1);
    fakes.sev = options & 1;
    fakes.step = STEP;
    set_size(&drivers_fuzz_disk, 512);
    set_size(&drivers_fuzz_cd, 2048);
    add(options >> 1);
    fakes.tamper = tamper;
    run();
    for (size_t i = 0; i < fakes.published && i < DISKS; i++)
        use(fakes.disk[i].device);
    fakes_exit();
    for (size_t i = 0; i < fakes.published && i < DISKS; i++)
        if (transfer(fakes.disk[i].device, 0, 1, false))
            __builtin_trap(); /* works after ExitBootServices */
    fakes.tamper = NULL;
}
