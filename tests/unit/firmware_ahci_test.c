/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's AHCI driver with a controller of the test: disks, CD drives, errors, lies. */
#include <string.h>

#include "ahci_model.h"
#include "firmware/drivers/ahci.h"
#include "tests/unit/firmware_disks.h"

enum { LARGE = 600 * 1024, COMMAND = 6, LINK = 10 };

static struct ahci_model ahci;
static struct disk_model disk, cd;
static struct scsi_model drive;
static uint8_t buffer[LARGE + 1];

static int fresh(void **state)
{
    fakes_reset();
    memset(&ahci, 0, sizeof(ahci));
    disk_model_init(&disk, 2048, 512);
    disk_model_init(&cd, 512, 2048);
    drive = (struct scsi_model){ .disk = &cd, .type = 5, .removable = true };
    ahci.port[0].disk = &disk;
    ahci.port[2].scsi = &drive;
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
    ahci_model_add(&ahci);
    ahci_init();
    assert_int_equal(fakes.published, published);
    assert_int_equal(ahci.unmapped, 0);
}

static bool read(unsigned index, uint64_t block, uint32_t count)
{
    return disk_read(index, block, count, buffer);
}

static void disk_and_cd(void **state)
{
    static const uint8_t path[] = { 1, 1, 6, 0, 0, 0, 3, 18, 10, 0, 2, 0, 0xFF, 0xFF, 0, 0, 0x7F,
                                    0xFF, 4, 0 };
    start(2);
    struct block_device *first = fakes.disk[0].device, *second = fakes.disk[1].device;
    assert_memory_equal(fakes.disk[1].path, path, sizeof(path));
    assert_true(first->block_size == 512 && first->blocks == 2048 && !first->read_only);
    assert_true(second->block_size == 2048 && second->blocks == 512);
    assert_true(second->read_only && second->removable);
    assert_true(read(0, 5, LARGE / 512));
    expect_pattern(buffer, 5 * 512, LARGE);
    assert_int_equal(disk.largest, 256 * 1024);
    assert_true(first->read(first, 2047, 1, buffer + 1)); /* not aligned */
    expect_pattern(buffer + 1, 2047 * 512, 512);
    assert_true(read(1, 7, 100));
    expect_pattern(buffer, 7 * 2048, 100 * 2048);
    memset(buffer, 0x5A, LARGE);
    assert_true(first->write(first, 1, LARGE / 512, buffer));
    assert_true(disk.data[511] != 0x5A && disk.data[512] == 0x5A);
    assert_true(disk.data[LARGE + 511] == 0x5A && disk.data[LARGE + 512] != 0x5A);
    assert_true(first->flush(first));
    assert_int_equal(disk.flushes, 1);
    assert_int_equal(fakes.mappings, 0);
    assert_int_equal(ahci.unmapped, 0);
}

static void disk_of_4096(void **state)
{
    disk_model_init(&disk, 256, 4096);
    start(2);
    assert_int_equal(fakes.disk[0].device->block_size, 4096);
    assert_true(read(0, 255, 1));
    expect_pattern(buffer, 255 * 4096, 4096);
}

static void nothing_on_it(void **state)
{
    ahci.port[0].disk = NULL;
    ahci.port[2].scsi = NULL;
    size_t left = fakes.dma_limit;
    start(0);
    assert_int_equal(fakes.dma_limit, left);
    assert_in_range(fakes.now, 0, 1000000); /* looks at the clock, no waits */
    assert_int_equal(ahci.control, 0x80000000);
}

static void stops_at_exit(void **state)
{
    start(2);
    assert_int_equal(ahci.port[0].registers[COMMAND] & 0xC011, 0xC011);
    fakes_exit();
    assert_int_equal(ahci.port[0].registers[COMMAND] & 0xC011, 0);
    assert_int_equal(ahci.port[2].registers[COMMAND] & 0xC011, 0);
    assert_false(read(0, 0, 1));
    assert_false(read(1, 0, 1));
}

static void errors_are_survived(void **state)
{
    start(2);
    for (unsigned i = 0; i < 5; i++) {
        disk.fails = true;
        ahci.port[0].stuck = i & 1;
        assert_false(read(0, 9, 1));
        disk.fails = false;
        assert_true(read(0, 9, 1));
        expect_pattern(buffer, 9 * 512, 512);
    }
    assert_int_equal(ahci.link_resets, 2);
    assert_int_equal(fakes.lines, 1);
    assert_string_equal(fakes.line, "AHCI at 00:00.0: cannot read block 9");
}

static void less_than_asked_for(void **state)
{
    start(2);
    ahci.port[0].less = 2;
    assert_false(read(0, 9, 1));
    ahci.port[0].less = (uint32_t)-2; /* more: taken as all */
    assert_true(read(0, 9, 1));
}

static void packet_errors(void **state)
{
    drive.attentions = 2;
    drive.attention_code = 0x2900;
    drive.becoming_ready = 3;
    start(2);
    cd.fails = true;
    assert_false(read(1, 3, 1));
    cd.fails = false;
    assert_true(read(1, 3, 1));
    drive.attentions = 1; /* asked for by REQUEST SENSE */
    assert_true(read(1, 3, 1));
    drive.attentions = 1;
    drive.attention_code = 0x2800;
    assert_false(read(1, 3, 1)); /* another CD */
    assert_false(read(1, 3, 1));
}

static void an_empty_drive(void **state)
{
    drive.no_medium = true;
    start(1);
    assert_int_equal(fakes.lines, 0);
    assert_int_equal(fakes.refused, 0);
}

static void a_silent_device(void **state)
{
    start(2);
    ahci.port[0].silent = true;
    assert_false(read(0, 0, 1));
    assert_true(fakes.now >= 300000000ull && fakes.now < 400000000ull);
    assert_int_equal(ahci.port[0].registers[COMMAND] & 0xC011, 0);
    unsigned issued = ahci.port[0].issued;
    assert_false(read(0, 0, 1));
    assert_int_equal(ahci.port[0].issued, issued);
    assert_int_equal(fakes.lines, 2); /* port, disk */
    assert_int_equal(fakes.cut_off, 0);
    assert_true(read(1, 0, 1));
}

static void a_device_that_is_pulled_out(void **state)
{
    start(2);
    ahci.port[0].silent = true;
    ahci.port[0].registers[LINK] = 0;
    assert_false(read(0, 0, 1));
    assert_true(fakes.now < 10000000ull);
}

static void a_port_that_does_not_recover(void **state)
{
    start(2);
    disk.fails = true;
    ahci.port[0].hangs = true;
    assert_false(read(0, 0, 1));
    assert_int_equal(fakes.cut_off, 1);
    disk.fails = false;
    assert_false(read(0, 0, 1));
}

static void silent_from_the_start(void **state)
{
    size_t left = fakes.dma_limit;
    ahci.port[0].silent = true;
    start(1);
    assert_in_range(left - fakes.dma_limit, 1, 2000); /* what one port has */
    assert_int_equal(fakes.refused, 1);
    assert_non_null(strstr(fakes.reason[0], "does not say what it is"));
}

static void disks_that_cannot_be_used(void **state)
{
    static const struct {
        unsigned word;
        uint16_t value;
        const char *why;
    } disks[] = { { 83, 0x4000, "48-bit" },
                  { 83, 0xFFFF, "48-bit" },
                  { 103, 1, "size" },
                  { 118, 0xFFFF, "size" },
                  { 117, 0x8001, "size" } };
    for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
        fresh(state);
        ahci.identify[disks[i].word] = disks[i].value;
        if (disks[i].word >= 106)
            ahci.identify[106] = 0x5000;
        start(1);
        assert_non_null(strstr(fakes.reason[0], disks[i].why));
    }
}

static void controllers_that_cannot_be_used(void **state)
{
    ahci_model_add(&ahci);
    ahci.capabilities = 0;
    ahci_init();
    assert_non_null(strstr(fakes.reason[0], "64 bits"));
    fakes.function[0].bars[5].size = 0x100;
    ahci_init();
    assert_non_null(strstr(fakes.reason[1], "registers"));
    assert_int_equal(fakes.published, 0);
}

static void without_memory(void **state)
{
    for (unsigned failure = 1; failure < 14; failure++) {
        fresh(state);
        fakes.pool_failure = failure;
        fakes.dma_limit = failure < 4 ? 1000 : 100000;
        ahci_model_add(&ahci);
        ahci_init();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(disk_and_cd),
        TEST(disk_of_4096),
        TEST(nothing_on_it),
        TEST_BOTH(stops_at_exit),
        TEST_BOTH(errors_are_survived),
        TEST(less_than_asked_for),
        TEST_BOTH(packet_errors),
        TEST(an_empty_drive),
        TEST(a_silent_device),
        TEST(a_device_that_is_pulled_out),
        TEST(a_port_that_does_not_recover),
        TEST(silent_from_the_start),
        TEST(disks_that_cannot_be_used),
        TEST(controllers_that_cannot_be_used),
        TEST(without_memory),
    };
    return cmocka_run_group_tests_name("firmware-ahci", tests, NULL, NULL);
}
