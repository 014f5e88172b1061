/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's flash driver against chips that behave as QEMU's, are read-only, small-minded, busy
 * for ever or report failures, and against ROM, RAM and nothing where the chip should be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/arch/io.h"
#include "firmware/platform/flash.h"
#include "firmware/sev/ghcb.h"
#include "firmware/sev/sev.h"

#define SIZE 0x20000u
#define END  0xFFFD0000ull
#define BASE (END - SIZE)

static uint8_t array[SIZE];
static enum { CHIP, ROM, RAM, NOTHING } kind;
static bool read_only, busy;
static uint8_t buffer_log2;
static unsigned blocks_kib, fail_after; /* programs until one fails; 0: never */
static unsigned accesses, programs, longest;
static bool encrypted_state, asking, left; /* a SEV-ES guest; in a request to its hypervisor */
static unsigned requests, refuse_from; /* from which on all are refused; 0: none */

/* The chip's state: command in progress, what reads show, status. */
static uint8_t command, shows, status;
static unsigned step, count;

static int reset(void **state)
{
    (void)state;
    memset(array, 0x5A, sizeof(array));
    kind = CHIP;
    read_only = busy = false;
    buffer_log2 = 11;
    blocks_kib = 4;
    fail_after = accesses = programs = longest = refuse_from = 0;
    encrypted_state = left = false;
    shows = 0xFF;
    step = 0;
    status = 0x80;
    return 0;
}

static uint8_t query(uint64_t at)
{
    switch (at & 0xFF) {
    case 0x10: return 'Q';
    case 0x11: return 'R';
    case 0x12: return 'Y';
    case 0x2A: return buffer_log2;
    case 0x2C: return 1;
    case 0x2D: return (uint8_t)(SIZE / 1024 / blocks_kib - 1);
    case 0x2F: return (uint8_t)(blocks_kib * 4);
    default: return 0;
    }
}

uint64_t test_mmio_read(uint64_t address, unsigned size)
{
    uint64_t value = 0;
    accesses++;
    if (kind == NOTHING)
        return UINT64_MAX;
    assert_true(address >= BASE && address + size <= END && address % size == 0);
    if (kind == CHIP && shows == 0x98)
        return query(address - BASE);
    if (kind == CHIP && shows == 0x70)
        return busy ? 0 : status;
    memcpy(&value, array + (address - BASE), size);
    return value;
}

static void change(uint64_t offset, uint8_t value, uint8_t error)
{
    if (read_only || (fail_after && --fail_after == 0))
        status |= error;
    else
        array[offset] &= value;
}

static void first_cycle(uint8_t value)
{
    command = value;
    switch (value) {
    case 0x10:
    case 0x20:
    case 0xE8:
        step = 1;
        shows = 0x70;
        status |= 0x80;
        break;
    case 0x50:
        status = 0;
        shows = 0xFF;
        break;
    default:
        shows = value;
    }
}

bool sev_es(void)
{
    return encrypted_state;
}

bool ghcb_mmio_write(uint64_t address, unsigned size, uint64_t value)
{
    assert_true(encrypted_state && address >= BASE && address < END);
    if (refuse_from == 1)
        return false;
    refuse_from -= refuse_from != 0;
    requests++;
    asking = true;
    test_mmio_write(address, size, value);
    asking = false;
    return true;
}

void ghcb_leave(void)
{
    left = true;
}

void test_mmio_write(uint64_t address, unsigned size, uint64_t value)
{
    uint64_t offset = address - BASE;
    assert_int_equal(asking, encrypted_state); /* a plain store would end a SEV-ES guest */
    accesses++;
    if (kind == RAM)
        array[offset] = (uint8_t)value;
    if (kind != CHIP)
        return;
    assert_true(size == 1 && offset < SIZE);
    if (step == 0) {
        first_cycle((uint8_t)value);
        return;
    }
    status |= 0x80;
    if (command == 0x10) {
        change(offset, (uint8_t)value, 0x10);
        programs++;
        step = 0;
    } else if (command == 0x20) {
        assert_int_equal(value, 0xD0);
        step = 0;
        if (read_only)
            status |= 0x20;
        else
            memset(array + (offset & ~4095ull), 0xFF, 4096);
    } else if (step == 1) {
        count = (unsigned)value + 1;
        longest = count > longest ? count : longest;
        step = 2;
    } else if (count) {
        change(offset, (uint8_t)value, 0x10);
        count--;
    } else {
        assert_int_equal(value, 0xD0);
        programs++;
        step = 0;
    }
}

static void finds_the_chip(void **state)
{
    (void)state;
    struct flash_chip chip;
    assert_true(flash_find(END, &chip));
    assert_int_equal(chip.base, BASE);
    assert_int_equal(chip.size, SIZE);
    assert_true(chip.writable);
    assert_int_equal(shows, 0xFF);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(array[i], 0x5A); /* looking changes nothing */
    read_only = true;
    assert_true(flash_find(END, &chip));
    assert_false(chip.writable);
    assert_int_equal(shows, 0xFF);
}

static void is_not_fooled(void **state)
{
    struct flash_chip chip;
    for (kind = ROM; kind <= NOTHING; kind++) {
        memset(array, 0x5A, sizeof(array));
        assert_false(flash_find(END, &chip));
        assert_int_equal(array[SIZE - 4096], 0x5A);
        memcpy(array + SIZE - 4096 + 0x10, "QRY", 3);
        assert_false(flash_find(END, &chip));
    }
    reset(state);
    blocks_kib = 64;
    assert_false(flash_find(END, &chip));
    assert_int_equal(shows, 0xFF);
}

static void programs_and_erases(void **state)
{
    (void)state;
    static uint8_t data[2000], copy[2000];
    static const uint8_t logs[] = { 11, 5, 0 };
    struct flash_chip chip;
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i % 700 < 300 ? 0xFF : i * 7);
    for (unsigned i = 0; i < 3; i++) {
        reset(state);
        buffer_log2 = logs[i];
        assert_true(flash_find(END, &chip));
        assert_true(flash_erase(0x3000) && flash_erase(0x4000));
        assert_int_equal(array[0x2FFF], 0x5A);
        assert_int_equal(array[0x5000], 0x5A);
        programs = 0;
        assert_true(flash_program(0x3F11, data, sizeof(data)));
        assert_int_equal(shows, 0xFF);
        assert_memory_equal(array + 0x3F11, data, sizeof(data));
        assert_int_equal(longest, i == 0 ? 256 : i == 1 ? 32 : 0);
        assert_true(i == 2 || programs < 80);
        flash_read(0x3F11, copy, sizeof(copy));
        assert_memory_equal(copy, data, sizeof(data));
        assert_true(flash_program(0x3000, data, 0));
    }
    accesses = 0;
    assert_true(flash_erase(0x6000));
    assert_true(flash_erase(0x6000)); /* blank: nothing is sent */
    assert_int_equal(array[0x6000], 0xFF);
}

static void failures_are_failures(void **state)
{
    (void)state;
    static const uint8_t data[600] = { 0 };
    struct flash_chip chip;
    assert_true(flash_find(END, &chip));
    fail_after = 500;
    assert_false(flash_program(0x1000, data, sizeof(data)));
    assert_int_equal(shows, 0xFF);
    assert_true(flash_program(0x1000, data, sizeof(data))); /* the error was cleared */
    read_only = true;
    assert_false(flash_erase(0x1000));
    assert_false(flash_program(0x2000, data, 1));
    read_only = false;
    busy = true;
    accesses = 0;
    assert_false(flash_program(0x2000, data, sizeof(data)));
    assert_false(flash_erase(0x2000));
    assert_true(accesses < 3000000);
}

static void follows_its_address(void **state)
{
    (void)state;
    struct flash_chip chip;
    uint8_t byte = 0;
    assert_true(flash_find(END, &chip));
    array[5] = 0x77;
    flash_move(BASE);
    flash_read(5, &byte, 1);
    assert_int_equal(byte, 0x77);
}

/* The virtual address is for reading; what the hypervisor is asked for is the physical one. */
static void asks_the_hypervisor(void **state)
{
    static const uint8_t data[600] = { 0 };
    struct flash_chip chip;
    encrypted_state = true;
    finds_the_chip(state);
    reset(state);
    encrypted_state = true;
    assert_true(flash_find(END, &chip));
    flash_move(BASE);
    assert_true(left);
    assert_true(flash_program(0x3F00, data, sizeof(data)));
    assert_int_equal(array[0x3F00 + 599], 0);
    assert_true(flash_erase(0x3000));
    /* Refused in the middle: what the chip shows as its status is not believed. */
    for (unsigned i = 1; i < 600; i += 99) {
        refuse_from = i;
        assert_false(flash_program(0x5000, data, sizeof(data)));
        refuse_from = 0;
        shows = 0xFF;
        step = 0;
    }
    assert_true(flash_program(0x5000, data, sizeof(data)));
}

/* At a virtual address, from which only reads go. */
static void writes_go_to_the_physical_address(void **state)
{
    (void)state;
    struct flash_chip chip;
    encrypted_state = true;
    assert_true(flash_find(END, &chip));
    flash_move(0xFFFFFFFE00000000);
    kind = NOTHING; /* nothing of the chip is at the address of reads */
    requests = 0;
    (void)flash_program(0x10, "", 1);
    assert_true(requests > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(finds_the_chip, reset),
        cmocka_unit_test_setup(is_not_fooled, reset),
        cmocka_unit_test_setup(programs_and_erases, reset),
        cmocka_unit_test_setup(failures_are_failures, reset),
        cmocka_unit_test_setup(follows_its_address, reset),
        cmocka_unit_test_setup(asks_the_hypervisor, reset),
        cmocka_unit_test_setup(writes_go_to_the_physical_address, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
