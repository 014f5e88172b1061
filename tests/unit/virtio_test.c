/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Virtio devices driven through their PCI registers: honest requests, then rings made by an enemy.
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

#include "tests/unit/board_harness.h"

#define RNG   (1u << 3)
#define BLOCK (2u << 3)
#define BAR   UINT64_C(0x1000000000)
#define MSIX  UINT64_C(0xC0000000)
#define RING  UINT64_C(0x10000) /* descriptors; driver area +0x1000, device area +0x2000 */
#define DATA  UINT64_C(0x20000)

enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };
enum { NEEDS_RESET = 64 };

static char path[] = "/tmp/privet-virtio-XXXXXX";
static int disk;
static struct image *image;

static char complaint[200];
static unsigned complaints;

static void complain(void *context, const char *device, const char *what)
{
    snprintf(complaint, sizeof(complaint), "%s: %s", device, what);
    complaints++;
}

static void with_disk(struct harness *h)
{
    h->config.sev = true;
    h->config.disk_count = 1;
    h->config.complaint = complain;
    h->config.disks[0].image = image;
}

static int setup(void **state)
{
    struct image_options options = { .path = path };
    char error[256];

    memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
    disk = mkstemp(path);
    if (disk < 0 || ftruncate(disk, 1 << 20))
        return -1;
    image = image_open(&options, error, sizeof(error));
    unlink(path);
    if (!image)
        return -1;
    *state = harness_create(with_disk);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    harness_destroy(*state);
    image_close(image);
    close(disk);
    return 0;
}

static uint64_t get(struct harness *h, unsigned offset, unsigned size)
{
    return h->io->mmio_read(h->io->context, BAR + offset, size);
}

static void set(struct harness *h, unsigned offset, uint64_t value, unsigned size)
{
    h->io->mmio_write(h->io->context, BAR + offset, value, size);
}

static void ram(struct harness *h, uint64_t gpa, const void *data, size_t length)
{
    assert_int_equal(memory_write(h->memory, gpa, data, length, MEMORY_RAW), 0);
}

static void descriptor(struct harness *h, uint64_t table, unsigned index, uint64_t gpa,
                       uint32_t length, uint16_t flags, uint16_t next)
{
    uint8_t bytes[16];

    memcpy(bytes, &gpa, 8);
    memcpy(bytes + 8, &length, 4);
    memcpy(bytes + 12, &flags, 2);
    memcpy(bytes + 14, &next, 2);
    ram(h, table + index * 16, bytes, 16);
}

/* Maps the registers and brings the device to DRIVER_OK with a queue of 8. */
static void start(struct harness *h, unsigned devfn)
{
    config_write(h, devfn, 0x14, MSIX, 4);
    config_write(h, devfn, 0x20, 0, 4);
    config_write(h, devfn, 0x24, BAR >> 32, 4);
    config_write(h, devfn, 4, 6, 2);
    set(h, 0x14, 0, 1);
    set(h, 0x14, 1, 1);
    set(h, 0x14, 3, 1);
    set(h, 0x08, 0, 4);
    set(h, 0x0C, 1 << 28, 4);
    set(h, 0x08, 1, 4);
    set(h, 0x0C, 3, 4);
    set(h, 0x14, 0xB, 1);
    assert_int_equal(get(h, 0x14, 1), 0xB);
    set(h, 0x16, 0, 2);
    set(h, 0x18, 8, 2);
    set(h, 0x20, RING, 4);
    set(h, 0x28, RING + 0x1000, 4);
    set(h, 0x30, RING + 0x2000, 4);
    set(h, 0x1C, 1, 2);
    set(h, 0x14, 0xF, 1);
}

/* Makes `index` the available index, with `head` in the slot before it, and notifies. */
static void submit(struct harness *h, uint16_t index, uint16_t head)
{
    ram(h, RING + 0x1000 + 4 + 2 * ((index - 1) & 7), &head, 2);
    ram(h, RING + 0x1000 + 2, &index, 2);
    set(h, 0x3000, 0, 2);
}

static uint16_t used(struct harness *h)
{
    uint16_t index;

    memory_read(h->memory, RING + 0x2000 + 2, &index, 2, MEMORY_RAW);
    return index;
}

static void platform_feature_is_required(void **state)
{
    struct harness *h = *state;

    start(h, RNG);
    set(h, 0x14, 0, 1);
    set(h, 0x00, 1, 4);
    assert_int_equal(get(h, 0x04, 4), 3); /* VERSION_1, ACCESS_PLATFORM */
    set(h, 0x08, 1, 4);
    set(h, 0x0C, 1, 4); /* without ACCESS_PLATFORM */
    set(h, 0x14, 0xB, 1);
    assert_int_equal(get(h, 0x14, 1), 3);
}

static void entropy(void **state)
{
    struct harness *h = *state;
    uint8_t bytes[64], zero[64] = { 0 };

    start(h, RNG);
    descriptor(h, RING, 0, DATA, 64, WRITE, 0);
    submit(h, 1, 0);
    assert_int_equal(used(h), 1);
    memory_read(h->memory, DATA, bytes, 64, MEMORY_RAW);
    assert_memory_not_equal(bytes, zero, 64);
    assert_int_equal(get(h, 0x1000, 1), 1); /* ISR, cleared by the read */
    assert_int_equal(get(h, 0x1000, 1), 0);
}

/* INTx of slot 1 is GSI 21; MSI-X then takes its place. */
static void interrupts(void **state)
{
    struct harness *h = *state;
    void *c = h->io->context;

    h->io->mmio_write(c, 0xFEE000F0, 0x1FF, 4);
    h->io->mmio_write(c, 0xFEC00000, 0x10 + 21 * 2, 4);
    h->io->mmio_write(c, 0xFEC00010, 0x8051, 4);
    start(h, RNG);
    descriptor(h, RING, 0, DATA, 64, WRITE, 0);
    submit(h, 1, 0);
    assert_int_equal(h->io->interrupt_acknowledge(c), 0x51);
    get(h, 0x1000, 1);
    h->io->mmio_write(c, 0xFEE000B0, 0, 4);
    assert_false(h->cpu.interrupt);
    config_write(h, RNG, 0x98 + 2, 0x8000, 2);
    h->io->mmio_write(c, MSIX + 16, 0xFEE00000, 4);
    h->io->mmio_write(c, MSIX + 24, 0x62, 4);
    set(h, 0x1A, 1, 2);
    submit(h, 2, 0);
    assert_false(h->cpu.interrupt); /* still masked: pending */
    assert_int_equal(h->io->mmio_read(c, MSIX + 0x800, 4), 2);
    h->io->mmio_write(c, MSIX + 28, 0, 4);
    assert_int_equal(h->io->interrupt_acknowledge(c), 0x62);
}

struct block_header {
    uint32_t type, reserved;
    uint64_t sector;
};

/* A request of header, data and status in an indirect table; returns the status. */
static uint8_t block_request(struct harness *h, uint16_t index, uint32_t type, uint64_t sector,
                             uint32_t length, bool in)
{
    struct block_header header = { type, 0, sector };
    uint8_t status = 0xEE;

    ram(h, DATA - 16, &header, 16);
    ram(h, DATA - 17, &status, 1);
    descriptor(h, RING + 0x3000, 0, DATA - 16, 16, NEXT, 1);
    descriptor(h, RING + 0x3000, 1, DATA, length, in ? NEXT | WRITE : NEXT, 2);
    descriptor(h, RING + 0x3000, 2, DATA - 17, 1, WRITE, 0);
    descriptor(h, RING, 3, RING + 0x3000, 48, INDIRECT, 0);
    submit(h, index, 3);
    memory_read(h->memory, DATA - 17, &status, 1, MEMORY_RAW);
    return status;
}

static void block_device(void **state)
{
    struct harness *h = *state;
    uint8_t bytes[70000], back[1024];

    start(h, BLOCK);
    assert_int_equal(get(h, 0x2000, 4), 2048); /* capacity in sectors */
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    ram(h, DATA, bytes, sizeof(bytes));
    assert_int_equal(block_request(h, 1, 1, 100, 69632, false), 0);
    assert_int_equal(pread(disk, back, 1024, 100 * 512 + 65536), 1024);
    assert_memory_equal(back, bytes + 65536, 1024);
    memset(bytes, 0, 1024);
    ram(h, DATA, bytes, 1024);
    assert_int_equal(block_request(h, 2, 0, 228, 1024, true), 0);
    memory_read(h->memory, DATA, bytes, 1024, MEMORY_RAW);
    assert_memory_equal(bytes, back, 1024);
    assert_int_equal(block_request(h, 3, 8, 0, 20, true), 0);
    memory_read(h->memory, DATA, bytes, 20, MEMORY_RAW);
    assert_string_equal((char *)bytes, "privet-0");
    assert_int_equal(block_request(h, 4, 4, 0, 0, true), 0);        /* flush */
    assert_int_equal(block_request(h, 5, 99, 0, 512, true), 2);     /* unsupported */
    assert_int_equal(block_request(h, 6, 0, 2048, 512, true), 1);   /* past the end */
    assert_int_equal(block_request(h, 7, 0, UINT64_MAX, 512, true), 1);
    assert_int_equal(block_request(h, 8, 0, 0, 100, true), 1);      /* not whole sectors */
    assert_int_equal(block_request(h, 9, 0, 0, 0xFFFFFE00, true), 1);
    assert_int_equal(used(h), 9);
    assert_int_equal(get(h, 0x14, 1) & NEEDS_RESET, 0);
}

struct zero_segment {
    uint64_t sector;
    uint32_t sectors, flags;
};

/* Discard (11) or write zeroes (13) of one segment. */
static uint8_t zero_request(struct harness *h, uint16_t index, uint32_t type, uint64_t sector,
                            uint32_t sectors, uint32_t flags)
{
    struct zero_segment segment = { sector, sectors, flags };

    ram(h, DATA, &segment, sizeof(segment));
    return block_request(h, index, type, 0, sizeof(segment), false);
}

static void discard_and_zeroes(void **state)
{
    struct harness *h = *state;
    uint8_t bytes[4096], back[4096];

    memset(bytes, 0x3C, sizeof(bytes));
    assert_int_equal(pwrite(disk, bytes, sizeof(bytes), 0), sizeof(bytes));
    start(h, BLOCK);
    assert_int_equal(get(h, 0x2000 + 36, 4), 131072);
    assert_int_equal(get(h, 0x2000 + 48, 4), 131072);
    assert_int_equal(zero_request(h, 1, 13, 1, 2, 0), 0);
    assert_int_equal(zero_request(h, 2, 13, 4, 1, 1), 0);
    assert_int_equal(zero_request(h, 3, 11, 6, 1, 0), 0);
    assert_int_equal(pread(disk, back, sizeof(back), 0), sizeof(back));
    memset(bytes + 512, 0, 1024);
    memset(bytes + 4 * 512, 0, 512);
    memset(bytes + 6 * 512, 0, 512);
    assert_memory_equal(back, bytes, sizeof(bytes));
    assert_int_equal(zero_request(h, 4, 11, 6, 1, 1), 2);  /* unmap of a discard: 5.2.6.2 */
    assert_int_equal(zero_request(h, 5, 13, 6, 1, 2), 2);  /* unknown flag */
    assert_int_equal(zero_request(h, 6, 11, 2048, 1, 0), 1);
    assert_int_equal(zero_request(h, 7, 11, UINT64_MAX, 1, 0), 1);
    assert_int_equal(zero_request(h, 8, 13, 0, UINT32_MAX, 0), 1);
    assert_int_equal(block_request(h, 9, 11, 0, 15, false), 1);
    assert_int_equal(block_request(h, 10, 11, 0, 17 * 16, false), 1); /* too many segments */
    assert_int_equal(block_request(h, 11, 11, 0, 0, false), 0);
    assert_int_equal(used(h), 11);
}

/* What the host cannot read fails the request, and is said once. */
static void host_errors(void **state)
{
    struct harness *h = *state;

    complaints = 0;
    start(h, BLOCK);
    assert_int_equal(ftruncate(disk, 4096), 0);
    assert_int_equal(block_request(h, 1, 0, 100, 512, true), 1);
    assert_int_equal(block_request(h, 2, 0, 100, 512, true), 1);
    assert_int_equal(block_request(h, 3, 0, 1, 512, true), 0);
    assert_int_equal(complaints, 1);
    assert_non_null(strstr(complaint, "virtio-blk privet-0: /tmp/privet-virtio-"));
    assert_non_null(strstr(complaint, "read at 51200: the file became shorter"));
    assert_int_equal(get(h, 0x14, 1) & NEEDS_RESET, 0);
}

/* What is wrong with a ring is said once a run, not once a reset. */
static void complaints_are_few(void **state)
{
    struct harness *h = *state;

    complaints = 0;
    for (int i = 0; i < 3; i++) {
        start(h, RNG);
        submit(h, 1, 8);
        assert_int_equal(get(h, 0x14, 1) & NEEDS_RESET, NEEDS_RESET);
    }
    assert_int_equal(complaints, 1);
    assert_string_equal(complaint, "virtio-rng: the guest's driver gave a descriptor index beyond "
                                   "the table; the device needs a reset");
}

static void write_cache(void **state)
{
    struct harness *h = *state;

    start(h, BLOCK);
    assert_int_equal(get(h, 0x2000 + 32, 1), 1);
    set(h, 0x2000 + 32, 0xFE, 1); /* one bit is the driver's */
    assert_int_equal(get(h, 0x2000 + 32, 1), 0);
    set(h, 0x2000, 0, 4); /* the capacity is not */
    assert_int_equal(get(h, 0x2000, 4), 2048);
    assert_int_equal(block_request(h, 1, 1, 0, 512, false), 0);
    set(h, 0x14, 0, 1);
    assert_int_equal(get(h, 0x2000 + 32, 1), 1);
}

/* A request without room for its status makes the device ask for a reset. */
static void no_status(void **state)
{
    struct harness *h = *state;

    start(h, BLOCK);
    descriptor(h, RING, 0, DATA, 16, 0, 0);
    submit(h, 1, 0);
    assert_int_equal(get(h, 0x14, 1) & NEEDS_RESET, NEEDS_RESET);
    start(h, BLOCK);
    descriptor(h, RING, 0, DATA, 8, NEXT, 1);
    descriptor(h, RING, 1, DATA, 1, WRITE, 0);
    submit(h, 1, 0);
    assert_int_equal(get(h, 0x14, 1) & NEEDS_RESET, NEEDS_RESET);
}

/* Event index, 2.7.7 and 2.7.10: whom to tell of what. */
static void event_index(void **state)
{
    struct harness *h = *state;
    uint16_t event, want = 2;

    start(h, RNG);
    set(h, 0x14, 0, 1);
    set(h, 0x14, 3, 1);
    set(h, 0x08, 0, 4);
    set(h, 0x0C, 3u << 28, 4);
    set(h, 0x08, 1, 4);
    set(h, 0x0C, 3, 4);
    set(h, 0x14, 0xB, 1);
    set(h, 0x16, 0, 2);
    set(h, 0x18, 8, 2);
    set(h, 0x20, RING, 4);
    set(h, 0x28, RING + 0x1000, 4);
    set(h, 0x30, RING + 0x2000, 4);
    set(h, 0x1C, 1, 2);
    set(h, 0x14, 0xF, 1);
    descriptor(h, RING, 0, DATA, 64, WRITE, 0);
    ram(h, RING + 0x1000 + 4 + 16, &want, 2); /* tell me when index 2 is used */
    submit(h, 1, 0);
    assert_int_equal(get(h, 0x1000, 1), 0);
    submit(h, 2, 0);
    assert_int_equal(get(h, 0x1000, 1), 0);
    submit(h, 3, 0);
    assert_int_equal(get(h, 0x1000, 1), 1);
    submit(h, 4, 0);
    assert_int_equal(get(h, 0x1000, 1), 0);
    memory_read(h->memory, RING + 0x2000 + 4 + 64, &event, 2, MEMORY_RAW);
    assert_int_equal(event, 4); /* notify me of the next one */
}

static void queues_are_checked(void **state)
{
    struct harness *h = *state;

    start(h, RNG);
    set(h, 0x14, 0, 1);
    set(h, 0x16, 0, 2);
    set(h, 0x20, RING + 8, 4);
    set(h, 0x1C, 1, 2);
    assert_int_equal(get(h, 0x1C, 2), 0);
    assert_int_equal(get(h, 0x14, 1) & NEEDS_RESET, NEEDS_RESET);
    start(h, RNG);
    set(h, 0x20, 0x50000, 4); /* not while it is enabled */
    assert_int_equal(get(h, 0x20, 4), RING);
    set(h, 0x18, 7, 2);
    assert_int_equal(get(h, 0x18, 2), 8);
}

static void expect_broken(struct harness *h, uint16_t index, uint16_t head)
{
    submit(h, index, head);
    assert_int_equal(get(h, 0x14, 1) & NEEDS_RESET, NEEDS_RESET);
    start(h, RNG); /* a reset heals it */
}

static void hostile_rings(void **state)
{
    struct harness *h = *state;
    uint16_t far = 9;

    start(h, RNG);
    descriptor(h, RING, 0, DATA, 64, WRITE | NEXT, 1); /* a loop */
    descriptor(h, RING, 1, DATA, 64, WRITE | NEXT, 0);
    expect_broken(h, 1, 0);
    descriptor(h, RING, 0, DATA, 64, WRITE | NEXT, 8); /* next out of range */
    expect_broken(h, 1, 0);
    expect_broken(h, 1, 8); /* head out of range */
    expect_broken(h, 1, 0xFFFF);
    descriptor(h, RING, 0, DATA, 64, WRITE | NEXT, 1); /* in before out */
    descriptor(h, RING, 1, DATA, 64, 0, 0);
    expect_broken(h, 1, 0);
    descriptor(h, RING, 0, UINT64_MAX - 8, 64, WRITE, 0); /* wraps around */
    expect_broken(h, 1, 0);
    ram(h, RING + 0x1000 + 2, &far, 2); /* more than the queue holds */
    set(h, 0x3000, 0, 2);
    assert_int_equal(get(h, 0x14, 1) & NEEDS_RESET, NEEDS_RESET);
    start(h, RNG);
    descriptor(h, RING, 0, RING + 0x3000, 0, INDIRECT, 0); /* empty indirect table */
    expect_broken(h, 1, 0);
    descriptor(h, RING, 0, RING + 0x3000, 17, INDIRECT, 0);
    expect_broken(h, 1, 0);
    descriptor(h, RING, 0, RING + 0x3000, 0xFFFFFFF0, INDIRECT, 0);
    expect_broken(h, 1, 0);
    descriptor(h, RING, 0, RING + 0x3000, 16, INDIRECT, 0); /* a table within a table */
    descriptor(h, RING + 0x3000, 0, RING + 0x3000, 16, INDIRECT, 0);
    expect_broken(h, 1, 0);
    descriptor(h, RING, 0, DATA, 0xFFFFFFFF, WRITE, 0); /* huge, beyond RAM: short answer */
    submit(h, 1, 0);
    assert_int_equal(get(h, 0x14, 1) & NEEDS_RESET, 0);
    descriptor(h, RING, 0, 0xFFFFF000, 64, WRITE, 0); /* flash is no target */
    submit(h, 2, 0);
    descriptor(h, RING, 0, 0xFEE00000, 64, WRITE, 0);
    submit(h, 3, 0);
    assert_int_equal(used(h), 3);
}

/* A guest that forgets to share its ring: the device sees ciphertext, and the guest's data stays. */
static void private_ring(void **state)
{
    static const uint8_t key[MEMORY_KEY_SIZE] = { 9 };
    struct harness *h = *state;
    uint16_t index = 1, back;

    memory_set_key(h->memory, 1, key);
    start(h, RNG);
    descriptor(h, RING, 0, DATA, 64, WRITE, 0);
    assert_int_equal(memory_write(h->memory, RING + 0x1000 + 2, &index, 2, 1), 0);
    set(h, 0x3000, 0, 2);
    assert_int_equal(get(h, 0x14, 1) & NEEDS_RESET, NEEDS_RESET);
    assert_int_equal(memory_read(h->memory, RING + 0x1000 + 2, &back, 2, 1), 0);
    assert_int_equal(back, 1);
}

static void rings_outside_memory(void **state)
{
    struct harness *h = *state;

    start(h, RNG);
    set(h, 0x1C, 0, 2);
    set(h, 0x14, 0, 1);
    start(h, RNG);
    set(h, 0x14, 0, 1);
    set(h, 0x08, 1, 4);
    set(h, 0x0C, 3, 4);
    set(h, 0x14, 0xB, 1);
    set(h, 0x20, 0xFFFFFFF0, 4);
    set(h, 0x24, 0xFFFFFFFF, 4);
    set(h, 0x28, 0xFFFFF000, 4);
    set(h, 0x2C, 0xFFFFFFFF, 4);
    set(h, 0x1C, 1, 2);
    set(h, 0x14, 0xF, 1);
    set(h, 0x3000, 0, 2);
    assert_int_equal(get(h, 0x14, 1) & NEEDS_RESET, NEEDS_RESET);
}

/* Random register writes and random rings: nothing to see but that it ends. */
static void random_driver(void **state)
{
    struct harness *h = *state;
    uint32_t random = 3;
    uint8_t page[4096];

    for (int round = 0; round < 300; round++) {
        start(h, round & 1 ? BLOCK : RNG);
        for (size_t i = 0; i < sizeof(page); i++) {
            random = random * 1664525 + 1013904223;
            page[i] = random >> 30 ? (uint8_t)(random >> 24 & 7) : (uint8_t)(random >> 16);
        }
        ram(h, RING, page, 128);
        ram(h, RING + 0x1000 + 4, page + 128, 32);
        ram(h, RING + 0x3000, page, sizeof(page));
        for (uint16_t i = 1; i < 9; i++)
            submit(h, i, i & 7);
        for (int i = 0; i < 200; i++) {
            random = random * 1664525 + 1013904223;
            set(h, random >> 8 & 0x3F, random >> 16, 1u << (random >> 29 & 3) % 3);
            set(h, 0x3000, 0, 2);
        }
    }
}

#define VIRTIO_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VIRTIO_TEST(platform_feature_is_required),
        VIRTIO_TEST(entropy),
        VIRTIO_TEST(interrupts),
        VIRTIO_TEST(block_device),
        VIRTIO_TEST(discard_and_zeroes),
        VIRTIO_TEST(host_errors),
        VIRTIO_TEST(complaints_are_few),
        VIRTIO_TEST(write_cache),
        VIRTIO_TEST(no_status),
        VIRTIO_TEST(event_index),
        VIRTIO_TEST(queues_are_checked),
        VIRTIO_TEST(hostile_rings),
        VIRTIO_TEST(private_ring),
        VIRTIO_TEST(rings_outside_memory),
        VIRTIO_TEST(random_driver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
