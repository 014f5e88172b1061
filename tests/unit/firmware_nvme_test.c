/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's NVMe driver with a controller of the test: namespaces, PRP lists, errors, lies. */
#include <string.h>

#include "firmware/drivers/nvme.h"
#include "tests/unit/firmware_disks.h"
#include "nvme_model.h"

enum { LARGE = 600 * 1024 };

static struct nvme_model nvme;
static struct disk_model disk, other;
static _Alignas(4096) uint8_t buffer[LARGE + 8192];

static int fresh(void **state)
{
    fakes_reset();
    memset(&nvme, 0, sizeof(nvme));
    disk_model_init(&disk, 2048, 512);
    disk_model_init(&other, 256, 4096);
    nvme.namespace[0].number = 1;
    nvme.namespace[0].disk = &disk;
    nvme.namespace[1].number = 7;
    nvme.namespace[1].disk = &other;
    memcpy(nvme.namespace[1].eui, "\1\2\3\4\5\6\7\10", 8);
    return 0;
}

static int fresh_sev(void **state)
{
    fresh(state);
    fakes.sev = true;
    return 0;
}

static void start(unsigned published)
{
    nvme_model_add(&nvme);
    nvme_init();
    assert_int_equal(fakes.published, published);
    assert_int_equal(nvme.unmapped, 0);
}

static void two_namespaces(void **state)
{
    static const uint8_t path[] = { 1,  1, 6, 0, 0, 0, 3, 23, 16, 0, 7, 0,    0,
                                    0,  1, 2, 3, 4, 5, 6, 7,  8,  0x7F, 0xFF, 4, 0 };
    start(2);
    assert_memory_equal(fakes.disk[1].path, path, sizeof(path));
    struct block_device *first = fakes.disk[0].device, *second = fakes.disk[1].device;
    assert_true(first->block_size == 512 && first->blocks == 2048 && !first->read_only);
    assert_true(second->block_size == 4096 && second->blocks == 256);
    memset(buffer, 0x5A, LARGE);
    assert_true(first->write(first, 1, LARGE / 512, buffer));
    assert_true(disk.data[511] != 0x5A && disk.data[512] == 0x5A);
    assert_true(disk.data[LARGE + 511] == 0x5A && disk.data[LARGE + 512] != 0x5A);
    assert_int_equal(disk.largest, 256 * 1024);
    assert_true(first->flush(first));
    assert_int_equal(disk.flushes, 1);
    assert_true(disk_read(1, 255, 1, buffer));
    expect_pattern(buffer, 255 * 4096, 4096);
}

/* One page, two, a list; beginning anywhere in a page; not even aligned to 4. */
static void every_form_of_buffer(void **state)
{
    static const unsigned counts[] = { 1, 7, 8, 9, 16, 17, 24, 512, 1200 };
    static const unsigned offsets[] = { 0, 4, 512, 2048, 4092, 4095, 1 };
    start(2);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        for (size_t j = 0; j < sizeof(offsets) / sizeof(offsets[0]); j++) {
            uint8_t *data = buffer + offsets[j];
            memset(buffer, 0xEE, sizeof(buffer));
            assert_true(disk_read(0, 11, counts[i], data));
            expect_pattern(data, 11 * 512, counts[i] * 512);
            assert_int_equal(data[counts[i] * 512], 0xEE);
        }
    assert_int_equal(nvme.unmapped, 0);
    assert_int_equal(fakes.mappings, 0);
}

static void short_transfers(void **state)
{
    nvme.transfer_shift = 1;
    start(2);
    assert_true(disk_read(0, 0, 100, buffer));
    expect_pattern(buffer, 0, 100 * 512);
    assert_int_equal(disk.largest, 8192);
}

static void without_a_list_of_namespaces(void **state)
{
    nvme.no_list = true;
    start(1);
    assert_int_equal(fakes.disk[0].device->block_size, 512);
}

static void shuts_down_at_exit(void **state)
{
    start(2);
    fakes_exit();
    assert_true(nvme.shut_down);
    assert_int_equal(nvme.state, 0);
    assert_false(disk_read(0, 0, 1, buffer));
    assert_false(disk_read(1, 0, 1, buffer));
}

static void errors_are_survived(void **state)
{
    start(2);
    nvme.status = 0x281;
    assert_false(disk_read(0, 9, 1, buffer));
    nvme.status = 0;
    assert_true(disk_read(0, 9, 1, buffer));
    assert_string_equal(fakes.line, "NVMe at 00:00.0: cannot read block 9");
}

/* The whole controller is given up, in bounded time. */
static void dies(const char *why, uint64_t limit)
{
    assert_false(disk_read(0, 0, 1, buffer));
    unsigned commands = nvme.commands;
    uint64_t now = fakes.now;
    assert_true(now < limit);
    assert_int_equal(nvme.configuration & 1, 0);
    assert_false(disk_read(1, 0, 1, buffer));
    assert_int_equal(nvme.commands, commands);
    assert_int_equal(fakes.now, now);
    assert_int_equal(fakes.mappings, 0);
}

static void a_silent_controller(void **state)
{
    start(2);
    nvme.silent = true;
    dies("does not answer", 330000000ull);
    assert_int_equal(fakes.cut_off, 0);
}

static void a_fatal_state(void **state)
{
    start(2);
    nvme.silent = true;
    nvme.state |= 2;
    dies("fatal", 10000000ull);
}

static void never_stops(void **state)
{
    start(2);
    nvme.silent = nvme.never_stops = true;
    dies("does not answer", 900000000ull);
    assert_int_equal(fakes.cut_off, 1);
}

static void another_commands_completion(void **state)
{
    start(2);
    nvme.wrong_command = 1;
    dies("not asked", 10000000ull);
}

static void refused(const char *why)
{
    start(0);
    assert_int_equal(fakes.refused, 1);
    assert_non_null(strstr(fakes.reason[0], why));
}

static void never_ready(void **state)
{
    size_t left = fakes.dma_limit;
    nvme.never_ready = true;
    refused("ready");
    assert_int_equal(fakes.dma_limit, left);
    assert_true(fakes.now < 50000000ull);
}

static void capabilities_that_cannot_be_used(void **state)
{
    static const struct {
        uint64_t value;
        const char *why;
    } capabilities[] = { { 7, "command set" },
                         { 7 | 1ull << 37 | 1ull << 48, "4 KiB" },
                         { 1ull << 37, "queues" },
                         { 7 | 1ull << 37 | 15ull << 32, "queues" } };
    for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
        fresh(state);
        nvme.capabilities = capabilities[i].value;
        refused(capabilities[i].why);
    }
}

static void namespaces_that_cannot_be_used(void **state)
{
    nvme.namespace[0].metadata = 8;
    nvme.namespace[1].disk->block_size = 8192;
    start(0);
    assert_non_null(strstr(fakes.reason[0], "metadata"));
    assert_non_null(strstr(fakes.reason[1], "size"));
}

static void write_protected(void **state)
{
    nvme.namespace[0].read_only = true;
    start(2);
    assert_true(fakes.disk[0].device->read_only);
}

static void without_memory(void **state)
{
    for (unsigned failure = 1; failure < 14; failure++) {
        fresh(state);
        fakes.pool_failure = failure;
        fakes.dma_limit = failure < 4 ? 10000 : 100000;
        nvme_model_add(&nvme);
        nvme_init();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(two_namespaces),
        TEST_BOTH(every_form_of_buffer),
        TEST(short_transfers),
        TEST(without_a_list_of_namespaces),
        TEST_BOTH(shuts_down_at_exit),
        TEST(errors_are_survived),
        TEST(a_silent_controller),
        TEST(never_stops),
        TEST(a_fatal_state),
        TEST(another_commands_completion),
        TEST(never_ready),
        TEST(capabilities_that_cannot_be_used),
        TEST(namespaces_that_cannot_be_used),
        TEST(write_protected),
        TEST(without_memory),
    };
    return cmocka_run_group_tests_name("firmware-nvme", tests, NULL, NULL);
}
