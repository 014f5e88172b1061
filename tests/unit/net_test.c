/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The network card with its user-mode network, and the console, driven through their registers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/board_harness.h"

#define NET     (16u << 3)
#define CONSOLE (17u << 3)
#define BAR     UINT64_C(0x1000000000)
#define RING(queue) (UINT64_C(0x10000) + 0x4000 * (queue)) /* driver area +0x1000, device +0x2000 */
#define DATA    UINT64_C(0x40000)

enum { NEXT = 1, WRITE = 2 };
enum { RECEIVE, TRANSMIT, CONTROL };

#define MERGE   (1u << 15)
#define CONTROLS (1u << 17 | 1u << 18 | 1u << 20 | 1u << 23)

static const uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static uint16_t available[3];
static struct board_net net;
static char printed[64];
static size_t printed_length;

static void print(void *context, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length && printed_length < sizeof(printed) - 1; i++)
        printed[printed_length++] = (char)bytes[i];
}

static void adjust(struct harness *h)
{
    net = (struct board_net){ .user = { .restricted = true } };
    memcpy(net.mac, mac, sizeof(mac));
    h->config.net = &net;
    h->config.console = print;
}

static int setup(void **state)
{
    memset(printed, 0, sizeof(printed));
    printed_length = 0;
    *state = harness_create(adjust);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    harness_destroy(*state);
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

static void start(struct harness *h, unsigned devfn, uint32_t features, unsigned queues)
{
    static const uint8_t zero[0x4000];

    config_write(h, devfn, 0x20, 0, 4);
    config_write(h, devfn, 0x24, BAR >> 32, 4);
    config_write(h, devfn, 4, 6, 2);
    set(h, 0x14, 0, 1);
    set(h, 0x14, 3, 1);
    set(h, 0x08, 0, 4);
    set(h, 0x0C, features, 4);
    set(h, 0x08, 1, 4);
    set(h, 0x0C, 1, 4);
    set(h, 0x14, 0xB, 1);
    assert_int_equal(get(h, 0x14, 1), 0xB);
    assert_int_equal(get(h, 0x12, 2), queues);
    for (unsigned i = 0; i < queues; i++) {
        ram(h, RING(i), zero, sizeof(zero));
        set(h, 0x16, i, 2);
        set(h, 0x18, 8, 2);
        set(h, 0x20, RING(i), 4);
        set(h, 0x28, RING(i) + 0x1000, 4);
        set(h, 0x30, RING(i) + 0x2000, 4);
        set(h, 0x1C, 1, 2);
        available[i] = 0;
    }
    set(h, 0x14, 0xF, 1);
}

static void descriptor(struct harness *h, unsigned queue, unsigned index, uint64_t gpa,
                       uint32_t length, uint16_t flags)
{
    struct {
        uint64_t gpa;
        uint32_t length;
        uint16_t flags, next;
    } bytes = { gpa, length, flags, (uint16_t)(index + 1) };

    ram(h, RING(queue) + index * 16, &bytes, sizeof(bytes));
}

static void submit(struct harness *h, unsigned queue, uint16_t head)
{
    ram(h, RING(queue) + 0x1004 + 2 * (available[queue]++ & 7), &head, 2);
    ram(h, RING(queue) + 0x1002, &available[queue], 2);
    set(h, 0x3000 + 4 * queue, queue, 2);
}

static uint16_t used(struct harness *h, unsigned queue)
{
    uint16_t index;

    memory_read(h->memory, RING(queue) + 0x2002, &index, 2, MEMORY_RAW);
    return index;
}

static uint32_t used_length(struct harness *h, unsigned queue, unsigned slot)
{
    uint32_t length;

    memory_read(h->memory, RING(queue) + 0x2008 + 8 * slot, &length, 4, MEMORY_RAW);
    return length;
}

/* Who has the router's address? */
static void ask_router(struct harness *h)
{
    static const uint8_t question[12 + 42] = {
        [12] = 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 8, 6,
        0, 1, 8, 0, 6, 4, 0, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 10, 0, 2, 15,
        0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
    };

    ram(h, DATA, question, sizeof(question));
    descriptor(h, TRANSMIT, 0, DATA, 12, NEXT);
    descriptor(h, TRANSMIT, 1, DATA + 12, 42, 0);
    submit(h, TRANSMIT, 0);
}

static void expect_answer(struct harness *h, uint64_t at)
{
    uint8_t frame[42];

    memory_read(h->memory, at, frame, sizeof(frame), MEMORY_RAW);
    assert_memory_equal(frame, mac, 6);
    assert_int_equal(frame[12] << 8 | frame[13], 0x806);
    assert_int_equal(frame[21], 2); /* a reply */
    assert_int_equal(frame[28] << 24 | frame[29] << 16 | frame[30] << 8 | frame[31], 0x0A000202);
}

static void address_and_link(void **state)
{
    struct harness *h = *state;

    start(h, NET, MERGE, 3);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(get(h, 0x2000 + i, 1), mac[i]);
    assert_int_equal(get(h, 0x2006, 2), 1);    /* link up */
    assert_int_equal(get(h, 0x200A, 2), 1500); /* MTU */
}

static void frames_wait_for_buffers(void **state)
{
    struct harness *h = *state;
    uint16_t buffers;

    start(h, NET, MERGE, 3);
    ask_router(h);
    assert_int_equal(used(h, TRANSMIT), 1);
    assert_int_equal(used(h, RECEIVE), 0);
    descriptor(h, RECEIVE, 0, DATA + 0x1000, 1526, WRITE);
    submit(h, RECEIVE, 0);
    assert_int_equal(used(h, RECEIVE), 1);
    assert_true(used_length(h, RECEIVE, 0) >= 12 + 42);
    memory_read(h->memory, DATA + 0x100A, &buffers, 2, MEMORY_RAW);
    assert_int_equal(buffers, 1);
    expect_answer(h, DATA + 0x100C);
}

static void small_buffers_are_merged(void **state)
{
    struct harness *h = *state;
    uint16_t buffers;

    start(h, NET, MERGE, 3);
    for (unsigned i = 0; i < 8; i++)
        descriptor(h, RECEIVE, i, DATA + 0x1000 + 12 * i, 12, WRITE);
    ask_router(h);
    for (uint16_t i = 0; i < 6; i++) {
        assert_int_equal(used(h, RECEIVE), 0);
        submit(h, RECEIVE, i);
    }
    submit(h, RECEIVE, 6);
    assert_int_equal(used(h, RECEIVE), 7); /* 12 + 64 bytes, the frame being padded */
    memory_read(h->memory, DATA + 0x100A, &buffers, 2, MEMORY_RAW);
    assert_int_equal(buffers, used(h, RECEIVE));
    expect_answer(h, DATA + 0x100C);
}

static uint8_t control(struct harness *h, const uint8_t *command, size_t length)
{
    uint8_t answer = 0xEE;

    ram(h, DATA + 0x2000, command, length);
    ram(h, DATA + 0x3000, &answer, 1);
    descriptor(h, CONTROL, 0, DATA + 0x2000, (uint32_t)length, NEXT);
    descriptor(h, CONTROL, 1, DATA + 0x3000, 1, WRITE);
    submit(h, CONTROL, 0);
    memory_read(h->memory, DATA + 0x3000, &answer, 1, MEMORY_RAW);
    return answer;
}

static void control_queue(void **state)
{
    struct harness *h = *state;
    static const uint8_t promiscuous[] = { 0, 0, 1 }, unknown[] = { 77, 0 }, none[] = { 0 };
    static const uint8_t address[] = { 1, 1, 2, 3, 4, 5, 6, 7 };
    static const uint8_t table[] = { 1, 0, 1, 0, 0, 0, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0 };
    static const uint8_t lie[] = { 1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0 };
    static const uint8_t deaf[] = { 0, 4, 1 }; /* no unicast */

    start(h, NET, MERGE | CONTROLS, 3);
    assert_int_equal(control(h, promiscuous, sizeof(promiscuous)), 0);
    assert_int_equal(control(h, table, sizeof(table)), 0);
    assert_int_equal(control(h, unknown, sizeof(unknown)), 1);
    assert_int_equal(control(h, none, sizeof(none)), 1);
    assert_int_equal(control(h, lie, sizeof(lie)), 1);
    assert_int_equal(control(h, address, sizeof(address)), 0);
    assert_int_equal(get(h, 0x2000, 1), 2);
    start(h, NET, MERGE | CONTROLS, 3); /* a reset brings the address back */
    assert_int_equal(get(h, 0x2000, 1), 0x52);
    assert_int_equal(control(h, deaf, sizeof(deaf)), 0);
    descriptor(h, RECEIVE, 0, DATA + 0x1000, 1526, WRITE);
    submit(h, RECEIVE, 0);
    ask_router(h);
    assert_int_equal(used(h, RECEIVE), 0);
}

static void wrong_frames_are_dropped(void **state)
{
    struct harness *h = *state;

    start(h, NET, MERGE, 3);
    descriptor(h, TRANSMIT, 0, DATA, 5, 0); /* not even a header */
    submit(h, TRANSMIT, 0);
    descriptor(h, TRANSMIT, 0, DATA, 12, 0); /* nothing behind it */
    submit(h, TRANSMIT, 0);
    descriptor(h, TRANSMIT, 0, DATA, 0xFFFFFFFF, 0);
    submit(h, TRANSMIT, 0);
    descriptor(h, TRANSMIT, 0, 0xFEE00000, 100, 0); /* not memory */
    submit(h, TRANSMIT, 0);
    assert_int_equal(used(h, TRANSMIT), 4);
    assert_int_equal(get(h, 0x14, 1) & 64, 0);
    descriptor(h, RECEIVE, 0, DATA, 8, WRITE); /* a buffer without room for the header */
    submit(h, RECEIVE, 0);
    ask_router(h);
    assert_int_equal(get(h, 0x14, 1) & 64, 64);
}

static void console(void **state)
{
    struct harness *h = *state;
    char got[8] = { 0 };

    start(h, CONSOLE, 0, 2);
    ram(h, DATA, "hello", 5);
    descriptor(h, TRANSMIT, 0, DATA, 5, 0);
    submit(h, TRANSMIT, 0);
    assert_string_equal(printed, "hello");
    assert_int_equal(board_console_input(h->board, (const uint8_t *)"abcdef", 6), 6);
    descriptor(h, RECEIVE, 0, DATA, 4, WRITE);
    submit(h, RECEIVE, 0);
    assert_int_equal(used(h, RECEIVE), 1);
    assert_int_equal(used_length(h, RECEIVE, 0), 4);
    submit(h, RECEIVE, 0);
    assert_int_equal(used_length(h, RECEIVE, 1), 2);
    memory_read(h->memory, DATA, got, 4, MEMORY_RAW);
    assert_string_equal(got, "efcd");
    for (unsigned i = 0; i < 2000; i++)
        board_console_input(h->board, (const uint8_t *)"x", 1);
    assert_int_equal(board_console_room(h->board), 0);
}

#define NET_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NET_TEST(address_and_link), NET_TEST(frames_wait_for_buffers),
        NET_TEST(small_buffers_are_merged), NET_TEST(control_queue),
        NET_TEST(wrong_frames_are_dropped), NET_TEST(console),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
