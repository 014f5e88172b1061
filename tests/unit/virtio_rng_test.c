/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's driver of virtio entropy devices, with the transport played here: short answers are
 * collected, a device that gives nothing is given up, one that is not needed is stopped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/drivers/virtio.h"
#include "firmware/drivers/virtio_rng.h"
#include "firmware/sev/dma.h"
#include "firmware/uefi/entropy.h"

static uint8_t shared[4096];
static uint32_t step; /* bytes that the device gives at a time */
static unsigned requests, requests_good, stopped, protocols;
static bool needed, read_good;
static uint8_t taken[100];

void log_line(const char *fmt, ...);
void log_line(const char *fmt, ...)
{
    (void)fmt;
}

bool pci_function_at(size_t index, const struct pci_function **ret)
{
    static const struct pci_function function = { .vendor = VIRTIO_VENDOR, .device = 0x1044 };
    *ret = &function;
    return index == 0;
}

bool virtio_is(const struct pci_function *function, unsigned kind)
{
    return function->device == 0x1040 + kind;
}

bool virtio_open(const struct pci_function *function, const char *driver, uint64_t wanted,
                 struct virtio *ret)
{
    (void)function;
    (void)driver;
    assert_int_equal(wanted, 0);
    memset(ret, 0, sizeof(*ret));
    return true;
}

bool virtio_queue_open(struct virtio *device, uint16_t index, uint16_t size,
                       struct virtio_queue *ret)
{
    (void)size;
    assert_int_equal(index, 0);
    ret->device = device;
    return true;
}

bool virtio_ready(struct virtio *device)
{
    (void)device;
    return true;
}

void virtio_refuse(struct virtio *device, const char *reason)
{
    (void)device;
    fail_msg("%s", reason);
}

void virtio_stop(struct virtio *device)
{
    (void)device;
    stopped++;
}

bool virtio_request(struct virtio_queue *queue, const struct virtio_segment *segments,
                    unsigned count, uint32_t *ret_written)
{
    (void)queue;
    assert_int_equal(count, 1);
    assert_true(segments->device_writes && segments->length <= 64);
    assert_int_equal(segments->device, 0x1000);
    if (requests++ == requests_good)
        return false;
    *ret_written = step < segments->length ? step : segments->length;
    for (uint32_t i = 0; i < *ret_written; i++)
        shared[i] = (uint8_t)(requests * 16 + i);
    return true;
}

void *dma_alloc(size_t length, uint64_t *ret_device)
{
    assert_true(length <= sizeof(shared));
    *ret_device = 0x1000;
    return shared;
}

void dma_free(void *memory, size_t length)
{
    (void)length;
    assert_ptr_equal(memory, shared);
}

bool entropy_add_host(bool (*read)(uint8_t *bytes, size_t size))
{
    read_good = read(taken, sizeof(taken));
    return needed;
}

void rng_init(void);
void rng_init(void)
{
    protocols++;
}

static void run(uint32_t at_a_time, unsigned good, bool wanted)
{
    step = at_a_time;
    requests_good = good;
    needed = wanted;
    requests = stopped = protocols = 0;
    virtio_rng_init();
}

static void collects_short_answers(void **state)
{
    (void)state;
    run(10, 100, true);
    assert_true(read_good);
    assert_int_equal(requests, 10);
    for (unsigned i = 0; i < sizeof(taken); i++)
        assert_int_equal(taken[i], (uint8_t)((i / 10 + 1) * 16 + i % 10));
    assert_int_equal(protocols, 1);
    assert_int_equal(stopped, 0);
}

static void gives_up(void **state)
{
    (void)state;
    run(0, 100, false); /* it answers with nothing */
    assert_false(read_good);
    assert_true(requests <= 16);
    run(1, 100, false); /* too little */
    assert_false(read_good);
    run(10, 3, false); /* it breaks */
    assert_false(read_good);
    assert_int_equal(requests, 4);
}

static void stops_what_is_not_needed(void **state)
{
    (void)state;
    run(64, 100, false);
    assert_true(read_good);
    assert_int_equal(stopped, 1);
    assert_int_equal(protocols, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collects_short_answers),
        cmocka_unit_test(gives_up),
        cmocka_unit_test(stops_what_is_not_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
