/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SCSI units: answers and sense data byte by byte, ranges, parameter lists that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine/devices/scsi.h"

#define SIZE (1u << 20)

static char path[] = "/tmp/privet-scsi-XXXXXX";
static struct image *image, *read_only;
static struct scsi_unit disk, cdrom;
static struct scsi_task task;

static struct image *open_image(bool only_read, bool snapshot)
{
    struct image_options options = { path, IMAGE_RAW, only_read, snapshot };
    char error[256];

    return image_open(&options, error, sizeof(error));
}

static int setup(void **state)
{
    int fd;

    memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
    fd = mkstemp(path);
    if (fd < 0 || ftruncate(fd, SIZE) || close(fd))
        return -1;
    image = open_image(false, true);
    read_only = open_image(true, false);
    unlink(path);
    if (!image || !read_only)
        return -1;
    scsi_init(&disk, image, false, "serial-7");
    scsi_init(&cdrom, read_only, true, "cd");
    disk.attention = cdrom.attention = false;
    memset(&task, 0, sizeof(task));
    return 0;
}

static int teardown(void **state)
{
    image_close(image);
    image_close(read_only);
    return 0;
}

/* The CDB's bytes, zeros behind them. */
#define COMMAND(unit, ...) command(unit, (const uint8_t[]){ __VA_ARGS__ }, \
                                   sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void command(struct scsi_unit *unit, const uint8_t *cdb, size_t length)
{
    memset(task.cdb, 0, sizeof(task.cdb));
    memcpy(task.cdb, cdb, length);
    memset(task.reply, 0xEE, sizeof(task.reply));
    scsi_start(unit, &task);
}

static void expect_sense(uint8_t key, uint8_t code)
{
    assert_int_equal(task.status, SCSI_CHECK_CONDITION);
    assert_int_equal(task.data, SCSI_NO_DATA);
    assert_int_equal(task.sense.key, key);
    assert_int_equal(task.sense.code, code);
}

static void expect_reply(size_t length)
{
    assert_int_equal(task.status, SCSI_GOOD);
    assert_int_equal(task.data, SCSI_REPLY);
    assert_int_equal(task.reply_length, length);
}

static void expect_transfer(enum scsi_data data, uint64_t offset, uint64_t length)
{
    assert_int_equal(task.status, SCSI_GOOD);
    assert_int_equal(task.data, data);
    assert_int_equal(task.offset, offset);
    assert_int_equal(task.length, length);
}

static void inquiry(void **state)
{
    COMMAND(&disk, 0x12, 0, 0, 0, 255);
    expect_reply(36);
    assert_int_equal(task.reply[0], 0);
    assert_memory_equal(task.reply + 8, "PRIVET  PRIVET DISK     0001", 28);
    COMMAND(&disk, 0x12, 0, 0, 0, 5);
    expect_reply(5);
    COMMAND(&cdrom, 0x12, 0, 0, 0, 36);
    assert_int_equal(task.reply[0], 5);
    assert_int_equal(task.reply[1], 0x80);
    COMMAND(&disk, 0x12, 1, 0x00, 0, 255);
    expect_reply(10);
    assert_memory_equal(task.reply, "\x00\x00\x00\x06\x00\x80\x83\xB0\xB1\xB2", 10);
    COMMAND(&disk, 0x12, 1, 0x80, 0, 255);
    expect_reply(12);
    assert_memory_equal(task.reply + 4, "serial-7", 8);
    COMMAND(&disk, 0x12, 1, 0x83, 0, 255);
    assert_memory_equal(task.reply, "\x00\x83\x00\x14\x02\x01\x00\x10PRIVET  serial-7", 24);
    COMMAND(&disk, 0x12, 1, 0xB0, 0, 255);
    expect_reply(64);
    assert_memory_equal(task.reply + 20, "\x00\x02\x00\x00\x00\x00\x00\x40", 8);
    COMMAND(&disk, 0x12, 1, 0xB2, 0, 255);
    assert_int_equal(task.reply[5], 0xE4);
    COMMAND(&cdrom, 0x12, 1, 0xB0, 0, 255);
    expect_sense(5, 0x24);
    COMMAND(&disk, 0x12, 1, 0xC0, 0, 255);
    expect_sense(5, 0x24);
    COMMAND(&disk, 0x12, 0, 0x80, 0, 255);
    expect_sense(5, 0x24);
}

static void capacity(void **state)
{
    COMMAND(&disk, 0x25);
    expect_reply(8);
    assert_memory_equal(task.reply, "\x00\x00\x07\xFF\x00\x00\x02\x00", 8);
    COMMAND(&disk, 0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32);
    expect_reply(32);
    assert_memory_equal(task.reply, "\0\0\0\0\0\0\x07\xFF\x00\x00\x02\x00\x00\x03\xC0", 15);
    COMMAND(&disk, 0x9E, 0x11);
    expect_sense(5, 0x24);
    COMMAND(&cdrom, 0x25);
    assert_memory_equal(task.reply, "\x00\x00\x01\xFF\x00\x00\x08\x00", 8);
}

static void transfers(void **state)
{
    COMMAND(&disk, 0x08, 0x1F, 0x00, 0x10, 0);
    expect_sense(5, 0x21);
    COMMAND(&disk, 0x08, 0, 0x01, 0x00, 0);
    expect_transfer(SCSI_READ, 256 * 512, 256 * 512);
    COMMAND(&disk, 0x28, 0, 0, 0, 0, 5, 0, 0, 3);
    expect_transfer(SCSI_READ, 5 * 512, 3 * 512);
    COMMAND(&disk, 0x28, 0, 0, 0, 0, 5, 0, 0, 0);
    assert_int_equal(task.data, SCSI_NO_DATA);
    assert_int_equal(task.status, SCSI_GOOD);
    COMMAND(&disk, 0x2A, 8, 0, 0, 0x07, 0xFF, 0, 0, 1);
    expect_transfer(SCSI_WRITE, SIZE - 512, 512);
    assert_true(task.flush);
    COMMAND(&disk, 0x2A, 0, 0, 0, 0x07, 0xFF, 0, 0, 2);
    expect_sense(5, 0x21);
    COMMAND(&disk, 0xA8, 0, 0, 0, 0, 1, 0, 0, 0, 2);
    expect_transfer(SCSI_READ, 512, 1024);
    COMMAND(&disk, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4);
    expect_transfer(SCSI_READ, 512, 4 * 512);
    COMMAND(&disk, 0x88, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 4);
    expect_sense(5, 0x21);
    COMMAND(&disk, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF);
    expect_sense(5, 0x21);
    COMMAND(&disk, 0x28, 0x20);
    expect_sense(5, 0x24); /* protection information */
    COMMAND(&cdrom, 0x28, 0, 0, 0, 0, 16, 0, 0, 2);
    expect_transfer(SCSI_READ, 16 * 2048, 2 * 2048);
    COMMAND(&cdrom, 0x2A, 0, 0, 0, 0, 16, 0, 0, 2);
    expect_sense(5, 0x20);
    cdrom.cdrom = false; /* a disk that is read-only */
    COMMAND(&cdrom, 0x2A, 0, 0, 0, 0, 16, 0, 0, 2);
    expect_sense(7, 0x27);
    COMMAND(&disk, 0x2F, 0, 0, 0, 0x07, 0xFF, 0, 0, 1);
    assert_int_equal(task.status, SCSI_GOOD);
    COMMAND(&disk, 0x2F, 2, 0, 0, 0x07, 0xFF, 0, 0, 1);
    expect_sense(5, 0x24);
    COMMAND(&disk, 0x35);
    assert_int_equal(task.status, SCSI_GOOD);
}

static void fill(void)
{
    uint8_t bytes[8192];

    memset(bytes, 0xAB, sizeof(bytes));
    assert_true(image_write(image, 0, bytes, sizeof(bytes)));
}

static uint8_t byte_at(uint64_t offset)
{
    uint8_t byte;

    assert_true(image_read(image, offset, &byte, 1));
    return byte;
}

static void unmap(void **state)
{
    uint8_t list[40] = { 0, 38, 0, 32 };

    fill();
    list[15] = 2;  /* blocks 2 and 3 */
    list[19] = 2;
    list[31] = 10; /* block 10 */
    list[35] = 1;
    COMMAND(&disk, 0x42, 0, 0, 0, 0, 0, 0, 0, sizeof(list));
    expect_transfer(SCSI_PARAMETERS, 0, sizeof(list));
    scsi_parameters(&disk, &task, list);
    assert_int_equal(task.status, SCSI_GOOD);
    assert_int_equal(byte_at(1023), 0xAB);
    assert_int_equal(byte_at(1024), 0);
    assert_int_equal(byte_at(2047), 0);
    assert_int_equal(byte_at(2048), 0xAB);
    assert_int_equal(byte_at(5120), 0);
    list[3] = 0xFF; /* more than there is: cut */
    list[31] = 8;
    COMMAND(&disk, 0x42, 0, 0, 0, 0, 0, 0, 0, sizeof(list));
    scsi_parameters(&disk, &task, list);
    assert_int_equal(byte_at(4096), 0);
    list[8] = 1; /* beyond the end */
    COMMAND(&disk, 0x42, 0, 0, 0, 0, 0, 0, 0, sizeof(list));
    scsi_parameters(&disk, &task, list);
    expect_sense(5, 0x21);
    list[8] = 0;
    list[16] = 0xFF; /* too many blocks */
    COMMAND(&disk, 0x42, 0, 0, 0, 0, 0, 0, 0, sizeof(list));
    scsi_parameters(&disk, &task, list);
    expect_sense(5, 0x26);
    COMMAND(&disk, 0x42, 0, 0, 0, 0, 0, 0, 0, 4);
    scsi_parameters(&disk, &task, list);
    expect_sense(5, 0x1A);
    COMMAND(&disk, 0x42, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF);
    expect_sense(5, 0x1A);
}

static void write_same(void **state)
{
    uint8_t block[512] = { 0 };

    fill();
    COMMAND(&disk, 0x41, 8, 0, 0, 0, 4, 0, 0, 2);
    expect_transfer(SCSI_PARAMETERS, 4 * 512, 512);
    scsi_parameters(&disk, &task, block);
    assert_int_equal(byte_at(4 * 512), 0);
    assert_int_equal(byte_at(6 * 512), 0xAB);
    memset(block, 0x77, sizeof(block));
    COMMAND(&disk, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3);
    scsi_parameters(&disk, &task, block);
    assert_int_equal(task.status, SCSI_GOOD);
    assert_int_equal(byte_at(512), 0x77);
    assert_int_equal(byte_at(4 * 512 - 1), 0x77);
    COMMAND(&disk, 0x93, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1); /* without data */
    assert_int_equal(task.data, SCSI_NO_DATA);
    assert_int_equal(byte_at(512), 0);
    assert_int_equal(byte_at(1024), 0x77);
    COMMAND(&disk, 0x41, 0, 0, 0, 0, 4, 0, 0, 0);
    expect_sense(5, 0x24);
    COMMAND(&disk, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0, 0, 0);
    expect_sense(5, 0x24);
    COMMAND(&disk, 0x41, 0, 0, 0, 0x10, 0, 0, 0, 1);
    expect_sense(5, 0x21);
}

static void mode_pages(void **state)
{
    COMMAND(&disk, 0x1A, 0, 0x3F, 0, 255);
    expect_reply(4 + 8 + 12 + 20 + 12);
    assert_int_equal(task.reply[0], task.reply_length - 1);
    assert_int_equal(task.reply[2], 0x10);
    assert_int_equal(task.reply[3], 8);
    COMMAND(&disk, 0x5A, 8, 0x08, 0, 0, 0, 0, 0, 255);
    expect_reply(8 + 20);
    assert_memory_equal(task.reply + 8, "\x08\x12\x04", 3);
    COMMAND(&disk, 0x5A, 8, 0x48, 0, 0, 0, 0, 0, 255); /* what can be changed: nothing */
    assert_memory_equal(task.reply + 8, "\x08\x12\x00", 3);
    COMMAND(&disk, 0x5A, 8, 0xC8, 0, 0, 0, 0, 0, 255);
    expect_sense(5, 0x39);
    COMMAND(&disk, 0x1A, 0, 0x1C, 0, 255);
    expect_sense(5, 0x24);
    COMMAND(&cdrom, 0x5A, 0, 0x2A, 0, 0, 0, 0, 0, 255);
    expect_reply(8 + 20);
    assert_int_equal(task.reply[3], 0x80);
}

static void attention_and_sense(void **state)
{
    scsi_reset(&disk);
    COMMAND(&disk, 0x12, 0, 0, 0, 36);
    expect_reply(36);
    COMMAND(&disk, 0x00);
    expect_sense(6, 0x29);
    COMMAND(&disk, 0x00);
    assert_int_equal(task.status, SCSI_GOOD);
    COMMAND(&disk, 0xFF);
    expect_sense(5, 0x20);
    COMMAND(&disk, 0x03, 0, 0, 0, 18);
    expect_reply(18);
    assert_memory_equal(task.reply, "\x70\x00\x05\0\0\0\0\x0A\0\0\0\0\x20\x00", 14);
    COMMAND(&disk, 0x03, 0, 0, 0, 18);
    assert_int_equal(task.reply[2], 0);
    scsi_reset(&disk);
    COMMAND(&disk, 0x03, 0, 0, 0, 18);
    assert_int_equal(task.reply[2], 6);
    COMMAND(&disk, 0x00);
    assert_int_equal(task.status, SCSI_GOOD);
}

static void units(void **state)
{
    COMMAND(&disk, 0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 16);
    expect_reply(16);
    assert_memory_equal(task.reply, "\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    COMMAND(&disk, 0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 8);
    expect_sense(5, 0x24);
    task.other_lun = true;
    COMMAND(&disk, 0x00);
    expect_sense(5, 0x25);
    COMMAND(&disk, 0x12, 0, 0, 0, 36);
    assert_int_equal(task.reply[0], 0x7F);
}

static void disc(void **state)
{
    COMMAND(&cdrom, 0x43, 0, 0, 0, 0, 0, 0, 0, 255);
    expect_reply(20);
    assert_memory_equal(task.reply, "\x00\x12\x01\x01\0\x14\x01\0\0\0\0\0\0\x14\xAA\0\0\0\x02\0", 20);
    COMMAND(&cdrom, 0x43, 2, 0, 0, 0, 0, 0xAA, 0, 255);
    expect_reply(12);
    assert_memory_equal(task.reply + 8, "\x00\x00\x08\x3E", 4); /* 512 + 150 frames */
    COMMAND(&cdrom, 0x43, 0, 1, 0, 0, 0, 0, 0, 255);
    expect_reply(12);
    COMMAND(&cdrom, 0x43, 0, 2);
    expect_sense(5, 0x24);
    COMMAND(&cdrom, 0x46, 0, 0, 0, 0, 0, 0, 0, 255);
    expect_reply(16);
    assert_memory_equal(task.reply, "\0\0\0\x0C\0\0\0\x08", 8);
    COMMAND(&cdrom, 0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8);
    expect_reply(8);
    assert_int_equal(task.reply[5], 2);
    COMMAND(&cdrom, 0x4A, 0, 0, 0, 0x10, 0, 0, 0, 8);
    expect_sense(5, 0x24);
    COMMAND(&cdrom, 0x51, 0, 0, 0, 0, 0, 0, 0, 255);
    expect_reply(34);
    COMMAND(&disk, 0x43);
    expect_sense(5, 0x20);
}

#define SCSI_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCSI_TEST(inquiry),    SCSI_TEST(capacity),   SCSI_TEST(transfers),
        SCSI_TEST(unmap),      SCSI_TEST(write_same), SCSI_TEST(mode_pages),
        SCSI_TEST(attention_and_sense), SCSI_TEST(units), SCSI_TEST(disc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
