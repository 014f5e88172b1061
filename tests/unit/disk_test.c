/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Bytes over blocks: the cache of a disk against a plain array, with every block size, with devices
 * that fail, and how many requests a large read costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/storage/disk.h"
#include "firmware/uefi/memory.h"

#define SIZE 0x60000u

static uint8_t content[0x200000], model[SIZE];
static unsigned requests, fail_at; /* number of the request that fails; 0: none */
static uint32_t seed = 7;

/* Disks stay for good: theirs is memory that is never freed. */
void *pool_allocate(enum memory_type type, size_t size)
{
    static uint8_t memory[0x180000];
    static size_t used;
    (void)type;
    assert_true(size <= sizeof(memory) - used);
    void *data = memory + used;
    used += (size + 15) & ~(size_t)15;
    return data;
}

void pool_free(void *data)
{
    (void)data;
}

static uint32_t random_number(uint32_t limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

static bool transfer(struct block_device *device, uint64_t block, uint32_t count)
{
    assert_true(count > 0 && block < device->blocks && count <= device->blocks - block);
    return ++requests != fail_at;
}

static bool device_read(struct block_device *device, uint64_t block, uint32_t count, void *data)
{
    if (!transfer(device, block, count))
        return false;
    memcpy(data, content + block * device->block_size, (size_t)count * device->block_size);
    return true;
}

static bool device_write(struct block_device *device, uint64_t block, uint32_t count,
                         const void *data)
{
    if (!transfer(device, block, count))
        return false;
    memcpy(content + block * device->block_size, data, (size_t)count * device->block_size);
    return true;
}

static unsigned flushes;
static bool device_flush(struct block_device *device)
{
    (void)device;
    return ++flushes != 2;
}

static struct block_device device_of(uint32_t block_size, size_t size)
{
    requests = fail_at = 0;
    return (struct block_device){ .block_size = block_size,
                                  .blocks = size / block_size,
                                  .read = device_read,
                                  .write = device_write,
                                  .flush = device_flush };
}

static void same_as_an_array(void **state)
{
    (void)state;
    static uint8_t data[0x10000];
    for (uint32_t size = 512; size <= 4096; size *= 2) {
        struct block_device device = device_of(size, SIZE);
        struct disk *disk = disk_create(&device);
        for (uint32_t i = 0; i < SIZE; i++)
            content[i] = model[i] = (uint8_t)(i * 7 >> 3);
        for (unsigned round = 0; round < 3000; round++) {
            uint32_t length = random_number(round % 4 ? 1500 : sizeof(data));
            uint32_t offset = random_number(SIZE - length);
            if (random_number(2)) {
                for (uint32_t i = 0; i < length; i++)
                    data[i] = (uint8_t)random_number(256);
                assert_true(disk_write(disk, offset, data, length));
                memcpy(model + offset, data, length);
            } else {
                assert_true(disk_read(disk, offset, data, length));
                assert_memory_equal(data, model + offset, length);
            }
        }
        assert_memory_equal(content, model, SIZE); /* written through */
        assert_false(disk_read(disk, SIZE - 1, data, 2));
        assert_false(disk_read(disk, UINT64_MAX, data, 2));
        assert_false(disk_write(disk, SIZE, data, 1));
    }
}

/* After an I/O error the cache never holds what the device does not. */
static void errors_leave_no_trace(void **state)
{
    (void)state;
    static uint8_t data[0x8000];
    struct block_device device = device_of(512, SIZE);
    struct disk *disk = disk_create(&device);
    for (unsigned round = 0; round < 5000; round++) {
        uint32_t length = 1 + random_number(round % 4 ? 1500 : sizeof(data) - 1);
        uint32_t offset = random_number(SIZE - length);
        memset(data, (int)round, length);
        fail_at = round % 3 ? 0 : requests + 1 + random_number(3);
        if (random_number(2))
            (void)disk_write(disk, offset, data, length);
        else if (disk_read(disk, offset, data, length))
            assert_memory_equal(data, content + offset, length);
    }
}

static void large_reads_are_one_request(void **state)
{
    (void)state;
    static uint8_t data[0x100000];
    struct block_device device = device_of(512, sizeof(content));
    struct disk *disk = disk_create(&device);
    assert_true(disk_read(disk, 0x4000, data, sizeof(data)));
    assert_int_equal(requests, 1);
    assert_true(disk_read(disk, 0x4001, data, sizeof(data) - 512));
    assert_true(requests <= 4); /* the block at each end by the cache */
}

static void flushes_what_is_new(void **state)
{
    (void)state;
    struct block_device device = device_of(512, SIZE);
    struct disk *disk = disk_create(&device);
    assert_true(disk_flush(disk));
    assert_int_equal(flushes, 0);
    assert_true(disk_write(disk, 5, "x", 1));
    assert_true(disk_flush(disk));
    assert_true(disk_flush(disk));
    assert_int_equal(flushes, 1);
    assert_true(disk_write(disk, 5, "x", 1));
    assert_false(disk_flush(disk)); /* it fails, and is tried again */
    assert_true(disk_flush(disk));
    assert_int_equal(flushes, 3);
}

static void read_only(void **state)
{
    (void)state;
    struct block_device device = device_of(512, SIZE);
    device.read_only = true;
    struct disk *disk = disk_create(&device);
    assert_false(disk_write(disk, 0, "x", 1));
    assert_int_equal(requests, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(same_as_an_array),
                                        cmocka_unit_test(errors_leave_no_trace),
                                        cmocka_unit_test(large_reads_are_one_request),
                                        cmocka_unit_test(flushes_what_is_new),
                                        cmocka_unit_test(read_only) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
