/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Disk images: what qemu-img makes is read as QEMU reads it; overlays against a model; locks; files
 * that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine/devices/image.h"

#define SIZE (3u << 20) /* of the test disks */

static char folder[] = "/tmp/privet-image-XXXXXX";
static char error[1024];

static int enter_folder(void **state)
{
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

static void shell(const char *command)
{
    assert_int_equal(system(command), 0);
}

static struct image *open_image(const char *path, enum image_format format, bool read_only,
                                bool snapshot)
{
    struct image_options options = { path, format, read_only, snapshot };

    error[0] = '\0';
    return image_open(&options, error, sizeof(error));
}

static struct image *open_good(const char *path, enum image_format format, bool read_only)
{
    struct image *image = open_image(path, format, read_only, false);

    if (!image)
        fail_msg("%s", error);
    return image;
}

static void refused(const char *path, enum image_format format, const char *words)
{
    struct image *image = open_image(path, format, true, false);

    assert_null(image);
    if (!strstr(error, words))
        fail_msg("\"%s\" does not say \"%s\"", error, words);
}

/* A pattern with repeated, random and empty parts. */
static void make_raw(const char *path, size_t size)
{
    FILE *file = fopen(path, "w");
    uint32_t random = 7;

    assert_non_null(file);
    for (size_t i = 0; i < size; i++) {
        random = random * 1664525 + 1013904223;
        fputc(i >> 16 & 1 ? (int)(i >> 10 & 0xFF) : i >> 17 & 1 ? (int)(random >> 24) : 0, file);
    }
    fclose(file);
}

static uint8_t *read_all(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "r");
    struct stat status;
    uint8_t *bytes;

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    bytes = malloc((size_t)status.st_size);
    *ret_size = fread(bytes, 1, (size_t)status.st_size, file);
    fclose(file);
    return bytes;
}

/* The image reads as what qemu-img makes of it, in pieces of odd sizes. */
static void same_as_qemu(const char *path)
{
    struct image *image = open_good(path, IMAGE_QCOW2, true);
    static uint8_t piece[100000];
    char command[256];
    uint8_t *expected;
    size_t size;

    snprintf(command, sizeof(command), "qemu-img convert -U -O raw %s expected.raw", path);
    shell(command);
    expected = read_all("expected.raw", &size);
    assert_int_equal(image_size(image), size);
    for (size_t at = 0, step = 1; at < size; at += step, step = step * 7 % 99991 + 1) {
        if (step > size - at)
            step = size - at;
        assert_true(image_read(image, at, piece, step));
        assert_memory_equal(piece, expected + at, step);
    }
    assert_null(image_problem(image));
    free(expected);
    image_close(image);
}

static void raw_images(void **state)
{
    uint8_t bytes[1024], back[1024];
    struct image *image;

    make_raw("disk.raw", SIZE + 100);
    image = open_good("disk.raw", IMAGE_BY_NAME, false);
    assert_int_equal(image_size(image), SIZE);
    assert_false(image_is_temporary(image));
    memset(bytes, 0x5A, sizeof(bytes));
    assert_true(image_write(image, 512, bytes, 1024));
    assert_true(image_flush(image));
    assert_true(image_read(image, 512, back, 1024));
    assert_memory_equal(back, bytes, 1024);
    assert_true(image_zero(image, 1024, 512));
    assert_true(image_read(image, 512, back, 1024));
    memset(bytes + 512, 0, 512);
    assert_memory_equal(back, bytes, 1024);
    assert_false(image_read(image, SIZE - 512, back, 1024));
    assert_false(image_read(image, UINT64_MAX, back, 512));
    assert_false(image_zero(image, 512, UINT64_MAX));
    assert_false(image_write(image, SIZE, bytes, 1));
    assert_true(image_write(image, SIZE, bytes, 0));
    image_close(image);
    image = open_good("disk.raw", IMAGE_RAW, true);
    assert_false(image_write(image, 0, bytes, 512));
    assert_false(image_zero(image, 0, 512));
    assert_true(image_read(image, 512, back, 1024));
    assert_memory_equal(back, bytes, 1024);
    image_close(image);
}

static void wrong_files(void **state)
{
    shell("mkdir -p sub && : >empty && mkfifo fifo && printf 'QFI\\373 and more' >magic.img");
    refused("missing", IMAGE_BY_NAME, "No such file");
    refused("sub", IMAGE_BY_NAME, "not a file");
    refused("fifo", IMAGE_BY_NAME, "not a file");
    refused("empty", IMAGE_BY_NAME, "at least one sector");
    refused("magic.img", IMAGE_BY_NAME, "say format=");
    refused("magic.img", IMAGE_QCOW2, "not a qcow2");
    refused("empty", IMAGE_QCOW2, "not a qcow2");
    refused("/dev/zero", IMAGE_RAW, "not a file");
}

/* One writer or many readers, as QEMU's own locks say, and with QEMU as the other. */
static void locks(void **state)
{
    struct image *one, *other;

    make_raw("locked.raw", SIZE);
    one = open_good("locked.raw", IMAGE_RAW, false);
    assert_null(open_image("locked.raw", IMAGE_RAW, false, false));
    assert_non_null(strstr(error, "another program uses this image"));
    assert_null(open_image("locked.raw", IMAGE_RAW, true, false));
    assert_null(open_image("locked.raw", IMAGE_RAW, false, true));
    assert_int_not_equal(system("qemu-io -f raw -c 'write 0 512' locked.raw >/dev/null 2>&1"), 0);
    assert_int_not_equal(system("qemu-img convert -f raw -O raw locked.raw c 2>/dev/null"), 0);
    image_close(one);
    one = open_good("locked.raw", IMAGE_RAW, true);
    other = open_image("locked.raw", IMAGE_RAW, false, true);
    assert_non_null(other);
    assert_null(open_image("locked.raw", IMAGE_RAW, false, false));
    assert_int_not_equal(system("qemu-io -f raw -c 'write 0 512' locked.raw >/dev/null 2>&1"), 0);
    shell("qemu-img convert -f raw -O raw locked.raw c");
    image_close(one);
    image_close(other);
    shell("qemu-io -f raw -c 'write 0 512' locked.raw >/dev/null");
}

static void qcow2_forms(void **state)
{
    static const char *const options[] = {
        "compat=1.1", "compat=0.10", "cluster_size=512", "cluster_size=2M",
        "cluster_size=4096,lazy_refcounts=on", "refcount_bits=1",
    };
    char command[256];

    make_raw("content.raw", SIZE - 512);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        snprintf(command, sizeof(command),
                 "qemu-img convert -f raw -O qcow2 -o %s content.raw form.qcow2", options[i]);
        shell(command);
        same_as_qemu("form.qcow2");
        snprintf(command, sizeof(command),
                 "qemu-img convert -c -f raw -O qcow2 -o %s content.raw packed.qcow2", options[i]);
        shell(command);
        same_as_qemu("packed.qcow2");
    }
    shell("qemu-img create -q -f qcow2 -o preallocation=metadata allocated.qcow2 3M");
    same_as_qemu("allocated.qcow2");
    shell("qemu-img convert -c -f raw -O qcow2 content.raw changed.qcow2 &&"
          "qemu-img snapshot -c before changed.qcow2 &&"
          "qemu-io -c 'write -P 17 100k 200k' -c 'write -z 1M 256k' -c 'discard 2M 128k'"
          " changed.qcow2 >/dev/null");
    same_as_qemu("changed.qcow2");
}

static void backing_files(void **state)
{
    make_raw("base.raw", (2u << 20) + 512 * 3);
    shell("mkdir -p below && mv base.raw below/ &&"
          "qemu-img create -q -f qcow2 -b base.raw -F raw below/middle.qcow2 &&"
          "qemu-io -c 'write -P 3 1M 10k' below/middle.qcow2 >/dev/null &&"
          "qemu-img create -q -f qcow2 -b below/middle.qcow2 -F qcow2 top.qcow2 4M &&"
          "qemu-io -c 'write -z 64k 64k' -c 'write -P 9 3M 5k' top.qcow2 >/dev/null");
    same_as_qemu("top.qcow2");
    shell("qemu-img rebase -u -b nowhere.raw -F raw top.qcow2");
    refused("top.qcow2", IMAGE_QCOW2, "nowhere.raw: No such file");
    shell("qemu-img rebase -u -b nbd:localhost:1 -F raw top.qcow2");
    refused("top.qcow2", IMAGE_QCOW2, "not a plain path");
    shell("qemu-img rebase -u -b /dev/null -F vmdk top.qcow2");
    refused("top.qcow2", IMAGE_QCOW2, "neither raw nor qcow2");
    shell("qemu-img rebase -u -b top.qcow2 -F qcow2 top.qcow2");
    refused("top.qcow2", IMAGE_QCOW2, "a loop of them");
}

static void refused_features(void **state)
{
    shell("qemu-img create -q -f qcow2 -o extended_l2=on extended.qcow2 3M");
    refused("extended.qcow2", IMAGE_QCOW2, "extended L2");
    shell("qemu-img create -q -f qcow2 -o data_file=data.raw external.qcow2 3M");
    refused("external.qcow2", IMAGE_QCOW2, "external data file");
    shell("qemu-img create -q -f qcow2 -o compression_type=zstd zstd.qcow2 3M");
    refused("zstd.qcow2", IMAGE_QCOW2, "zstd");
    shell("qemu-img create -q -f qcow2 luks.qcow2 3M &&"
          "printf '\\002' | dd of=luks.qcow2 bs=1 seek=35 conv=notrunc status=none");
    refused("luks.qcow2", IMAGE_QCOW2, "encrypted");
}

/* An overlay against an array; the image below stays as it is. */
static void overlay_over(const char *path, enum image_format format)
{
    struct image *image = open_image(path, format, false, true);
    static uint8_t bytes[70000], back[70000];
    uint32_t random = 99;
    uint8_t *model;
    uint64_t size;

    assert_non_null(image);
    assert_true(image_is_temporary(image));
    assert_false(image_read_only(image));
    size = image_size(image);
    model = malloc(size);
    assert_true(image_read(image, 0, model, size));
    for (int i = 0; i < 2000; i++) {
        uint64_t at;
        size_t length;

        random = random * 1664525 + 1013904223;
        length = random >> 8 & (i & 1 ? 0xFFFF : 0x3FF);
        random = random * 1664525 + 1013904223;
        at = random % size;
        if (length > size - at)
            length = (size_t)(size - at);
        memset(bytes, (int)(random >> 24), length);
        switch (i % 4) {
        case 0:
            assert_true(image_zero(image, at, length));
            memset(model + at, 0, length);
            break;
        case 1:
        case 2:
            assert_true(image_write(image, at, bytes, length));
            memcpy(model + at, bytes, length);
            break;
        default:
            assert_true(image_read(image, at, back, length));
            assert_memory_equal(back, model + at, length);
        }
    }
    assert_true(image_flush(image));
    for (uint64_t at = 0; at < size; at += 512) {
        assert_true(image_read(image, at, back, 512));
        assert_memory_equal(back, model + at, 512);
    }
    assert_null(image_problem(image));
    free(model);
    image_close(image);
}

static void overlays(void **state)
{
    uint8_t *before, *after;
    size_t size, size_after;

    make_raw("over.raw", (1u << 20) + 512);
    before = read_all("over.raw", &size);
    overlay_over("over.raw", IMAGE_RAW);
    after = read_all("over.raw", &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
    shell("qemu-img convert -c -f raw -O qcow2 over.raw over.qcow2 && cp over.qcow2 copy.qcow2");
    overlay_over("over.qcow2", IMAGE_BY_NAME);
    shell("cmp over.qcow2 copy.qcow2");
}

/* Damaged files: opening and reading may fail, and that is all. */
static void damaged_files(void **state)
{
    static uint8_t buffer[1 << 16];
    uint8_t *bytes, *damaged;
    uint32_t random = 5;
    unsigned opened = 0, failed = 0;
    size_t size;

    make_raw("small.raw", 200 * 1024);
    shell("qemu-img convert -c -f raw -O qcow2 -o cluster_size=4096 small.raw d.qcow2 &&"
          "qemu-io -c 'write -P 1 8k 20k' d.qcow2 >/dev/null");
    bytes = read_all("d.qcow2", &size);
    damaged = malloc(size);
    for (int i = 0; i < 1500; i++) {
        struct image *image;
        FILE *file = fopen("damaged.qcow2", "w");
        size_t keep = size;

        memcpy(damaged, bytes, size);
        for (int j = 0; j <= i % 4; j++) { /* the header and the tables, mostly */
            random = random * 1664525 + 1013904223;
            damaged[(random >> 8) % (i & 1 ? 112 : size)] = (uint8_t)(random >> 3);
        }
        if (i % 16 == 0)
            keep = random % size;
        fwrite(damaged, 1, keep, file);
        fclose(file);
        image = open_image("damaged.qcow2", IMAGE_QCOW2, true, false);
        if (!image) {
            assert_non_null(strstr(error, "damaged.qcow2: "));
            continue;
        }
        opened++;
        for (uint64_t at = 0; at < image_size(image) && at < 256 * 1024; at += sizeof(buffer))
            failed += !image_read(image, at, buffer,
                                  image_size(image) - at < sizeof(buffer)
                                      ? (size_t)(image_size(image) - at) : sizeof(buffer));
        image_close(image);
    }
    assert_true(opened > 100 && failed > 50);
    free(bytes);
    free(damaged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_images),       cmocka_unit_test(wrong_files),
        cmocka_unit_test(locks),            cmocka_unit_test(qcow2_forms),
        cmocka_unit_test(backing_files),    cmocka_unit_test(refused_features),
        cmocka_unit_test(overlays),         cmocka_unit_test(damaged_files),
    };

    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
