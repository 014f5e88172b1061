/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the block layer publishes of a disk, on handles and memory played here: partitions, and what
 * a disk or a bus must not be able to stop a boot with: names twice, no memory left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/lib/log.h"
#include "firmware/storage/block.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

enum { SECTOR = 2048, SECTORS = 64, HANDLES = 8, ALLOCATIONS = 64 };

static uint8_t bytes[SECTORS * SECTOR];
static EFI_DEVICE_PATH_PROTOCOL *handles[HANDLES]; /* by their paths */
static size_t handle_count, lines;
static void *allocations[ALLOCATIONS];
static unsigned allocation_count, allocation_fails; /* counted from 1; 0: none */

const EFI_GUID guid_block_io = { 1 }, guid_disk_io = { 2 }, guid_device_path = { 3 };

void log_line(const char *fmt, ...)
{
    lines++;
}

void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

void *pool_allocate(enum memory_type type, size_t size)
{
    assert_in_range(allocation_count, 0, ALLOCATIONS - 1);
    if (allocation_count + 1 == allocation_fails) {
        allocations[allocation_count++] = NULL;
        return NULL;
    }
    return allocations[allocation_count++] = calloc(1, size);
}

void pool_free(void *data)
{
    for (unsigned i = 0; data && i < allocation_count; i++)
        if (allocations[i] == data)
            allocations[i] = NULL;
    free(data);
}

uint32_t crc32(uint32_t seed, const void *data, size_t length)
{
    return seed + (uint32_t)length;
}

EFI_TPL EFIAPI bs_raise_tpl(EFI_TPL tpl)
{
    return tpl;
}

VOID EFIAPI bs_restore_tpl(EFI_TPL tpl)
{
}

EFI_HANDLE handle_of_path(EFI_DEVICE_PATH_PROTOCOL *path)
{
    size_t size = devicepath_size(path);
    for (size_t i = 0; i < handle_count; i++)
        if (devicepath_size(handles[i]) == size && memcmp(handles[i], path, size) == 0)
            return &handles[i];
    return NULL;
}

/* A handle that exists is that of a disk here. */
EFI_STATUS EFIAPI bs_install_multiple(EFI_HANDLE *handle, ...)
{
    if (*handle)
        return EFI_INVALID_PARAMETER;
    __builtin_ms_va_list list;
    __builtin_ms_va_start(list, handle);
    assert_ptr_equal(__builtin_va_arg(list, const EFI_GUID *), &guid_device_path);
    handles[handle_count] = __builtin_va_arg(list, EFI_DEVICE_PATH_PROTOCOL *);
    __builtin_ms_va_end(list);
    *handle = &handles[handle_count++];
    return EFI_SUCCESS;
}

bool fatfs_publish(EFI_HANDLE handle, struct block_range *range)
{
    assert_non_null(handle);
    assert_in_range(block_range_size(range), 1, sizeof(bytes));
    return false;
}

static bool read_blocks(struct block_device *device, uint64_t block, uint32_t count, void *data)
{
    assert_true(block + count <= SECTORS);
    memcpy(data, bytes + block * SECTOR, (size_t)count * SECTOR);
    return true;
}

static struct block_device device = { .block_size = SECTOR, .blocks = SECTORS, .read_only = true,
                                      .removable = true, .read = read_blocks };
static const uint8_t root[] = { 1, 1, 6, 0, 0, 1, 0x7F, 0xFF, 4, 0 };

/* A disc with so many boot records, which all name the one catalog with one image. */
static void make_disc(unsigned records)
{
    memset(bytes, 0, sizeof(bytes));
    for (unsigned i = 0; i <= records; i++) {
        uint8_t *descriptor = bytes + (16 + i) * SECTOR;
        memcpy(descriptor + 1, "CD001", 5);
        memcpy(descriptor + 7, "EL TORITO SPECIFICATION", 23);
        descriptor[71] = 40;
        descriptor[0] = i == records ? 255 : 0;
    }
    uint8_t *catalog = bytes + 40 * SECTOR;
    catalog[0] = 1;
    memcpy(catalog + 30, "\x55\xAA", 2);
    catalog[32] = 0x88;
    catalog[38] = 4;
    catalog[40] = 48;
    uint16_t sum = 0;
    for (unsigned i = 0; i < 32; i += 2)
        sum = (uint16_t)(sum + (catalog[i] | catalog[i + 1] << 8));
    sum = (uint16_t)-sum;
    catalog[4] = (uint8_t)sum;
    catalog[5] = (uint8_t)(sum >> 8);
}

static int reset(void **state)
{
    for (unsigned i = 0; i < allocation_count; i++)
        free(allocations[i]);
    allocation_count = allocation_fails = 0;
    handle_count = lines = 0;
    return 0;
}

static void publish(void)
{
    block_publish(&device, (EFI_DEVICE_PATH_PROTOCOL *)(uintptr_t)root);
}

static void a_disc_and_its_image(void **state)
{
    make_disc(1);
    publish();
    assert_int_equal(handle_count, 2);
    assert_int_equal(lines, 0);
    assert_int_equal(devicepath_size(handles[1]), sizeof(root) + sizeof(CDROM_DEVICE_PATH));
}

static void an_image_that_is_listed_twice(void **state)
{
    make_disc(3);
    publish();
    assert_int_equal(handle_count, 2);
    assert_int_equal(lines, 1);
}

/* As a SCSI host lists a unit twice. */
static void a_disk_that_is_listed_twice(void **state)
{
    make_disc(1);
    publish();
    unsigned before = allocation_count;
    publish();
    assert_int_equal(handle_count, 2);
    assert_int_equal(lines, 1);
    for (unsigned i = before; i < allocation_count; i++)
        assert_null(allocations[i]);
}

static void without_memory(void **state)
{
    make_disc(1);
    publish();
    for (unsigned fails = 1, all = allocation_count; fails <= all; fails++) {
        reset(state);
        allocation_fails = fails;
        publish();
        assert_int_equal(lines, 1);
        assert_in_range(handle_count, 0, 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_disc_and_its_image),
        TEST(an_image_that_is_listed_twice),
        TEST(a_disk_that_is_listed_twice),
        TEST(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
