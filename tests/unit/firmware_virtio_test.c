/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's virtio transport, block and SCSI drivers with devices of the test: what they do
 * with good ones, and that every lie ends in an error that names the device.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/drivers/drive.h"
#include "firmware/drivers/virtio.h"
#include "firmware/drivers/virtio_blk.h"
#include "firmware/drivers/virtio_scsi.h"
#include "firmware/sev/dma.h"
#include "tests/unit/firmware_disks.h"
#include "virtio_disk_models.h"

enum { KIND = 4, LARGE = 600 * 1024 };
#define SECOND 10000000ull /* of the clock */

static struct virtio_model model;
static struct virtio_blk_model blk;
static struct virtio_scsi_model scsi;
static struct disk_model disk, cd;
static struct scsi_model disk_unit, cd_unit;
static uint8_t buffer[LARGE + 4096];

static uint32_t serve_bytes(struct virtio_model *m, const struct virtio_model_request *request)
{
    const uint8_t byte = (uint8_t)m->served;
    for (uint32_t i = 0; i < request->in_length; i++)
        virtio_model_give(request, i, &byte, 1);
    return request->in_length;
}

static int fresh(void **state)
{
    fakes_reset();
    model = (struct virtio_model){ .offered = VIRTIO_MODEL_VERSION_1 | 1,
                                   .queue_size = 16,
                                   .serve = serve_bytes };
    blk = (struct virtio_blk_model){ 0 };
    scsi = (struct virtio_scsi_model){ 0 };
    disk_model_init(&disk, 2048, 512);
    disk_model_init(&cd, 512, 2048);
    disk_unit = (struct scsi_model){ .disk = &disk };
    cd_unit = (struct scsi_model){ .disk = &cd, .type = 5, .removable = true };
    return 0;
}

static int fresh_sev(void **state)
{
    fresh(state);
    fakes.sev = true;
    model.offered |= VIRTIO_MODEL_ACCESS_PLATFORM;
    blk.virtio.offered |= VIRTIO_MODEL_ACCESS_PLATFORM;
    scsi.virtio.offered |= VIRTIO_MODEL_ACCESS_PLATFORM;
    return 0;
}

static void refused(const char *why)
{
    assert_int_equal(fakes.refused, 1);
    assert_non_null(strstr(fakes.reason[0], why));
    assert_int_equal(fakes.published, 0);
}

/* --- the transport --- */

static struct virtio device;
static struct virtio_queue queue;

static void open_device(void)
{
    virtio_model_add(&model, KIND);
    assert_true(virtio_is(&fakes.function[0], KIND));
    assert_true(virtio_open(&fakes.function[0], "test", 1, &device));
    assert_true(virtio_queue_open(&device, 1, 8, &queue));
    assert_true(virtio_ready(&device));
}

static void starts_as_the_specification_says(void **state)
{
    open_device();
    assert_int_equal(model.status, 1 | 2 | 8 | 4);
    assert_int_equal(model.accepted & ~VIRTIO_MODEL_ACCESS_PLATFORM, VIRTIO_MODEL_VERSION_1 | 1);
    assert_int_equal(model.queue[1].size, 8);
    assert_true(model.queue[1].enabled && !model.queue[0].enabled);
    assert_int_equal(model.queue[1].descriptors % 16, 0);
    assert_int_equal(model.queue[1].available % 2, 0);
    assert_int_equal(model.queue[1].ring % 4, 0);
    fakes_exit();
    assert_int_equal(model.status, 0);
}

static void transitional_devices_are_known(void **state)
{
    virtio_model_add(&model, KIND);
    fakes.function[0].device = 0x1005;
    assert_true(virtio_is(&fakes.function[0], 4));
    assert_false(virtio_is(&fakes.function[0], 2));
    fakes.function[0].device = 0x1004;
    assert_true(virtio_is(&fakes.function[0], 8));
    fakes.function[0].vendor = 0x8086;
    assert_false(virtio_is(&fakes.function[0], 8));
}

static void requests_one_after_the_other(void **state)
{
    struct dma_mapping data;
    uint32_t written;
    open_device();
    for (unsigned i = 1; i < 100; i++) {
        uint8_t bytes[32] = { 0 };
        assert_true(dma_map(bytes, sizeof(bytes), DMA_FROM_DEVICE, &data));
        struct virtio_segment segments[] = { { data.device, 16, true },
                                             { data.device + 16, 16, true } };
        assert_true(virtio_request(&queue, segments, 2, &written));
        dma_unmap(&data);
        assert_int_equal(written, 32);
        assert_int_equal(bytes[0], i);
        assert_int_equal(bytes[31], i);
    }
    assert_int_equal(model.unmapped, 0);
}

/* As a network driver does: the queue is full of buffers, those that come back are given again. */
static void buffers_stay_with_the_device(void **state)
{
    uint64_t at;
    void *token;
    uint32_t written;
    open_device();
    uint8_t *memory = dma_alloc(8 * 64, &at);
    model.hold = true;
    for (uintptr_t i = 0; i < 8; i++)
        assert_true(virtio_add(&queue, &(struct virtio_segment){ at + 64 * i, 64, true }, 1,
                               (void *)(i + 1)));
    assert_false(virtio_add(&queue, &(struct virtio_segment){ at, 64, true }, 1, NULL));
    virtio_notify(&queue);
    assert_false(virtio_take(&queue, &token, &written));
    for (unsigned round = 0; round < 20; round++) {
        virtio_model_run(&model, 1);
        for (uintptr_t i = 0; i < 8; i++) {
            assert_true(virtio_take(&queue, &token, &written));
            assert_ptr_equal(token, (void *)(i + 1));
            assert_int_equal(written, 64);
            assert_int_equal(memory[64 * i], (uint8_t)(8 * round + i + 1));
            assert_true(virtio_add(&queue, &(struct virtio_segment){ at + 64 * i, 64, true }, 1,
                                   token));
        }
        assert_false(virtio_take(&queue, &token, &written));
    }
    assert_int_equal(model.unmapped, 0);
}

static bool one_request(uint32_t *ret_written)
{
    uint64_t at;
    void *memory = dma_alloc(64, &at);
    bool done =
        virtio_request(&queue, &(struct virtio_segment){ at, 64, true }, 1, ret_written);
    dma_free(memory, 64);
    return done;
}

/* The request fails, the device is reset and named, and never asked again. */
static void dies(const char *why)
{
    uint32_t written;
    unsigned served;
    assert_false(one_request(&written));
    assert_int_equal(model.status, 0);
    assert_non_null(strstr(fakes.line, "test at 00:00.0"));
    assert_non_null(strstr(fakes.line, why));
    served = model.served;
    uint64_t now = fakes.now;
    assert_false(one_request(&written));
    assert_int_equal(model.served, served);
    assert_int_equal(fakes.now, now);
    assert_int_equal(fakes.lines, 1);
}

static void a_silent_device_is_given_up(void **state)
{
    open_device();
    model.silent = true;
    dies("does not answer");
    assert_true(fakes.now >= 300000000ull && fakes.now < 330000000ull);
}

static void a_device_that_cannot_be_reset(void **state)
{
    uint32_t written;
    open_device();
    model.silent = model.never_stops = true;
    assert_false(one_request(&written));
    assert_int_equal(fakes.cut_off, 1);
}

static void a_device_that_wants_a_reset(void **state)
{
    open_device();
    model.silent = true;
    model.status |= 64;
    dies("asks for a reset");
    assert_true(fakes.now < 10000000ull);
}

static void a_foreign_identifier(void **state)
{
    open_device();
    model.used_id = 3;
    dies("answers what was not asked");
}

static void an_identifier_outside_the_queue(void **state)
{
    open_device();
    model.used_id = UINT32_MAX;
    dies("answers what was not asked");
}

static void an_index_that_jumps(void **state)
{
    open_device();
    model.used_jump = 1;
    dies("answers what was not asked");
}

static void an_index_that_goes_back(void **state)
{
    uint32_t written;
    open_device();
    assert_true(one_request(&written));
    model.used_jump = (uint16_t)-2;
    dies("answers what was not asked");
}

static void a_length_beyond_the_buffer(void **state)
{
    uint32_t written;
    open_device();
    model.used_length = 1000000;
    assert_true(one_request(&written));
    assert_int_equal(written, 64);
}

static void configuration_ends_where_it_ends(void **state)
{
    model.config_length = 10;
    memcpy(model.config, "\1\2\3\4\5\6\7\10\11\12", 10);
    open_device();
    assert_int_equal(virtio_config8(&device, 9), 10);
    assert_int_equal(virtio_config8(&device, 10), 0);
    assert_int_equal(virtio_config16(&device, 8), 0x0A09);
    assert_int_equal(virtio_config16(&device, 9), 0);
    assert_int_equal(virtio_config32(&device, 7), 0);
    assert_int_equal(virtio_config64(&device, 0), 0x0807060504030201ull);
    assert_int_equal(virtio_config32(&device, UINT32_MAX), 0);
}

static void not_modern(void **state)
{
    virtio_model_add(&model, KIND);
    fakes.config[0][0x34] = 0;
    assert_false(virtio_open(&fakes.function[0], "test", 0, &device));
    refused("disable-modern=off");
}

static void structures_outside_their_bar(void **state)
{
    virtio_model_add(&model, KIND);
    fakes.function[0].bars[4].size = 0x800;
    assert_false(virtio_open(&fakes.function[0], "test", 0, &device));
    refused("disable-modern=off");
}

static void no_version_1(void **state)
{
    model.offered = 1;
    virtio_model_add(&model, KIND);
    assert_false(virtio_open(&fakes.function[0], "test", 0, &device));
    refused("does not offer virtio 1.x");
}

static void features_not_accepted(void **state)
{
    model.refuse_features = true;
    virtio_model_add(&model, KIND);
    assert_false(virtio_open(&fakes.function[0], "test", 0, &device));
    refused("does not accept its own features");
    assert_int_equal(model.status, 0);
}

static void no_access_platform_in_a_sev_guest(void **state)
{
    model.offered &= ~VIRTIO_MODEL_ACCESS_PLATFORM;
    virtio_model_add(&model, KIND);
    assert_false(virtio_open(&fakes.function[0], "test", 0, &device));
    refused("iommu_platform=on");
}

static void a_queue_that_is_too_short(void **state)
{
    model.queue_size = 4;
    virtio_model_add(&model, KIND);
    assert_true(virtio_open(&fakes.function[0], "test", 0, &device));
    assert_false(virtio_queue_open(&device, 0, 8, &queue));
    refused("queues are too short");
}

static void a_doorbell_outside_its_structure(void **state)
{
    virtio_model_add(&model, KIND);
    assert_true(virtio_open(&fakes.function[0], "test", 0, &device));
    device.notify_multiplier = UINT32_MAX;
    assert_false(virtio_queue_open(&device, 1, 8, &queue));
    refused("queues are too short");
}

/* --- disks --- */

static struct block_device *published(unsigned index)
{
    assert_true(index < fakes.published);
    return fakes.disk[index].device;
}

/* Reads and writes of all sizes on a good disk of at least LARGE bytes. */
static void good_disk(struct block_device *block, struct disk_model *medium)
{
    uint32_t size = block->block_size;
    uint64_t last = DISK_MODEL_SIZE / size - 1;
    assert_true(block->read(block, 0, 1, buffer));
    expect_pattern(buffer, 0, size);
    assert_true(block->read(block, last, 1, buffer + 1)); /* not aligned */
    expect_pattern(buffer + 1, last * size, size);
    assert_true(block->read(block, 3, LARGE / size, buffer));
    expect_pattern(buffer, 3ull * size, LARGE);
    assert_int_equal(medium->largest, 256 * 1024);
    if (!block->read_only) {
        memset(buffer, 0x5A, LARGE);
        assert_true(block->write(block, 1, LARGE / size, buffer));
        assert_int_equal(medium->data[size - 1], disk_model_byte(size - 1));
        assert_int_equal(medium->data[size], 0x5A);
        assert_int_equal(medium->data[size + LARGE - 1], 0x5A);
        assert_int_equal(medium->data[size + LARGE], disk_model_byte(size + LARGE));
        assert_true(block->flush(block));
        assert_int_equal(medium->flushes, 1);
    }
    assert_int_equal(fakes.mappings, 0);
    fakes_exit();
    assert_false(block->read(block, 0, 1, buffer));
}

static void blk_good(void **state)
{
    virtio_blk_model_add(&blk, &disk, 0);
    virtio_blk_init();
    assert_int_equal(published(0)->block_size, 512);
    assert_int_equal(published(0)->blocks, 2048);
    assert_false(published(0)->read_only);
    good_disk(published(0), &disk);
    assert_int_equal(blk.virtio.unmapped, 0);
}

static void blk_4096(void **state)
{
    disk_model_init(&disk, 256, 4096);
    virtio_blk_model_add(&blk, &disk, 1 << 5);
    virtio_blk_init();
    assert_int_equal(published(0)->block_size, 4096);
    assert_int_equal(published(0)->blocks, 256);
    assert_true(published(0)->read_only);
    good_disk(published(0), &disk);
}

static void blk_errors(void **state)
{
    virtio_blk_model_add(&blk, &disk, 0);
    virtio_blk_init();
    for (unsigned status = 1; status < 256; status += 127) {
        blk.status = (uint8_t)status;
        assert_false(published(0)->read(published(0), 7, 1, buffer));
        assert_false(published(0)->flush(published(0)));
    }
    assert_int_equal(fakes.lines, 1); /* said once */
    assert_string_equal(fakes.line, "virtio-blk at 00:00.0: cannot read block 7");
    blk.status = 0;
    disk.short_by = 2; /* with the status byte: not all the data */
    assert_false(published(0)->read(published(0), 7, 1, buffer));
    disk.short_by = 0;
    disk.blocks = 4; /* it has shrunk */
    assert_false(published(0)->read(published(0), 7, 1, buffer));
    assert_true(published(0)->read(published(0), 1, 1, buffer));
    assert_int_equal(fakes.mappings, 0);
}

static void blk_impossible_sizes(void **state)
{
    static const struct {
        uint64_t sectors;
        uint32_t size;
    } sizes[] = { { 0, 512 },     { 1, 512 },    { UINT64_MAX, 512 }, { 2048, 0 },
                  { 2048, 768 },  { 2048, 256 }, { 2048, 8192 },      { 2048, 0x80000000 },
                  { 15, 4096 } };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        fresh(state);
        virtio_blk_model_add(&blk, &disk, 0);
        memcpy(blk.virtio.config, &sizes[i].sectors, 8);
        memcpy(blk.virtio.config + 20, &sizes[i].size, 4);
        virtio_blk_init();
        refused("size");
        assert_int_equal(blk.virtio.status, 0);
    }
}

static void without_memory(void **state)
{
    for (unsigned failure = 1; failure < 12; failure++) {
        fresh(state);
        fakes.pool_failure = failure;
        size_t left = fakes.dma_limit = failure < 6 ? 1000 : 2 * 1024 * 1024;
        virtio_blk_model_add(&blk, &disk, 0);
        scsi.units = 1;
        scsi.unit[0].scsi = &disk_unit;
        virtio_scsi_model_add(&scsi);
        virtio_blk_init();
        virtio_scsi_init();
        assert_true(fakes.published || fakes.dma_limit == left);
    }
}

static void add_units(void)
{
    scsi.units = 2;
    scsi.unit[0].scsi = &disk_unit;
    scsi.unit[1].target = 5;
    scsi.unit[1].lun = 300;
    scsi.unit[1].scsi = &cd_unit;
    virtio_scsi_model_add(&scsi);
}

static void scsi_good(void **state)
{
    static const uint8_t path[] = { 1, 1, 6, 0, 0, 0, 3, 2, 8, 0, 5, 0, 0x2C, 1, 0x7F, 0xFF, 4, 0 };
    add_units();
    virtio_scsi_init();
    assert_int_equal(fakes.published, 2);
    assert_memory_equal(fakes.disk[1].path, path, sizeof(path));
    assert_int_equal(published(1)->block_size, 2048);
    assert_true(published(1)->removable && published(1)->read_only);
    assert_false(published(0)->removable || published(0)->read_only);
    assert_true(published(1)->read(published(1), 511, 1, buffer));
    expect_pattern(buffer, 511 * 2048, 2048);
    good_disk(published(0), &disk);
    assert_int_equal(scsi.virtio.unmapped, 0);
}

static void scsi_attentions_and_pauses(void **state)
{
    disk_unit.attentions = 3;
    disk_unit.attention_code = 0x2900;
    disk_unit.becoming_ready = 4;
    cd_unit.attentions = 1;
    cd_unit.attention_code = 0x2800; /* the medium that is there from the start */
    add_units();
    virtio_scsi_init();
    assert_int_equal(fakes.published, 2);
    disk_unit.attentions = 1;
    scsi.busy = 2;
    assert_true(published(0)->read(published(0), 0, 1, buffer));
}

static void scsi_never_ready(void **state)
{
    disk_unit.becoming_ready = UINT32_MAX;
    cd_unit.no_medium = true;
    add_units();
    virtio_scsi_init();
    assert_int_equal(fakes.published, 0);
    assert_int_equal(fakes.lines, 0); /* an empty drive is no news */
    assert_true(fakes.now < 100000000ull);
}

static void scsi_medium_changed(void **state)
{
    add_units();
    virtio_scsi_init();
    assert_true(published(1)->read(published(1), 0, 1, buffer));
    cd_unit.attentions = 1;
    cd_unit.attention_code = 0x2800;
    assert_false(published(1)->read(published(1), 0, 1, buffer));
    assert_false(published(1)->read(published(1), 0, 1, buffer));
}

static void scsi_large_disk(void **state)
{
    disk.blocks = 1ull << 33;
    disk_unit.write_protected = true;
    add_units();
    virtio_scsi_init();
    assert_int_equal(published(0)->blocks, 1ull << 33);
    assert_true(published(0)->read_only);
    assert_false(published(0)->read(published(0), 1ull << 32, 1, buffer));
    assert_memory_equal(disk_unit.last, "\x88\0\0\0\0\1\0\0\0\0\0\0\0\1\0\0", 16);
    assert_true(published(0)->read(published(0), 0, 1, buffer));
    assert_int_equal(disk_unit.last[0], 0x28);
}

static void scsi_errors(void **state)
{
    add_units();
    virtio_scsi_init();
    disk.fails = true;
    assert_false(published(0)->read(published(0), 9, 1, buffer));
    assert_string_equal(fakes.line, "virtio-scsi at 00:00.0: cannot read block 9");
    disk.fails = false;
    disk.short_by = 1;
    assert_false(published(0)->read(published(0), 9, 1, buffer));
    disk.short_by = 0;
    disk_unit.recovered = true;
    assert_true(published(0)->read(published(0), 9, 1, buffer));
    scsi.virtio.silent = true;
    assert_false(published(0)->read(published(0), 9, 1, buffer));
    assert_false(published(1)->read(published(1), 9, 1, buffer));
    assert_int_equal(fakes.mappings, 0);
}

static void scsi_impossible_size(void **state)
{
    disk.block_size = 100;
    add_units();
    virtio_scsi_init();
    assert_int_equal(fakes.published, 1);
    assert_non_null(strstr(fakes.line, "unit 0:0 has an impossible size"));
}

/* Everywhere and for ever: a minute, not one for each of 256 targets. */
static void scsi_always_busy(void **state)
{
    scsi.busy = UINT_MAX;
    scsi.max_target = 255;
    add_units();
    virtio_scsi_init();
    assert_int_equal(fakes.published, 0);
    assert_non_null(strstr(fakes.line, "virtio-scsi at 00:00.0 is too slow"));
    assert_in_range(fakes.now, 60 * SECOND, 70 * SECOND);
}

/* Later requests have time again: a minute each, however often they are to be tried. */
static void scsi_busy_later(void **state)
{
    add_units();
    virtio_scsi_init();
    fakes.now += 120 * SECOND;
    scsi.busy = 1;
    assert_true(published(0)->read(published(0), 0, 1, buffer));
    scsi.busy = UINT_MAX;
    fakes.step = 2 * SECOND;
    uint64_t start = fakes.now;
    assert_false(published(0)->read(published(0), 0, 1, buffer));
    assert_in_range(fakes.now - start, 1, 100 * SECOND);
}

static void the_time_of_all_scans(void **state)
{
    drive_scans();
    virtio_blk_model_add(&blk, &disk, 0);
    virtio_blk_init();
    assert_int_equal(fakes.published, 1);
    assert_true(drive_scan_begin(0, "virtio-blk"));
    fakes.now += 61 * SECOND;
    assert_false(published(0)->read(published(0), 0, 1, buffer));
    drive_scan_end(0, "virtio-blk");
    assert_true(published(0)->read(published(0), 0, 1, buffer));
    fakes.now += 240 * SECOND;
    virtio_blk_init();
    assert_int_equal(fakes.published, 1);
    assert_string_equal(fakes.reason[0], "the devices before it took too long");
}

/* A host with nothing on it costs a request for each target. */
static void scsi_without_units(void **state)
{
    scsi.max_target = UINT16_MAX;
    virtio_scsi_model_add(&scsi);
    virtio_scsi_init();
    assert_int_equal(scsi.virtio.served, 256);
    assert_int_equal(fakes.published, 0);
}

#define TEST_SEV(name) cmocka_unit_test_setup(name, fresh_sev)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(starts_as_the_specification_says),
        TEST(transitional_devices_are_known),
        TEST_BOTH(requests_one_after_the_other),
        TEST(buffers_stay_with_the_device),
        TEST(a_silent_device_is_given_up),
        TEST(a_device_that_cannot_be_reset),
        TEST(a_device_that_wants_a_reset),
        TEST(a_foreign_identifier),
        TEST(an_identifier_outside_the_queue),
        TEST(an_index_that_jumps),
        TEST(an_index_that_goes_back),
        TEST(a_length_beyond_the_buffer),
        TEST(configuration_ends_where_it_ends),
        TEST(not_modern),
        TEST(structures_outside_their_bar),
        TEST(no_version_1),
        TEST(features_not_accepted),
        TEST_SEV(no_access_platform_in_a_sev_guest),
        TEST(a_queue_that_is_too_short),
        TEST(a_doorbell_outside_its_structure),
        TEST_BOTH(blk_good),
        TEST(blk_4096),
        TEST_BOTH(blk_errors),
        TEST(blk_impossible_sizes),
        TEST(without_memory),
        TEST_BOTH(scsi_good),
        TEST(scsi_attentions_and_pauses),
        TEST(scsi_never_ready),
        TEST(scsi_medium_changed),
        TEST(scsi_large_disk),
        TEST_BOTH(scsi_errors),
        TEST(scsi_impossible_size),
        TEST(scsi_without_units),
        TEST(scsi_always_busy),
        TEST(scsi_busy_later),
        TEST(the_time_of_all_scans),
    };
    return cmocka_run_group_tests_name("firmware-virtio", tests, NULL, NULL);
}
